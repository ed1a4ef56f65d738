// `atoll doctor --ledger` on what is promised: budgets, reservations of capacity, instances. Each wrong row is named.

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anyNumber, forever, type Usage, type Window } from '../../src/core/ledger/ledger.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { violations } from './laws.ts'
import { note, type PostgresLedger, postgresStore, regionNamed } from './stores.ts'

const day = 24 * 3_600_000
const tomorrow = Math.ceil(Date.now() / day) * day
/** So many days from now, at midnight, and hours after that. */
const on = (days: number, hours = 0): Date => new Date(tomorrow + days * day + hours * 3_600_000)
const iso = (at: Date): string => at.toISOString()
const always: Window = { from: on(-9), to: forever }

let store: PostgresLedger
let budget: number
let general: number
const provider = randomUUID()
const [one, other, drawn, free, ended] = [
  randomUUID(),
  randomUUID(),
  randomUUID(),
  randomUUID(),
  randomUUID(),
].toSorted() as [string, string, string, string, string]

const run = (statement: string, values: unknown[] = []) => store.w.database.pool.query(statement, values)

/** What is promised of the budget and, of what its hosts have, of the region. */
const promise = (id: string, amounts: { cores: number; gigabytes: number }, window: Window): Promise<void> =>
  store.transact(async ledger => {
    await ledger.lock([budget, general])
    const held = { line: id, account: budget, window }
    await ledger.claim(
      { id, projectId: 'project', kind: 'promise', window },
      [
        { ...held, class: 'VCPU', amount: amounts.cores },
        { ...held, class: 'VCPU', amount: amounts.cores, account: general },
        { ...held, class: 'GIGABYTES', amount: amounts.gigabytes },
        { ...held, class: 'SERVER', amount: 1 },
        { ...held, class: 'TENANCY', amount: 1 },
      ],
      [],
      note,
    )
  })

const reserve = (id: string, amounts: object, { from, to }: Window) =>
  run(
    `insert into capacity_reservation (id, project_id, user_id, provider_id, from_at, to_at, amounts, elements, state,
                                       at_risk, created_at, updated_at)
     values ($1, 'project', 'user', $2, $3, $4, $5, '{}', 'living', false, $6, $6)`,
    [id, provider, from, to, JSON.stringify({ ...amounts, instances: 1, ram: 0 }), on(0)],
  )

const makeInstance = (id: string, reservation: string | null, end: Date | null = null) =>
  run(
    `insert into instance (id, project_id, user_id, provider_id, reservation_id, name, flavor_id, image, networks, amounts,
                           status, created_at, updated_at, ended_at)
     values ($1, 'project', 'user', $2, $3, 'server', 'small', 'debian', '{}', '{"cores": 2, "ram": 0, "instances": 1}',
             $5, $6, $6, $4)`,
    [id, provider, reservation, end, end ? 'gone' : 'active', on(0)],
  )

const use = (consumer: string): Promise<void> =>
  store.transact(async ledger => {
    await ledger.lock([budget, general])
    const all: Usage = { account: budget, class: 'VCPU', amount: 2, window: always, consumer }
    const more = { ...all, amount: 1 }
    await ledger.use(
      [all, { ...all, account: general }, { ...more, class: 'SERVER' }, { ...more, class: 'TENANCY' }],
      note,
    )
  })

/**
 * One provider in one region; two reservations, one of which has begun; an instance drawn on the first, one by itself,
 * and one that has ended.
 */
beforeEach(async () => {
  store = await postgresStore()
  const region = regionNamed('Pod1', note.at)
  await store.addRegion(region)
  await store.transact(async ledger => {
    budget = await ledger.addBudget(on(-9))
    general = await ledger.scope(region.id, 'general')
    await ledger.lock([budget, general])
    const given = { account: budget, class: 'VCPU', amount: 20, window: always, origin: 'increase' as const }
    await ledger.post(
      [
        given,
        { ...given, account: general },
        { ...given, class: 'SERVER' },
        { ...given, class: 'GIGABYTES', amount: 100 },
      ],
      note,
    )
  })
  await run(
    `insert into provider (id, name, login, sealed_password, region_id, budget, flavors, limits, refreshed_at, created_at)
     values ($1, 'demo', '{}', '', $2, $3, '[]', '{}', now(), now())`,
    [provider, region.id, budget],
  )
  await promise(one, { cores: 4, gigabytes: 10 }, { from: on(0), to: on(3) })
  await promise(other, { cores: 8, gigabytes: 20 }, { from: on(2), to: on(4, 12) })
  await reserve(one, { cores: 4, gigabytes: 10 }, { from: on(-3), to: on(3) })
  await reserve(other, { cores: 8, gigabytes: 20 }, { from: on(2), to: on(4, 12) })
  for (const consumer of [free, ended]) await use(consumer)
  await store.transact(async ledger => {
    await ledger.lock([budget, general])
    await ledger.endUse([ended], on(1), note)
  })
  await makeInstance(drawn, one)
  await makeInstance(free, null)
  await makeInstance(ended, null, on(1))
})
afterEach(() => store[Symbol.asyncDispose]())

