// The sweep of a region: the ids of all its resources against those that the model has there, since a list of
// changes never shows what was deleted. A resource that is missing leaves the model only where the region is
// believed, and one that comes back is taken in again.

import { AppError } from '../../error.ts'
import { ownNote } from '../../note.ts'
import { believe, type Verdict } from '../../regions/belief.ts'
import type { Counts } from '../../regions/suspicion.ts'
import { blindness, findMissing, type Missing } from '../copies/gone.ts'
import { type LeavingKind, leavingKinds } from '../model/absence.ts'
import type { Kinds, Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import type { Watcher } from '../ports/adopt-port.ts'
import { forgetPort } from '../ports/forget-port.ts'
import { takeInAll } from './take-in.ts'
import type { WatchState } from './watch-store.ts'

export interface Swept {
  readonly came: number
  readonly gone: number
  /**
   * Sentences about resources that are not as the model says, and cannot be mended without a word of their
   * owner.
   */
  readonly drift: readonly string[]
  readonly verdict: Verdict | null
}

export const nothingGone: Swept = { came: 0, gone: 0, drift: [], verdict: null }

/**
 * The kinds whose ids are compared; a spanning resource whose copy is missing is told of as drift, and stays.
 */
const sweptKinds = [...leavingKinds, 'security_group'] as const
type SweptKind = (typeof sweptKinds)[number]

/**
 * Compares the region's ids. A resource that the region shows no more leaves the model, unless others depend
 * on it.
 */
export async function sweep(
  watcher: Watcher,
  { sweptAt, isSuspect }: Pick<WatchState, 'sweptAt' | 'isSuspect'>,
): Promise<Swept> {
  const { app, region } = watcher
  const suspicion = isSuspect ? await app.store.suspicions.get(region.id, 'network') : null
  const before = await app.cloud.login()
  const came = await takeInAll(watcher)
  const missingBy = new Map<SweptKind, Missing>()
  for (const kind of sweptKinds)
    missingBy.set(kind, await findMissing(watcher, kind, suspicion?.confirmed?.[kind]))
  const counts: Counts = Object.fromEntries([...missingBy].map(([kind, { count }]) => [kind, count]))
  const isMissing = Object.values(counts).some(({ missing }) => missing > 0)
  const blind = isMissing ? await blindness(watcher, before, sweptAt) : null
  const verdict = await believe(app, region, 'network', { blind, counts })
  if (verdict.doubt !== null) return { ...nothingGone, came, verdict }
  const { gone, drift } = await forgetAll(watcher, missingBy)
  return { came, gone, drift, verdict }
}

async function forgetAll(
  watcher: Watcher,
  missingBy: ReadonlyMap<SweptKind, Missing>,
): Promise<Pick<Swept, 'gone' | 'drift'>> {
  let gone = 0
  const drift: string[] = []
  for (const [kind, { missing }] of missingBy) {
    // A routing that an operator has written for an id that the model does not have is the operator's, and
    // stays.
    for (const row of await watcher.app.store.networks.getMany(kind, [...missing.values()])) {
      const problem = await forget(watcher, kind, row)
      if (problem === null) gone += 1
      else drift.push(problem)
    }
  }
  return { gone, drift }
}

/** Lets a resource leave the model; null when it has, else a sentence why it may not. */
async function forget(
  { app, caller, region }: Watcher,
  kind: SweptKind,
  row: Kinds[SweptKind],
): Promise<string | null> {
  const { id, places } = row
  const here = places.find(place => place.region === region.name)
  const absent = { regionId: region.id, regionalId: here?.id ?? id }
  const port = kind === 'port' ? (row as Port) : null
  if (port && !/^network:router/.test(port.deviceOwner)) {
    // For a port that is absent nothing is removed in another region: what stands for it there stays.
    const dependent = (await all(app.store, 'floatingip', { field: 'portId', in: [id] })).find(
      one => one.places[0]?.region !== region.name,
    )
    if (dependent)
      return `port ${id} is gone in ${region.name}, and the floating IP ${dependent.id} in ${dependent.places[0]?.region} leads to it`
    await forgetPort(app, caller, port, absent)
    return null
  }
  const isOnlyThere = places.length === 1 && places[0]!.id === id
  if (!isOnlyThere || port || kind === 'security_group')
    return `${kind} ${id} is gone in ${region.name}, where Atoll had made it`
  try {
    await app.store.transact(async tx => {
      const lost = { kind: kind as LeavingKind, id, ...absent, links: [] }
      await tx.networks.lose(lost, ownNote(app, `${kind}.lose`))
    })
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    return `${kind} ${id} is gone in ${region.name}, and others depend on it`
  }
}
