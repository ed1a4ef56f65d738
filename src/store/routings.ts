// Routings in PostgreSQL: the table that grows to millions of rows, so every list is an index range.

import { type Selectable, type SqlBool, sql } from 'kysely'
import { conflict, invalid } from '../core/error.ts'
import type {
  Routing,
  RoutingChange,
  RoutingFilter,
  RoutingSpec,
  RoutingStore,
} from '../core/routing/routing.ts'
import { audited } from './audit.ts'
import { type Db, type Refusals, run } from './database.ts'
import type { RoutingTable } from './tables.ts'

type Row = Selectable<RoutingTable>

const toRouting = (row: Row): Routing => ({
  id: row.id,
  centralId: row.central_id,
  regionalId: row.regional_id,
  regionId: row.region_id,
  projectId: row.project_id,
  resourceType: row.resource_type,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const columns = {
  id: 'id',
  centralId: 'central_id',
  regionalId: 'regional_id',
  regionId: 'region_id',
  projectId: 'project_id',
  resourceType: 'resource_type',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
} as const satisfies Record<keyof RoutingFilter, string>

/** `column = value` for each field given. */
const matches = (filter: RoutingFilter) =>
  Object.entries(filter).map(
    ([field, value]) => sql<SqlBool>`${sql.ref(columns[field as keyof RoutingFilter])} = ${value}`,
  )

const refusals = (regionId: string | undefined): Refusals => ({
  routing_central: () => conflict('Resource routing already exists', 'exists'),
  routing_region: () => invalid(`The pod ${regionId ?? ''} doesn't exist`, 'region_unknown'),
})

/** Cuts an instant to the whole second: routings are shown and filtered by seconds. */
export const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)

const byRegionalId = (rows: readonly { regional_id: string | null; central_id: string }[]) =>
  new Map(rows.map(row => [row.regional_id!, row.central_id]))

export function routingStore(db: Db): RoutingStore {
  return {
    async list(filter, { limit, marker }) {
      const conditions = matches(filter)
      if (marker !== null) conditions.push(sql<SqlBool>`id < ${marker}`)
      let query = db.selectFrom('routing').selectAll().orderBy('id', 'desc').limit(limit)
      for (const condition of conditions) query = query.where(condition)
      return (await run(query.execute())).map(toRouting)
    },

    async get(id) {
      const row = await run(db.selectFrom('routing').selectAll().where('id', '=', id).executeTakeFirst())
      return row ? toRouting(row) : null
    },

    async centralIds({ resourceType, regionId }, regionalIds) {
      const there = db.selectFrom('routing').select(['regional_id', 'central_id'])
      const these = there
        .where('resource_type', '=', resourceType)
        .where('region_id', '=', regionId)
        .where(sql<boolean>`regional_id = any (${regionalIds}::text[])`)
      return byRegionalId(await run(these.execute()))
    },

    async placed({ resourceType, regionId }) {
      const there = db.selectFrom('routing').select(['regional_id', 'central_id'])
      const all = there.where('resource_type', '=', resourceType).where('region_id', '=', regionId)
      return byRegionalId(await run(all.where('regional_id', 'is not', null).execute()))
    },

    async append(specs, note) {
      const rows = await audited<Row>(db, note, insertion(specs, wholeSecond(note.at)), {
        refusals: refusals(specs[0]?.regionId),
      })
      return rows.map(toRouting)
    },

    async update(id, change, note) {
      const rows = await audited<Row>(
        db,
        note,
        sql`(
          update routing set ${assignments(change)} updated_at = ${wholeSecond(note.at)}
          from (select id as old_id, updated_at as updated_before from routing where id = ${id} for update) as old
          where routing.id = old.old_id returning routing.*, old.updated_before)`,
        { refusals: refusals(change.regionId) },
      )
      const [row] = rows as (Row & { updated_before: Date | null })[]
      return row ? toRouting({ ...row, updated_at: row.updated_before }) : null
    },

    async remove(id, note) {
      const rows = await audited(db, note, db.deleteFrom('routing').where('id', '=', id).returningAll())
      return rows.length > 0
    },
  }
}

/** One statement for one routing or a thousand: a column is an array, so the text is always the same. */
function insertion(specs: readonly RoutingSpec[], at: Date) {
  const column = (field: keyof RoutingSpec) => specs.map(spec => spec[field])
  return sql`(
    insert into routing (central_id, regional_id, region_id, project_id, resource_type, created_at)
    select central_id, regional_id, region_id, project_id, resource_type, ${at}::timestamptz
    from unnest(${column('centralId')}::text[], ${column('regionalId')}::text[], ${column('regionId')}::uuid[],
                ${column('projectId')}::text[], ${column('resourceType')}::text[]) with ordinality
         as new (central_id, regional_id, region_id, project_id, resource_type, n)
    order by n
    returning *)`
}

/** `column = value, ` for each field given. */
const assignments = (change: RoutingChange) =>
  sql.join(
    Object.entries(change).map(
      ([field, value]) => sql`${sql.ref(columns[field as keyof RoutingChange])} = ${value}, `,
    ),
    sql``,
  )
