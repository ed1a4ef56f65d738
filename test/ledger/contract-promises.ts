// What every store of the ledger does with budgets, with promises on them, and with what exists without a hold.

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  anyNumber,
  type Claim,
  forever,
  type Hold,
  heldClass,
  type Usage,
  type Window,
} from '../../src/core/ledger/ledger.ts'
import { postSupply } from '../../src/core/ledger/supply.ts'
import { always, claimOf, newHost, newRegion, on, release, store, transact, window } from './scene.ts'
import { note } from './stores.ts'

interface Place {
  readonly budget: number
  readonly general: number
}

/** A budget of 20 cores, and a region of 16. */
async function newPlace(): Promise<Place> {
  const region = await newRegion()
  return transact(async ledger => {
    const budget = await ledger.addBudget(on(1))
    const general = await ledger.scope(region.id, 'general')
    await ledger.lock([budget, general])
    const cores = { class: 'VCPU', window: always, origin: 'increase' as const }
    await ledger.post(
      [
        { ...cores, account: budget, amount: 20 },
        { ...cores, account: general, amount: 16 },
      ],
      note,
    )
    return { budget, general }
  })
}

const promised = (during: Window): Claim => ({ ...claimOf(during), kind: 'promise' })

/** Holds cores of a budget and of its region, and one reservation of the budget; returns the claim's id. */
async function promise({ budget, general }: Place, cores: number, during: Window): Promise<string> {
  const claim = promised(during)
  const held = { line: claim.id, class: 'VCPU', amount: cores, window: during }
  const holds: Hold[] = [
    { ...held, account: budget },
    { ...held, account: general },
    { ...held, account: budget, class: 'TENANCY', amount: 1 },
  ]
  await transact(async ledger => {
    await ledger.lock([budget, general])
    await ledger.claim(claim, holds, [], note)
  })
  return claim.id
}

const usageOf = ({ budget, general }: Place, consumer: string, cores: number, during: Window): Usage[] => [
  { account: budget, class: 'VCPU', amount: cores, window: during, consumer },
  { account: general, class: 'VCPU', amount: cores, window: during, consumer },
  { account: budget, class: 'TENANCY', amount: 1, window: during, consumer },
]

/** What exists takes so many cores of both; returns what it is called. */
async function use(place: Place, cores: number, during: Window): Promise<string> {
  const consumer = randomUUID()
  await transact(async ledger => {
    await ledger.lock([place.budget, place.general])
    await ledger.use(usageOf(place, consumer, cores, during), note)
  })
  return consumer
}

const endUse = ({ budget, general }: Place, consumers: readonly string[], at: Date) =>
  transact(async ledger => {
    await ledger.lock([budget, general])
    await ledger.endUse(consumers, at, note)
  })

async function lowest(account: number, name: string, during: Window): Promise<number> {
  const [found] = await transact(ledger => ledger.levels([{ account, class: name, window: during }]))
  return found!.lowest
}

/** What is left of the budget and of the region at an instant, and what is held of the budget. */
async function cores({ budget, general }: Place, at: Date): Promise<[number, number, number]> {
  const during = window(at, new Date(at.getTime() + 1))
  return [
    await lowest(budget, 'VCPU', during),
    await lowest(general, 'VCPU', during),
    await lowest(budget, heldClass('VCPU'), during),
  ]
}

