// The connection to PostgreSQL: one pool a process, Kysely over it, and errors in Atoll's own terms.

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { AppError, unavailable } from '../core/error.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

export interface Database {
  readonly db: Db
  readonly pool: pg.Pool
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** The most connections that this process may hold. */
  readonly connections: number
  /** What the connections are called in pg_stat_activity. */
  readonly name: string
  /** How long one statement may take; a minute unless told. */
  readonly statementMs?: number
  onError(error: Error): void
}

/** bigint as a number: ours stay far below 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** Opens a pool; no connection is made before the first statement. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { statementMs = 60_000 } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: statementMs,
  })
  let isClosing = false
  // While the pool closes, the server may be gone before it. The client that comes with the error is left
  // out: it does not belong in a log.
  pool.on('error', ({ message }) => isClosing || options.onError(unavailable(message)))
  pool.on('connect', client => {
    // The pool listens to idle connections only, and an error that nobody listens to would end the process.
    // Whoever works with this connection is told by the statement that fails.
    client.on('error', () => {})
    prepareStatements(client, statementMs * silenceFactor)
  })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    pool,
    close() {
      isClosing = true
      return db.destroy()
    },
  }
}

/**
 * How many times its timeout a statement may take: the server itself ends it at the timeout, and a connection
 * on which it has not done so a little later is taken for dead.
 */
const silenceFactor = 1.1

type Query = (config: { name?: string; text: string; values?: unknown[] }) => Promise<pg.QueryResult>

/**
 * Makes a connection send each text once and run it by name after that: planning costs more than most of our
 * statements. A connection on which a statement takes longer than its time is closed, and the statement fails.
 */
function prepareStatements(client: pg.PoolClient, deadlineMs: number): void {
  const plain = client.query.bind(client) as (...all: unknown[]) => unknown
  const query: Query = async config => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
    const timer = setTimeout(() => stream.destroy(), deadlineMs)
    try {
      return await (plain(config) as Promise<pg.QueryResult>)
    } finally {
      clearTimeout(timer)
    }
  }
  let generation = 0
  /** As `query`, under another name when a migration has changed what the prepared statement returns. */
  const queryNamed: Query = async ({ text, values }) => {
    const named = () => query({ name: `${statementName(text)}.${generation}`, text, values: values! })
    try {
      return await named()
    } catch (error) {
      if (!planIsStale(error)) throw error
      generation += 1
      // In a transaction that has failed by this there is nothing more to be done.
      return await named().catch(() => Promise.reject(error))
    }
  }
  const isStatement = (args: unknown[]): args is [string, unknown[]?] =>
    typeof args[0] === 'string' && args.length <= 2 && (args[1] === undefined || Array.isArray(args[1]))
  const isKept = (text: string): boolean => !text.includes(onceMark)
  Object.assign(client, {
    query: (...args: unknown[]) => {
      if (!isStatement(args)) return plain(...args)
      const [text, values = []] = args
      return values.length > 0 && isKept(text) ? queryNamed({ text, values }) : query({ text, values })
    },
  })
}

/** Marks a statement whose text differs with what users ask for: it is not kept as a prepared statement. */
export const onceMark = '/* once */'

/** "cached plan must not change result type", in whatever language the server says it. */
function planIsStale(error: unknown): boolean {
  const { code, routine } = error as { code?: string; routine?: string }
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

const names = new Map<string, string>()

function statementName(text: string): string {
  const known = names.get(text)
  if (known) return known
  const name = createHash('sha1').update(text).digest('base64').slice(0, 20)
  names.set(text, name)
  return name
}

/** Until the end of the transaction nobody else gets the lock of this name. */
export async function lockOn(db: Db, ...name: string[]): Promise<void> {
  await run(sql`select pg_advisory_xact_lock(hashtextextended(${name.join(' ')}, 0))`.execute(db))
}

/** What each constraint of a noun means when a statement breaks it. */
export type Refusals = Readonly<Record<string, () => AppError>>

/**
 * Runs a statement; whatever goes wrong comes out as an AppError where Atoll knows what it means: a broken
 * constraint by `refusals`, a database that is gone, full or read-only as `unavailable`.
 */
export async function run<T>(work: Promise<T>, refusals: Refusals = {}): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw explain(error, refusals)
  }
}

function explain(error: unknown, refusals: Refusals): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const { code = '', constraint = '' } = error as { code?: string; constraint?: string }
  const refusal = refusals[constraint]
  if (refusal) return refusal()
  if (isOutage(code, error.message) || planIsStale(error))
    return unavailable('The database gives no answer now', error)
  return error
}

/** What the driver and Kysely say without a code: no connection in time, one that broke, a pool that is closed. */
const lost =
  /^timeout exceeded when trying to connect|^Connection terminated|is not queryable$|^Cannot use a pool after|^driver has already been destroyed/

/**
 * Whether an error means that the database is away: a connection failure, a deadlock, exhausted resources, a
 * server that shuts down or starts up, or one that is read-only.
 */
function isOutage(code: string, message: string): boolean {
  return (
    /^(08...|40001|40P01|53...|57P0.|25006|57014|ECONN.*|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|EMFILE)$/.test(
      code,
    ) || lost.test(message)
  )
}
