// Removing a network from the model when its copies are gone.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import { groupsFollowPort } from '../groups/groups-in-region.ts'
import type { Network } from '../model/model.ts'

/** Removes a network from the model with its subnets. Throws `conflict` (`in_use`) where ports are on it. */
export async function forgetNetwork(app: App, caller: Caller, id: string): Promise<void> {
  await app.store.transact(async tx => {
    const network = await tx.networks.lock('network', id)
    if (network) await letGoNetwork(app, caller, tx, network)
  })
}

/** Removes a network, which is locked, and its subnets. Throws as `forgetNetwork`. */
export async function letGoNetwork(
  app: App,
  caller: Caller,
  tx: Transaction,
  network: Network,
): Promise<void> {
  const note = noteOf(app, caller, 'network.remove')
  const securityGroupIds = await tx.absences.groupsOn(network.id)
  for (const subnetId of network.subnetIds) await tx.networks.remove('subnet', subnetId, note)
  await tx.networks.remove('network', network.id, note)
  // Ports that were absent from it are members of their groups no more.
  await groupsFollowPort(app, caller, tx, { securityGroupIds })
}
