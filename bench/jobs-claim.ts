// What it costs to look for due turns when the log of jobs is small and when it is large: pages touched, exactly.

import { createHash } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Store } from '../src/core/app.ts'
import type { Tables } from '../src/store/tables.ts'
import { turnStore } from '../src/store/turns.ts'
import { claimOf, endJobs, newJobs, post } from './jobs-store.ts'
import { printTable, rounded } from './measure.ts'
import { buffersOf, type Statement } from './routings.ts'

/** So many turns are due whenever it is measured. */
const due = 1000

/** So many at a time post a set of jobs and end it. */
const growers = 3
const set = 1000
/** More than that are copies in the log: no claim ever had to do with them. */
const throughTheStore = 100_000

async function growLog(pool: pg.Pool, store: Store, by: number): Promise<void> {
  let left = Math.min(by, throughTheStore)
  let copies = by - left
  const grow = async (): Promise<void> => {
    while (left > 0) {
      const jobs = newJobs(Math.min(set, left))
      left -= jobs.length
      await post(store, jobs)
      await endJobs(store, jobs.length)
    }
  }
  await Promise.all(Array.from({ length: growers }, grow))
  for (; copies > 0; copies -= Math.min(copies, throughTheStore)) {
    await pool.query(
      `insert into job_log (id, project_id, type, resource, region, timestamp, attempts, started_at, finished_at)
       select gen_random_uuid(), project_id, type, resource, region, timestamp, attempts, started_at, finished_at
       from job_log limit $1`,
      [Math.min(copies, throughTheStore)],
    )
  }
}

/** The same ones at each size, so that nothing but the log differs. */
const dueJobs = () => newJobs(due, index => createHash('md5').update(`${index}`).digest('hex'))

/** The statement that a worker with so many free slots sends; what it took is given back. */
async function claimStatement(url: string, room: number): Promise<Statement> {
  const seen: Statement[] = []
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    log: ({ query }) => void seen.push({ sql: query.sql, values: query.parameters }),
  })
  const turns = turnStore(db)
  await turns.claim(claimOf(room))
  await turns.releaseAll(claimOf(room).worker)
  await db.destroy()
  return seen[0]!
}

/** The turns lie in the same order and as close at each size: where chance put them would make more of a difference. */
async function settle(pool: pg.Pool, store: Store): Promise<void> {
  while ((await store.turns.removeIdle(10_000)) > 0);
  await pool.query('cluster turn using turn_pkey')
  await pool.query('vacuum analyze')
}

/** The pages that one claim touches at each size of the log, by the number of free slots. */
export async function measureClaim(url: string, pool: pg.Pool, store: Store, sizes: readonly number[]) {
  const rooms = [1, 8, 64]
  const measured: { log: number; pages: Record<string, number> }[] = []
  let logged = 0
  // What was measured before has left its own there.
  await pool.query('truncate job_log')
  for (const log of sizes) {
    const startedAt = performance.now()
    await growLog(pool, store, log - logged)
    console.log(`${log} jobs in the log after ${rounded((performance.now() - startedAt) / 1000, 1)} s more`)
    await post(store, dueJobs())
    const pages: Record<string, number> = {}
    for (const room of rooms) {
      const statement = await claimStatement(url, room)
      await settle(pool, store)
      pages[room] = await buffersOf(url, [statement])
    }
    measured.push({ log, pages })
    await endJobs(store, due)
    logged = log + due
  }
  printTable(
    `Pages that one claim touches, ${due} turns due in 20 regions`,
    ['jobs in the log', ...rooms.map(room => `${room} slots free`)],
    measured.map(({ log, pages }) => [log, ...rooms.map(room => pages[room]!)]),
  )
  return measured
}
