// What every store of the ledger does with hosts: when they are free, and who finds them.

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { parseFilter } from '../../src/core/filter/filter.ts'
import { forever, type HostHold, type Window } from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'
import {
  all,
  always,
  claimOf,
  newHost,
  newRegion,
  on,
  release,
  search,
  store,
  take,
  transact,
  window,
} from './scene.ts'
import { note } from './stores.ts'

export function hosts(): void {
  it('is free from its first instant on', async () => {
    const host = await newHost(await newRegion())
    expect(await store.gaps(host)).toEqual([window(on(1), forever)])
  })

  it('is free but for what is held', async () => {
    const host = await newHost(await newRegion())
    await take([host], window(on(3), on(5)))
    await take([host], window(on(7), on(8)))
    expect(await store.gaps(host)).toEqual([
      window(on(1), on(3)),
      window(on(5), on(7)),
      window(on(8), forever),
    ])
  })

  it('takes windows back to back, and leaves no gap between them', async () => {
    const host = await newHost(await newRegion())
    await take([host], window(on(3), on(5)))
    await take([host], window(on(7), on(8)))
    const between = await take([host], window(on(5), on(7)))
    expect(await store.gaps(host)).toEqual([window(on(1), on(3)), window(on(8), forever)])
    await release(between)
    expect(await store.gaps(host)).toEqual([
      window(on(1), on(3)),
      window(on(5), on(7)),
      window(on(8), forever),
    ])
  })

  it('is taken by one claim only, and the other changes nothing', async () => {
    const region = await newRegion()
    const [host, free] = [await newHost(region), await newHost(region)]
    await take([host], window(on(3), on(5)))
    for (const during of [window(on(3), on(5)), window(on(4, 23), on(9)), window(on(1), on(3, 0, 1))]) {
      await expect(take([free, host], during)).rejects.toMatchObject({
        code: 'conflict',
        detail: { reason: 'host_taken' },
      })
    }
    expect(await store.gaps(host)).toEqual([window(on(1), on(3)), window(on(5), forever)])
    expect(await store.gaps(free)).toEqual([window(on(1), forever)])
  })

  it('is free in one piece again when what lay between is released', async () => {
    const host = await newHost(await newRegion())
    const [first, second, third] = [
      await take([host], window(on(3), on(5))),
      await take([host], window(on(5), on(7))),
      await take([host], window(on(9), on(10))),
    ]
    await release(second)
    expect(await store.gaps(host)).toEqual([
      window(on(1), on(3)),
      window(on(5), on(9)),
      window(on(10), forever),
    ])
    await release(first, on(4))
    expect(await store.gaps(host)).toEqual([
      window(on(1), on(3)),
      window(on(4), on(9)),
      window(on(10), forever),
    ])
    await release(first)
    await release(third)
    expect(await store.gaps(host)).toEqual([window(on(1), forever)])
  })

  it('may be held by one claim several times', async () => {
    const host = await newHost(await newRegion())
    const claim = claimOf(window(on(3), on(9)))
    const held = (from: number, to: number): HostHold => ({
      line: randomUUID(),
      host,
      window: window(on(from), on(to)),
      whole: true,
    })
    await transact(ledger => ledger.claim(claim, [], [held(3, 4), held(4, 5), held(7, 9)], note))
    expect(await store.gaps(host)).toEqual([
      window(on(1), on(3)),
      window(on(5), on(7)),
      window(on(9), forever),
    ])
    await release(claim.id)
    expect(await store.gaps(host)).toEqual([window(on(1), forever)])
  })

  it('that is closed is free until then, and not after what is released later', async () => {
    const host = await newHost(await newRegion())
    const [before, across, after] = [
      await take([host], window(on(3), on(4))),
      await take([host], window(on(5), on(8))),
      await take([host], window(on(10), on(12))),
    ]
    await transact(ledger => ledger.closeHost(host, on(7)))
    expect(await store.gaps(host)).toEqual([window(on(1), on(3)), window(on(4), on(5))])
    for (const claim of [before, across, after]) await release(claim)
    expect(await store.gaps(host)).toEqual([window(on(1), on(7))])
  })

  it('that is closed before it was ever open was never free', async () => {
    const region = await newRegion()
    const host = await newHost(region)
    await transact(ledger => ledger.closeHost(host, new Date(on(1).getTime() - 1000)))
    expect(await store.gaps(host)).toEqual([])
    expect(await search(region, always)).toEqual([])
  })

  it('is closed once, however often', async () => {
    const host = await newHost(await newRegion())
    await transact(ledger => ledger.closeHost(host, on(7)))
    await transact(ledger => ledger.closeHost(host, on(9)))
    const claim = await take([host], window(on(3), on(4)))
    await release(claim)
    expect(await store.gaps(host)).toEqual([window(on(1), on(7))])
  })
}

