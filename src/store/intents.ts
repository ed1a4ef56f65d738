// Intents in PostgreSQL: resources that Atoll is about to make in regions, written down before it does.

import { type RawBuilder, sql } from 'kysely'
import type { EndedBy, Intent, IntentStore } from '../core/network/copies/intent.ts'
import { type Db, run } from './database.ts'
import type { IntentTable } from './tables.ts'

const toIntent = (row: IntentTable): Intent => ({
  id: row.id,
  region: row.region,
  resourceType: row.resource_type,
  purpose: row.purpose,
  owner: row.owner,
  regionalId: row.regional_id,
})

export function intentStore(db: Db): IntentStore {
  const intents = async (condition: RawBuilder<unknown>): Promise<Intent[]> => {
    const { rows } = await run(
      sql<IntentTable>`
        select * from intent where ended_at is null and ${condition} order by created_at, id`.execute(db),
    )
    return rows.map(toIntent)
  }
  return {
    async declare({ id, region, resourceType, purpose, owner }, at) {
      // The update makes the statement return the intent that was there already; all that it changes is an
      // owner that was not known.
      const { rows } = await run(
        sql<IntentTable>`
          insert into intent (id, region, resource_type, purpose, owner, created_at)
          values (${id}, ${region}, ${resourceType}, ${purpose}, ${owner}, ${at})
          on conflict (region, resource_type, purpose) do update
            set owner = case when intent.owner = '' then excluded.owner else intent.owner end
          returning *`.execute(db),
      )
      return { ...toIntent(rows[0]!), isNew: rows[0]!.id === id }
    },

    async noteId(id, regionalId, owner = '') {
      const { rows } = await run(
        sql<{ regional_id: string }>`
          update intent set regional_id = coalesce(regional_id, ${regionalId}),
                            owner = case when owner = '' then ${owner} else owner end
          where id = ${id} returning regional_id`.execute(db),
      )
      return rows[0]!.regional_id
    },

    async states(ids) {
      const uuids = ids.filter(id => /^[0-9a-f-]{36}$/.test(id))
      const rows = await run(
        db
          .selectFrom('intent')
          .select(['id', 'regional_id', 'ended_at', 'ended_by'])
          .where(sql<boolean>`id = any (${uuids}::uuid[])`)
          .execute(),
      )
      return new Map(
        rows.map(({ id, regional_id, ended_at, ended_by }) => {
          const state = ended_at === null ? 'living' : ended_by === 'verb' ? 'removed' : 'absent'
          return [id, { regionalId: regional_id, state }]
        }),
      )
    },

    living: (region, owners) =>
      intents(sql`owner <> '' and region = ${region} and owner = any (${owners}::text[])`),
    forsaken: (region, before) =>
      intents(sql`regional_id is null and owner = '' and region = ${region} and created_at < ${before}`),

    async end(id, by, at) {
      await run(sql`${ending(by, at, sql`id = ${id}`)}`.execute(db))
    },

    async revive(id, regionalId, seen, at) {
      const { rows } = await run(
        sql<IntentTable>`
          select living.* from intent living join intent former
            on living.region = former.region and living.resource_type = former.resource_type
              and former.purpose = living.purpose || '#' || former.id
          where former.id = ${id} and living.ended_at is null for update of living`.execute(db),
      )
      const living = rows[0]
      if (living && (living.regional_id === null || seen.includes(living.regional_id))) return null
      if (living) await run(sql`${ending('absence', at, sql`id = ${living.id}`)}`.execute(db))
      const back = await run(
        sql<IntentTable>`
          update intent set ended_at = null, ended_by = null, regional_id = ${regionalId},
                            purpose = left(purpose, -37)
          where id = ${id} and ended_by = 'absence' and purpose like '%#' || id returning *`.execute(db),
      )
      return back.rows[0] ? toIntent(back.rows[0]) : null
    },

    async absent(region, resourceTypes) {
      const { rows } = await run(
        sql<IntentTable>`
          select * from intent where ended_at is not null and ended_by = 'absence' and region = ${region}
            and resource_type = any (${resourceTypes}::text[])`.execute(db),
      )
      return rows.map(toIntent)
    },

    async withdraw(id) {
      await run(db.deleteFrom('intent').where('id', '=', id).execute())
    },

    async forget(before, limit) {
      const result = await run(
        sql`delete from intent where id in (
          select id from intent where ended_at < ${before} order by ended_at limit ${limit}
          for update skip locked)`.execute(db),
      )
      return Number(result.numAffectedRows ?? 0)
    },
  }
}

/**
 * The statement that ends living intents. It renames their purposes, so that a new intent can have the same
 * purpose.
 */
export const ending = (by: EndedBy, at: Date, which: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  update intent set ended_at = ${at}, ended_by = ${by}, purpose = purpose || '#' || id where ended_at is null and (${which})`
