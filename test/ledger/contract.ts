// What every store of the ledger does.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Claim,
  forever,
  type HostHold,
  type HostSearch,
  type Ledger,
  type Level,
  type Window,
} from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { parseFilter } from '../../src/core/reservations/filter.ts'
import { type HostSpec, hostOf, type LedgerStore, note, regionNamed, tenancy } from './stores.ts'

const all = parseFilter('')

/** January 2027, at an hour and a minute (UTC). */
const on = (day: number, hour = 0, minute = 0): Date => new Date(Date.UTC(2027, 0, day, hour, minute))
const window = (from: Date, to: Date): Window => ({ from, to })
const always = window(on(1), forever)

const claimOf = (during: Window): Claim => ({
  id: randomUUID(),
  projectId: 'project',
  kind: 'lease',
  window: during,
})

let store: LedgerStore
let made = 0

async function newRegion(): Promise<Region> {
  made += 1
  const region = regionNamed(`Pod${made}`, new Date(note.at.getTime() + made))
  await store.addRegion(region)
  return region
}

const transact = <T>(work: (ledger: Ledger) => Promise<T>): Promise<T> => store.transact(work)

/** A reservable scope, of a region of its own. */
async function newScope(): Promise<number> {
  const { id } = await newRegion()
  return transact(ledger => ledger.scope(id, 'reservable'))
}

/** A host that is free from the beginning of the month. */
async function newHost(region: Region, spec: Partial<HostSpec> = {}): Promise<number> {
  const id = await transact(ledger => ledger.addHost(region.id, on(1)))
  await store.insertHost(hostOf({ region, ...spec, id }))
  return id
}

const post = (...postings: Parameters<typeof tenancy>[]) =>
  transact(async ledger => {
    await ledger.lock(postings.map(([account]) => account))
    await ledger.post(
      postings.map(one => tenancy(...one)),
      note,
    )
  })

/** How many whole hosts' worth an account has, over a window. */
async function level(account: number, during: Window): Promise<Level> {
  const [found] = await transact(ledger => ledger.levels([{ account, class: 'TENANCY', window: during }]))
  return { lowest: found!.lowest / 1_000_000, at: found!.at }
}

/** Holds so many hosts' worth of a scope, without any host; returns the claim's id. */
async function hold(account: number, hosts: number, during: Window): Promise<string> {
  const claim = claimOf(during)
  const { amount } = tenancy(account, hosts, during)
  await transact(async ledger => {
    await ledger.lock([account])
    const line = randomUUID()
    await ledger.claim(claim, [{ line, account, class: 'TENANCY', amount, window: during }], [], note)
  })
  return claim.id
}

type Held = Partial<Pick<HostHold, 'whole' | 'line'>> & { readonly id?: string }

/** Holds hosts; returns the claim's id. */
async function take(hosts: readonly number[], during: Window, { whole = true, ...more }: Held = {}) {
  const claim = { ...claimOf(during), ...(more.id ? { id: more.id } : {}) }
  const line = randomUUID()
  await transact(ledger =>
    ledger.claim(
      claim,
      [],
      hosts.map(host => ({ line, host, window: during, whole })),
      note,
    ),
  )
  return claim.id
}

const release = (claim: string, from?: Date) => transact(ledger => ledger.release(claim, note, from))

const search = (region: Region, during: Window, more: Partial<HostSearch> = {}): Promise<number[]> =>
  transact(ledger =>
    ledger.freeHosts({
      regionId: region.id,
      filter: all,
      window: during,
      most: 100,
      preferred: [],
      without: [],
      ...more,
    }),
  )

export function ledgerContract(name: string, open: () => Promise<LedgerStore>): void {
  describe(name, () => {
    beforeAll(async () => {
      store = await open()
    })
    afterAll(() => store[Symbol.asyncDispose]())

    describe('a transaction', transactions)
    describe('a level', levels)
    describe('a claim', claims)
    describe('a host', hosts)
    describe('a shared host', sharedHosts)
    describe('the search for hosts', searches)
    describe('the earliest slot', slots)
    describe('the availability over time', availability)
  })
}