export function sharedHosts(): void {
  it('is shared by those who share, and free when the last is gone', async () => {
    const host = await newHost(await newRegion())
    const first = await take([host], window(on(3), on(6)), { whole: false })
    const second = await take([host], window(on(5), on(9)), { whole: false })
    const third = await take([host], window(on(4), on(5)), { whole: false })
    expect(await store.gaps(host)).toEqual([window(on(1), on(3)), window(on(9), forever)])
    await release(third)
    expect(await store.gaps(host)).toEqual([window(on(1), on(3)), window(on(9), forever)])
    await release(first)
    expect(await store.gaps(host)).toEqual([window(on(1), on(5)), window(on(9), forever)])
    await release(second, on(7))
    expect(await store.gaps(host)).toEqual([window(on(1), on(5)), window(on(7), forever)])
    await release(second)
    expect(await store.gaps(host)).toEqual([window(on(1), forever)])
  })

  it('is nobody’s as a whole, as long as it is shared', async () => {
    const host = await newHost(await newRegion())
    await take([host], window(on(3), on(6)), { whole: false })
    await expect(take([host], window(on(5), on(7)))).rejects.toMatchObject({ code: 'conflict' })
    await take([host], window(on(6), on(7)))
    await expect(take([host], window(on(6), on(8)), { whole: false })).rejects.toMatchObject({
      code: 'conflict',
    })
  })
}

export function searches(): void {
  it('finds the preferred ones first, then others, all in the order of ids', async () => {
    const region = await newRegion()
    const [a, b, c, d, e] = [
      await newHost(region),
      await newHost(region),
      await newHost(region),
      await newHost(region),
      await newHost(region),
    ]
    const during = window(on(3), on(5))
    expect(await search(region, during)).toEqual([a, b, c, d, e])
    expect(await search(region, during, { most: 2 })).toEqual([a, b])
    expect(await search(region, during, { preferred: [e, c] })).toEqual([c, e, a, b, d])
    expect(await search(region, during, { preferred: [e, c], most: 1 })).toEqual([c])
    expect(await search(region, during, { preferred: [e, c], most: 3 })).toEqual([c, e, a])
    expect(await search(region, during, { preferred: [e, c], without: [a, c] })).toEqual([e, b, d])
    await take([e], window(on(4), on(5)))
    expect(await search(region, during, { preferred: [e, c], most: 3 })).toEqual([c, a, b])
  })

  it('finds those that are free for the whole window', async () => {
    const region = await newRegion()
    const [a, b] = [await newHost(region), await newHost(region)]
    await take([a], window(on(3), on(5)))
    await take([a], window(on(7), on(8)))
    expect(await search(region, window(on(5), on(7)))).toEqual([a, b])
    expect(await search(region, window(on(4, 23), on(7)))).toEqual([b])
    expect(await search(region, window(on(5), on(7, 1)))).toEqual([b])
    expect(await search(region, window(on(1), on(3)))).toEqual([a, b])
    expect(await search(region, window(on(2), on(9)))).toEqual([b])
    expect(await search(region, window(on(8), forever))).toEqual([a, b])
    expect(await search(region, window(new Date(on(1).getTime() - 1), on(2)))).toEqual([])
  })

  it('finds those that match, in the region', async () => {
    const [region, other] = [await newRegion(), await newRegion()]
    const big = await newHost(region, { vcpus: 64, capabilities: { gpu: 'yes' } })
    const small = await newHost(region, { vcpus: 4 })
    const elsewhere = await newHost(other, { vcpus: 64 })
    const found = (where: Region, filter: string) =>
      search(where, window(on(3), on(4)), { filter: parseFilter(filter) })
    expect(await found(region, '[">=", "$vcpus", "32"]')).toEqual([big])
    expect(await found(region, '["not", [">=", "$vcpus", "32"]]')).toEqual([small])
    expect(await found(region, '["==", "$gpu", "yes"]')).toEqual([big])
    expect(await found(region, `["==", "$region", "${other.name}"]`)).toEqual([])
    expect(await found(other, '[">=", "$vcpus", "32"]')).toEqual([elsewhere])
  })

  it('never finds hosts that are down, coming, leaving or in somebody else’s use', async () => {
    const region = await newRegion()
    const [down, coming, leaving, used, good] = [
      await newHost(region),
      await newHost(region),
      await newHost(region),
      await newHost(region),
      await newHost(region),
    ]
    await store.changeHost(down, { reservable: false })
    await store.changeHost(coming, { state: 'enrolling' })
    await store.changeHost(leaving, { state: 'leaving' })
    await store.use(used)
    const during = window(on(3), on(4))
    expect(await search(region, during, { preferred: [down, coming, leaving, used] })).toEqual([good])
    await store.changeHost(down, { reservable: true })
    expect(await search(region, during)).toEqual([down, good])
  })

  it('finds a closed host until it closes', async () => {
    const region = await newRegion()
    const host = await newHost(region)
    await transact(ledger => ledger.closeHost(host, on(7)))
    expect(await search(region, window(on(3), on(7)))).toEqual([host])
    expect(await search(region, window(on(3), on(7, 0, 1)))).toEqual([])
    expect(await search(region, window(on(8), on(9)))).toEqual([])
  })
}

