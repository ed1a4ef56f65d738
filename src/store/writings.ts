// The writers of resources in regions, in PostgreSQL: one at a time for each.

import { sql } from 'kysely'
import type { WritingStore } from '../core/network/model/writing-store.ts'
import { type Db, run } from './database.ts'

export function writingStore(db: Db): WritingStore {
  return {
    async begin({ kind, id, regionId, token, until }, now) {
      const { rows } = await run(
        sql<{ is_new: boolean }>`
          insert into writing (kind, id, region_id, token, until)
          values (${kind}, ${id}, ${regionId}, ${token}, ${until})
          on conflict (kind, id) do update set token = excluded.token, until = excluded.until
            where writing.until < ${now}
          returning xmax = 0 as is_new`.execute(db),
      )
      return rows[0] ? (rows[0].is_new ? 'begun' : 'left') : 'busy'
    },

    async renew({ kind, id, token, until }) {
      await run(
        sql`update writing set until = ${until} where kind = ${kind} and id = ${id} and token = ${token}`.execute(
          db,
        ),
      )
    },

    async end({ kind, id, token }) {
      await run(sql`delete from writing where kind = ${kind} and id = ${id} and token = ${token}`.execute(db))
    },

    async left(regionId, now) {
      const { rows } = await run(
        sql<{ kind: string; id: string }>`
          select kind, id from writing where region_id = ${regionId} and until < ${now} order by until limit 1000`.execute(
          db,
        ),
      )
      return rows
    },
  }
}
