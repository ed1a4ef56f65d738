// Watching a region: what came, changed or went there without Atoll's doing.
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
  type Looking,
  mirrorPort,
  portFields,
  type SeenPort,
} from '../ports/adopt-port.ts'
import { keepRoom } from './room.ts'
import { nothingGone, sweep } from './sweep.ts'
import { absentAmong, takeIn } from './take-in.ts'
import { finishLeft } from './unfinished.ts'
import { lookAtServers, overlapMs } from './watch-servers.ts'

/** What a look has found. */
export interface Sighting {
  readonly came: number
  readonly changed: number
  readonly gone: number
  /** What is not as the model says, and cannot be mended without a word of its owner. */
  readonly drift: readonly string[]
  /** Whether the region is believed; null where that was not asked. */
  readonly verdict: Verdict | null
}

/** One look at a region; all ids are compared where that is so long ago. Throws `upstream`. */
export async function watchRegion(app: App, region: Region, sweepEveryMs = 300_000): Promise<Sighting> {
  const caller = ownCaller(`req-${app.newId()}`)
  const networking = app.cloud.networking(region.name, caller.requestId)
  const watch = await app.store.watches.get(region.id)
  const looking: Looking = { app, caller, region, networking }
  await finishLeft(looking)
  const found = await lookAtChanges(looking, watch.changedSince)
  const servers = await lookAtServers(looking, watch.serversSince)
  const isDue = watch.sweptAt === null || app.now().getTime() - watch.sweptAt.getTime() >= sweepEveryMs
  const startedAt = app.now()
  // What is missing in a region that is suspect may be seen again in any moment.
  const suspicion = await app.store.suspicions.get(region.id, 'network')
  const swept = isDue || suspicion ? await sweep(looking, suspicion) : nothingGone
  await app.store.watches.save(region.id, {
    changedSince: found.newest,
    serversSince: servers.newest,
    sweptAt: isDue ? startedAt : watch.sweptAt,
  })
  return {
    came: found.came + swept.came,
    changed: found.changed,
    gone: servers.gone + swept.gone,
    drift: [...found.drift, ...swept.drift],
    verdict: swept.verdict,
  }
}

async function lookAtChanges(looking: Looking, since: Date | null) {
  const { networking } = looking
  const back = since && new Date(since.getTime() - overlapMs)
  const changedSince = back ? { changedSince: back } : {}
  const ports: readonly SeenPort[] = await networking.list('port', { fields: portFields, ...changedSince })
  const floatingIps = await networking.list('floatingip', {
    fields: ['id', 'status', 'portId', 'updatedAt'],
    ...changedSince,
  })
  const sightings = [
    await lookAtPorts(looking, ports, changedSince),
    await lookAtFloatingIps(looking, floatingIps),
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

/** Ports on networks of ours: those that are known are mirrored, those of users become known. */
async function lookAtPorts(
  looking: Looking,
  ports: readonly SeenPort[],
  changedSince: { readonly changedSince?: Date },
): Promise<Changes> {
  const { app, region, networking } = looking
  const at = (resourceType: string) => ({ resourceType, regionId: region.id })
  const networkIds = await app.store.routings.centralIds(at('network'), [
    ...new Set(ports.map(({ networkId }) => networkId)),
  ])
  const ours = ports.filter(({ networkId }) => networkIds.has(networkId))
  const known = await app.store.routings.centralIds(
    at('port'),
    ours.map(({ id }) => id),
  )
  // One that is known no more may have been removed since it was listed: then it is in the region no more either.
  const unknown = ours.filter(({ id }) => !known.has(id))
  const isNew = unknown.some(({ description }) => intentOf(description) === null)
  const rows = isNew ? await networking.list('port', { fields: ['id'], ...changedSince }) : []
  const stillThere = new Set(rows.map(({ id }) => id))
  const absent = await absentAmong(looking, 'port', unknown)
  let came = 0
  let changed = 0
  const drift: string[] = []
  for (const port of ours) {
    try {
      const id = known.get(port.id)
      if (id !== undefined) changed += (await mirrorPort(looking, id, port)) ? 1 : 0
      else if (absent.has(port.id)) came += (await takeIn(looking, absent.get(port.id)!)) ? 1 : 0
      else if (stillThere.has(port.id) && (await isUsers(looking, port)))
        came += (await adoptPort(looking, networkIds.get(port.networkId)!, port)) ? 1 : 0
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      drift.push(`port ${port.id}: ${error.message}`)
    }
  }
  await keepRoom(looking, new Set(ours.map(({ networkId }) => networkIds.get(networkId)!)))
  return { came, changed, drift }
}

interface SeenFloatingIp {
  readonly id: string
  readonly status: string
  readonly portId: string | null
}

/** A floating IP's id is the region's own. */
async function lookAtFloatingIps({ app }: Looking, seen: readonly SeenFloatingIp[]): Promise<Changes> {
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
