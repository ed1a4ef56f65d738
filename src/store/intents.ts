// Intents in PostgreSQL: what Atoll is about to make in regions, written before it does.

import { sql } from 'kysely'
import type { Intent, IntentStore } from '../core/network/intent.ts'
import { type Db, run } from './database.ts'
import type { IntentTable } from './tables.ts'

const toIntent = (row: IntentTable): Intent => ({
  id: row.id,
  region: row.region,
  resourceType: row.resource_type,
  purpose: row.purpose,
  regionalId: row.regional_id,
})

export function intentStore(db: Db): IntentStore {
  return {
    async declare({ id, region, resourceType, purpose }, at) {
      // The update changes nothing; it makes the statement return the row that was there.
      const { rows } = await run(
        sql<IntentTable>`
          insert into intent (id, region, resource_type, purpose, created_at)
          values (${id}, ${region}, ${resourceType}, ${purpose}, ${at})
          on conflict (region, resource_type, purpose) do update set purpose = excluded.purpose
          returning *`.execute(db),
      )
      return toIntent(rows[0]!)
    },

    async settle(id, regionalId) {
      const { rows } = await run(
        sql<{ regional_id: string }>`
          update intent set regional_id = coalesce(regional_id, ${regionalId}) where id = ${id}
          returning regional_id`.execute(db),
      )
      return rows[0]!.regional_id
    },

    async settled(ids) {
      const uuids = ids.filter(id => /^[0-9a-f-]{36}$/.test(id))
      const rows = await run(
        db
          .selectFrom('intent')
          .select(['id', 'regional_id'])
          .where(sql<boolean>`id = any (${uuids}::uuid[])`)
          .execute(),
      )
      return new Map(rows.map(row => [row.id, row.regional_id]))
    },
  }
}
