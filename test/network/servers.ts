// Servers in the regions of a world: booted by a member through each region's own Nova.

import { randomUUID } from 'node:crypto'
import { removeServer, type Server } from '../../src/openstack/nova.ts'
import { createFlavor, removeFlavor } from '../../src/openstack/nova-flavors.ts'
import { type Boot, gone, openBooter } from '../contract/nova-servers.ts'
import { requestId } from '../contract/target.ts'
import type { World } from '../world.ts'

export interface Servers extends AsyncDisposable {
  /** A small one that every region has. */
  readonly flavor: { readonly id: string; readonly vcpus: number; readonly memoryMb: number }
  /** One that may be booted from. */
  imageId(region: string): string
  /** ACTIVE, or it throws what became of it instead. */
  boot(region: string, networks: NonNullable<Boot['networks']>): Promise<Server>
  /** Waits until Nova knows it no more. */
  remove(region: string, id: string): Promise<void>
}

/** Null where one of the regions has no Nova. */
export async function openServers(w: World): Promise<Servers | null> {
  const { catalog, regions } = w.openstack
  const having = (await catalog.endpoints(requestId()))
    .filter(({ serviceType }) => serviceType === 'compute')
    .map(({ region }) => region)
  if (!w.regions.every(name => having.includes(name))) return null
  const region = (name = w.regions[0]!) => regions.region(name, { requestId: requestId() })
  const target = { member: w.logIn('demo'), credentials: w.logIn('service'), regionNames: w.regions, region }
  const booters = new Map(
    await Promise.all(w.regions.map(async name => [name, await openBooter(target, 'member', name)] as const)),
  )
  const flavorId = randomUUID()
  const flavor = { id: flavorId, name: `networking-${flavorId}`, vcpus: 1, memoryMb: 64, diskGb: 1 }
  for (const name of w.regions) await createFlavor(region(name), { ...flavor, isPublic: true })

  return {
    flavor,
    imageId: name => booters.get(name)!.imageId,
    async boot(name, networks) {
      const server = await booters.get(name)!.boot({ name: 'networking', flavorId, networks })
      if (server.status === 'ACTIVE') return server
      throw new Error(`the server is in ${server.status}: ${server.fault?.message}`)
    },
    async remove(name, id) {
      await removeServer(region(name), id)
      await gone(region(name), id)
    },
    async [Symbol.asyncDispose]() {
      for (const booter of booters.values()) await booter.close()
      for (const name of w.regions) await removeFlavor(region(name), flavorId)
    },
  }
}
