// Queries of total, reserved, used and available amounts, now and over time, and of the collections that make
// them up.

import type { App } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { forever, type Window } from '../ledger/ledger.ts'
import { type Amounts, amountNames, isNothing } from './amounts.ts'
import { availableOver, heldOver } from './availability.ts'
import type { CollectionFilter, CollectionKind, CollectionRef } from './collections.ts'
import { amountsOfFlavor } from './instances.ts'
import { noProvider, type Provider } from './provider.ts'
import { providersIn } from './providers.ts'
import { available } from './refusing.ts'
import { accountsOf, sitesOf } from './site.ts'
import { added, type Point, summed, thinned } from './timeline.ts'

export type Metric = 'total' | 'reserved' | 'usage' | 'available'

export interface CapacityQuery {
  readonly metric: Metric
  readonly zone: string | null
  readonly providerId: string | null
  readonly from: Date | null
  readonly to: Date | null
  /** True: collections that lie in the window whole; false: those that meet it. */
  readonly inside: boolean
  readonly without: readonly string[]
  readonly some: readonly string[]
  readonly every: readonly string[]
  readonly showUtilization: boolean
  /** The most points of the utilization. */
  readonly points: number
  readonly limit: number
  readonly marker: CollectionRef | null
  /** The flavor of which the answer tells how many servers would fit. */
  readonly flavor: string | null
}

export interface CapacityAnswer {
  readonly collections: readonly CollectionRef[]
  /** More follow. */
  readonly hasMore: boolean
  readonly utilization: readonly Point[]
  readonly fits: number | null
}

/** The kinds of collections that make up a metric. */
const kindsOf: Readonly<Record<Metric, readonly CollectionKind[]>> = {
  total: ['pool'],
  reserved: ['reservation'],
  usage: ['instance'],
  available: ['pool', 'reservation', 'instance'],
}

/**
 * Answers a query. Throws `invalid` (an unknown zone, too many changes to sum up), `not_found` (provider,
 * flavor).
 */
export async function queryCapacity(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  ask: CapacityQuery,
): Promise<CapacityAnswer> {
  if (ask.from && ask.to && ask.from >= ask.to)
    throw invalid('window.start must be earlier than window.end', 'window')
  const providers = await providersAsked(app, ask)
  const filter = filterOf(caller, ask, providers)
  const found = await app.store.collections.list(filter, ask.limit + 1, ask.marker)
  return {
    collections: found.slice(0, ask.limit),
    hasMore: found.length > ask.limit,
    utilization: ask.showUtilization ? await utilization(app, caller, ask, providers, filter) : [],
    fits: ask.flavor === null ? null : await fits(app, ask, ask.flavor, providers),
  }
}

async function providersAsked(
  app: Pick<App, 'store'>,
  { zone, providerId }: CapacityQuery,
): Promise<Provider[]> {
  const providers = await providersIn(app, zone)
  if (providerId === null) return providers
  const found = providers.filter(({ id }) => id === providerId)
  if (found.length === 0) throw noProvider(providerId)
  return found
}

function filterOf(caller: Caller, ask: CapacityQuery, providers: readonly Provider[]): CollectionFilter {
  const isAny = ask.zone === null && ask.providerId === null
  return {
    kinds: kindsOf[ask.metric],
    providerIds: isAny ? null : providers.map(({ id }) => id),
    projectId: sightOf(caller),
    from: ask.from,
    to: ask.to,
    inside: ask.inside,
    without: ask.without,
    among: null,
    some: ask.some,
    every: ask.every,
    drawn: ask.metric === 'available' ? false : null,
  }
}

/** The project whose collections a caller sees; null: every project's. */
export const sightOf = (caller: Caller): string | null =>
  isAtLeast(caller, 'admin') ? null : caller.projectId

/** How many changes are summed up at most. */
const mostChanges = 50_000

async function utilization(
  app: Pick<App, 'store'>,
  caller: Caller,
  ask: CapacityQuery,
  providers: readonly Provider[],
  filter: CollectionFilter,
): Promise<Point[]> {
  const { metric, points } = ask
  const timeline = await timelineOf(app, caller, ask, providers, filter)
  const take = metric === 'available' || metric === 'total' ? Math.min : Math.max
  // Without a beginning in the query the timeline begins with its first point that is not empty.
  const isEmpty = (point: Point) => point.count === 0 && isNothing(point.amounts)
  const begun = ask.from ? 0 : timeline.findIndex(point => !isEmpty(point))
  return begun < 0 ? [] : thinned(timeline.slice(begun), points, take)
}

