// Sums of timelines, against adding up what each has at every instant.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountNames, amountsOf } from '../../src/core/capacity/amounts.ts'
import { added, merged, type Point } from '../../src/core/capacity/timeline.ts'

const timeline = fc
  .uniqueArray(fc.record({ at: fc.nat(12), count: fc.nat(5), cores: fc.nat(9), ram: fc.nat(9) }), {
    selector: one => one.at,
    maxLength: 6,
  })
  .map(points =>
    points
      .sort((a, b) => a.at - b.at)
      .map<Point>(({ at, count, ...amounts }) => ({ at: new Date(at), count, amounts: amountsOf(amounts) })),
  )

const sum = (points: readonly (Point | null)[]) => ({
  count: points.reduce((all, point) => all + (point?.count ?? 0), 0),
  amounts: amountsOf(
    Object.fromEntries(
      amountNames.map(name => [name, points.reduce((all, point) => all + (point?.amounts[name] ?? 0), 0)]),
    ),
  ),
})

describe('the sum of timelines', () => {
  it('is at every instant the sum of what each has then', () => {
    fc.assert(
      fc.property(fc.array(timeline, { maxLength: 5 }), timelines => {
        expect(added(timelines)).toEqual(merged(timelines, sum))
      }),
    )
  })
})
