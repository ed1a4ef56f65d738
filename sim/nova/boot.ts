// Boots a server for a test, as its project's POST would, without an HTTP request.

import { createServers } from './api/server-create.ts'
import type { NovaRegion } from './region.ts'
import type { Server } from './rows.ts'

export interface BootSpec {
  projectId: string
  name?: string
  /** The flavor, by name or id; the smallest by default. */
  flavor?: string
  /** Networks and ports by id, with one port for each; none by default. */
  networks?: readonly ({ uuid: string; fixed_ip?: string } | { port: string })[]
  /** Security groups, by name or id. */
  groups?: readonly string[]
  /** `zone`, or `zone:host`. */
  zone?: string
}

/** Boots a server; throws the refusal that the POST would get. */
export function bootServer(region: NovaRegion, spec: BootSpec): Server {
  const { projectId, name = 'server', flavor = 'm1.tiny', networks = 'none', groups, zone } = spec
  const server = {
    name,
    flavorRef: region.flavorsByName.get(flavor)?.id ?? flavor,
    imageRef: [...region.images.keys()][0],
    networks,
    ...(groups === undefined ? {} : { security_groups: groups.map(group => ({ name: group })) }),
    ...(zone === undefined ? {} : { availability_zone: zone }),
  }
  const { body } = createServers({
    region,
    body: { server },
    minor: 90,
    caller: { projectId, userId: '', isAdmin: true },
    params: {},
    query: new URLSearchParams(),
    root: '',
    url: '',
    isEndless: false,
    isProject: () => true,
  })
  region.settle()
  return region.servers.get((body as { server: { id: string } }).server.id)!
}
