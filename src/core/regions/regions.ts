// The verbs of regions: list, get, create, remove.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { AppError, conflict, invalid, notFound } from '../error.ts'
import { noteOf } from '../note.ts'
import {
  admitRegion,
  isCentral,
  type Region,
  type RegionRefusal,
  type RegionSpec,
  type RegionUse,
} from './region.ts'
import { upkeepAsks } from './upkeep.ts'

const sentences: Record<RegionRefusal, string> = {
  central_exists: 'There is a central region already; every other region needs an availability zone',
  name_is_central: 'The central region bears this name',
  name_taken: 'Another region bears this name',
  name_reserved: 'A region may not be called v1: that is a version in the paths of the Reservation API',
}

/** All regions, the central one among them, in order of creation. */
export const listRegions = (app: Pick<App, 'store'>): Promise<Region[]> => app.store.regions.list()

/** One region; throws `not_found`. */
export async function getRegion(app: Pick<App, 'store'>, _caller: Caller, id: string): Promise<Region> {
  const region = await app.store.regions.get(id)
  if (!region) throw notFound(`There is no region ${id}`)
  return region
}

/** The new region; throws `invalid` (`name_reserved`) or `conflict` with another RegionRefusal as reason. */
export async function createRegion(app: App, caller: Caller, spec: RegionSpec): Promise<Region> {
  const refusal = admitRegion(spec, await app.store.regions.list())
  if (refusal === 'name_reserved') throw invalid(sentences[refusal], refusal)
  if (refusal) throw conflict(sentences[refusal], refusal)
  const region: Region = {
    ...spec,
    // The central region has no zones of its own to be named in requests.
    localAvailabilityZone: isCentral(spec) ? '' : spec.localAvailabilityZone,
    id: app.newId(),
    createdAt: app.now(),
  }
  const note = noteOf(app, caller, 'region.create')
  await app.store.regions.create(region, note, isCentral(region) ? [] : upkeepAsks(region.name))
  return region
}

/** Removes a region. Throws `not_found`, or `conflict` (`in_use`) that says which rows depend on it. */
export async function removeRegion(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<void> {
  const region = await getRegion(app, caller, id)
  try {
    const removed = await app.store.regions.remove(id, noteOf(app, caller, 'region.remove'))
    if (!removed) throw notFound(`There is no region ${id}`)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.reason !== 'in_use') throw error
    const use = usersOf(await app.store.regions.use(id))
    throw conflict(`Pod ${region.name} is in use by ${use}: delete them first`, 'in_use')
  }
}

const users = [
  ['routings', 'resource routing'],
  ['bindings', 'pod binding'],
  ['hosts', 'host'],
  ['leases', 'lease'],
  ['providers', 'provider'],
] as const satisfies readonly (readonly [keyof RegionUse, string])[]

/**
 * The rows that depend on a region in words: `2 resource routings, 1 host`. Where they have gone in the
 * meantime, a word for that.
 */
const usersOf = (use: RegionUse): string =>
  users
    .flatMap(([key, what]) => (use[key] > 0 ? [`${use[key]} ${what}${use[key] === 1 ? '' : 's'}`] : []))
    .join(', ') || 'others'
