// The ledger's contract, kept by the slow model and by PostgreSQL, and what PostgreSQL does when others come first.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forever, type Ledger } from '../../src/core/ledger/ledger.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { gate } from '../wait.ts'
import { ledgerContract } from './contract.ts'
import {
  all,
  always,
  claimOf,
  newHost,
  newRegion,
  newScope,
  on,
  post,
  speakTo,
  store,
  transact,
  window,
} from './scene.ts'
import { memoryStore, note, type PostgresLedger, postgresStore } from './stores.ts'

ledgerContract('The slow model', memoryStore)
ledgerContract('PostgreSQL', () => postgresStore())

describe('a transaction in PostgreSQL', () => {
  beforeAll(async () => speakTo(await postgresStore()))
  afterAll(() => store[Symbol.asyncDispose]())

  /** Opens when two have come to it. */
  function meeting() {
    const { held, open } = gate()
    let come = 0
    return async (): Promise<void> => {
      come += 1
      if (come === 2) open()
      await held
    }
  }

  it('begins anew when somebody has taken what it had found', async () => {
    const region = await newRegion()
    const hosts = [await newHost(region), await newHost(region)]
    const during = window(on(3), on(5))
    const meet = meeting()
    const takeFirst = () =>
      transact(async (ledger: Ledger) => {
        const search = { regionId: region.id, filter: all, window: during, most: 1 }
        const [host] = await ledger.freeHosts({ ...search, preferred: [], without: [] })
        await meet()
        const held = { line: randomUUID(), host: host!, window: during, whole: true }
        await ledger.claim(claimOf(during), [], [held], note)
        return host!
      })
    const taken = await Promise.all([takeFirst(), takeFirst()])
    expect(taken.toSorted((a, b) => a - b)).toEqual(hosts)
  })

  it('begins anew when two have waited for each other', async () => {
    const [one, other] = [await newScope(), await newScope()]
    const meet = meeting()
    let begun = 0
    const lockBoth = (first: number, second: number) =>
      transact(async ledger => {
        begun += 1
        await ledger.lock([first])
        await meet()
        await ledger.lock([second])
      })
    await Promise.all([lockBoth(one, other), lockBoth(other, one)])
    expect(begun).toBeGreaterThan(2)
  })

  it('does not wait for those who have locked other accounts', async () => {
    const [one, other] = [await newScope(), await newScope()]
    await transact(async ledger => {
      await ledger.lock([one])
      await transact(inner => inner.lock([other]))
    })
  })
})

describe('a day that a process of the release before has written', () => {
  let postgres: PostgresLedger
  beforeAll(async () => {
    postgres = await postgresStore()
    speakTo(postgres)
  })
  afterAll(() => store[Symbol.asyncDispose]())

  it('is asked by its steps, until it is written again', async () => {
    const account = await newScope()
    await post([account, 5, always], [account, -5, window(on(3), on(9))])
    await post([account, 2, window(on(6, 9), on(6, 10))])
    const run = (statement: string, values: unknown[] = []) =>
      postgres.w.database.pool.query<{ highest: number | null }>(statement, [account, on(6), ...values])
    await run('update step set change = change * 2 where account_id = $1 and at > $2 and at < $3', [on(7)])
    await run(
      `insert into bucket (account_id, class, day, change, lowest) values ($1, 'TENANCY', $2, 0, 0)
       on conflict (account_id, class, day) do update set change = excluded.change, lowest = excluded.lowest`,
    )
    const highest = async () =>
      (await run('select highest from bucket where account_id = $1 and day = $2')).rows[0]!.highest
    const first = (hosts: number) => {
      const question = { account, class: 'TENANCY', window: window(on(3), on(9)) }
      return transact(ledger => ledger.firstWith(question, hosts * 1_000_000))
    }
    expect([await highest(), await first(4), await first(5)]).toEqual([null, on(6, 9), null])
    await post([account, 1, window(on(6, 9), on(6, 10))])
    expect([await highest(), await first(5), await first(6)]).toEqual([5_000_000, on(6, 9), null])
  })
})

describe('budgets and scopes that many take from at once', () => {
  let postgres: PostgresLedger
  /** One that has waited in a circle is begun anew. */
  let begun = 0
  beforeAll(async () => {
    postgres = await postgresStore()
    speakTo(postgres)
  })
  afterAll(() => store[Symbol.asyncDispose]())

  /** One transaction of its own: another turn of what may be done to accounts that are locked. */
  async function take(accounts: readonly number[], turn: number): Promise<void> {
    const during = window(on(3 + (turn % 5)), turn % 3 === 0 ? forever : on(9 + (turn % 5)))
    const [claim, consumer] = [{ ...claimOf(during), kind: 'promise' as const }, randomUUID()]
    const part = { class: 'VCPU', amount: 1, window: during }
    const lock = (ledger: Ledger): Promise<void> => {
      begun += 1
      return ledger.lock(accounts)
    }
    await transact(async ledger => {
      await lock(ledger)
      const holds = accounts.map(account => ({ ...part, account, line: claim.id }))
      await ledger.claim(claim, holds, [], note)
      await ledger.use(
        accounts.toReversed().map(account => ({ ...part, account, consumer })),
        note,
      )
    })
    await transact(async ledger => {
      await lock(ledger)
      await ledger.endUse([consumer], on(5), note)
      await ledger.release(claim.id, note, on(6))
    })
  }

  it('wait for each other and never in a circle, whatever the order in which they name them', async () => {
    const accounts = [
      await newScope(),
      await transact(ledger => ledger.addBudget(on(1))),
      await newScope(),
      await transact(ledger => ledger.addBudget(on(1))),
    ]
    await transact(async ledger => {
      await ledger.lock(accounts)
      const cores = { class: 'VCPU', amount: 400, window: always, origin: 'increase' as const }
      await ledger.post(
        accounts.map(account => ({ ...cores, account })),
        note,
      )
    })
    const orders = [
      accounts,
      accounts.toReversed(),
      [accounts[1]!, accounts[2]!],
      [accounts[3]!, accounts[0]!],
      [accounts[2]!, accounts[3]!, accounts[1]!],
    ]
    const lane = async (_: unknown, first: number): Promise<void> => {
      for (let turn = first; turn < 160; turn += 8) await take(orders[turn % orders.length]!, turn)
    }
    await Promise.all(Array.from({ length: 8 }, lane))
    expect(begun).toBe(2 * 160)
    expect((await checkLedger(postgres.w.database.db)).flatMap(({ wrong }) => wrong)).toEqual([])
  })
})