const hour = 3_600_000

/** What is asked of the earliest slot, in this month. */
const slotSearch = (more: object) => ({
  filter: all,
  hosts: 1,
  lengthMs: 24 * hour,
  notBefore: on(2),
  notAfter: on(30),
  region: null,
  ...more,
})

export function slots(): void {
  it('begins at once when there is room', async () => {
    const region = await newRegion()
    await newHost(region)
    const found = await store.capacity.earliestHosts(slotSearch({ region: region.name }))
    expect(found).toEqual({ at: on(2), region: region.name })
  })

  it('begins when enough hosts of one region are free together for so long', async () => {
    const region = await newRegion()
    const [a, b] = [await newHost(region), await newHost(region)]
    await take([a], window(on(1), on(5)))
    await take([b], window(on(3), on(8, 12)))
    const earliest = (more: object) =>
      store.capacity.earliestHosts(slotSearch({ region: region.name, ...more }))
    const at = (at: Date) => ({ at, region: region.name })
    expect(await earliest({ hosts: 1 })).toEqual(at(on(2)))
    expect(await earliest({ hosts: 1, lengthMs: 25 * hour })).toEqual(at(on(5)))
    expect(await earliest({ hosts: 2 })).toEqual(at(on(8, 12)))
    expect(await earliest({ hosts: 2, notBefore: on(9, 7, 13) })).toEqual(at(on(9, 7, 13)))
    expect(await earliest({ hosts: 3 })).toBeNull()
  })

  it('ends not after what was asked, and may end exactly then', async () => {
    const region = await newRegion()
    const host = await newHost(region)
    await take([host], window(on(1), on(5)))
    const earliest = (more: object) =>
      store.capacity.earliestHosts(slotSearch({ region: region.name, ...more }))
    expect(await earliest({ notAfter: on(6) })).toEqual({ at: on(5), region: region.name })
    expect(await earliest({ notAfter: on(5, 23, 59) })).toBeNull()
    await take([host], window(on(6), forever))
    expect(await earliest({})).toEqual({ at: on(5), region: region.name })
    expect(await earliest({ lengthMs: 24 * hour + 1 })).toBeNull()
    expect(await earliest({ notBefore: on(5, 1) })).toBeNull()
    expect(await earliest({ notBefore: on(5), notAfter: on(6) })).toEqual({ at: on(5), region: region.name })
  })

  it('is counted region by region: the earliest in any, and of two the region that came first', async () => {
    const [first, second] = [await newRegion(), await newRegion()]
    const mark = randomUUID()
    const capabilities = { mark }
    const [a, b, c] = [
      await newHost(first, { capabilities }),
      await newHost(second, { capabilities }),
      await newHost(second, { capabilities }),
    ]
    const filter = parseFilter(`["==", "$mark", "${mark}"]`)
    const earliest = (hosts: number) => store.capacity.earliestHosts(slotSearch({ hosts, filter }))
    expect(await earliest(1)).toEqual({ at: on(2), region: first.name })
    await take([a, b, c], window(on(2), on(4)))
    expect(await earliest(1)).toEqual({ at: on(4), region: first.name })
    await take([a], window(on(4), on(6)))
    expect(await earliest(1)).toEqual({ at: on(4), region: second.name })
    expect(await earliest(2)).toEqual({ at: on(4), region: second.name })
    expect(await earliest(3)).toBeNull()
  })

  it('has hosts that match, are up and are nobody else’s', async () => {
    const region = await newRegion()
    const [down, used, big] = [
      await newHost(region),
      await newHost(region),
      await newHost(region, { vcpus: 64 }),
    ]
    await store.changeHost(down, { reservable: false })
    await store.use(used)
    const earliest = (more: object) =>
      store.capacity.earliestHosts(slotSearch({ region: region.name, ...more }))
    expect(await earliest({ hosts: 2 })).toBeNull()
    await take([big], window(on(2), on(3)))
    const filter = parseFilter('[">", "$vcpus", "8"]')
    expect(await earliest({ filter })).toEqual({ at: on(3), region: region.name })
    expect(await earliest({ filter: { op: 'not', of: filter } })).toBeNull()
  })
}

