// What every store of the ledger says of levels over time: the first instant with so much, what holds it, and series.

import { expect, it } from 'vitest'
import type { SeriesPoint } from '../../src/core/capacity/capacity.ts'
import { forever, type Window } from '../../src/core/ledger/ledger.ts'
import { always, hold, newScope, on, post, release, store, transact, window } from './scene.ts'
import { note, tenancy } from './stores.ts'

const million = 1_000_000

/** The first instant with so many whole hosts' worth. */
const first = (account: number, during: Window, hosts: number): Promise<Date | null> =>
  transact(ledger => ledger.firstWith({ account, class: 'TENANCY', window: during }, hosts * million))

export function firstInstants(): void {
  it('is the beginning of the window when there is so much at once', async () => {
    const account = await newScope()
    await post([account, 5, always])
    expect(await first(account, window(on(3), on(4)), 5)).toEqual(on(3))
    expect(await first(account, window(on(3, 7), forever), 0)).toEqual(on(3, 7))
    expect(await first(account, window(on(3), forever), 6)).toBeNull()
    expect(await first(await newScope(), window(on(3), forever), 1)).toBeNull()
    expect(await first(await newScope(), window(on(3), forever), 0)).toEqual(on(3))
  })

  it('is when enough has been given back, on the same day, on the last, or between', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 4, window(on(3, 6), on(3, 20)))
    await hold(account, 3, window(on(3, 6), on(5, 7)))
    await hold(account, 2, window(on(3, 6), on(9, 1)))
    expect(await first(account, window(on(3, 6), on(20)), 0)).toEqual(on(3, 6))
    expect(await first(account, window(on(3, 6), on(20)), 4)).toEqual(on(3, 20))
    expect(await first(account, window(on(3, 6), on(20)), 5)).toEqual(on(5, 7))
    expect(await first(account, window(on(3, 6), on(5, 8)), 5)).toEqual(on(5, 7))
    expect(await first(account, window(on(3, 6), on(5, 7)), 5)).toBeNull()
    expect(await first(account, window(on(3, 6), on(20)), 9)).toEqual(on(9, 1))
    expect(await first(account, window(on(3, 6), on(9, 2)), 8)).toEqual(on(9, 1))
    expect(await first(account, window(on(3, 6), on(9)), 8)).toBeNull()
  })

  it('finds what is free between two that hold it, though the day begins and ends without', async () => {
    const account = await newScope()
    await post([account, 2, always])
    await hold(account, 2, window(on(3), on(6, 9)))
    await hold(account, 2, window(on(6, 10), on(12, 5)))
    await hold(account, 1, window(on(12, 5), on(15)))
    expect(await first(account, window(on(3, 1), on(25)), 2)).toEqual(on(6, 9))
    expect(await first(account, window(on(6, 9, 30), on(25)), 2)).toEqual(on(6, 9, 30))
    expect(await first(account, window(on(6, 10), on(25)), 1)).toEqual(on(12, 5))
    expect(await first(account, window(on(6, 10), on(25)), 2)).toEqual(on(15))
    expect(await first(account, window(on(6, 10), on(15)), 2)).toBeNull()
  })

  it('does not take for free what one gives back and another takes at the same instant', async () => {
    const account = await newScope()
    await post([account, 2, always])
    for (const day of [3, 4, 5]) await hold(account, 2, window(on(day), on(day + 1)))
    await hold(account, 2, window(on(6), on(6, 12)))
    await hold(account, 2, window(on(6, 12), on(7)))
    expect(await first(account, window(on(3), on(20)), 1)).toEqual(on(7))
  })

  it('is for ever later when nothing is given back', async () => {
    const account = await newScope()
    await post([account, 2, always])
    await hold(account, 2, window(on(3), forever))
    expect(await first(account, window(on(3), forever), 1)).toBeNull()
  })
}

export function holders(): void {
  it('names what holds a class at an instant, with how much and how long', async () => {
    const account = await newScope()
    const one = await hold(account, 1, window(on(3), on(5)))
    const other = await hold(account, 2, window(on(4), on(6)))
    const at = (instant: Date, name = 'TENANCY') => transact(ledger => ledger.holdsAt(account, name, instant))
    const first = { claim: one, amount: million, window: window(on(3), on(5)) }
    const second = { claim: other, amount: 2 * million, window: window(on(4), on(6)) }
    expect(await at(on(2, 23))).toEqual([])
    expect(await at(on(3))).toEqual([first])
    expect(await at(on(4))).toEqual([first, second])
    expect(await at(on(5))).toEqual([second])
    expect(await at(on(6))).toEqual([])
    expect(await at(on(4), 'VCPU')).toEqual([])
    await release(other, on(4, 12))
    expect(await at(on(4, 11))).toEqual([
      first,
      { claim: other, amount: 2 * million, window: window(on(4), on(4, 12)) },
    ])
    expect(await at(on(4, 12))).toEqual([first])
  })
}

/** In whole hosts: when, and how many. */
type Told = readonly (readonly [Date, number])[]

async function told(accounts: readonly number[], during: Window, points: number): Promise<Told> {
  const found = await store.capacity.series({ accounts, classes: ['TENANCY'], window: during, points })
  return found.map(({ at, levels }) => [at, levels.TENANCY! / million])
}

