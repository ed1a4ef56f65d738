// What a backup holds of a schema: tables in the order of their references, columns, triggers, sequences.
import pg from 'pg'

/** A table of schema public as a backup sees it. */
export interface Table {
  readonly name: string
  /** The columns without the generated ones, which PostgreSQL computes. */
  readonly columns: readonly string[]
  readonly isPartitioned: boolean
}

/**
 * A sequence and the number it stands at. Numbers as text: a sequence may pass what JavaScript counts
 * exactly.
 */
export interface Sequence {
  readonly name: string
  readonly last: string
  readonly isCalled: boolean
}

/** One row of table `migration`, which the migration runner writes. */
export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly checksum: string
  readonly phase: string
}

interface Reference {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly isDeferrable: boolean
}

const MIGRATIONS = 'migration'

export const quoted = (name: string): string => `public.${pg.escapeIdentifier(name)}`

/** All tables but that of the migrations, each after those that it refers to as far as that is possible. */
export async function readTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select c.relname as name, c.relkind = 'p' as "isPartitioned",
       coalesce((select array_agg(a.attname::text order by a.attnum) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''), '{}') as columns
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> $1
       and not exists (select from pg_depend d
         where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.relname`,
    [MIGRATIONS],
  )
  return inOrder(rows, await readReferences(client))
}

async function readReferences(client: pg.Client): Promise<Reference[]> {
  const { rows } = await client.query<Reference>(
    `select k.conname as name, f.relname as from, t.relname as to, k.condeferrable as "isDeferrable"
     from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
     where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'public'::regnamespace
     order by k.conname`,
  )
  return rows
}

/** Depth first along the references; tables in a circle come in the order of their names. */
function inOrder(tables: readonly Table[], references: readonly Reference[]): Table[] {
  const ordered: Table[] = []
  const seen = new Set<string>()
  const visit = (table: Table): void => {
    if (seen.has(table.name)) return
    seen.add(table.name)
    const targets = new Set(references.filter(({ from }) => from === table.name).map(({ to }) => to))
    for (const target of tables) if (targets.has(target.name)) visit(target)
    ordered.push(table)
  }
  for (const table of tables) visit(table)
  return ordered
}

/** The migrations that have been applied, in order; none in a database that Atoll has not seen. */
export async function readMigrations(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows: found } = await client.query<{ has: boolean }>('select to_regclass($1) is not null as has', [
    quoted(MIGRATIONS),
  ])
  if (!found[0]!.has) return []
  const { rows } = await client.query<AppliedMigration>(
    `select number, name, checksum, phase from ${quoted(MIGRATIONS)} order by number`,
  )
  return rows
}

/** The sequences and where they stand, also those that no column owns. */
export async function readSequences(client: pg.Client): Promise<Sequence[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'
       and not exists (select from pg_depend d
         where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.relname`,
  )
  const sequences: Sequence[] = []
  for (const { name } of rows) {
    const state = await client.query<Omit<Sequence, 'name'>>(
      `select last_value::text as last, is_called as "isCalled" from ${quoted(name)}`,
    )
    sequences.push({ name, ...state.rows[0]! })
  }
  return sequences
}

export async function writeSequences(client: pg.Client, sequences: readonly Sequence[]): Promise<void> {
  for (const { name, last, isCalled } of sequences)
    await client.query('select setval($1::regclass, $2::bigint, $3)', [quoted(name), last, isCalled])
}

/** Whether any table has a row. */
export async function hasRows(client: pg.Client, tables: readonly Table[]): Promise<boolean> {
  for (const { name } of tables)
    if ((await client.query(`select from ${quoted(name)} limit 1`)).rowCount) return true
  return false
}

/**
 * Turns off what a restore must not do again while it fills the tables: our triggers, and the checks of
 * references to tables that are filled later. Returns the statements that turn both on again in the same
 * transaction, after which every reference has been checked.
 */
export async function quiesce(client: pg.Client, tables: readonly string[]): Promise<string[]> {
  const again: string[] = []
  for (const { table, name, state } of await readTriggers(client)) {
    await client.query(`alter table ${quoted(table)} disable trigger ${pg.escapeIdentifier(name)}`)
    again.push(`alter table ${quoted(table)} enable ${state} trigger ${pg.escapeIdentifier(name)}`)
  }
  const position = new Map(tables.map((name, index) => [name, index]))
  for (const { name, from, to, isDeferrable } of await readReferences(client)) {
    // Within a table all rows come in one statement, and references are checked after it.
    if (isDeferrable || position.get(to)! <= position.get(from)!) continue
    const alter = `alter table ${quoted(from)} alter constraint ${pg.escapeIdentifier(name)}`
    await client.query(`${alter} deferrable initially deferred`)
    again.push(`${alter} not deferrable`)
  }
  await client.query('set constraints all deferred')
  // A table cannot be altered while checks on it are due.
  return ['set constraints all immediate', ...again]
}

async function readTriggers(client: pg.Client) {
  const { rows } = await client.query<{ table: string; name: string; state: string }>(
    `select c.relname as table, t.tgname as name,
       case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end as state
     from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgenabled <> 'D'
       and t.tgparentid = 0
     order by c.relname, t.tgname`,
  )
  return rows
}