export function budgets(): void {
  it('may have any number of reservations from its first instant on, and has nothing else yet', async () => {
    const budget = await transact(ledger => ledger.addBudget(on(3)))
    expect(await lowest(budget, 'TENANCY', window(on(3), forever))).toBe(anyNumber)
    expect(await lowest(budget, 'TENANCY', window(on(2), on(4)))).toBe(0)
    expect(await lowest(budget, 'VCPU', always)).toBe(0)
    expect(await transact(ledger => ledger.addBudget(on(3)))).not.toBe(budget)
  })

  it('is not the scope of any region', async () => {
    const region = await newRegion()
    const budget = await transact(ledger => ledger.addBudget(on(1)))
    const scope = () => transact(ledger => ledger.scope(region.id, 'general'))
    expect(await scope()).not.toBe(budget)
    expect(await scope()).toBe(await scope())
  })

  it('is made with its transaction, or not at all', async () => {
    const made: number[] = []
    const work = transact(async ledger => {
      made.push(await ledger.addBudget(on(1)))
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')
    expect(await lowest(made[0]!, 'TENANCY', always)).toBe(0)
  })

  it('gets more for a while, and less as far as nobody was promised it', async () => {
    const place = await newPlace()
    const claim = await promise(place, 12, window(on(4), on(6)))
    const change = (amount: number, during: Window, options = {}) => {
      const posting = { account: place.budget, class: 'VCPU', amount, window: during }
      return transact(ledger => postSupply({ ledger }, [{ ...posting, origin: 'decrease' }], note, options))
    }
    await change(4, window(on(5), on(7)))
    expect((await cores(place, on(5)))[0]).toBe(12)
    await change(-8, always)
    await expect(change(-1, always)).rejects.toMatchObject({
      code: 'conflict',
      detail: { reason: 'supply_is_held' },
      message: expect.stringContaining(
        `account ${place.budget} can spare at 2027-01-04T00:00:00.000Z. In the way: ${claim}`,
      ),
    })
    await change(-1, window(on(6), forever))
    await change(-2, always, { force: true })
    expect(await lowest(place.budget, 'VCPU', always)).toBe(-2)
  })
}

export function promises(): void {
  it('holds of its budget and of its region at once', async () => {
    const place = await newPlace()
    await promise(place, 5, window(on(3, 6), on(5)))
    expect(await cores(place, on(3, 5))).toEqual([20, 16, 0])
    expect(await cores(place, on(3, 6))).toEqual([15, 11, -5])
    expect(await cores(place, on(5))).toEqual([20, 16, 0])
    expect(await lowest(place.budget, 'TENANCY', always)).toBe(anyNumber - 1)
    expect(await lowest(place.budget, heldClass('TENANCY'), always)).toBe(-1)
    expect(await lowest(place.general, heldClass('VCPU'), always)).toBe(0)
  })

  it('gives back what comes from an instant on, or all of it', async () => {
    const place = await newPlace()
    const [one, other] = [
      await promise(place, 5, window(on(3), on(9))),
      await promise(place, 3, window(on(4), forever)),
    ]
    await release(one, on(5, 12))
    expect(await cores(place, on(5))).toEqual([12, 8, -8])
    expect(await cores(place, on(5, 12))).toEqual([17, 13, -3])
    await release(one, on(4))
    await release(other, on(8))
    expect(await cores(place, on(4))).toEqual([17, 13, -3])
    expect(await cores(place, on(8))).toEqual([20, 16, 0])
    await release(one)
    await release(other)
    expect(await cores(place, on(4))).toEqual([20, 16, 0])
    expect(await lowest(place.budget, heldClass('VCPU'), always)).toBe(0)
    expect(await lowest(place.budget, 'TENANCY', always)).toBe(anyNumber)
  })

  it('holds nothing where it has not locked both', async () => {
    const place = await newPlace()
    for (const [locked, other] of [
      [place.budget, place.general],
      [place.general, place.budget],
    ] as const) {
      const held = { line: randomUUID(), class: 'VCPU', amount: 1, window: always }
      const work = transact(async ledger => {
        await ledger.lock([locked])
        const holds = [locked, other].map(account => ({ ...held, account }))
        await ledger.claim(promised(always), holds, [], note)
      })
      await expect(work).rejects.toThrow()
    }
    expect(await cores(place, on(3))).toEqual([20, 16, 0])
  })

  it('is known by what it holds and when, on both', async () => {
    const place = await newPlace()
    const claim = await promise(place, 5, window(on(3), on(5)))
    const held = [{ claim, amount: 5, window: window(on(3), on(5)) }]
    for (const account of [place.budget, place.general]) {
      expect(await transact(ledger => ledger.holdsAt(account, 'VCPU', on(4)))).toEqual(held)
      expect(await transact(ledger => ledger.claimsOn(account, window(on(4), on(9))))).toEqual([claim])
    }
    expect(await transact(ledger => ledger.holdsAt(place.budget, heldClass('VCPU'), on(4)))).toEqual([])
  })

  it('has a series of what is left and of what is held, and a first instant with so much', async () => {
    const place = await newPlace()
    await promise(place, 12, window(on(3), on(5, 3)))
    await promise(place, 4, window(on(4), on(6)))
    await use(place, 2, window(on(4, 12), forever))
    const query = { accounts: [place.budget], classes: ['VCPU', heldClass('VCPU')], points: 9 }
    const point = (at: Date, left: number, held: number) => ({
      at,
      levels: { VCPU: left, [heldClass('VCPU')]: held },
    })
    expect(await store.capacity.series({ ...query, window: window(on(2), on(9)) })).toEqual([
      point(on(2), 20, 0),
      point(on(3), 8, -12),
      point(on(4), 4, -16),
      point(on(4, 12), 2, -16),
      point(on(5, 3), 14, -4),
      point(on(6), 18, 0),
    ])
    const first = (amount: number) => {
      const question = { account: place.budget, class: 'VCPU', window: window(on(4), forever) }
      return transact(ledger => ledger.firstWith(question, amount))
    }
    expect([await first(4), await first(9), await first(18), await first(19)]).toEqual([
      on(4),
      on(5, 3),
      on(6),
      null,
    ])
  })
}

export function usages(): void {
  it('takes from its beginning on, and is held by nobody', async () => {
    const place = await newPlace()
    await use(place, 4, window(on(3), forever))
    await use(place, 1, window(on(4), on(5)))
    expect(await cores(place, on(2, 23))).toEqual([20, 16, 0])
    expect(await cores(place, on(3))).toEqual([16, 12, 0])
    expect(await cores(place, on(4))).toEqual([15, 11, 0])
    expect(await cores(place, on(5))).toEqual([16, 12, 0])
    expect(await lowest(place.budget, 'TENANCY', always)).toBe(anyNumber - 2)
    expect(await transact(ledger => ledger.claimsOn(place.budget, always))).toEqual([])
    expect(await transact(ledger => ledger.holdsAt(place.budget, 'VCPU', on(4)))).toEqual([])
  })

  it('ends at an instant, and has taken what it took before', async () => {
    const place = await newPlace()
    const [one, other] = [
      await use(place, 4, window(on(3), forever)),
      await use(place, 2, window(on(3), on(9))),
    ]
    await endUse(place, [one, other], on(5, 6))
    expect(await cores(place, on(5))).toEqual([14, 10, 0])
    expect(await cores(place, on(5, 6))).toEqual([20, 16, 0])
    expect(await cores(place, on(9))).toEqual([20, 16, 0])
    expect(await lowest(place.budget, 'TENANCY', window(on(5, 6), forever))).toBe(anyNumber)
  })

  it('ends once: the second end gives back nothing more, and an earlier one the rest', async () => {
    const place = await newPlace()
    const consumer = await use(place, 4, window(on(3), forever))
    await endUse(place, [consumer], on(5))
    await endUse(place, [consumer], on(5))
    await endUse(place, [consumer], on(7))
    expect(await cores(place, on(4, 23))).toEqual([16, 12, 0])
    expect(await cores(place, on(5))).toEqual([20, 16, 0])
    await endUse(place, [consumer], on(4))
    expect(await cores(place, on(3))).toEqual([16, 12, 0])
    expect(await cores(place, on(4))).toEqual([20, 16, 0])
  })

  it('that ends before it begins has never been', async () => {
    const place = await newPlace()
    const [one, other] = [
      await use(place, 4, window(on(3), forever)),
      await use(place, 2, window(on(5), on(6))),
    ]
    await endUse(place, [one, other], on(3))
    expect(await lowest(place.budget, 'VCPU', always)).toBe(20)
    expect(await lowest(place.general, 'VCPU', always)).toBe(16)
    await use(place, 4, window(on(3), forever))
    await transact(async ledger => {
      await ledger.lock([place.budget, place.general])
      await ledger.use(usageOf(place, one, 3, window(on(3), forever)), note)
    })
    expect(await cores(place, on(3))).toEqual([13, 9, 0])
  })

  it('that nobody knows is ended without a word, and so is none', async () => {
    const place = await newPlace()
    await use(place, 4, window(on(3), forever))
    await endUse(place, [randomUUID()], on(4))
    await endUse(place, [], on(4))
    await transact(ledger => ledger.use([], note))
    expect(await cores(place, on(4))).toEqual([16, 12, 0])
  })

  it('is one a class of an account: the same again is refused, and nothing has changed', async () => {
    const place = await newPlace()
    const consumer = await use(place, 4, window(on(3), on(4)))
    const again = transact(async ledger => {
      await ledger.lock([place.budget, place.general])
      await ledger.use(usageOf(place, consumer, 1, window(on(5), on(6))), note)
    })
    await expect(again).rejects.toThrow()
    expect(await cores(place, on(5))).toEqual([20, 16, 0])
  })

  it('takes nothing of a scope or a budget that its transaction has not locked', async () => {
    const place = await newPlace()
    for (const locked of [[], [place.budget], [place.general]]) {
      const work = transact(async ledger => {
        await ledger.lock(locked)
        await ledger.use(usageOf(place, randomUUID(), 1, always), note)
      })
      await expect(work).rejects.toThrow()
    }
    expect(await cores(place, on(3))).toEqual([20, 16, 0])
  })

  it('does not end on a scope or a budget that its transaction has not locked', async () => {
    const place = await newPlace()
    const consumer = await use(place, 4, window(on(3), forever))
    for (const at of [on(1), on(5)]) {
      for (const locked of [[], [place.budget], [place.general]]) {
        const work = transact(async ledger => {
          await ledger.lock(locked)
          await ledger.endUse([consumer], at, note)
        })
        await expect(work).rejects.toThrow()
      }
    }
    expect(await cores(place, on(5))).toEqual([16, 12, 0])
  })

  it('of a host is told without a lock', async () => {
    const host = await newHost(await newRegion())
    await expect(store.use(host)).resolves.toBeUndefined()
  })
}
