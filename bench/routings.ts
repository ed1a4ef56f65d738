// A database with so many routings, written through the store's own append, and what its statements cost exactly.

import { randomUUID } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Store } from '../src/core/app.ts'
import type { Note } from '../src/core/note.ts'
import { type RoutingSpec, resourceTypes } from '../src/core/routing/routing.ts'
import { type Database, onceMark, openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { createStore } from '../src/store/store.ts'
import type { Tables } from '../src/store/tables.ts'

const batch = 1000
/** Of ten projects; the first is the caller's. */
const projects = 10

const noted = (at: Date): Note => ({
  caller: {
    userId: 'bench',
    userName: 'bench',
    projectId: null,
    projectName: null,
    roles: [],
    requestId: `req-${randomUUID()}`,
  },
  at,
  action: 'routing.create',
})

/** Fills an empty database: four regions, and `count` routings of ten projects, a thousand a second of their own time. */
export async function fill(url: string, count: number, projectId: string): Promise<void> {
  await migrate(url)
  const database = openDatabase(url, { connections: 2, name: 'fill', onError: () => {} })
  const store = createStore(database.db)
  const startedAt = Date.now() - (count / batch) * 1000
  const regionIds: string[] = []
  for (let n = 0; n < 4; n++) {
    const id = randomUUID()
    const place = { localAvailabilityZone: '', dataCenter: '', createdAt: new Date() }
    await store.regions.create({ id, name: `Pod${n}`, availabilityZone: 'az', ...place }, noted(new Date()))
    regionIds.push(id)
  }
  const spec = (n: number): RoutingSpec => ({
    centralId: randomUUID(),
    regionalId: randomUUID(),
    regionId: regionIds[n % 4]!,
    projectId: n % projects === 0 ? projectId : `project-${n % projects}`,
    resourceType: resourceTypes[Math.floor(n / projects) % 5]!,
  })
  for (let done = 0; done < count; done += batch) {
    const specs = Array.from({ length: Math.min(batch, count - done) }, (_, n) => spec(done + n))
    const made = await store.routings.append(specs, noted(new Date(startedAt + done)))
    // A few have been changed since.
    for (const one of made.slice(0, 2)) await store.routings.update(one.id, {}, noted(new Date()))
  }
  // As autovacuum leaves a table that has been at rest for a while.
  await database.pool.query('vacuum analyze')
  await database.close()
}

export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** The statements that the store sends for this work. */
export async function statementsOf(
  url: string,
  work: (store: Store) => Promise<unknown>,
): Promise<Statement[]> {
  const statements: Statement[] = []
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => void statements.push({ sql: query.sql, values: query.parameters }),
  })
  try {
    await work(createStore(db))
  } finally {
    await db.destroy()
  }
  return statements.filter(({ sql }) => !/^(begin|commit|rollback)/.test(sql))
}

/** Counts whatever is sent over connections that are opened from now on. */
export function countStatements({ pool }: Database): () => number {
  let count = 0
  pool.on('connect', client => {
    const query = client.query.bind(client) as (...all: unknown[]) => unknown
    Object.assign(client, {
      query: (...all: unknown[]) => {
        count += 1
        return query(...all)
      },
    })
  })
  return () => count
}

/** How many pages of 8 KB statements touch. */
export const buffersOf = async (url: string, statements: readonly Statement[]): Promise<number> =>
  (await touchedBy(url, statements)).buffers

export interface Touched {
  /** Pages of 8 KB. */
  readonly buffers: number
  /** What all scans have found, those of inner loops as often as they ran. */
  readonly rows: number
}

/**
 * What statements touch, by EXPLAIN (ANALYZE, BUFFERS) of the plan that a server has after it has run the prepared
 * statement some times; one that is not kept prepared is planned for its values. What they change is rolled back: each
 * alone, or all of them together where one needs what another has done.
 */
export async function touchedBy(
  url: string,
  statements: readonly Statement[],
  { together = false } = {},
): Promise<Touched> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let [buffers, rows] = [0, 0]
  try {
    if (together) await client.query('begin')
    for (const { sql, values } of statements) {
      const given = values.map(value => (value === null ? 'null' : client.escapeLiteral(asText(value))))
      if (!together) await client.query('begin')
      const mode = sql.includes(onceMark) ? 'force_custom_plan' : 'auto'
      await client.query(`set local plan_cache_mode = ${mode}`)
      await client.query(`prepare measured as ${sql}`)
      const run = given.length > 0 ? `execute measured (${given.join(', ')})` : 'execute measured'
      const isChange = !/^\s*select/i.test(sql)
      for (let times = 0; times < (isChange ? 0 : 6); times++) await client.query(run)
      const explained = await client.query(`explain (analyze, buffers, format json) ${run}`)
      const { Plan: plan } = explained.rows[0]['QUERY PLAN'][0]
      buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
      rows += rowsOf(plan)
      await client.query('deallocate measured')
      if (!together) await client.query('rollback')
    }
    return { buffers, rows: Math.round(rows) }
  } finally {
    await client.end()
  }
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

function rowsOf(plan: Plan): number {
  const { Plans: parts = [], 'Rows Removed by Filter': removed = 0 } = plan
  const own = / Scan$/.test(plan['Node Type']) ? (plan['Actual Rows'] + removed) * plan['Actual Loops'] : 0
  return parts.reduce((sum, part) => sum + rowsOf(part), own)
}

/** As the driver would send it. */
function asText(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `{${value.map(itemOf).join(',')}}`
  return String(value)
}

const itemOf = (item: unknown): string =>
  item === null ? 'null' : `"${asText(item).replaceAll(/["\\]/g, '\\$&')}"`