function transactions(): void {
  it('keeps others out of the accounts that it has locked, until its end', async () => {
    const account = await newScope()
    const events: string[] = []
    const first = transact(async ledger => {
      await ledger.lock([account])
      events.push('the first is in')
      await sleep(100)
      events.push('the first goes')
    })
    await sleep(50)
    const second = transact(async ledger => {
      await ledger.lock([account])
      events.push('the second is in')
    })
    await Promise.all([first, second])
    expect(events).toEqual(['the first is in', 'the first goes', 'the second is in'])
  })

  it('waits for nobody in a circle, whatever the order of its accounts', async () => {
    const accounts = [await newScope(), await newScope(), await newScope()]
    const orders = [accounts, accounts.toReversed(), [accounts[1]!, accounts[2]!, accounts[0]!]]
    const done = Array.from({ length: 30 }, (_, index) =>
      transact(ledger => ledger.lock(orders[index % orders.length]!)),
    )
    await expect(Promise.all(done)).resolves.toHaveLength(30)
  })

  it('sees after its lock what whoever had it before has done', async () => {
    const account = await newScope()
    await post([account, 1, always])
    const takeOne = () =>
      transact(async ledger => {
        await ledger.lock([account])
        const [left] = await ledger.levels([{ account, class: 'TENANCY', window: always }])
        if (left!.lowest < 1_000_000) return 'refused'
        const held = { line: randomUUID(), account, class: 'TENANCY', amount: 1_000_000, window: always }
        await ledger.claim(claimOf(always), [held], [], note)
        return 'taken'
      })
    const outcomes = await Promise.all(Array.from({ length: 8 }, takeOne))
    expect(outcomes.filter(outcome => outcome === 'taken')).toHaveLength(1)
    expect(await level(account, always)).toEqual({ lowest: 0, at: on(1) })
  })

  it('is undone wholly when its work fails', async () => {
    const account = await newScope()
    const region = await newRegion()
    const host = await newHost(region)
    const work = transact(async ledger => {
      await ledger.lock([account])
      await ledger.post([tenancy(account, 3, always)], note)
      await ledger.claim(claimOf(always), [], [{ line: randomUUID(), host, window: always, whole: true }], note)
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')
    expect(await level(account, always)).toEqual({ lowest: 0, at: on(1) })
    expect(await search(region, always)).toEqual([host])
  })

  it('makes a scope once, also when two ask at the same moment', async () => {
    const { id } = await newRegion()
    const ask = () => transact(ledger => ledger.scope(id, 'general'))
    const asked = await Promise.all([ask(), ask(), ask(), ask()])
    expect(new Set(asked).size).toBe(1)
    expect(await transact(ledger => ledger.scope(id, 'reservable'))).not.toBe(asked[0])
    expect(await ask()).toBe(asked[0])
  })

  it('may not hold anything of an account that it has not locked', async () => {
    const account = await newScope()
    const line = randomUUID()
    const work = transact(ledger =>
      ledger.claim(claimOf(always), [{ line, account, class: 'TENANCY', amount: 1, window: always }], [], note),
    )
    await expect(work).rejects.toThrow()
  })
}

function levels(): void {
  it('is nothing where nothing was posted', async () => {
    const account = await newScope()
    expect(await level(account, window(on(3), on(4)))).toEqual({ lowest: 0, at: on(3) })
  })

  it('is what was posted, from its first instant to the one before its end', async () => {
    const account = await newScope()
    await post([account, 5, window(on(3, 10), on(3, 12))])
    expect(await level(account, window(on(3, 10), on(3, 12)))).toEqual({ lowest: 5, at: on(3, 10) })
    expect(await level(account, window(on(3, 9, 59), on(3, 11)))).toEqual({ lowest: 0, at: on(3, 9, 59) })
    expect(await level(account, window(on(3, 11), on(3, 12, 1)))).toEqual({ lowest: 0, at: on(3, 12) })
  })

  it('is the lowest within a day, at the first instant that is so low', async () => {
    const account = await newScope()
    await post([account, 5, always])
    await hold(account, 1, window(on(3, 9), on(3, 20)))
    await hold(account, 2, window(on(3, 10), on(3, 11)))
    await hold(account, 2, window(on(3, 14), on(3, 15)))
    expect(await level(account, window(on(3, 8), on(3, 18)))).toEqual({ lowest: 2, at: on(3, 10) })
    expect(await level(account, window(on(3, 11), on(3, 18)))).toEqual({ lowest: 2, at: on(3, 14) })
    expect(await level(account, window(on(3, 15), on(3, 18)))).toEqual({ lowest: 4, at: on(3, 15) })
    expect(await level(account, window(on(3, 10, 30), on(3, 18)))).toEqual({ lowest: 2, at: on(3, 10, 30) })
  })

  it('is the lowest over days: of the first, of those between, of the last', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 2, window(on(3, 20), on(3, 21)))
    await hold(account, 4, window(on(5, 6), on(5, 7)))
    await hold(account, 6, window(on(7, 1), on(7, 2)))
    const lowest = async (from: Date, to: Date) => await level(account, window(from, to))
    expect(await lowest(on(3, 12), on(4, 12))).toEqual({ lowest: 7, at: on(3, 20) })
    expect(await lowest(on(3, 12), on(6, 12))).toEqual({ lowest: 5, at: on(5, 6) })
    expect(await lowest(on(3, 12), on(7, 12))).toEqual({ lowest: 3, at: on(7, 1) })
    expect(await lowest(on(5, 7), on(6, 12))).toEqual({ lowest: 9, at: on(5, 7) })
  })

  it('takes days as they come, where several are as low', async () => {
    const account = await newScope()
    await post([account, 9, always])
    for (const day of [7, 5, 6]) await hold(account, 4, window(on(day, 6), on(day, 7)))
    expect(await level(account, window(on(3), on(9)))).toEqual({ lowest: 5, at: on(5, 6) })
    expect(await level(account, window(on(5, 6, 30), on(9)))).toEqual({ lowest: 5, at: on(5, 6, 30) })
    expect(await level(account, window(on(5, 7), on(9)))).toEqual({ lowest: 5, at: on(6, 6) })
  })

  it('carries what is held over many days', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 4, window(on(3, 6), on(20, 6)))
    expect(await level(account, window(on(10), on(10, 1)))).toEqual({ lowest: 5, at: on(10) })
    expect(await level(account, window(on(20, 5), on(25)))).toEqual({ lowest: 5, at: on(20, 5) })
    expect(await level(account, window(on(20, 6), on(25)))).toEqual({ lowest: 9, at: on(20, 6) })
    expect(await level(account, window(on(2), on(25)))).toEqual({ lowest: 5, at: on(3, 6) })
  })

  it('knows what begins and ends at midnight', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 4, window(on(4), on(5)))
    expect(await level(account, window(on(3), on(4)))).toEqual({ lowest: 9, at: on(3) })
    expect(await level(account, window(on(3), on(4, 0, 1)))).toEqual({ lowest: 5, at: on(4) })
    expect(await level(account, window(on(4), on(5)))).toEqual({ lowest: 5, at: on(4) })
    expect(await level(account, window(on(5), on(6)))).toEqual({ lowest: 9, at: on(5) })
    expect(await level(account, window(on(2), on(8)))).toEqual({ lowest: 5, at: on(4) })
    expect(await level(account, window(on(3, 23), on(8)))).toEqual({ lowest: 5, at: on(4) })
  })

  it('is measured for ever', async () => {
    const account = await newScope()
    await post([account, 9, always])
    await hold(account, 4, window(on(20, 6), forever))
    expect(await level(account, window(on(3), forever))).toEqual({ lowest: 5, at: on(20, 6) })
    expect(await level(account, window(on(3, 5), forever))).toEqual({ lowest: 5, at: on(20, 6) })
    await post([account, -7, window(on(28, 7), forever)])
    expect(await level(account, window(on(20), forever))).toEqual({ lowest: -2, at: on(28, 7) })
  })

  it('falls and rises at the same instant as one', async () => {
    const account = await newScope()
    await post([account, 2, always])
    await hold(account, 2, window(on(3), on(3, 12)))
    await hold(account, 2, window(on(3, 12), on(4)))
    await hold(account, 1, window(on(4), on(5)))
    expect(await level(account, window(on(3, 6), on(3, 18)))).toEqual({ lowest: 0, at: on(3, 6) })
    expect(await level(account, window(on(3, 12), on(5)))).toEqual({ lowest: 0, at: on(3, 12) })
    expect(await level(account, window(on(4), on(6)))).toEqual({ lowest: 1, at: on(4) })
  })

  it('answers several questions in their order, each for its own class', async () => {
    const [one, other] = [await newScope(), await newScope()]
    await post([one, 3, always], [other, 7, always])
    await transact(ledger => ledger.post([{ ...tenancy(one, 1, always), class: 'VCPU', amount: 48 }], note))
    const ask = (account: number, name: string) => ({ account, class: name, window: window(on(2), on(9)) })
    const found = await transact(ledger =>
      ledger.levels([ask(other, 'TENANCY'), ask(one, 'VCPU'), ask(one, 'TENANCY'), ask(other, 'VCPU')]),
    )
    expect(found.map(({ lowest }) => lowest)).toEqual([7_000_000, 48, 3_000_000, 0])
    expect(await transact(ledger => ledger.levels([]))).toEqual([])
  })

  it('forgets what was posted and compensated', async () => {
    const account = await newScope()
    await post([account, 5, always])
    await post([account, 3, window(on(4, 3), on(9, 4))], [account, -3, window(on(6), on(9, 4))])
    expect(await level(account, window(on(5), on(7)))).toEqual({ lowest: 5, at: on(6) })
    await post([account, -3, window(on(4, 3), on(6))], [account, -5, always])
    expect(await level(account, window(on(2), forever))).toEqual({ lowest: 0, at: on(2) })
  })

  it('is as good as posted where two postings of one statement meet', async () => {
    const account = await newScope()
    await post([account, 5, window(on(2), on(3))], [account, 5, window(on(3), on(4))], [account, 1, always])
    expect(await level(account, window(on(2), on(4)))).toEqual({ lowest: 6, at: on(2) })
  })
}

