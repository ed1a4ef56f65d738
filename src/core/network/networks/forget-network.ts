// Removing a network from the model when its copies are gone.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'

/** Removes a network from the model with its subnets. Throws `conflict` (`in_use`) where ports are on it. */
export async function forgetNetwork(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<void> {
  const note = noteOf(app, caller, 'network.remove')
  await app.store.transact(async tx => {
    const network = await tx.networks.lock('network', id)
    for (const subnetId of network?.subnetIds ?? []) await tx.networks.remove('subnet', subnetId, note)
    await tx.networks.remove('network', id, note)
  })
}
