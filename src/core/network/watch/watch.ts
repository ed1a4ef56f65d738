// Watching a region: ports and floating IPs that came, changed or went there without Atoll's doing.
//
// What was changed is asked for every few seconds, by the region's own clock, a minute back each time; what was deleted
// never shows there, so all ids are compared now and then (`sweep.ts`).

import type { App } from '../../app.ts'
import { ownCaller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import { ownNote } from '../../note.ts'
import type { Verdict } from '../../regions/belief.ts'
import type { Region } from '../../regions/region.ts'
import { intentOf } from '../copies/intent.ts'
import {
  adoptPort,
  isUsers,
  mirrorPort,
  portFields,
  type SeenPort,
  type Watcher,
} from '../ports/adopt-port.ts'
import { keepRoom } from './room.ts'
import { nothingGone, sweep } from './sweep.ts'
import { absentAmong, takeIn } from './take-in.ts'
import { endAllLeft } from './unfinished.ts'
import { lookAtServers, overlapMs } from './watch-servers.ts'

/** The findings of one look at a region. */
export interface Sighting {
  readonly came: number
  readonly changed: number
  readonly gone: number
  /**
   * Sentences about resources that are not as the model says, and cannot be mended without a word of their
   * owner.
   */
  readonly drift: readonly string[]
  /** Whether the region is believed; null where no ids were compared. */
  readonly verdict: Verdict | null
}

/**
 * One look at a region's changes; its ids are compared where the last sweep is so long ago. Throws
 * `upstream`.
 */
export async function watchRegion(app: App, region: Region, sweepEveryMs = 300_000): Promise<Sighting> {
  const caller = ownCaller(`req-${app.newId()}`)
  const networking = app.cloud.networking(region.name, caller.requestId)
  const watch = await app.store.watches.get(region.id, app.now())
  const watcher: Watcher = { app, caller, region, networking }
  if (watch.hasUnfinished) await endAllLeft(watcher)
  const found = await lookAtChanges(watcher, watch.changedSince)
  const servers = await lookAtServers(watcher, watch.serversSince)
  const isDue = watch.sweptAt === null || app.now().getTime() - watch.sweptAt.getTime() >= sweepEveryMs
  const startedAt = app.now()
  // A region that is suspect is swept at every look: its missing resources may show again at any moment.
  const swept = isDue || watch.isSuspect ? await sweep(watcher, watch) : nothingGone
  await app.store.watches.save(region.id, {
    changedSince: found.newest,
    serversSince: servers.newest,
    // The time of the last sweep that was believed: proofs of sight must be older.
    sweptAt: isDue && !swept.verdict?.doubt ? startedAt : watch.sweptAt,
  })
  return {
    came: found.came + swept.came,
    changed: found.changed,
    gone: servers.gone + swept.gone,
    drift: [...found.drift, ...swept.drift],
    verdict: swept.verdict,
  }
}

async function lookAtChanges(watcher: Watcher, since: Date | null) {
  const { networking } = watcher
  const back = since && new Date(since.getTime() - overlapMs)
  const changedSince = back ? { changedSince: back } : {}
  const ports: readonly SeenPort[] = await networking.list('port', { fields: portFields, ...changedSince })
  const floatingIps = await networking.list('floatingip', {
    fields: ['id', 'status', 'portId', 'updatedAt'],
    ...changedSince,
  })
  const sightings = [
    await lookAtPorts(watcher, ports, changedSince),
    await lookAtFloatingIps(watcher, floatingIps),
  ]
  const times = [...ports, ...floatingIps].flatMap(({ updatedAt }) => updatedAt?.getTime() ?? [])
  const newest = Math.max(since?.getTime() ?? 0, ...times)
  return {
    came: sum(sightings.map(({ came }) => came)),
    changed: sum(sightings.map(({ changed }) => changed)),
    drift: sightings.flatMap(({ drift }) => drift),
    newest: newest > 0 ? new Date(newest) : null,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

interface Changes {
  readonly came: number
  readonly changed: number
  readonly drift: readonly string[]
}

/**
 * Brings to the model the ports on its networks: those that it has are mirrored, those that users made are
 * adopted.
 */
async function lookAtPorts(
  watcher: Watcher,
  ports: readonly SeenPort[],
  changedSince: { readonly changedSince?: Date },
): Promise<Changes> {
  const { app, region, networking } = watcher
  const at = (resourceType: string) => ({ resourceType, regionId: region.id })
  const networkIds = await app.store.routings.centralIds(at('network'), [
    ...new Set(ports.map(({ networkId }) => networkId)),
  ])
  const ours = ports.filter(({ networkId }) => networkIds.has(networkId))
  const known = await app.store.routings.centralIds(
    at('port'),
    ours.map(({ id }) => id),
  )
  // A listed port that the model does not have may have been removed by Atoll since: then the region has it
  // no more either.
  const unknown = ours.filter(({ id }) => !known.has(id))
  const isNew = unknown.some(({ description }) => intentOf(description) === null)
  const rows = isNew ? await networking.list('port', { fields: ['id'], ...changedSince }) : []
  const stillThere = new Set(rows.map(({ id }) => id))
  const absent = await absentAmong(watcher, 'port', unknown)
  let came = 0
  let changed = 0
  const drift: string[] = []
  for (const port of ours) {
    try {
      const id = known.get(port.id)
      if (id !== undefined) changed += (await mirrorPort(watcher, id, port)) ? 1 : 0
      else if (absent.has(port.id)) came += (await takeIn(watcher, absent.get(port.id)!)) ? 1 : 0
      else if (stillThere.has(port.id) && (await isUsers(watcher, port)))
        came += (await adoptPort(watcher, networkIds.get(port.networkId)!, port)) ? 1 : 0
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      drift.push(`port ${port.id}: ${error.message}`)
    }
  }
  await keepRoom(watcher, new Set(ours.map(({ networkId }) => networkIds.get(networkId)!)))
  return { came, changed, drift }
}

interface SeenFloatingIp {
  readonly id: string
  readonly status: string
  readonly portId: string | null
}

/** Brings the status of floating IPs to the model, where they have the region's ids. */
async function lookAtFloatingIps({ app }: Watcher, seen: readonly SeenFloatingIp[]): Promise<Changes> {
  const rows = await app.store.networks.getMany(
    'floatingip',
    seen.map(({ id }) => id),
  )
  let changed = 0
  for (const row of rows) {
    const status = seen.find(({ id }) => id === row.id)!.status
    if (row.status === status) continue
    await app.store.transact(async tx => {
      await tx.networks.update('floatingip', row.id, { status }, ownNote(app, 'floatingip.watch'))
    })
    changed += 1
  }
  return { came: 0, changed, drift: [] }
}
