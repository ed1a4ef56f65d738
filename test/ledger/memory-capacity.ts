// The questions about capacity over time, slow and obvious: every answer by looking at every instant.

import type {
  AvailabilityPoint,
  AvailabilityQuery,
  CapacityStore,
  SeriesPoint,
  SeriesQuery,
  Slot,
  SlotSearch,
} from '../../src/core/capacity/capacity.ts'
import type { Filter } from '../../src/core/filter/filter.ts'
import { type Host, supplyOf } from '../../src/core/hosts/host.ts'
import type { Question, Window } from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'

export const overlaps = (a: Window, b: Window): boolean => a.from < b.to && b.from < a.to

export const sum = (amounts: readonly number[]): number => amounts.reduce((total, one) => total + one, 0)

/** After its beginning, before its end. */
export const within = (at: Date, window: Window): boolean => at > window.from && at < window.to

export const inOrder = (instants: readonly Date[]): Date[] =>
  [...new Set(instants.map(at => at.getTime()))].toSorted((a, b) => a - b).map(at => new Date(at))

/** What these look at. */
export interface Sight {
  regions(): readonly Region[]
  /** In the order of ids. */
  matching(filter: Filter, isThere: (host: Host) => boolean): readonly Host[]
  gaps(host: number): readonly Window[]
  isFree(host: number, at: Date): boolean
  isFreeOver(host: number, window: Window): boolean
  /** Whenever anything of an account changes. */
  instants(account: number): readonly Date[]
  lowest(question: Question): number
}

export const capacityOf = (sight: Sight): CapacityStore => ({
  series: async query => series(sight, query),
  earliestHosts: async search => earliest(sight, search),
  availability: async (query, most) => {
    const points = availability(sight, query)
    return points.length > most ? null : points
  },
})

const dayMs = 86_400_000

function series(sight: Sight, query: SeriesQuery): SeriesPoint[] {
  const { accounts, classes, window, points } = query
  const at = (account: number, name: string, instant: number): number => {
    const moment = { from: new Date(instant), to: new Date(instant + 1) }
    return sight.lowest({ account, class: name, window: moment })
  }
  const changes = accounts.flatMap(account =>
    sight
      .instants(account)
      .filter(moment => within(moment, window))
      .map(moment => moment.getTime())
      .filter(moment => classes.some(name => at(account, name, moment) !== at(account, name, moment - 1))),
  )
  const exact = inOrder([window.from, ...changes.map(moment => new Date(moment))])
  const starts = exact.length <= points ? exact : partsOf(query)
  return starts.map((from, index) => {
    const part = { from, to: starts[index + 1] ?? window.to }
    const lowest = (name: string): number =>
      sum(accounts.map(account => sight.lowest({ account, class: name, window: part })))
    return { at: from, levels: Object.fromEntries(classes.map(name => [name, lowest(name)])) }
  })
}

/** Up to a week: equal parts, if these are shorter than a day. Else as few whole days (UTC) each as do. */
function partsOf({ window, points }: SeriesQuery): Date[] {
  const [from, to] = [window.from.getTime(), window.to.getTime()]
  const length = to - from
  if (length <= 7 * dayMs && length / points < dayMs)
    return inOrder(
      Array.from({ length: points }, (_, n) => new Date(from + Math.floor((n * length) / points))),
    )
  const midnight = from - (from % dayMs)
  let days = 1
  while (midnight + days * points * dayMs < to) days += 1
  const starts = [window.from]
  for (let at = midnight + days * dayMs; at < to; at += days * dayMs) starts.push(new Date(at))
  return starts
}

function earliest(sight: Sight, search: SlotSearch): Slot | null {
  const { hosts, lengthMs, notBefore, notAfter } = search
  const chances = sight
    .regions()
    .filter(region => search.region === null || region.name === search.region)
    .map(region => ({ region, among: sight.matching(search.filter, host => host.regionId === region.id) }))
  const starts = chances
    .flatMap(({ among }) => among.flatMap(host => sight.gaps(host.id)))
    .map(gap => gap.from)
  for (const from of inOrder([notBefore, ...starts.filter(at => at > notBefore)])) {
    const to = new Date(from.getTime() + lengthMs)
    if (to > notAfter) return null
    const found = chances.find(
      ({ among }) => among.filter(host => sight.isFreeOver(host.id, { from, to })).length >= hosts,
    )
    if (found) return { at: from, region: found.region.name }
  }
  return null
}

function availability(sight: Sight, { window, filter, region }: AvailabilityQuery): AvailabilityPoint[] {
  const hosts = sight.matching(filter, host => region === null || host.regionName === region)
  const gaps = hosts.flatMap(host => sight.gaps(host.id).map(gap => ({ host, gap })))
  const ever = gaps.filter(({ gap }) => overlaps(gap, window)).map(({ host }) => host)
  const classes = new Set(ever.flatMap(host => Object.keys(host.inventory)))
  const changes = gaps.flatMap(({ gap }) => [gap.from, gap.to]).filter(at => within(at, window))
  return inOrder([window.from, ...changes]).map(at => {
    const free = hosts.filter(host => sight.isFree(host.id, at))
    const amounts = [...classes].map(name => [name, sum(free.map(host => amountOf(host, name)))] as const)
    return { at, hosts: free.length, amounts: Object.fromEntries(amounts) }
  })
}

const amountOf = (host: Host, name: string): number => Object.fromEntries(supplyOf(host))[name] ?? 0