/** Everything that is wrong, each with its subject. */
const found = async (): Promise<string[]> => {
  const findings = await checkLedger(store.w.database.db)
  return findings.flatMap(({ subject, wrong }) => wrong.map(sentence => `${subject}: ${sentence}`))
}

/** The laws that are broken, as the tests ask them. */
const broken = async (): Promise<string[]> => {
  const found = await violations(store.w.database.pool)
  return [...new Set(found.map(({ law }) => law))].toSorted()
}

const budgetName = () => `Account ${budget} (the budget of provider demo)`
const generalName = () => `Account ${general} (the general scope of Pod1)`

describe('a ledger of promises that is right', () => {
  it('has nothing to be named', async () => {
    expect(await found()).toEqual([])
    expect(await broken()).toEqual([])
  })

  it('has nothing to be named after a promise has become smaller, later and for itself', async () => {
    await store.transact(async ledger => {
      await ledger.lock([budget, general])
      await ledger.release(one, note, on(1))
    })
    await promise(one, { cores: 3, gigabytes: 10 }, { from: on(1), to: on(5) })
    await run(
      `update capacity_reservation set amounts = amounts || '{"cores": 3}', to_at = $2, updated_at = $3 where id = $1`,
      [one, on(5), on(1)],
    )
    expect(await found()).toEqual([])
    await store.transact(async ledger => {
      await ledger.lock([budget, general])
      await ledger.release(other, note)
    })
    await run(`update capacity_reservation set state = 'cancelled' where id = $1`, [other])
    await run(`update provider set region_id = null`)
    await run('delete from hold where account_id = $1', [general])
    expect((await found()).filter(sentence => sentence.startsWith('promises held'))).toEqual([])
  })
})

