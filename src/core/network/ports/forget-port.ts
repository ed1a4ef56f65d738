// Removing a port from the model when its region has it no more.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import { groupsFollowPort } from '../groups/groups-in-region.ts'
import type { Absence, LostLink } from '../model/absence.ts'
import type { Change, FloatingIp, Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import { follow } from '../model/writing.ts'
import { linkOf } from './follow-port.ts'

/**
 * Removes a port that no region has any more from the model, and posts the jobs that follow. With `absent`,
 * the place where it was seen to be gone, it becomes an absence, since it may come back.
 */
export async function forgetPort(
  app: App,
  caller: Caller,
  port: Port,
  absent?: Pick<Absence, 'regionId' | 'regionalId'>,
): Promise<void> {
  await app.store.transact(tx => letGoPort(app, caller, tx, { port, absent }))
}

export interface PortLeaving {
  readonly port: Port
  readonly absent?: Pick<Absence, 'regionId' | 'regionalId'> | undefined
}

/** As `forgetPort`, in a transaction. */
export async function letGoPort(
  app: App,
  caller: Caller,
  tx: Transaction,
  { port, absent }: PortLeaving,
): Promise<void> {
  const note = noteOf(app, caller, absent ? 'port.lose' : 'port.remove')
  const bound = await all(tx, 'floatingip', { field: 'portId', in: [port.id] })
  const loose: Change<'floatingip'> = { portId: null, fixedIpAddress: null, routerId: null, status: 'DOWN' }
  for (const one of bound) {
    await tx.networks.update('floatingip', one.id, loose, note)
    // The mirror port that stands for the port at its floating IP's region goes as well.
    await follow(app, caller, tx, await linkOf(tx, one, port.networkId))
  }
  // A transaction that writes the port's addresses just now ends first, so that these are released as well.
  await tx.networks.lock('port', port.id)
  if (absent)
    await tx.networks.lose({ kind: 'port', id: port.id, ...absent, links: bound.map(linkOfPort) }, note)
  else await tx.networks.remove('port', port.id, note)
  await groupsFollowPort(app, caller, tx, port)
}

const linkOfPort = ({ id, fixedIpAddress, routerId }: FloatingIp): LostLink => ({
  floatingIpId: id,
  fixedIpAddress,
  routerId,
})
