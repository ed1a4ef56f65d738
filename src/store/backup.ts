// A logical copy of the whole database in one file, and an empty database filled from it.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { AppError, conflict, invalid, unavailable } from '../core/error.ts'
import {
  type BackupReader,
  countLines,
  type Header,
  headerLine,
  readBackup,
  sequencesLine,
  tableEnd,
  tableLine,
  writeBackup,
} from './backup-file.ts'
import {
  type AppliedMigration,
  hasRows,
  quiesce,
  quoted,
  readMigrations,
  readSequences,
  readTables,
  type Table,
  writeSequences,
} from './backup-tables.ts'

export interface TableCount {
  readonly table: string
  readonly rows: number
}

export interface RestoreOptions {
  /**
   * Brings an empty database to the schema after this migration, contracting ones included. `applied` are all that
   * the backup's database had.
   */
  migrateTo(number: number, applied: readonly AppliedMigration[]): Promise<void>
}

const NO_SUCH_TABLE = '42P01'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Settings of the session under which values are written and read without loss, whatever the server or the
 * role has set.
 */
const SETTINGS = `
  set client_encoding = 'UTF8'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC';
  set bytea_output = 'hex'; set extra_float_digits = 3; set xmloption = 'content'; set row_security = off;
  set synchronize_seqscans = off; set statement_timeout = 0; set lock_timeout = '60s';
  set idle_in_transaction_session_timeout = 0; set search_path = public`

/**
 * Writes every table of the database to `file`, all as of one moment; returns how many rows of each. The old file
 * stays until the new one is whole. Throws `invalid` when the file cannot be written, `conflict` when this is no
 * database of Atoll, `unavailable` when the database gives no answer or the disk is full.
 */
export const backup = (url: string, file: string): Promise<TableCount[]> =>
  withClient(url, 'atoll backup', async client => {
    const tables = await freeze(client)
    const migrations = await readMigrations(client)
    if (migrations.length === 0)
      throw conflict(
        'This database holds nothing of Atoll: name the one to back up with ATOLL_DATABASE_URL or ATOLL_DATA_DIR.',
      )
    const counts: TableCount[] = []
    const header = {
      written: new Date().toISOString(),
      migrations,
      tables: tables.map(({ name }) => name),
    }
    await writeBackup(file, contents(client, header, tables, counts))
    return counts
  })

/**
 * Begins a transaction that sees all tables as of one moment. They are locked first, against migrations only:
 * the snapshot is taken by the first query, and a table that a migration rewrites after that looks empty in
 * it.
 */
async function freeze(client: pg.Client): Promise<Table[]> {
  for (let tries = 0; tries < 5; tries++) {
    const found = await readTables(client)
    await client.query('begin isolation level repeatable read, read only')
    try {
      for (const { name } of found) await client.query(`lock table ${quoted(name)} in access share mode`)
      if (isDeepStrictEqual(await readTables(client), found)) return found
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== NO_SUCH_TABLE) throw error
    }
    await client.query('rollback')
  }
  throw conflict('The tables change while they are backed up: let the migration end, then try again.')
}

async function* contents(
  client: pg.Client,
  header: Header,
  tables: readonly Table[],
  counts: TableCount[],
): AsyncGenerator<Buffer | string> {
  yield headerLine(header)
  for (const { name, columns, isPartitioned } of tables) {
    yield tableLine(name, columns)
    const target = isPartitioned
      ? `(select ${columnList(columns)} from ${quoted(name)})`
      : `${quoted(name)} (${columnList(columns)})`
    let rows = 0
    for await (const chunk of client.query(to(`copy ${target} to stdout`)) as AsyncIterable<Buffer>) {
      rows += countLines(chunk)
      yield chunk
    }
    yield tableEnd(rows)
    counts.push({ table: name, rows })
  }
  yield sequencesLine(await readSequences(client))
}

const columnList = (columns: readonly string[]): string => columns.map(pg.escapeIdentifier).join(', ')

/**
 * Fills an empty database from `file`, all or nothing; returns how many rows each table has got. Throws `invalid`
 * when the file is no backup, is damaged or does not fit, `conflict` when the database holds rows already.
 */
export async function restore(url: string, file: string, options: RestoreOptions): Promise<TableCount[]> {
  // The backup is read to its end before the database is touched: a file that breaks off late must not leave
  // even a schema.
  const header = await readBackup(file, check)
  return withClient(url, 'atoll restore', async client => {
    if (await hasRows(client, await readTables(client))) throw notEmpty()
    const before = await readMigrations(client)
    await options.migrateTo(header.migrations.at(-1)!.number, header.migrations)
    const after = await readMigrations(client)
    if (!isDeepStrictEqual(after, header.migrations)) throw otherSchema(file, header.migrations, after)
    return readBackup(file, backup => fill(client, backup, isDeepStrictEqual(before, after), file))
  })
}

async function check(backup: BackupReader): Promise<Header> {
  const header = await backup.header()
  for (const expected of header.tables) {
    const { table } = await backup.table()
    if (table !== expected) throw invalid(`The backup has table ${table} where ${expected} should be.`)
    for await (const _ of backup.rows());
    await backup.tableEnd()
  }
  await backup.sequences()
  await backup.end()
  return header
}

