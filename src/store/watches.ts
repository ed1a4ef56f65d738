// The instant up to which each region has been watched, in PostgreSQL.

import type { WatchStore } from '../core/network/watch/watch-store.ts'
import { type Db, run } from './database.ts'

export function watchStore(db: Db): WatchStore {
  return {
    async get(regionId) {
      const row = await run(
        db.selectFrom('watch').selectAll().where('region_id', '=', regionId).executeTakeFirst(),
      )
      return {
        changedSince: row?.changed_since ?? null,
        serversSince: row?.servers_since ?? null,
        sweptAt: row?.swept_at ?? null,
      }
    },

    async save(regionId, { changedSince, serversSince, sweptAt }) {
      const row = { changed_since: changedSince, servers_since: serversSince, swept_at: sweptAt }
      await run(
        db
          .insertInto('watch')
          .values({ region_id: regionId, ...row })
          .onConflict(on => on.column('region_id').doUpdateSet(row))
          .execute(),
      )
    },
  }
}
