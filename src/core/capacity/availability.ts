// The available and held amounts over time, from the ledger's levels: at a cost that does not grow with the
// number of reservations.

import type { App } from '../app.ts'
import { grouped } from '../grouped.ts'
import type { Window } from '../ledger/ledger.ts'
import { heldClass } from '../ledger/ledger.ts'
import { type AmountName, type Amounts, amountClasses, amountNames, amountsOf, noAmounts } from './amounts.ts'
import type { SeriesPoint } from './capacity.ts'
import type { CollectionFilter } from './collections.ts'
import type { Provider } from './provider.ts'
import { sitesOf } from './site.ts'
import { added, merged, type Point, summed } from './timeline.ts'

/** How many pools and instances of a window are counted one by one. */
const mostCounted = 50_000

/**
 * The available amounts: budgets of one region together, and never more than the region's hosts have; then
 * the sum over all regions.
 */
export async function availableOver(
  app: Pick<App, 'store'>,
  window: Window,
  { providers, points, sight }: { providers: readonly Provider[]; points: number; sight: string | null },
): Promise<Point[]> {
  const sites = await sitesOf(app, providers)
  const groups = grouped(sites, ({ provider, scope }) => `${scope ?? provider.id}`)
  const timelines: Point[][] = []
  for (const group of groups.values()) {
    const budgets = group.map(({ provider }) => provider.budget)
    const promised = await levelsOver(app, budgets, amountNames, window, points)
    const [{ scope }] = group as [(typeof group)[number]]
    const had = scope === null ? [] : await levelsOver(app, [scope], ['cores', 'ram'], window, points)
    timelines.push(scope === null ? promised : merged([promised, had], ([one, other]) => lower(one!, other!)))
  }
  const counted = sight === null ? await heldSeries(app, window, providers, points, []) : []
  return added([...timelines, counted, await countsOver(app, window, providers, sight)])
}

const lower = (one: Point, other: Point): Omit<Point, 'at'> => ({
  count: 0,
  amounts: {
    ...one.amounts,
    cores: Math.min(one.amounts.cores, other.amounts.cores),
    ram: Math.min(one.amounts.ram, other.amounts.ram),
  },
})

/** The amounts that reservations hold. */
export async function heldOver(
  app: Pick<App, 'store'>,
  window: Window | null,
  providers: readonly Provider[],
  points: number,
): Promise<Point[]> {
  return window ? heldSeries(app, window, providers, points, amountNames) : []
}

/** The held amounts of these kinds, and the number of holders. */
async function heldSeries(
  app: Pick<App, 'store'>,
  window: Window,
  providers: readonly Provider[],
  points: number,
  names: readonly AmountName[],
): Promise<Point[]> {
  const classes = [...names.map(name => amountClasses[name]), 'TENANCY'].map(heldClass)
  const accounts = providers.map(({ budget }) => budget)
  const series = await app.store.capacity.series({ accounts, classes, window, points })
  return series.map(({ at, levels }) => {
    const of = (name: string): number => Math.abs(levels[heldClass(name)] ?? 0)
    const amounts = names.map(name => [name, of(amountClasses[name])])
    return { at, count: of('TENANCY'), amounts: amountsOf(Object.fromEntries(amounts)) }
  })
}

async function levelsOver(
  app: Pick<App, 'store'>,
  accounts: readonly number[],
  names: readonly AmountName[],
  window: Window,
  points: number,
): Promise<Point[]> {
  const classes = names.map(name => amountClasses[name])
  const series = await app.store.capacity.series({ accounts, classes, window, points })
  return series.map(point => ({ at: point.at, count: 0, amounts: amountsAt(point, names) }))
}

const amountsAt = ({ levels }: SeriesPoint, names: readonly AmountName[]): Amounts =>
  amountsOf(Object.fromEntries(names.map(name => [name, levels[amountClasses[name]] ?? 0])))

const withoutAmounts = (points: readonly Point[]): Point[] =>
  points.map(point => ({ ...point, amounts: noAmounts }))

/** How many pools there are, and instances without a reservation; for a project also its reservations. */
async function countsOver(
  app: Pick<App, 'store'>,
  window: Window,
  providers: readonly Provider[],
  sight: string | null,
): Promise<Point[]> {
  const filter: CollectionFilter = {
    kinds: sight === null ? ['pool', 'instance'] : ['pool', 'instance', 'reservation'],
    providerIds: providers.map(({ id }) => id),
    projectId: sight,
    ...window,
    inside: false,
    without: [],
    among: null,
    some: [],
    every: [],
    drawn: false,
  }
  return withoutAmounts(summed((await app.store.collections.changes(filter, mostCounted)) ?? []))
}
