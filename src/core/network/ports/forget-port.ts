// What becomes of the model when a port is gone.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import { groupsFollowPort } from '../groups/groups-in-region.ts'
import type { Absence, LostLink } from '../model/absence.ts'
import type { Change, FloatingIp, Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import { follow } from '../model/writing.ts'
import { linkOf } from './follow-port.ts'

/**
 * Takes a port that is in no region any more out of the model; what followed from it follows. With `absent`, where it
 * was: it was only seen to be gone there, and may come back.
 */
export async function forgetPort(
  app: App,
  caller: Caller,
  port: Port,
  absent?: Pick<Absence, 'regionId' | 'regionalId'>,
): Promise<void> {
  const note = noteOf(app, caller, absent ? 'port.lose' : 'port.remove')
  const bound = await all(app.store, 'floatingip', { field: 'portId', in: [port.id] })
  const loose: Change<'floatingip'> = { portId: null, fixedIpAddress: null, routerId: null, status: 'DOWN' }
  await app.store.transact(async tx => {
    for (const one of bound) {
      await tx.networks.update('floatingip', one.id, loose, note)
      // What stands for the port where its floating IP is goes as well.
      await follow(app, caller, tx, await linkOf(tx, one, port.networkId))
    }
    // Whoever writes down its addresses now ends first: they go as well.
    await tx.networks.lock('port', port.id)
    if (absent)
      await tx.networks.lose({ kind: 'port', id: port.id, ...absent, links: bound.map(linkOfPort) }, note)
    else await tx.networks.remove('port', port.id, note)
    await groupsFollowPort(app, caller, tx, port)
  })
}

const linkOfPort = ({ id, fixedIpAddress, routerId }: FloatingIp): LostLink => ({
  floatingIpId: id,
  fixedIpAddress,
  routerId,
})
