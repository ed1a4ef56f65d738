// What every store of the ledger does.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forever, type Window } from '../../src/core/ledger/ledger.ts'
import { postSupply } from '../../src/core/ledger/supply.ts'
import { gate, timersOf } from '../wait.ts'
import { availability, hosts, searches, sharedHosts, slots } from './contract-hosts.ts'
import { budgets, promises, usages } from './contract-promises.ts'
import { firstInstants, holders, series } from './contract-time.ts'
import {
  always,
  claimOf,
  hold,
  level,
  newHost,
  newRegion,
  newScope,
  on,
  post,
  release,
  search,
  speakTo,
  store,
  take,
  transact,
  window,
} from './scene.ts'
import { type LedgerStore, note, tenancy } from './stores.ts'

export function ledgerContract(name: string, open: () => Promise<LedgerStore>): void {
  describe(name, () => {
    beforeAll(async () => {
      speakTo(await open())
    })
    afterAll(() => store[Symbol.asyncDispose]())

    describe('a transaction', transactions)
    describe('a level', levels)
    describe('a claim', claims)
    describe('supply', supplies)
    describe('a host', hosts)
    describe('a shared host', sharedHosts)
    describe('the search for hosts', searches)
    describe('the earliest slot', slots)
    describe('the availability over time', availability)
    describe('a budget', budgets)
    describe('a promise', promises)
    describe('usage', usages)
    describe('the first instant with so much', firstInstants)
    describe('what holds a class', holders)
    describe('a series', series)
  })
}

function transactions(): void {
  it('keeps others out of the accounts that it has locked, until its end', async () => {
    const account = await newScope()
    const events: string[] = []
    const { held: firstIsIn, open } = gate()
    const first = transact(async ledger => {
      await ledger.lock([account])
      events.push('the first is in')
      open()
      // Time enough for the second, were nothing in its way.
      await timersOf(100)
      events.push('the first goes')
    })
    await firstIsIn
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
      await ledger.claim(
        claimOf(always),
        [],
        [{ line: randomUUID(), host, window: always, whole: true }],
        note,
      )
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
      ledger.claim(
        claimOf(always),
        [{ line, account, class: 'TENANCY', amount: 1, window: always }],
        [],
        note,
      ),
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

function supplies(): void {
  const change = (account: number, hosts: number, during: Window, options = {}) =>
    transact(ledger => postSupply({ ledger }, [tenancy(account, hosts, during)], note, options))

  it('is taken as far as nobody needs it', async () => {
    const account = await newScope()
    await change(account, 5, always)
    await hold(account, 3, window(on(4), on(6)))
    await change(account, -2, always)
    expect(await level(account, always)).toEqual({ lowest: 0, at: on(4) })
    await change(account, -3, window(on(6), forever))
    expect(await level(account, window(on(6), forever))).toEqual({ lowest: 0, at: on(6) })
  })

  it('is not taken from those who hold it: the refusal names them, and nothing has changed', async () => {
    const account = await newScope()
    await change(account, 5, always)
    const [one, other] = [
      await hold(account, 2, window(on(4), on(6))),
      await hold(account, 2, window(on(5), on(7))),
    ]
    await hold(account, 1, window(on(8), on(9)))
    await expect(change(account, -2, always)).rejects.toMatchObject({
      code: 'conflict',
      detail: { reason: 'supply_is_held' },
      message:
        `That takes 1000000 TENANCY more than account ${account} can spare at 2027-01-05T00:00:00.000Z. ` +
        `In the way: ${[one, other].toSorted().join(', ')}`,
    })
    expect(await level(account, always)).toEqual({ lowest: 1, at: on(5) })
    await change(account, -4, window(on(1), on(4)))
  })

  it('that nobody holds is not taken twice', async () => {
    const account = await newScope()
    await change(account, 1, always)
    await expect(change(account, -2, always)).rejects.toThrow('nobody holds it, there is no more')
  })

  it('is taken by force, and then nothing more is to be had', async () => {
    const account = await newScope()
    await change(account, 2, always)
    await hold(account, 2, window(on(4), on(6)))
    await change(account, -1, always, { force: true })
    expect(await level(account, always)).toEqual({ lowest: -1, at: on(4) })
    await expect(change(account, -1, window(on(4), on(5)))).rejects.toMatchObject({ code: 'conflict' })
    await change(account, 1, window(on(4), on(5)))
    expect(await level(account, window(on(4), on(5)))).toEqual({ lowest: 0, at: on(4) })
  })

  it('moves from one place to another in one step', async () => {
    const [from, to] = [await newScope(), await newScope()]
    await change(from, 2, always)
    const move = (hosts: number) =>
      transact(ledger =>
        postSupply({ ledger }, [tenancy(from, -hosts, always), tenancy(to, hosts, always)], note),
      )
    await move(2)
    await expect(move(1)).rejects.toMatchObject({ code: 'conflict' })
    expect([(await level(from, always)).lowest, (await level(to, always)).lowest]).toEqual([0, 2])
  })
}
