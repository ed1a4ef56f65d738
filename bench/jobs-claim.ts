// What it costs to look for due turns when the log of jobs is small and when it is large: pages touched, exactly.

import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Store } from '../src/core/ports.ts'
import type { Tables } from '../src/store/tables.ts'
import { turnStore } from '../src/store/turns.ts'
import { claimOf, endJobs, newJobs, post } from './jobs-store.ts'
import { printTable, rounded } from './measure.ts'
import { buffersOf, type Statement } from './routings.ts'

/** So many turns are due whenever it is measured. */
const due = 1000

async function growLog(store: Store, by: number): Promise<void> {
  for (let posted = 0; posted < by; ) {
    const jobs = newJobs(Math.min(1000, by - posted))
    await post(store, jobs)
    await endJobs(store, jobs.length)
    posted += jobs.length
  }
}

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

/** The pages that one claim touches at each size of the log, by the number of free slots. */
export async function measureClaim(url: string, pool: pg.Pool, store: Store, sizes: readonly number[]) {
  const rooms = [1, 8, 64]
  const measured: { log: number; pages: Record<string, number> }[] = []
  let logged = 0
  for (const log of sizes) {
    const startedAt = performance.now()
    await growLog(store, log - logged)
    console.log(`${log} jobs in the log after ${rounded((performance.now() - startedAt) / 1000, 1)} s more`)
    await post(store, newJobs(due))
    const pages: Record<string, number> = {}
    for (const room of rooms) {
      const statement = await claimStatement(url, room)
      // As autovacuum leaves tables that have been at rest for a while.
      await pool.query('vacuum analyze')
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
