// Room for what users make in a region by themselves: its blocks grow before they are full.

import { topUp } from '../addresses/blocks.ts'
import { placeIn } from '../copies/spanning.ts'
import { homeOf } from '../model/where.ts'
import type { Looking } from '../ports/adopt-port.ts'

/** Gives the region more addresses in each of these networks that span regions, where half of what it had is given. */
export async function keepRoom(
  { app, region, networking }: Looking,
  networkIds: ReadonlySet<string>,
): Promise<void> {
  for (const network of await app.store.networks.getMany('network', [...networkIds])) {
    if (homeOf(network, [region]) || network.deleting || network.bridgeOf !== null) continue
    for (const subnet of await app.store.networks.getMany('subnet', network.subnetIds)) {
      const id = placeIn(subnet, region)
      const blocks = id === null ? null : await topUp(app, subnet, region)
      if (id !== null && blocks) await networking.update('subnet', id, { allocationPools: blocks })
    }
  }
}
