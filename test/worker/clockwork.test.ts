// The clockwork on a real database: what is asked for is done, once at a time, whoever dies.

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import type { Turn } from '../../src/core/clockwork.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { enlist, turnStore } from '../../src/store/turns.ts'
import { createBreakers } from '../../src/worker/breakers.ts'
import { Clockwork, type ClockworkOptions } from '../../src/worker/clockwork.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'
import { gate, until } from '../wait.ts'

const kind = 'test'
const closers: (() => PromiseLike<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Bench {
  readonly database: Database
  readonly url: string
  ask(...keys: string[]): Promise<void>
  askIn(lane: string, ...keys: string[]): Promise<void>
  /** How often workers have looked for due turns. */
  readonly looks: number
  /** A worker that does `work` for each turn and then finishes it. */
  worker(work: (turn: Turn) => Promise<unknown>, options?: Partial<ClockworkOptions>): Promise<Clockwork>
}

async function bench(): Promise<Bench> {
  const empty: TestDatabase = await testDatabase()
  const database = openDatabase(empty.url, { connections: 10, name: 'test', onError: () => {} })
  closers.push(() => database.close())
  const turns = turnStore(database.db)
  const breakers = createBreakers({ failures: 3, openMs: 1000, maxOpenMs: 8000, now: Date.now })
  let looks = 0
  const limits = () => {
    looks += 1
    return breakers.limits()
  }
  const askIn = (lane: string, ...keys: string[]): Promise<void> =>
    turns.ask(keys.map(key => ({ kind, key, lane })))
  return {
    database,
    url: empty.url,
    get looks() {
      return looks
    },
    askIn,
    ask: (...keys) => askIn('', ...keys),
    async worker(work, options = {}) {
      const clockwork = new Clockwork({
        turns,
        kinds: [
          {
            kind,
            begin: async taken =>
              taken.map(turn => ({
                turn,
                async run() {
                  await work(turn)
                  await turns.finish(turn, null)
                  return { regionAnswered: true }
                },
              })),
          },
        ],
        breakers: { ...breakers, limits },
        enlist: events => enlist(empty.url, events),
        slots: 16,
        laneSlots: 4,
        onError: () => {},
        ...options,
      })
      await clockwork.start()
      closers.push(() => clockwork.stop(100))
      return clockwork
    },
  }
}

describe('a turn', () => {
  it('runs when it is asked for, without waiting for the poll', async () => {
    const b = await bench()
    const done: string[] = []
    await b.worker(async turn => done.push(turn.key), { pollMs: 3_600_000 })
    await until(() => b.looks > 0, { what: 'the look at the start is over' })
    await b.ask('a', 'b')
    await until(() => done.length === 2, { what: 'both have run', seen: () => done })
    expect(done.sort()).toEqual(['a', 'b'])
  })

  it('runs once more, and only once, for all that asked while it ran', async () => {
    const b = await bench()
    let runs = 0
    const { held, open } = gate()
    await b.worker(async () => {
      runs += 1
      if (runs === 1) await held
    })
    await b.ask('a')
    await until(() => runs === 1, { what: 'the first run' })
    for (let i = 0; i < 50; i += 1) await b.ask('a')
    open()
    await until(() => runs === 2, { what: 'the second run' })
    const before = b.looks
    await until(() => b.looks >= before + 5, { what: 'five more looks at what is due' })
    expect(runs).toBe(2)
  })

  it('is never run by two workers at a time', async () => {
    const b = await bench()
    const busy = new Set<string>()
    let overlaps = 0
    let runs = 0
    const work = async ({ key }: Turn): Promise<void> => {
      if (busy.has(key)) overlaps += 1
      busy.add(key)
      await turnOfTheLoop()
      busy.delete(key)
      runs += 1
    }
    await b.worker(work)
    await b.worker(work)
    const keys = ['a', 'b', 'c', 'd']
    for (let i = 0; i < 40; i += 1) await b.ask(...keys)
    await until(() => runs >= 8, { what: 'each has run twice', seen: () => runs })
    await until(
      async () => {
        const { rows } = await sql<{
          n: number
        }>`select count(*) as n from turn where due_at <> 'infinity'`.execute(b.database.db)
        return rows[0]?.n === 0
      },
      { what: 'nothing is due' },
    )
    expect(overlaps).toBe(0)
  })

  it('that was forgotten and asked for anew is not its old taker’s, even if that one takes it again', async () => {
    const b = await bench()
    const turns = turnStore(b.database.db)
    const take = async (worker: number): Promise<Turn> => {
      const [turn] = await turns.claim({ worker, kinds: [kind], room: 1, laneRoom: 1, rooms: new Map() })
      return turn!
    }
    await b.ask('a')
    const old = await take(1)
    await sql`update turn set lease_until = now() - interval '1 second'`.execute(b.database.db)
    expect(await turns.releaseAbandoned()).toBe(1)
    expect(await turns.finish(await take(2), null)).toBe(true)
    expect(await turns.removeIdle(10)).toBe(1)
    await b.ask('a')
    const anew = await take(1)
    expect(await turns.finish(old, null)).toBe(false)
    expect(await turns.finish(anew, null)).toBe(true)
  })

  it('whose work threw is taken again when its lease has run out', async () => {
    const b = await bench()
    let runs = 0
    await b.worker(async () => {
      runs += 1
      if (runs === 1) throw new Error('planted')
    })
    await b.ask('a')
    await until(() => runs === 1, { what: 'the first run' })
    await sql`update turn set lease_until = now()`.execute(b.database.db)
    await until(() => runs === 2, { what: 'the second run' })
  })
})

describe('a lane', () => {
  it('has so many slots and no more, and does not hold up the others', async () => {
    const b = await bench()
    let slowMost = 0
    let slow = 0
    const fast: string[] = []
    await b.worker(async ({ lane, key }) => {
      if (lane === 'fast') return fast.push(key)
      slow += 1
      slowMost = Math.max(slowMost, slow)
      return new Promise(() => {})
    })
    await b.askIn('slow', ...Array.from({ length: 200 }, (_, i) => `s${i}`))
    await b.askIn('fast', ...Array.from({ length: 200 }, (_, i) => `f${i}`))
    await until(() => fast.length === 200, { what: 'the fast lane is empty', seen: () => fast.length })
    expect(slowMost).toBe(4)
  })
})

describe('what dead workers had', () => {
  it('goes back even while a row of it is locked, which goes back later', async () => {
    const b = await bench()
    const turns = turnStore(b.database.db)
    await b.ask('a', 'b', 'c')
    await turns.claim({ worker: 1, kinds: [kind], room: 3, laneRoom: 3, rooms: new Map() })
    const free = async (): Promise<string[]> => {
      const { rows } = await sql<{
        key: string
      }>`select key from turn where worker is null order by key`.execute(b.database.db)
      return rows.map(({ key }) => key)
    }
    await b.database.db.transaction().execute(async holder => {
      await sql`select from turn where key = 'b' for update`.execute(holder)
      expect(await turns.releaseAbandoned()).toBe(2)
      expect(await free()).toEqual(['a', 'c'])
    })
    expect(await turns.releaseAbandoned()).toBe(1)
    expect(await free()).toEqual(['a', 'b', 'c'])
  })
})

describe('a worker that dies', () => {
  it('is noticed by its lock, whatever its lease, and what it had is done by another', async () => {
    const b = await bench()
    const taken: string[] = []
    // Its connection is cut from the server's side: that is what death looks like. Its leases it goes on renewing.
    let lives = 1
    await b.worker(() => new Promise(() => {}), {
      enlist: async events => {
        if (lives === 0) throw new Error('dead')
        lives -= 1
        return enlist(b.url, events)
      },
    })
    await b.ask('a')
    await until(
      async () => {
        const { rows } = await sql<{
          n: number
        }>`select count(*) as n from turn where worker is not null`.execute(b.database.db)
        return rows[0]?.n === 1
      },
      { what: 'it is taken' },
    )
    await b.worker(async turn => taken.push(turn.key))
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
              where application_name = 'atoll worker lock' and datname = current_database()
              order by backend_start limit 1`.execute(b.database.db)
    await until(() => taken.length >= 1, { what: 'another has it' })
    expect(taken[0]).toBe('a')
  })
})
