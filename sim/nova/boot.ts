// A server booted for a test: as its project's POST would, without one.

import { createServers } from './api/server-create.ts'
import type { NovaRegion } from './region.ts'
import type { Server } from './rows.ts'

export interface BootSpec {
  projectId: string
  name?: string
  /** By its name or its id; the smallest unless told. */
  flavor?: string
  /** Networks and ports by id, each in a port of its own; none unless told. */
  networks?: readonly ({ uuid: string; fixed_ip?: string } | { port: string })[]
  /** By name or id. */
  groups?: readonly string[]
  /** `zone`, or `zone:host`. */
  zone?: string
}

/** Throws what would refuse it. */
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
