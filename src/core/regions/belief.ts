// Whether a look at a region is believed: what is written down of that, and an administrator's word.

import type { App } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { AppError, conflict, notFound, unavailable } from '../error.ts'
import { noteOf } from '../note.ts'
import { isCentral, type Region } from './region.ts'
import { type Counts, doubtOf, type Look, type SightKind, type Suspicion } from './suspicion.ts'
import { upkeepAsks } from './upkeep.ts'

/** What became of a region's good name by a look. */
export interface Verdict {
  /** Null when the look may be followed. */
  readonly doubt: string | null
  readonly change: 'raised' | 'lowered' | null
  /** When the region became suspect that is so now, or was until now; null where it was not and is not. */
  readonly since: Date | null
  readonly counts: Counts
}

/** Whether a look may be followed, and writes down that the region is suspect, or is not any more. */
export async function believe(
  app: App,
  region: Pick<Region, 'id'>,
  through: SightKind,
  look: Look,
): Promise<Verdict> {
  const standing = await app.store.suspicions.get(region.id, through)
  const { counts } = look
  const doubt = doubtOf(look, app.regionRules.mostGone, standing?.confirmed)
  if (doubt === null) {
    const isLowered = standing !== null && (await app.store.suspicions.lower(region.id, through))
    return { doubt, change: isLowered ? 'lowered' : null, since: standing?.since ?? null, counts }
  }
  const since = standing?.since ?? app.now()
  const isNew = await app.store.suspicions.raise({
    regionId: region.id,
    through,
    since,
    reason: doubt,
    counts,
  })
  return { doubt, change: isNew ? 'raised' : null, since, counts }
}

/** Throws `unavailable` (`suspect`) while what the region shows is not believed. */
export async function checkBelieved(
  app: App,
  region: Pick<Region, 'id' | 'name'>,
  through: SightKind,
): Promise<void> {
  const suspicion = await app.store.suspicions.get(region.id, through)
  if (suspicion) throw suspect(region.name, suspicion.reason)
}

export const suspect = (region: string, reason: string): AppError =>
  new AppError('unavailable', `${region} is not believed now, and nothing is removed there: ${reason}`, {
    region,
    reason: 'suspect',
  })

/** A region that can hold something, and why it is not believed: through nothing, where it is. */
export interface Belief {
  readonly region: Region
  readonly suspicions: readonly Suspicion[]
}

/** In order of the regions' names. */
export async function listBeliefs({ store }: Pick<App, 'store'>): Promise<Belief[]> {
  const regions = (await store.regions.list()).filter(region => !isCentral(region))
  const suspicions = await store.suspicions.list()
  return regions
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(region => ({ region, suspicions: suspicions.filter(({ regionId }) => regionId === region.id) }))
}

export interface Confirmation {
  /** The region's name. */
  readonly name: string
  /** By kind, how many are gone: as they were shown to whoever says so. */
  readonly counts: Readonly<Record<string, number>>
}

/**
 * An administrator's word that what a region does not show is gone indeed: the next look, which is asked for, is followed.
 * Throws `not_found` (`region`), `conflict` (`not_suspect`; `counts` where others are missing than were shown).
 */
export async function confirmRegion(
  app: App,
  caller: Caller,
  confirmation: Confirmation,
): Promise<Suspicion[]> {
  if (!isAtLeast(caller, 'admin'))
    throw new AppError('forbidden', 'Only an administrator may say what is gone', {
      rule: 'confirm_region',
      needs: 'admin',
    })
  return confirmRegionBy(app, caller, confirmation)
}

/** As `confirmRegion`, by who is known to be an administrator. */
export async function confirmRegionBy(
  app: Pick<App, 'store' | 'now'>,
  caller: Caller,
  { name, counts }: Confirmation,
): Promise<Suspicion[]> {
  const region = (await app.store.regions.list()).find(one => one.name === name)
  if (!region) throw notFound(`There is no region ${name}`, 'region')
  const standing = (await app.store.suspicions.list()).filter(one => one.regionId === region.id)
  if (standing.length === 0)
    throw conflict(`${name} is not suspect: there is nothing to confirm`, 'not_suspect')
  const now = missingOf(standing)
  if (!isSame(now, counts))
    throw new AppError(
      'conflict',
      `Missing in ${name} are ${words(now)}: say just that, so that nothing goes that you have not been shown`,
      { reason: 'counts', missing: now },
    )
  const note = noteOf(app, caller, 'region.confirm')
  const confirmed: Suspicion[] = []
  for (const one of standing) {
    const said = { ...one, confirmed: missingOf([one]) }
    if (!(await app.store.suspicions.confirm(said, note)))
      throw unavailable(`What is missing in ${name} has changed in this moment: look again`)
    confirmed.push(said)
  }
  const looks = upkeepAsks(name).filter(({ kind }) => kind === 'watch' || kind === 'survey')
  await app.store.turns.ask(looks)
  return confirmed
}

/** By kind, how many are missing. */
export const missingOf = (suspicions: readonly Suspicion[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    suspicions.flatMap(({ counts }) =>
      Object.entries(counts).flatMap(([kind, { missing }]) => (missing > 0 ? [[kind, missing]] : [])),
    ),
  )

const isSame = (one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): boolean =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].every(kind => one[kind] === other[kind])

const words = (missing: Readonly<Record<string, number>>): string =>
  Object.entries(missing)
    .map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`)
    .join(', ')
