// Pools, reservations and instances as collections in PostgreSQL: selected alike, listed, and summed over time.

import { type RawBuilder, sql } from 'kysely'
import { type Amounts, amountClasses, amountNames, amountsOf } from '../core/capacity/amounts.ts'
import type {
  CollectionChange,
  CollectionFilter,
  CollectionKind,
  CollectionRef,
  CollectionStore,
  ElementStore,
} from '../core/capacity/collections.ts'
import { forever } from '../core/ledger/ledger.ts'
import { type Db, onceMark, run } from './database.ts'

interface Source {
  readonly kind: CollectionKind
  readonly table: RawBuilder<unknown>
  readonly from: RawBuilder<unknown>
  readonly to: RawBuilder<unknown>
  readonly elements: RawBuilder<unknown>
  /** The condition under which a row counts as a collection at all. */
  readonly counts: RawBuilder<unknown>
  /** The condition under which a row is listed: a deleted one is left out, and its past is only in sums. */
  readonly listed: RawBuilder<unknown>
  readonly hasProject: boolean
}

/** The three kinds of collections, in the order in which lists have them. */
const sources: readonly Source[] = [
  {
    kind: 'pool',
    table: sql`pool`,
    from: sql`from_at`,
    to: sql`to_at`,
    elements: sql`elements`,
    counts: sql`true`,
    listed: sql`true`,
    hasProject: false,
  },
  {
    kind: 'reservation',
    table: sql`capacity_reservation`,
    from: sql`from_at`,
    to: sql`to_at`,
    elements: sql`elements`,
    counts: sql`state in ('living', 'ended')`,
    listed: sql`true`,
    hasProject: true,
  },
  {
    kind: 'instance',
    table: sql`instance`,
    from: sql`created_at`,
    to: sql`coalesce(ended_at, ${forever})`,
    elements: sql`array[server_id]`,
    counts: sql`created_at < coalesce(ended_at, ${forever})`,
    // A server that failed is there until it is destroyed.
    listed: sql`(ended_at is null or status = 'error' and server_id is not null)`,
    hasProject: true,
  },
]

export function collectionStore(db: Db): CollectionStore {
  return {
    async list(filter, limit, after) {
      const begun = sources.findIndex(({ kind }) => kind === after?.kind)
      const found: CollectionRef[] = []
      for (const [index, source] of sources.entries()) {
        if (!filter.kinds.includes(source.kind) || index < begun || found.length >= limit) continue
        const marker = index === begun ? after : null
        found.push(...(await listOf(db, source, filter, limit - found.length, marker)))
      }
      return found
    },
    changes: (filter, most) => changes(db, filter, most),
    sum: (filter, at) => sum(db, filter, at),
    async extent(accounts) {
      const { rows } = await run(
        sql<{ first: Date | null; last: Date | null }>`
          select min(first) as first, max(last) as last
          from unnest(${accounts}::bigint[]) as account (id)
          cross join unnest(${amountNames.map(name => amountClasses[name])}::text[]) as of (class)
          cross join lateral (
            select min(at) as first, max(at) as last from step
            where step.account_id = account.id and step.class = of.class) as extent`.execute(db),
      )
      const { first, last } = rows[0]!
      return first && last ? { first, last } : null
    },
  }
}

async function listOf(
  db: Db,
  source: Source,
  filter: CollectionFilter,
  limit: number,
  after: CollectionRef | null,
): Promise<CollectionRef[]> {
  const { table, kind, hasProject, listed } = source
  // A marker that names a row of another project counts as unknown.
  const own = hasProject && filter.projectId !== null ? sql`project_id = ${filter.projectId}` : sql`true`
  const marker = after
    ? sql`(created_at, id) > (select created_at, id from ${table} where id::text = ${after.id} and ${own})`
    : sql`true`
  const { rows } = await run(
    sql<{ id: string }>`${sql.raw(onceMark)}
      select id from ${table} where ${selected(source, filter)} and ${listed} and ${marker}
      order by created_at, id limit ${limit}`.execute(db),
  )
  return rows.map(({ id }) => ({ kind, id }))
}

