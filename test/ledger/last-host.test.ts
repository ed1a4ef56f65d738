// Many clients in several processes fight for the last hosts while processes are killed: nothing is booked twice.

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { forever } from '../../src/core/ledger/ledger.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { chanceOf, seed } from '../chance.ts'
import { battle, startClient } from '../world/battle.ts'
import { type Violation, violations } from './laws.ts'
import { hostOf, note, type PostgresLedger, postgresStore, regionNamed, tenancy } from './stores.ts'

const program = fileURLToPath(new URL('last-host-client.mjs', import.meta.url))

const hosts = 50
const processes = 4
const clients = 64
/** One after each so many operations, give or take half. */
const operationsAKill = 200
const longKills = process.env.SOAK === '1' ? 40 : 2
/** For the ones that only show which of the two guards does what. */
const shortKills = Math.ceil(longKills / 2)
/** Where there are more who wait than the machine can serve, some are told that the database gives no answer now. */
const refusals = ['conflict', 'no_capacity', 'not_found', 'unavailable']

interface Told {
  readonly begun?: string
  readonly ended?: string
  readonly name?: string
  readonly outcome?: string
  readonly reason?: string
  readonly message?: string
}

interface Tally {
  kills: number
  done: number
  readonly refused: Map<string, number>
  /** What was begun and has told of no end: it may have happened. */
  readonly unknown: Set<string>
  /** What is neither done nor refused. */
  readonly errors: string[]
}

/** Fifty hosts in two regions, and what they give to the scopes. */
async function setUp(): Promise<PostgresLedger> {
  const store = await postgresStore()
  const from = new Date(Date.now() - 60_000)
  for (const [name, count] of [
    ['Pod1', hosts / 2],
    ['Pod2', hosts / 2],
  ] as const) {
    const region = regionNamed(name, from)
    await store.addRegion(region)
    for (let made = 0; made < count; made += 1) {
      const id = await store.transact(ledger => ledger.addHost(region.id, from))
      await store.insertHost(hostOf({ id, region }))
    }
    await store.transact(async ledger => {
      const account = await ledger.scope(region.id, 'reservable')
      await ledger.lock([account])
      await ledger.post([tenancy(account, count, { from, to: forever })], note)
    })
  }
  return store
}

/** The fight; a process that is killed is started again. */
async function fight(
  { w }: PostgresLedger,
  seeded: number,
  kills: number,
  options: readonly string[] = [],
): Promise<Tally> {
  const tally: Tally = { kills: 0, done: 0, refused: new Map(), unknown: new Set(), errors: [] }
  const { errors } = tally
  const hear = (told: Told) => count(tally, told)
  const each = clients / processes
  await battle(w, {
    processes,
    name: 'lease client',
    chance: chanceOf(seeded),
    start: place =>
      startClient(program, [w.databaseUrl, `${place * each}`, `${each}`, ...options], { hear, errors }),
    isOn: () => tally.done > 40 || errors.length > 0,
    ended: () => ended(tally),
    operationsAKill,
    goesOn: () => tally.kills < kills,
    killed: () => (tally.kills += 1),
  })
  return tally
}

function count(tally: Tally, { begun, ended, outcome, reason, message }: Told): void {
  if (begun) tally.unknown.add(begun)
  if (!ended) return
  tally.unknown.delete(ended)
  if (outcome === 'done') tally.done += 1
  else if (refusals.includes(outcome!)) {
    const why = reason ?? outcome!
    tally.refused.set(why, (tally.refused.get(why) ?? 0) + 1)
  } else tally.errors.push(message!)
}

/** How many operations have ended. */
const ended = ({ done, refused, errors }: Tally): number =>
  [...refused.values()].reduce((all, count) => all + count, done + errors.length)

function print(what: string, seeded: number, tally: Tally, found: readonly Violation[]): void {
  const { kills, done, refused, unknown, errors } = tally
  const all = ended(tally) - done - errors.length
  const kinds = [...new Set(errors.map(error => error.split('\n')[0]))].map(line => `\n  ${line}`).join('')
  const reasons = [...refused].map(([reason, count]) => `${reason} ${count}`).join(', ')
  console.log(
    `${what}: ${kills} kills, ${done} operations done, ${all} refused (${reasons}), ${unknown.size} unknown, ` +
      `${errors.length} errors, ${found.length} violations; SEED=${seeded}${kinds}`,
  )
}

/** What `atoll doctor --ledger` says of what is derived. */
const wrongRows = async (store: PostgresLedger): Promise<string[]> =>
  (await checkLedger(store.w.database.db)).flatMap(({ wrong }) => wrong)

const dropConstraint = (store: PostgresLedger) =>
  store.w.database.pool.query('alter table host_hold drop constraint host_hold_alone')
const dropTrigger = (store: PostgresLedger) =>
  store.w.database.pool.query('drop trigger hold_needs_lock on hold')

describe(`${clients} clients in ${processes} processes that are killed, over ${hosts} hosts`, () => {
  it('book nothing twice', async () => {
    const seeded = seed()
    await using store = await setUp()
    const tally = await fight(store, seeded, longKills)
    const found = await violations(store.w.database.pool)
    print('with lock and constraint', seeded, tally, found)
    expect(found).toEqual([])
    expect(await wrongRows(store)).toEqual([])
    expect(tally.errors).toEqual([])
    expect(tally.kills).toBeGreaterThan(0)
    expect(tally.refused.get('not_enough_hosts')).toBeGreaterThan(0)
  }, 1_800_000)

  it('book nothing twice by the lock alone', async () => {
    const seeded = seed()
    await using store = await setUp()
    await dropConstraint(store)
    const tally = await fight(store, seeded, shortKills)
    const found = await violations(store.w.database.pool)
    print('with the lock alone', seeded, tally, found)
    expect(found).toEqual([])
    expect(await wrongRows(store)).toEqual([])
    expect(tally.errors).toEqual([])
  }, 1_800_000)

  it('have no host twice by the constraint alone', async () => {
    const seeded = seed()
    await using store = await setUp()
    await dropTrigger(store)
    const tally = await fight(store, seeded, shortKills, ['--no-lock'])
    const found = await violations(store.w.database.pool)
    print('with the constraint alone', seeded, tally, found)
    expect(found.filter(({ law }) => law !== 'no double booking')).toEqual([])
    expect(tally.done).toBeGreaterThan(0)
  }, 1_800_000)

  it('book twice, and these tests notice, without both', async () => {
    const seeded = seed()
    await using store = await setUp()
    await dropConstraint(store)
    await dropTrigger(store)
    // Time enough for it to show.
    const tally = await fight(store, seeded, Math.max(2, shortKills), ['--no-lock'])
    const found = await violations(store.w.database.pool)
    print('without both', seeded, tally, found)
    expect(found.filter(({ law }) => law === 'exclusivity').length).toBeGreaterThan(0)
  }, 1_800_000)
})
