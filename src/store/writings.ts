// The writings of resources in regions, in PostgreSQL: one at a time for each resource.

import { sql } from 'kysely'
import type { LeftSubject, LeftWriting, WritingStore } from '../core/network/writes/writing-store.ts'
import { type Db, run } from './database.ts'

type Row = LeftWriting & { readonly is_new: boolean }

export function writingStore(db: Db): WritingStore {
  return {
    async begin({ kind, id, regionId, token, until, verb, undo }, now) {
      const { rows } = await run(
        sql<Row>`
          insert into writing (kind, id, region_id, token, until, verb, undo)
          values (${kind}, ${id}, ${regionId}, ${token}, ${until}, ${verb}, ${undo && JSON.stringify(undo)}::jsonb)
          on conflict (kind, id) do update set token = excluded.token, until = excluded.until
            where writing.until < ${now}
          returning kind, id, verb, undo, xmax = 0 as is_new`.execute(db),
      )
      if (!rows[0]) return 'busy'
      const { is_new: isNew, ...left } = rows[0]
      return isNew ? 'begun' : left
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

    async of({ kind, id }, now) {
      const { rows } = await run(
        sql<LeftSubject & { readonly is_over: boolean }>`
          select kind, id, region_id as "regionId", verb, undo, until < ${now} as is_over
          from writing where kind = ${kind} and id = ${id}`.execute(db),
      )
      if (!rows[0]) return null
      const { is_over: isOver, ...left } = rows[0]
      return isOver ? left : 'busy'
    },

    async left(regionId, now) {
      const { rows } = await run(
        sql<LeftWriting>`
          select kind, id, verb, undo from writing
          where region_id = ${regionId} and until < ${now} order by until limit 1000`.execute(db),
      )
      return rows
    },
  }
}