async function timelineOf(
  app: Pick<App, 'store'>,
  caller: Caller,
  ask: CapacityQuery,
  providers: readonly Provider[],
  filter: CollectionFilter,
): Promise<Point[]> {
  const { metric, points } = ask
  const isWhole = !ask.inside && ask.some.length === 0 && ask.every.length === 0
  // The promises of other projects count in the available amounts, and in no other sum that is shown to a
  // project.
  if (metric === 'available' && isWhole) return whatIsLeft(app, ask, providers, filter)
  if (metric === 'reserved' && isWhole && ask.without.length === 0 && isAtLeast(caller, 'admin'))
    return heldOver(app, await windowOf(app, ask, providers), providers, points)
  return signed(app, filter)
}

/** The available amounts over time; collections that the query leaves out are added to them again. */
async function whatIsLeft(
  app: Pick<App, 'store'>,
  ask: CapacityQuery,
  providers: readonly Provider[],
  filter: CollectionFilter,
): Promise<Point[]> {
  const window = await windowOf(app, ask, providers)
  if (!window) return []
  const base = await availableOver(app, window, { providers, points: ask.points, sight: filter.projectId })
  if (ask.without.length === 0) return base
  const inWindow = { ...filter, ...window, without: [], among: ask.without }
  const back = [
    await changesOf(app, { ...inWindow, kinds: ['reservation', 'instance'] }),
    negated(await changesOf(app, { ...inWindow, kinds: ['pool'] })),
  ]
  const less = back.map(points => points.map(point => ({ ...point, count: -Math.abs(point.count) })))
  return added([base, ...less])
}

const negated = (points: readonly Point[]): Point[] =>
  points.map(({ amounts, ...point }) => ({
    ...point,
    amounts: Object.fromEntries(amountNames.map(name => [name, -amounts[name]])) as Amounts,
  }))

/** The sum over collections: where it is a balance, pools count for it and all other kinds against it. */
async function signed(app: Pick<App, 'store'>, filter: CollectionFilter): Promise<Point[]> {
  const isBalance = filter.kinds.length > 1
  const pools = await changesOf(app, { ...filter, kinds: filter.kinds.filter(kind => kind === 'pool') })
  const rest = await changesOf(app, { ...filter, kinds: filter.kinds.filter(kind => kind !== 'pool') })
  return added([pools, isBalance ? negated(rest) : rest])
}

async function changesOf(app: Pick<App, 'store'>, filter: CollectionFilter): Promise<Point[]> {
  if (filter.kinds.length === 0) return []
  const changes = await app.store.collections.changes(filter, mostChanges)
  if (!changes)
    throw invalid(
      `that is more than ${mostChanges} changes to sum up: ask for a shorter window, or with show-utilization false`,
      'too_many_changes',
    )
  return summed(changes)
}

/**
 * The window of a query; where it has no bounds, all the time in which levels change. Null when they never
 * do.
 */
async function windowOf(
  app: Pick<App, 'store'>,
  { from: start, to: end }: CapacityQuery,
  providers: readonly Provider[],
): Promise<Window | null> {
  const sites = await sitesOf(app, providers)
  const extent = await app.store.collections.extent([...new Set(sites.flatMap(accountsOf))])
  if (!extent) return null
  const from = start ?? extent.first
  // The last change before the window counts until its end, so the window is never empty.
  const to = end ?? new Date(Math.max(extent.last.getTime(), from.getTime()) + 1)
  return from < to ? { from, to } : null
}

/**
 * How many servers of a flavor have room all the time of the window, over all providers. Throws `not_found`.
 */
async function fits(
  app: Pick<App, 'now' | 'store'>,
  { from, to }: CapacityQuery,
  flavor: string,
  providers: readonly Provider[],
): Promise<number> {
  const window = { from: from ?? app.now(), to: to ?? forever }
  const sites = await sitesOf(app, providers)
  return app.store.transact(async tx => {
    let [sum, isKnown] = [0, false]
    for (const site of sites) {
      const found = site.provider.flavors.find(one => one.id === flavor || one.name === flavor)
      if (!found) continue
      isKnown = true
      const [needs, has] = [amountsOfFlavor(found), await available(tx, site, window)]
      const needed = amountNames.filter(name => needs[name] > 0)
      sum += Math.min(...needed.map(name => Math.floor(has[name] / needs[name])))
    }
    if (!isKnown) throw notFound(`no such flavor found for specified identifier: ${flavor}`, 'no_flavor')
    return sum
  })
}
