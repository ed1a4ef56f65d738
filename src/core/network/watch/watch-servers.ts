// Watching for servers that were deleted in a region: their ports have gone with them, and no list of changed
// ports shows that.

import type { CloudLogin } from '../../cloud.ts'
import { AppError } from '../../error.ts'
import { blindness } from '../copies/gone.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import type { Watcher } from '../ports/adopt-port.ts'
import { forgetPort } from '../ports/forget-port.ts'

/**
 * How far before the last change that was seen a list of changes begins: changes in flight during the last
 * look show in the next.
 */
export const overlapMs = 60_000

/**
 * Removes from the model the ports of deleted servers that are gone from the region. A region may have no
 * Nova. Throws `upstream`.
 */
export async function lookAtServers(
  watcher: Watcher,
  since: Date | null,
): Promise<{ gone: number; newest: Date | null }> {
  const { app, region, caller } = watcher
  const from = new Date((since ?? app.now()).getTime() - overlapMs)
  const servers = await app.cloud
    .compute(region.name, caller.requestId)
    .serversChangedSince(from)
    .catch(error => {
      if (error instanceof AppError && error.detail.reason === 'no_endpoint') return []
      throw error
    })
  const newest = servers.reduce((latest, { updatedAt }) => Math.max(latest, updatedAt.getTime()), 0)
  const deleted = servers.filter(({ status }) => status === 'DELETED').map(({ id }) => id)
  return {
    gone: await forgetPortsOf(watcher, deleted),
    newest: newest > 0 ? new Date(newest) : since,
  }
}

async function forgetPortsOf(watcher: Watcher, serverIds: readonly string[]): Promise<number> {
  if (serverIds.length === 0) return 0
  const { app, region, caller, networking } = watcher
  const ports = await all(app.store, 'port', { field: 'deviceId', in: serverIds }, { region: [region.name] })
  if (ports.length === 0) return 0
  const before = await app.cloud.login()
  const missing: Port[] = []
  for (const port of ports) {
    const id = regionalIdIn(port, region)
    // A port that a user made stays when its server is deleted.
    if (id !== null && (await networking.get('port', id)) === null) missing.push(port)
  }
  if (missing.length === 0 || !(await sees(watcher, before))) return 0
  for (const port of missing) await forgetPort(app, caller, port)
  return missing.length
}

/** Whether a port that Neutron does not show is gone: to a service user that is no administrator it shows none. */
async function sees(watcher: Watcher, before: CloudLogin): Promise<boolean> {
  const { app, region } = watcher
  const { isSuspect, sweptAt } = await app.store.watches.get(region.id, app.now())
  return !isSuspect && (await blindness(watcher, before, sweptAt)) === null
}
