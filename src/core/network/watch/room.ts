// Room for ports that users make in a region by themselves: the region's blocks grow before they are full.

import { topUp } from '../addresses/blocks.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import { homeOf } from '../model/where.ts'
import type { Watcher } from '../ports/adopt-port.ts'

/** Extends the region's blocks in each of these spanning networks where half of their addresses are given. */
export async function keepRoom(
  { app, region, networking }: Watcher,
  networkIds: ReadonlySet<string>,
): Promise<void> {
  for (const network of await app.store.networks.getMany('network', [...networkIds])) {
    if (homeOf(network, [region]) || network.deleting || network.bridgeOf !== null) continue
    for (const subnet of await app.store.networks.getMany('subnet', network.subnetIds)) {
      const id = regionalIdIn(subnet, region)
      const blocks = id === null ? null : await topUp(app, subnet, region)
      if (id !== null && blocks) await networking.update('subnet', id, { allocationPools: blocks })
    }
  }
}
