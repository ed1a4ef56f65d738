// Lists of the central model: ranges of an index where the order has one, from any row on, forwards and backwards.

import { type RawBuilder, sql } from 'kysely'
import type { Kind, Kinds } from '../core/network/model/model.ts'
import type { Order, ResourceQuery } from '../core/network/model/network-store.ts'
import { type Db, onceMark, run } from './database.ts'
import { conditionSql, seenInParts, sightedFrom } from './network-conditions.ts'
import { column, fromRow, selection, table, typeOf } from './network-kinds.ts'

type Sql = RawBuilder<unknown>

export async function listResources<K extends Kind>(
  db: Db,
  kind: K,
  query: ResourceQuery,
): Promise<Kinds[K][] | null> {
  const { sight, where, limit, marker, reverse } = query
  const order = orderOf(query.sort, reverse)
  const conditions = where.map(condition => conditionSql(kind, condition))
  if (marker !== null) {
    const known = sql`select ${sightedFrom(kind, sight)} and ${column(kind, 'id')} = ${marker}`
    if ((await run(known.execute(db))).rows.length === 0) return null
    conditions.push(beyond(kind, order, marker))
  }
  const parts = seenInParts(kind, sight).map(part => sql.join([part, ...conditions], sql` and `))
  const by = order.map(one => sql`${column(kind, one.field)} ${one.descending ? sql`desc` : sql`asc`}`)
  const { rows } = await run(
    sql<Kinds[K]>`
      select ${sql.raw(onceMark)} ${selection(kind)}
      from ${together(kind, parts, sql`order by ${sql.join(by)} limit ${limit}`)}`.execute(db),
  )
  const found = rows.map(row => fromRow(kind, row))
  return reverse ? found.reverse() : found
}

/** The rows of all parts in one order, of each no more than the page has. */
function together(kind: Kind, parts: readonly Sql[], page: Sql): Sql {
  const [only, ...more] = parts
  if (more.length === 0) return sql`${table(kind)} where ${only} ${page}`
  const each = parts.map(part => sql`(select * from ${table(kind)} where ${part} ${page})`)
  return sql`(${sql.join(each, sql` union all `)}) as ${table(kind)} ${page}`
}

/**
 * The order of a list, which always ends in the id, in the direction of the field before it: so one index
 * serves both directions.
 */
function orderOf(sort: readonly Order[], reverse: boolean): Order[] {
  const until = sort.findIndex(one => one.field === 'id')
  const own = until < 0 ? [...sort, { field: 'id', descending: sort.at(-1)?.descending ?? false }] : sort
  return own
    .slice(0, until < 0 ? undefined : until + 1)
    .map(one => ({ ...one, descending: one.descending !== reverse }))
}

/** The rows after the marker. A null comes after all values, as PostgreSQL sorts it. */
function beyond(kind: Kind, order: readonly Order[], marker: string): Sql {
  const values = sql.join(order.map(one => column(kind, one.field)))
  const [first] = order
  const isOneWay = order.every(
    one => one.descending === first!.descending && !typeOf(kind, one.field).endsWith('?'),
  )
  // One comparison is a range of an index; the general form reads from the index's end to the marker.
  if (isOneWay) {
    const operator = first!.descending ? sql`<` : sql`>`
    return sql`(${values}) ${operator} (select ${values} from ${table(kind)} where id = ${marker})`
  }
  const cases = order.map((last, at) =>
    sql.join(
      [...order.slice(0, at).map(one => tied(kind, one, marker)), after(kind, last, marker)],
      sql` and `,
    ),
  )
  return sql`((${sql.join(cases, sql`) or (`)}))`
}

const markers = (kind: Kind, { field }: Order, marker: string): Sql =>
  sql`(select ${column(kind, field)} from ${table(kind)} where id = ${marker})`

const tied = (kind: Kind, order: Order, marker: string): Sql =>
  sql`${column(kind, order.field)} is not distinct from ${markers(kind, order, marker)}`

function after(kind: Kind, order: Order, marker: string): Sql {
  const [mine, value] = [column(kind, order.field), markers(kind, order, marker)]
  return order.descending
    ? sql`(${mine} < ${value} or (${mine} is not null and ${value} is null))`
    : sql`(${mine} > ${value} or (${mine} is null and ${value} is not null))`
}
