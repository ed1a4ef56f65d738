// Servers that were deleted in a region: their ports have gone with them, which no list of changed ports tells.

import { AppError } from '../../error.ts'
import { placeIn } from '../copies/spanning.ts'
import { all } from '../model/query.ts'
import type { Looking } from '../ports/adopt-port.ts'
import { forgetPort } from '../ports/forget-port.ts'

/** So far back again each time: what was under way while we looked is seen the next time. */
export const overlapMs = 60_000

/** Forgets the ports of deleted servers that are gone indeed. A region may have no Nova. Throws `upstream`. */
export async function lookAtServers(
  looking: Looking,
  since: Date | null,
): Promise<{ gone: number; newest: Date | null }> {
  const { app, region, caller } = looking
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
    gone: await forgetPortsOf(looking, deleted),
    newest: newest > 0 ? new Date(newest) : since,
  }
}

async function forgetPortsOf(
  { app, region, caller, networking }: Looking,
  serverIds: readonly string[],
): Promise<number> {
  if (serverIds.length === 0) return 0
  const ports = await all(app.store, 'port', { field: 'deviceId', in: serverIds }, { region: [region.name] })
  let gone = 0
  for (const port of ports) {
    const id = placeIn(port, region)
    // A port that a user had made stays when its server goes.
    if (id === null || (await networking.get('port', id)) !== null) continue
    const [intent] = await app.store.intents.living(region.name, [port.id])
    // Nova removes the ports that it made itself; that one of ours is gone, only a sweep may say.
    if (intent) continue
    await forgetPort(app, caller, port)
    gone += 1
  }
  return gone
}