describe('what was tampered with is named', () => {
  it('a step and a bucket of a budget, also those of what is held', async () => {
    await run(`delete from step where account_id = $1 and class = 'held:VCPU' and at = $2`, [budget, on(2)])
    expect(await found()).toEqual([
      `steps: ${budgetName()}: its step of held:VCPU at ${iso(on(2))} is missing, and by supply and holds it is -8`,
    ])
  })

  it('a bucket of what is held of a budget', async () => {
    await run(`delete from bucket where account_id = $1 and class = 'held:GIGABYTES' and day = $2`, [
      budget,
      on(2),
    ])
    expect(await found()).toEqual([
      `buckets: ${budgetName()}: its bucket of held:GIGABYTES on ${iso(on(2)).slice(0, 10)} has nothing, and by supply and holds it has a change of -20, a lowest of -20 and a highest of -20`,
    ])
  })

  it('what was posted to a budget behind the journal’s back', async () => {
    await run(`update supply set amount = 25 where account_id = $1 and class = 'VCPU'`, [budget])
    expect(await found()).toEqual([
      `steps: ${budgetName()}: its step of VCPU at ${iso(on(-9))} is 16, and by supply and holds it is 21`,
      `buckets: ${budgetName()}: its bucket of VCPU on ${iso(on(-9)).slice(0, 10)} has a change of 16, a lowest of 16 and a highest of 16, and by supply and holds it has a change of 21, a lowest of 21 and a highest of 21`,
      `journal: ${budgetName()}: by the journal its VCPU changes by 16 at ${iso(on(-9))}, by supply and holds it changes by 21`,
    ])
  })

  it('usage that was deleted behind the journal’s back', async () => {
    await run('alter table usage disable trigger user')
    await run('delete from usage where consumer = $1 and account_id = $2', [free, general])
    expect(await found()).toContain(
      `journal: ${generalName()}: by the journal its VCPU changes by 16 at ${iso(on(-9))}, by supply and holds it changes by 18`,
    )
  })

  it('a budget of a provider that is not there any more, and its own supply', async () => {
    const lone = await store.transact(ledger => ledger.addBudget(on(0)))
    expect(await found()).toEqual([])
    await run('delete from supply where account_id = $1', [lone])
    expect(await found()).toEqual([
      `steps: Account ${lone} (the budget of no provider): its step of TENANCY at ${iso(on(0))} is ${anyNumber}, and by supply and holds it is none`,
      expect.stringMatching(`^buckets: Account ${lone} `),
    ])
  })

  it('more that is held and used of a budget than there is', async () => {
    await store.transact(async ledger => {
      await ledger.lock([budget])
      const posting = { account: budget, class: 'VCPU', window: { from: on(2), to: on(3) } }
      await ledger.post([{ ...posting, amount: -7, origin: 'decrease' }], note)
    })
    expect(await found()).toEqual([
      `no double booking: ${budgetName()}: from ${iso(on(2))} to ${iso(on(3))} 1 VCPU more is held or used than there is`,
    ])
    expect(await broken()).toEqual(['no double booking'])
  })

  it('more that is drawn on a reservation than it has', async () => {
    await makeInstance(randomUUID(), one)
    expect((await found()).map(sentence => sentence.split(':')[0])).toEqual(['draw limit'])
    await makeInstance(randomUUID(), one)
    await run(`update capacity_reservation set amounts = amounts || '{"instances": 3}' where id = $1`, [one])
    expect((await found()).filter(sentence => sentence.startsWith('draw limit'))).toEqual([
      `draw limit: Reservation ${one}: 6 cores are drawn on it, and it has 4`,
    ])
    expect(await broken()).toContain('draw limit')
    await run(`update instance set ended_at = now() where reservation_id = $1 and id <> $2`, [one, drawn])
    expect((await found()).filter(sentence => sentence.startsWith('draw limit'))).toEqual([])
  })

  it('a promise that holds less than it says, of the budget and of the region', async () => {
    await run(`update capacity_reservation set amounts = amounts || '{"cores": 9}' where id = $1`, [other])
    const text = (account: string) =>
      `promises held: Reservation ${other}: of ${account} it holds 8 VCPU from ${iso(on(2))} to ${iso(on(4, 12))}, and it is to hold 9 from ${iso(on(2))} to ${iso(on(4, 12))}`
    expect(await found()).toEqual([text(budgetName()), text(generalName())])
    expect(await broken()).toEqual(['promises held'])
  })

  it('a promise that holds nothing of what it says, or something that it does not say', async () => {
    await run(
      `update capacity_reservation set amounts = amounts || '{"ram": 5, "gigabytes": 0}' where id = $1`,
      [one],
    )
    const text = (account: string) =>
      `promises held: Reservation ${one}: of ${account} it holds no MEMORY_MB, and it is to hold 5 from ${iso(on(-3))} to ${iso(on(3))}`
    expect(await found()).toEqual([
      `promises held: Reservation ${one}: of ${budgetName()} it holds 10 GIGABYTES from ${iso(on(0))} to ${iso(on(3))}, and it is to hold nothing of it`,
      text(budgetName()),
      text(generalName()),
    ])
  })

  it('a promise that holds for another time than it says', async () => {
    await run('update capacity_reservation set to_at = $2 where id = $1', [other, on(5)])
    expect(await found()).toHaveLength(5)
    await run('update capacity_reservation set to_at = $2, from_at = $3 where id = $1', [
      other,
      on(4, 12),
      on(1),
    ])
    expect(await found()).toContain(
      `promises held: Reservation ${other}: of ${budgetName()} it holds 1 TENANCY from ${iso(on(2))} to ${iso(on(4, 12))}, and it is to hold 1 from ${iso(on(1))} to ${iso(on(4, 12))}`,
    )
  })

  it('a promise that is over and still holds', async () => {
    await run(`update capacity_reservation set state = 'cancelled' where id = $1`, [other])
    expect(await found()).toContain(
      `promises held: Reservation ${other}: of ${generalName()} it holds 8 VCPU from ${iso(on(2))} to ${iso(on(4, 12))}, and it is to hold nothing of it`,
    )
  })

  it('an instance by itself that takes nothing, or something else than it is', async () => {
    await run(`update instance set amounts = amounts || '{"cores": 3, "volumes": 1}' where id = $1`, [free])
    expect(await found()).toEqual([
      `usage of instances: Instance ${free}: it takes 2 VCPU of ${budgetName()}, and is to take 3`,
      `usage of instances: Instance ${free}: it takes 0 VOLUME of ${budgetName()}, and is to take 1`,
    ])
    expect(await broken()).toEqual(['usage of instances'])
  })

  it('an instance that was drawn on a promise which is over, and takes nothing for itself', async () => {
    await run('delete from hold where claim_id = $1', [one])
    await run(`update capacity_reservation set state = 'ended' where id = $1`, [one])
    expect((await found()).filter(sentence => sentence.startsWith('usage'))).toEqual(
      [
        [1, 'SERVER'],
        [1, 'TENANCY'],
        [2, 'VCPU'],
      ].map(
        ([amount, name]) =>
          `usage of instances: Instance ${drawn}: it takes 0 ${name} of ${budgetName()}, and is to take ${amount}`,
      ),
    )
  })

  it('an instance that has ended and goes on taking', async () => {
    await run('update instance set ended_at = $2 where id = $1', [ended, on(0, 12)])
    expect(await found()).toEqual(
      [
        `1 SERVER of ${budgetName()}`,
        `1 TENANCY of ${budgetName()}`,
        `2 VCPU of ${budgetName()}`,
        `2 VCPU of ${generalName()}`,
      ].map(
        what =>
          `usage of instances: Instance ${ended}: it ended at ${iso(on(0, 12))}, and takes ${what} until ${iso(on(1))}`,
      ),
    )
    expect(await broken()).toEqual(['usage of instances'])
  })
})