function selected(source: Source, filter: CollectionFilter): RawBuilder<unknown> {
  const { elements } = source
  const conditions = [source.counts]
  if (filter.providerIds) conditions.push(sql`provider_id::text = any (${filter.providerIds}::text[])`)
  if (filter.projectId !== null && source.hasProject) conditions.push(sql`project_id = ${filter.projectId}`)
  if (filter.drawn !== null && source.kind === 'instance')
    conditions.push(sql`(reservation_id is not null) = ${filter.drawn}`)
  conditions.push(...during(source, filter))
  if (filter.without.length > 0) conditions.push(sql`id::text <> all (${filter.without}::text[])`)
  if (filter.among) conditions.push(sql`id::text = any (${filter.among}::text[])`)
  if (filter.some.length + filter.every.length > 0) conditions.push(sql`${elements} <> '{}'`)
  if (filter.some.length > 0) conditions.push(sql`${elements} && ${filter.some}::text[]`)
  if (filter.every.length > 0) conditions.push(sql`${elements} @> ${filter.every}::text[]`)
  return sql.join(conditions, sql` and `)
}

function during({ kind, from, to }: Source, { inside, ...window }: CollectionFilter): RawBuilder<unknown>[] {
  if (!window.from && !window.to) return []
  // Written as the index of reservations has it: a range with both ends included.
  if (kind === 'reservation' && !inside)
    return [sql`tstzrange(${from}, ${to}, '[]') && tstzrange(${window.from}, ${window.to}, '[]')`]
  const [begin, end] = inside ? [from, to] : [to, from]
  return [
    ...(window.from ? [sql`${begin} >= ${window.from}`] : []),
    ...(window.to ? [sql`${end} <= ${window.to}`] : []),
  ]
}

type ChangeRow = { at: Date; count: number } & Record<string, number>

async function changes(db: Db, filter: CollectionFilter, most: number): Promise<CollectionChange[] | null> {
  const first = filter.from ?? new Date(0)
  const last = filter.to ?? forever
  const parts = sources
    .filter(({ kind }) => filter.kinds.includes(kind))
    .map(
      source => sql`
        select greatest(${source.from}, ${first}) as from_at, ${source.to} as to_at, amounts
        from ${source.table} where ${selected(source, filter)}`,
    )
  const sums = amountNames.map(
    name => sql`sum(sign * (amounts ->> ${sql.lit(name)})::bigint)::bigint as ${sql.ref(name)}`,
  )
  const { rows } = await run(
    sql<ChangeRow>`${sql.raw(onceMark)}
      with part as (${sql.join(parts, sql` union all `)}),
        change as (
          select from_at as at, 1 as sign, amounts from part where from_at < ${last}
          union all select to_at, -1, amounts from part where to_at < ${last} and to_at > from_at)
      select at, sum(sign)::int as count, ${sql.join(sums)} from change group by at order by at
      limit ${most + 1}`.execute(db),
  )
  if (rows.length > most) return null
  return rows.map(({ at, count, ...amounts }) => ({
    at,
    count,
    amounts: amounts as unknown as CollectionChange['amounts'],
  }))
}

async function sum(db: Db, filter: CollectionFilter, at: Date): Promise<Amounts> {
  const parts = sources
    .filter(({ kind }) => filter.kinds.includes(kind))
    .map(
      source => sql`
        select amounts from ${source.table}
        where ${selected(source, filter)} and ${source.from} <= ${at} and ${source.to} > ${at}`,
    )
  const sums = amountNames.map(
    name => sql`coalesce(sum((amounts ->> ${sql.lit(name)})::bigint), 0)::bigint as ${sql.ref(name)}`,
  )
  const { rows } = await run(
    sql<Amounts>`${sql.raw(onceMark)}
      select ${sql.join(sums)} from (${sql.join(parts, sql` union all `)}) as part`.execute(db),
  )
  return amountsOf(rows[0]!)
}

/** Queries for the things that may be elements of a collection: their ids, and the projects that own them. */
const things: readonly RawBuilder<unknown>[] = [
  ...['network', 'subnet', 'port', 'router', 'floatingip', 'security_group'].map(
    table => sql`select id, project_id from ${sql.table(table)} where id = any (given.ids)`,
  ),
  sql`select server_id, project_id from instance where server_id = any (given.ids) and ended_at is null`,
  sql`select id::text, project_id from instance where id::text = any (given.ids) and ended_at is null`,
  sql`select id::text, null from host where id::text = any (given.ids)`,
  sql`select hypervisor_id, null from host where hypervisor_id = any (given.ids)`,
  sql`select id::text, null from region where id::text = any (given.ids)`,
]

export const elementStore = (db: Db): ElementStore => ({
  async known(ids, projectId) {
    const { rows } = await run(
      sql<{ id: string }>`
        with given as (select ${ids}::text[] as ids)
        select distinct thing.id from given cross join lateral (
          ${sql.join(things, sql` union all `)}) as thing (id, project_id)
        where ${projectId}::text is null or thing.project_id = ${projectId}`.execute(db),
    )
    return rows.map(({ id }) => id)
  },
})