async function fill(
  client: pg.Client,
  backup: BackupReader,
  wasMigrated: boolean,
  file: string,
): Promise<TableCount[]> {
  const header = await backup.header()
  await client.query('begin')
  const tables = await readTables(client)
  if (tables.length)
    await client.query(
      `lock table ${tables.map(({ name }) => quoted(name)).join(', ')} in access exclusive mode`,
    )
  const finish = await quiesce(client, header.tables)
  // Rows that the migrations have put into their tables are in the backup too, and may have changed since.
  if (!wasMigrated && tables.length)
    await client.query(`truncate ${tables.map(({ name }) => quoted(name)).join(', ')}`)
  else if (await hasRows(client, tables)) throw notEmpty()
  const counts: TableCount[] = []
  for (const _ of header.tables) counts.push(await fillTable(client, backup, tables, file))
  await endOpenIntents(client, tables)
  const sequences = await backup.sequences()
  await backup.end()
  for (const statement of finish) await client.query(statement)
  for (const { name } of tables) await client.query(`analyze ${quoted(name)}`)
  // The sequences come last, because a rollback does not take back what they are set to.
  await writeSequences(client, sequences)
  await client.query('commit')
  return counts
}

/**
 * Ends intents without an owner that were open when the backup was written: their resources may have been
 * acknowledged afterwards, and then users have them and they must not be taken for surplus. The resource of
 * an intent with an owner is found by its mark.
 */
async function endOpenIntents(client: pg.Client, tables: readonly Table[]): Promise<void> {
  const intent = tables.find(({ name }) => name === 'intent')
  if (!['owner', 'ended_at', 'regional_id'].every(name => intent?.columns.includes(name))) return
  // Older schemas have no `ended_by`: in them, all ended intents count as ended by an absence, as these do.
  const by = intent!.columns.includes('ended_by') ? `, ended_by = 'absence'` : ''
  await client.query(
    `update ${quoted('intent')} set ended_at = now()${by}, purpose = purpose || '#' || id
     where ended_at is null and regional_id is null and owner = ''`,
  )
}

async function fillTable(
  client: pg.Client,
  backup: BackupReader,
  tables: readonly Table[],
  file: string,
): Promise<TableCount> {
  const { table, columns } = await backup.table()
  const target = tables.find(({ name }) => name === table)
  if (!target || !isDeepStrictEqual([...target.columns].sort(), [...columns].sort()))
    throw invalid(
      `The backup ${file} has a table ${table} (${columns.join(', ')}) that this Atoll does not: use the Atoll that wrote it.`,
    )
  const copy = client.query(from(`copy ${quoted(table)} (${columnList(columns)}) from stdin`))
  await pipeline(Readable.from(backup.rows(), { objectMode: false }), copy)
  const rows = await backup.tableEnd()
  if (copy.rowCount !== rows)
    throw invalid(
      `Table ${table} took ${copy.rowCount} of its ${rows} rows from ${file}: use another copy of it.`,
    )
  return { table, rows }
}

const notEmpty = (): AppError =>
  conflict(
    'The database holds rows already, and a backup is restored into an empty one only: name an empty one with ATOLL_DATABASE_URL or ATOLL_DATA_DIR.',
  )

function otherSchema(
  file: string,
  wanted: readonly AppliedMigration[],
  found: readonly AppliedMigration[],
): AppError {
  const last = (migrations: readonly AppliedMigration[]) => {
    const { number, name } = migrations.at(-1) ?? { number: 0, name: 'none' }
    return `${number} (${name})`
  }
  return conflict(
    `The backup ${file} is of migration ${last(wanted)} and this database is at ${last(found)}, or their contents differ: restore into an empty database with the Atoll that wrote the backup, or a later one.`,
  )
}

async function withClient<T>(url: string, name: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 10_000,
  })
  // Without a listener a lost connection would end the process; the statement under way fails with the same error.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(SETTINGS)
    return await work(client)
  } catch (error) {
    throw trouble(error)
  } finally {
    // Closing the connection also rolls back, and ends a COPY that is not read any further.
    await client.end()
  }
}

/**
 * An error of the database or of its connection as an AppError; any other error is a bug of ours and stays as
 * it is.
 */
function trouble(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const { code = '' } = error as NodeJS.ErrnoException
  const isLost =
    /^(08|53|57|28|3D|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code) ||
    /^(Connection terminated|timeout expired)|is not queryable$/.test(error.message)
  if (isLost)
    return unavailable(
      `The database gives no answer (${error.message || code}): see that it runs, and that ATOLL_DATABASE_URL is right.`,
      error,
    )
  if (!(error instanceof pg.DatabaseError)) return error
  if (code === LOCK_NOT_AVAILABLE)
    return conflict(
      'Another program is at work in this database: stop it or wait for its end, then try again.',
    )
  return invalid(`The database refuses: ${error.message}${error.detail ? ` (${error.detail})` : ''}.`)
}