function claims(): void {
  it('gives all of it back when it is released', async () => {
    const account = await newScope()
    await post([account, 5, always])
    const claim = await hold(account, 4, window(on(3, 6), on(9, 7)))
    expect(await level(account, always)).toEqual({ lowest: 1, at: on(3, 6) })
    await release(claim)
    expect(await level(account, always)).toEqual({ lowest: 5, at: on(1) })
  })

  it('gives back what comes from an instant on, and keeps what was before', async () => {
    const account = await newScope()
    await post([account, 5, always])
    const claim = await hold(account, 4, window(on(3, 6), on(9, 7)))
    await release(claim, on(5, 12))
    expect(await level(account, window(on(5), on(10)))).toEqual({ lowest: 1, at: on(5) })
    expect(await level(account, window(on(5, 12), on(10)))).toEqual({ lowest: 5, at: on(5, 12) })
    await release(claim)
    expect(await level(account, always)).toEqual({ lowest: 5, at: on(1) })
  })

  it('gives back for ever what it held for ever', async () => {
    const account = await newScope()
    const host = await newHost(await newRegion())
    await post([account, 5, always])
    const claim = await hold(account, 4, window(on(3, 6), forever))
    const other = await take([host], window(on(3, 6), forever))
    await release(claim, on(7))
    await release(other, on(7))
    expect(await level(account, window(on(6, 5), forever))).toEqual({ lowest: 1, at: on(6, 5) })
    expect(await level(account, window(on(7), forever))).toEqual({ lowest: 5, at: on(7) })
    expect(await store.gaps(host)).toEqual([window(on(1), on(3, 6)), window(on(7), forever)])
  })

  it('that was released twice, or never made, gives back nothing more', async () => {
    const account = await newScope()
    await post([account, 5, always])
    const claim = await hold(account, 4, window(on(3), on(4)))
    await release(claim, on(3, 12))
    await release(claim, on(3, 12))
    await release(claim, on(5))
    await release(randomUUID())
    expect(await level(account, window(on(3), on(3, 12)))).toEqual({ lowest: 1, at: on(3) })
    expect(await level(account, window(on(3, 12), on(5)))).toEqual({ lowest: 5, at: on(3, 12) })
  })

  it('is released and made anew in one transaction', async () => {
    const account = await newScope()
    const host = await newHost(await newRegion())
    await post([account, 1, always])
    const claim = claimOf(window(on(3), on(5)))
    const anew = (during: Window) =>
      transact(async ledger => {
        await ledger.lock([account])
        await ledger.release(claim.id, note)
        const line = randomUUID()
        await ledger.claim(
          { ...claim, window: during },
          [{ line, account, class: 'TENANCY', amount: 1_000_000, window: during }],
          [{ line, host, window: during, whole: true }],
          note,
        )
      })
    await anew(window(on(3), on(5)))
    await anew(window(on(4), on(8, 12)))
    expect(await level(account, window(on(3), on(4)))).toEqual({ lowest: 1, at: on(3) })
    expect(await level(account, window(on(3), on(9)))).toEqual({ lowest: 0, at: on(4) })
    expect(await level(account, window(on(8, 12), on(9)))).toEqual({ lowest: 1, at: on(8, 12) })
    expect(await store.gaps(host)).toEqual([window(on(1), on(4)), window(on(8, 12), forever)])
  })

  it('is known by what it holds and when', async () => {
    const [account, other] = [await newScope(), await newScope()]
    const host = await newHost(await newRegion())
    const first = await hold(account, 1, window(on(3), on(5)))
    const second = await hold(account, 1, window(on(4), on(6)))
    const onHost = await take([host], window(on(4), on(6)))
    const claimsOn = (id: number, from: Date, to: Date) =>
      transact(ledger => ledger.claimsOn(id, window(from, to)))
    expect(await claimsOn(account, on(3), on(6))).toEqual([first, second].toSorted())
    expect(await claimsOn(account, on(5), on(6))).toEqual([second])
    expect(await claimsOn(account, on(2), on(3))).toEqual([])
    expect(await claimsOn(host, on(5, 23), on(7))).toEqual([onHost])
    expect(await claimsOn(host, on(6), on(7))).toEqual([])
    expect(await claimsOn(other, on(1), forever)).toEqual([])
    await release(second, on(4, 12))
    expect(await claimsOn(account, on(4, 12), on(6))).toEqual([first])
  })
}

function hosts(): void {
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

  it('is closed once, however often', async () => {
    const host = await newHost(await newRegion())
    await transact(ledger => ledger.closeHost(host, on(7)))
    await transact(ledger => ledger.closeHost(host, on(9)))
    const claim = await take([host], window(on(3), on(4)))
    await release(claim)
    expect(await store.gaps(host)).toEqual([window(on(1), on(7))])
  })
}

function sharedHosts(): void {
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

function searches(): void {
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

function slots(): void {
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

function availability(): void {
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
    expect(await available(region, window(on(6), forever))).toEqual([
      { at: on(6), hosts: 2, ...amounts(18) },
    ])
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
