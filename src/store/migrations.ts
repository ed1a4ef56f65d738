// The numbered SQL migrations: found on disk, applied once each, in order, by one process at a time.
//
// A migration is `NNNN_name.expand.sql` or `NNNN_name.contract.sql`. An expanding one leaves processes of the
// release before at work (it adds); `serve` applies it by itself. A contracting one takes away what they
// used: only `atoll migrate --contract` applies it, when no older process is left.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { AppError, conflict, unavailable } from '../core/error.ts'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly phase: 'expand' | 'contract'
  readonly sql: string
  readonly checksum: string
}

interface Applied {
  number: number
  name: string
  checksum: string
  phase: 'expand' | 'contract'
}

/** Two processes that migrate at once take turns on this advisory lock. */
const migrationLock = 0x61746f6c

/** All migrations of this release, in order. */
export function readMigrations(folder: URL = new URL('./migrations/', import.meta.url)): Migration[] {
  const names = readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort()
  return names.map((file, index) => {
    const parts = /^(\d{4})_(\w+)\.(expand|contract)\.sql$/.exec(file)
    if (!parts || Number(parts[1]) !== index + 1) {
      throw new Error(
        `migration ${file}: expected ${String(index + 1).padStart(4, '0')}_name.expand.sql or .contract.sql`,
      )
    }
    const sql = readFileSync(new URL(file, folder), 'utf8')
    const checksum = createHash('sha256').update(sql).digest('hex')
    return { number: index + 1, name: parts[2]!, phase: parts[3] as Migration['phase'], sql, checksum }
  })
}

export interface MigrateOptions {
  readonly migrations?: readonly Migration[]
  /** Apply contracting migrations too. */
  readonly contract?: boolean
  /** Stop after this number (for restoring a backup of an older release). */
  readonly upTo?: number
}

/**
 * Brings the database to this release; returns the names of what was applied, none when it was there already.
 * Throws `conflict` when the database and this release do not go together, `unavailable` when it cannot be reached.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const migrations = options.migrations ?? readMigrations()
  const client = await connect(url)
  try {
    await checkServer(client)
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await client.query(`create table if not exists migration (
      number integer primary key, name text not null, checksum text not null,
      phase text not null, applied_at timestamptz not null)`)
    const { rows: applied } = await client.query<Applied>(
      'select number, name, checksum, phase from migration order by number',
    )
    check(migrations, applied)
    const pending = choose(migrations.slice(applied.length), options)
    for (const migration of pending) await apply(client, migration)
    return pending.map(migration => migration.name)
  } finally {
    await client.end()
  }
}

/**
 * Refuses a server that would fail later with a less clear error: one that is too old, or whose encoding
 * cannot store every text.
 */
async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ major: number; encoding: string }>(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_encoding') as encoding`,
  )
  const { major, encoding } = rows[0]!
  if (major < oldestMajor)
    throw conflict(`The database is of PostgreSQL ${major}: Atoll needs ${oldestMajor} or newer.`)
  if (encoding !== 'UTF8')
    throw conflict(
      `The database stores text as ${encoding}: make one with \`create database … encoding 'UTF8' template template0\`.`,
    )
}

const oldestMajor = 15

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'atoll migrate',
    connectionTimeoutMillis: 10_000,
  })
  // The statement under way fails by itself; an error that nobody listens to would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (cause) {
    throw unreachable(cause)
  }
}

export const unreachable = (cause: unknown): AppError =>
  unavailable(
    `The database cannot be reached: ${reasonOf(cause)}. Does its server run, and is database.url (ATOLL_DATABASE_URL) right?`,
    cause,
  )

/**
 * The message of a connection error. A host name with several addresses fails once for each, under one
 * AggregateError that has no message.
 */
const reasonOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(one => (one as Error).message).join(', ')
    : (error as Error).message

/** Throws when what the database has had applied is not what this release knows. */
function check(migrations: readonly Migration[], applied: readonly Applied[]): void {
  for (const row of applied) {
    const known = migrations[row.number - 1]
    if (!known) {
      // A newer release has applied this migration. An expanding one does no harm; a contracting one does.
      if (row.phase === 'expand') continue
      throw new AppError(
        'conflict',
        `The database was contracted by a newer release of Atoll (migration ${row.number}, ${row.name}): upgrade this process.`,
      )
    }
    if (known.checksum !== row.checksum) {
      throw new AppError(
        'conflict',
        `Migration ${row.number} (${row.name}) was applied with other contents than this release has: this database belongs to another build of Atoll.`,
      )
    }
  }
}

/** What to apply now: all that expands, up to the first contraction that was not asked for. */
function choose(rest: readonly Migration[], options: MigrateOptions): Migration[] {
  const wanted = rest.filter(migration => migration.number <= (options.upTo ?? Number.POSITIVE_INFINITY))
  const stop = options.contract ? -1 : wanted.findIndex(migration => migration.phase === 'contract')
  if (stop === -1) return wanted
  if (wanted.slice(stop).some(migration => migration.phase === 'expand')) {
    throw new AppError(
      'conflict',
      `Migration ${wanted[stop]!.number} (${wanted[stop]!.name}) takes away what older processes use: stop them, then run \`atoll migrate --contract\`.`,
    )
  }
  return wanted.slice(0, stop)
}

/**
 * Applies a migration while older processes are at work. A migration that waits for a table's lock holds up
 * every statement that comes after it: so it waits for a moment, gives up, and tries again.
 */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  while (!(await applyOnce(client, migration))) await sleep(comeBackMs)
}

const lockMs = 1_000
const comeBackMs = 3_000
const LOCK_NOT_AVAILABLE = '55P03'

/** Tries to apply a migration; false when another transaction held a table's lock for too long. */
async function applyOnce(client: pg.Client, migration: Migration): Promise<boolean> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout = ${lockMs}`)
    await client.query(migration.sql)
    await client.query('insert into migration values ($1, $2, $3, $4, now())', [
      migration.number,
      migration.name,
      migration.checksum,
      migration.phase,
    ])
    await client.query('commit')
    return true
  } catch (error) {
    // Without a connection there is nothing to roll back.
    await client.query('rollback').catch(() => {})
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false
    throw error
  }
}
