// The connection to PostgreSQL: one pool a process, Kysely over it, and errors in Atoll's own terms.

import { createHash } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { AppError, unavailable } from '../core/error.ts'
import type { AuditTable } from './audit.ts'
import type { BindingTable } from './bindings.ts'
import type { IntentTable } from './intents.ts'
import type { JobLogTable, JobTable } from './jobs.ts'
import type { NetworkTable, SubnetTable } from './networks.ts'
import type { RegionTable } from './regions.ts'
import type { RoutingTable } from './routings.ts'
import type { SettingTable } from './settings.ts'
import type { TurnTable } from './turns.ts'

export interface Tables {
  region: RegionTable
  binding: BindingTable
  routing: RoutingTable
  audit: AuditTable
  setting: SettingTable
  turn: TurnTable
  job: JobTable
  job_log: JobLogTable
  network: NetworkTable
  subnet: SubnetTable
  intent: IntentTable
}

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
  onError(error: Error): void
}

/** bigint as a number: ours stay far below 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** Opens a pool; no connection is made before the first statement. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 60_000,
  })
  pool.on('error', options.onError)
  pool.on('connect', client => prepareStatements(client))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return { db, pool, close: () => db.destroy() }
}

type Query = (text: string, values: unknown[]) => Promise<pg.QueryResult>

/** Makes a connection send each text once and run it by name after that: planning costs more than most of our statements. */
function prepareStatements(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (config: unknown, values?: unknown) => Promise<pg.QueryResult>
  const prepared: Query = (text, values) =>
    values?.length ? query({ name: statementName(text), text, values }) : query(text)
  Object.assign(client, {
    query: (...args: unknown[]) =>
      typeof args[0] === 'string' && args.length <= 2 && (args[1] === undefined || Array.isArray(args[1]))
        ? prepared(args[0], (args[1] as unknown[] | undefined) ?? [])
        : (query as (...all: unknown[]) => unknown)(...args),
  })
}

const names = new Map<string, string>()

function statementName(text: string): string {
  const known = names.get(text)
  if (known) return known
  const name = createHash('sha1').update(text).digest('base64').slice(0, 20)
  names.set(text, name)
  return name
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
  if (isOutage(code, error.message))
    return unavailable(`The database gives no answer now: ${error.message}`, error)
  return error
}

/** Connection failures, exhausted resources, a server that shuts down or starts up, a read-only one. */
function isOutage(code: string, message: string): boolean {
  return (
    /^(08...|53...|57P0.|25006|57014|ECONN.*|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|EMFILE)$/.test(
      code,
    ) || /timeout exceeded when trying to connect|Connection terminated/.test(message)
  )
}
