// The instant up to which each region has been watched, in PostgreSQL.

import { sql } from 'kysely'
import type { WatchState, WatchStore } from '../core/network/watch/watch-store.ts'
import { type Db, run } from './database.ts'

export function watchStore(db: Db): WatchStore {
  return {
    async get(regionId, now) {
      const { rows } = await run(
        sql<WatchState>`
          select changed_since as "changedSince", servers_since as "serversSince", swept_at as "sweptAt",
                 exists (select from suspicion where region_id = asked.id and through = 'network') as "isSuspect",
                 exists (select from writing where region_id = asked.id and until < ${now}) as "hasUnfinished"
          from (select ${regionId}::uuid as id) as asked left join watch on watch.region_id = asked.id`.execute(
          db,
        ),
      )
      return rows[0]!
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
