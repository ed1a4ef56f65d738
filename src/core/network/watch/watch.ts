// Watching a region: what came, changed or went there without Atoll's doing.
//
// What was changed is asked for every few seconds, by the region's own clock, a minute back each time; what was deleted
// never shows there, so all ids are compared now and then. Nothing is taken for gone because a list does not have it.

import type { App } from '../../app.ts'
import { ownCaller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import { ownNote } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { intentOf } from '../copies/intent.ts'
import type { Kind, Kinds, Port } from '../model/model.ts'
import {
  adoptPort,
  isUsers,
  type Looking,
  mirrorPort,
  portFields,
  type SeenPort,
} from '../ports/adopt-port.ts'
import { forgetPort } from '../ports/forget-port.ts'
import { keepRoom } from './room.ts'
import { lookAtServers, overlapMs } from './watch-servers.ts'

/** What a look has found. */
export interface Sighting {
  readonly came: number
  readonly changed: number
  readonly gone: number
  /** What is not as the model says, and cannot be mended without a word of its owner. */
  readonly drift: readonly string[]
}

/** One look at a region; all ids are compared where that is so long ago. Throws `upstream`. */
export async function watchRegion(app: App, region: Region, sweepEveryMs = 300_000): Promise<Sighting> {
  const caller = ownCaller(`req-${app.newId()}`)
  const networking = app.cloud.networking(region.name, caller.requestId)
  const watch = await app.store.watches.get(region.id)
  const looking: Looking = { app, caller, region, networking }
  const found = await lookAtChanges(looking, watch.changedSince)
  const servers = await lookAtServers(looking, watch.serversSince)
  const isDue = watch.sweptAt === null || app.now().getTime() - watch.sweptAt.getTime() >= sweepEveryMs
  const startedAt = app.now()
  const swept = isDue ? await sweep(looking) : nothingGone
  await app.store.watches.save(region.id, {
    changedSince: found.newest,
    serversSince: servers.newest,
    sweptAt: isDue ? startedAt : watch.sweptAt,
  })
  return {
    came: found.came,
    changed: found.changed,
    gone: servers.gone + swept.gone,
    drift: [...found.drift, ...swept.drift],
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
  const isNew = ours.some(({ id, description }) => !known.has(id) && intentOf(description) === null)
  const rows = isNew ? await networking.list('port', { fields: ['id'], ...changedSince }) : []
  const stillThere = new Set(rows.map(({ id }) => id))
  let came = 0
  let changed = 0
  const drift: string[] = []
  for (const port of ours) {
    try {
      const id = known.get(port.id)
      if (id !== undefined) changed += (await mirrorPort(looking, id, port)) ? 1 : 0
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

const nothingGone = { gone: 0, drift: [] as readonly string[] }

/** In an order in which nothing is left that needs what goes after it. */
const sweptKinds = ['floatingip', 'port', 'router', 'subnet', 'network', 'security_group'] as const

/** What the model has in the region and the region has no more goes from the model too, unless others depend on it. */
async function sweep(looking: Looking): Promise<{ gone: number; drift: readonly string[] }> {
  let gone = 0
  const drift: string[] = []
  for (const kind of sweptKinds) {
    for (const row of await missing(looking, kind)) {
      const problem = await forget(looking, kind, row)
      if (problem === null) gone += 1
      else drift.push(problem)
    }
  }
  return { gone, drift }
}

/**
 * What a list does not have, and a question for each does not find either. Routings that an operator has written of
 * things that the model does not know are the operator's.
 */
async function missing(
  { app, region, networking }: Looking,
  kind: (typeof sweptKinds)[number],
): Promise<Swept[]> {
  const placed = await app.store.routings.placed({ resourceType: kind, regionId: region.id })
  if (placed.size === 0) return []
  const rows: readonly { id: string }[] = await networking.list(kind, { fields: ['id'] as never })
  const there = new Set(rows.map(({ id }) => id))
  const gone: string[] = []
  for (const [regionalId, centralId] of placed) {
    if (!there.has(regionalId) && (await networking.get(kind, regionalId)) === null) gone.push(centralId)
  }
  return app.store.networks.getMany(kind, gone)
}

type Swept = Kinds[(typeof sweptKinds)[number]]

/** Null when the model has forgotten it; else why it may not. */
async function forget({ app, caller, region }: Looking, kind: Kind, row: Swept): Promise<string | null> {
  const { id, places } = row
  const isOnlyThere = places.length === 1 && places[0]!.id === id
  const port = kind === 'port' ? (row as Port) : null
  if (port && !/^network:router/.test(port.deviceOwner)) {
    await forgetPort(app, caller, port)
    return null
  }
  if (!isOnlyThere || port) return `${kind} ${id} is gone in ${region.name}, where Atoll had made it`
  try {
    await app.store.transact(async tx => {
      await tx.networks.remove(kind, id, ownNote(app, `${kind}.watch`))
    })
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    return `${kind} ${id} is gone in ${region.name}, and others depend on it`
  }
}
