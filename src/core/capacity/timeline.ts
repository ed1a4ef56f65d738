// Amounts over time as points, each of which holds until the next: sums, the lower of two, and fewer points.

import { type AmountName, type Amounts, amountNames, amountsOf, noAmounts, plus } from './amounts.ts'
import type { CollectionChange } from './collections.ts'

export interface Point {
  readonly at: Date
  /** How many collections there are. */
  readonly count: number
  readonly amounts: Amounts
}

type Take = (one: number, other: number) => number

/** From changes to the sum after each of them. */
export function summed(changes: readonly CollectionChange[]): Point[] {
  let count = 0
  let amounts = noAmounts
  return changes.map(change => {
    count += change.count
    amounts = plus(amounts, change.amounts)
    return { at: change.at, count, amounts }
  })
}

/**
 * One timeline of several: at every instant of any of them, of the values that each has then. A timeline has
 * none before its first point.
 */
export function merged(
  timelines: readonly (readonly Point[])[],
  join: (points: readonly (Point | null)[]) => Omit<Point, 'at'>,
): Point[] {
  const times = [...new Set(timelines.flat().map(({ at }) => at.getTime()))].sort((a, b) => a - b)
  const places = timelines.map(() => -1)
  return times.map(time => {
    const points = timelines.map((timeline, index) => {
      while ((timeline[places[index]! + 1]?.at.getTime() ?? Number.POSITIVE_INFINITY) <= time)
        places[index]! += 1
      return timeline[places[index]!] ?? null
    })
    return { at: new Date(time), ...join(points) }
  })
}

/** The sum of several timelines: each adds at its points what it changes by. */
export function added(timelines: readonly (readonly Point[])[]): Point[] {
  const moments = timelines
    .flatMap(timeline => timeline.map((point, index) => ({ point, before: timeline[index - 1] })))
    .sort((a, b) => a.point.at.getTime() - b.point.at.getTime())
  const sum = { count: 0, amounts: { ...noAmounts } as Record<AmountName, number> }
  const points: Point[] = []
  for (const [index, { point, before }] of moments.entries()) {
    sum.count += point.count - (before?.count ?? 0)
    for (const name of amountNames) sum.amounts[name] += point.amounts[name] - (before?.amounts[name] ?? 0)
    const isLast = moments[index + 1]?.point.at.getTime() !== point.at.getTime()
    if (isLast) points.push({ at: point.at, count: sum.count, amounts: { ...sum.amounts } })
  }
  return points
}

/**
 * A timeline of at most so many points: equal parts of the time, each with the least (or the most) of its
 * points.
 */
export function thinned(points: readonly Point[], most: number, take: Take): Point[] {
  if (points.length <= most) return [...points]
  const first = points[0]!.at.getTime()
  const partMs = (points.at(-1)!.at.getTime() - first + 1) / most
  const parts = new Map<number, Point[]>()
  let before = points[0]!
  for (const point of points) {
    const part = Math.floor((point.at.getTime() - first) / partMs)
    const begun = parts.get(part)
    // A part begins with the value that the part before ended with.
    if (begun) begun.push(point)
    else parts.set(part, [{ ...before, at: new Date(first + Math.ceil(part * partMs)) }, point])
    before = point
  }
  return [...parts.values()].map(part => extreme(part, take))
}

function extreme(part: readonly Point[], take: Take): Point {
  const [first, ...rest] = part
  return rest.reduce(
    (sum, point) => ({
      at: sum.at,
      count: Math.max(sum.count, point.count),
      amounts: amountsOf(
        Object.fromEntries(amountNames.map(name => [name, take(sum.amounts[name], point.amounts[name])])),
      ),
    }),
    first!,
  )
}