export function availability(): void {
  const available = (region: Region, during: Window, { most = 100, filter = '' } = {}) =>
    store.capacity.availability({ window: during, filter: parseFilter(filter), region: region.name }, most)

  it('has a point where the window begins, and one at every change within it', async () => {
    const region = await newRegion()
    const [a, b] = [await newHost(region), await newHost(region, { vcpus: 4 })]
    await take([a], window(on(3), on(5)))
    await take([b], window(on(4), on(6)))
    const amounts = (vcpus: number) => ({ amounts: { VCPU: vcpus } })
    expect(await available(region, window(on(2), on(6)))).toEqual([
      { at: on(2), hosts: 2, ...amounts(18) },
      { at: on(3), hosts: 1, ...amounts(6) },
      { at: on(4), hosts: 0, ...amounts(0) },
      { at: on(5), hosts: 1, ...amounts(12) },
    ])
    expect(await available(region, window(on(3), on(4)))).toEqual([{ at: on(3), hosts: 1, ...amounts(6) }])
    expect(await available(region, window(on(6), forever))).toEqual([{ at: on(6), hosts: 2, ...amounts(18) }])
    expect(await available(region, window(on(2), on(6)), { filter: '["==", "$vcpus", "4"]' })).toEqual([
      { at: on(2), hosts: 1, ...amounts(6) },
      { at: on(4), hosts: 0, ...amounts(0) },
    ])
  })

  it('has every class from the first point on', async () => {
    const region = await newRegion()
    const host = await newHost(region)
    await take([host], window(on(1), on(3)))
    expect(await available(region, window(on(2), on(6)))).toEqual([
      { at: on(2), hosts: 0, amounts: { VCPU: 0 } },
      { at: on(3), hosts: 1, amounts: { VCPU: 12 } },
    ])
  })

  it('is one point of nothing where there is nothing', async () => {
    const region = await newRegion()
    expect(await available(region, window(on(2), on(6)))).toEqual([{ at: on(2), hosts: 0, amounts: {} }])
  })

  it('is not given when it has too many points', async () => {
    const region = await newRegion()
    const host = await newHost(region)
    await take([host], window(on(3), on(5)))
    expect(await available(region, window(on(2), on(6)), { most: 3 })).toHaveLength(3)
    expect(await available(region, window(on(2), on(6)), { most: 2 })).toBeNull()
  })
}