export function series(): void {
  it('has a point where the window begins, and one at every change in it', async () => {
    const account = await newScope()
    await post([account, 5, always])
    await hold(account, 1, window(on(3, 6), on(5)))
    await hold(account, 2, window(on(4, 7), on(5)))
    await hold(account, 3, window(on(5), on(9)))
    expect(await told([account], window(on(2), on(9)), 100)).toEqual([
      [on(2), 5],
      [on(3, 6), 4],
      [on(4, 7), 2],
    ])
    expect(await told([account], window(on(2), on(9, 0, 1)), 4)).toEqual([
      [on(2), 5],
      [on(3, 6), 4],
      [on(4, 7), 2],
      [on(9), 5],
    ])
    expect(await told([account], window(on(4, 8), on(5)), 1)).toEqual([[on(4, 8), 2]])
    expect(await told([account], window(on(9), forever), 1)).toEqual([[on(9), 5]])
  })

  it('is of nothing where nothing was posted', async () => {
    const account = await newScope()
    const query = { accounts: [account], window: window(on(2), on(3)), points: 3 }
    expect(await store.capacity.series({ ...query, classes: ['VCPU', 'held:VCPU'] })).toEqual([
      { at: on(2), levels: { VCPU: 0, 'held:VCPU': 0 } },
    ])
    expect(await store.capacity.series({ ...query, classes: [] })).toEqual([{ at: on(2), levels: {} }])
    expect(await store.capacity.series({ ...query, accounts: [], classes: ['VCPU'] })).toEqual([
      { at: on(2), levels: { VCPU: 0 } },
    ])
  })

  it('has no point of what was posted and compensated', async () => {
    const account = await newScope()
    await post([account, 5, always])
    await release(await hold(account, 4, window(on(4), on(5))))
    expect(await told([account], window(on(2), on(9)), 1)).toEqual([[on(2), 5]])
  })

  it('is of several accounts and classes together', async () => {
    const [one, other] = [await newScope(), await newScope()]
    await post([one, 5, always], [other, 7, always])
    await transact(ledger => ledger.post([{ ...tenancy(one, 0, always), class: 'VCPU', amount: 48 }], note))
    await hold(one, 2, window(on(3), on(5)))
    await hold(other, 2, window(on(4), on(6)))
    const query = { accounts: [one, other], classes: ['TENANCY', 'VCPU'], points: 9 }
    const point = (at: Date, hosts: number): SeriesPoint => ({
      at,
      levels: { TENANCY: hosts * million, VCPU: 48 },
    })
    expect(await store.capacity.series({ ...query, window: window(on(2), on(9)) })).toEqual([
      point(on(2), 12),
      point(on(3), 10),
      point(on(4), 8),
      point(on(5), 10),
      point(on(6), 12),
    ])
  })

  it('says how low it gets in equal parts of a short window with too many changes', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 1, window(on(3, 1), on(3, 2)))
    await hold(account, 4, window(on(3, 5), on(3, 6)))
    await hold(account, 6, window(on(3, 8), on(4)))
    expect(await told([account], window(on(3), on(3, 12)), 4)).toEqual([
      [on(3), 8],
      [on(3, 3), 5],
      [on(3, 6), 3],
      [on(3, 9), 3],
    ])
    expect(await told([account], window(on(3, 1, 30), on(3, 8, 30)), 2)).toEqual([
      [on(3, 1, 30), 8],
      [on(3, 5), 3],
    ])
  })

  it('says how low it gets in whole days of a long window with too many changes', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 3, window(on(2, 12), on(2, 13)))
    await hold(account, 1, window(on(3, 1), on(4)))
    await hold(account, 5, window(on(6, 5), on(8)))
    await hold(account, 8, window(on(11, 5), on(11, 6)))
    await hold(account, 8, window(on(13, 5), on(13, 6)))
    const during = window(on(2, 12, 30), on(13, 5))
    expect(await told([account], window(on(2), on(10)), 6)).toEqual([
      [on(2), 6],
      [on(4), 9],
      [on(6), 4],
      [on(8), 9],
    ])
    expect(await told([account], during, 6)).toEqual([
      [on(2, 12, 30), 6],
      [on(4), 9],
      [on(6), 4],
      [on(8), 9],
      [on(10), 1],
      [on(12), 9],
    ])
    expect((await told([account], window(on(2), on(14)), 8)).at(-1)).toEqual([on(12), 1])
    expect(await told([account], during, 1)).toEqual([[on(2, 12, 30), 1]])
  })

  it('begins a part with what changes in its first instant, and not with what was before', async () => {
    const account = await newScope()
    await post([account, 9, always])
    for (const day of [2, 4, 6, 8, 10, 12]) await hold(account, day / 2, window(on(day), on(day + 1)))
    expect(await told([account], window(on(2), on(12)), 10)).toEqual(
      [8, 9, 7, 9, 6, 9, 5, 9, 4, 9].map((level, index) => [on(2 + index), level]),
    )
    expect(await told([account], window(on(2), on(14)), 6)).toEqual(
      [8, 7, 6, 5, 4, 3].map((level, index) => [on(2 + 2 * index), level]),
    )
    expect(await told([account], window(on(3), on(13)), 5)).toEqual(
      [7, 6, 5, 4, 3].map((level, index) => [on(3 + 2 * index), level]),
    )
  })

  it('adds the lowest of several accounts in parts, which is never too much', async () => {
    const [one, other] = [await newScope(), await newScope()]
    await post([one, 5, always], [other, 7, always])
    for (const day of [2, 4, 6, 8]) await hold(one, 2, window(on(day, 1), on(day, 2)))
    for (const day of [2, 4, 6, 8]) await hold(other, 3, window(on(day, 2), on(day, 3)))
    expect(await told([one, other], window(on(2), on(10)), 4)).toEqual([
      [on(2), 7],
      [on(4), 7],
      [on(6), 7],
      [on(8), 7],
    ])
  })
}
