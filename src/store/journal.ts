// Shortens the ledger's journal: removes lines that say nothing of what is still in force.

import { type RawBuilder, sql } from 'kysely'
import type { JournalStore } from '../core/note.ts'
import { type Db, run } from './database.ts'

const since = 'journal_since'

/**
 * The instant from which on the journal is complete: lines about windows that ended before may have been
 * removed.
 */
export const journalSince: RawBuilder<unknown> = sql`
  coalesce((select value::timestamptz from setting where name = ${sql.lit(since)}), '-infinity')`

export const journalStore = (db: Db): JournalStore => ({
  async removeBefore(before, limit) {
    const { rows } = await run(
      sql<{ count: number }>`
        with gone as (
          delete from journal where id in (
            select id from journal
            where at < ${before} and not exists (
              select from jsonb_array_elements(postings) as posting where (posting ->> 4)::timestamptz > ${before})
            order by at limit ${limit} for update skip locked)
          returning id),
        told as (
          insert into setting (name, value)
          select ${since}, ${before.toISOString()}::text where exists (select from gone)
          on conflict (name) do update set value = greatest(setting.value, excluded.value))
        select count(*) as count from gone`.execute(db),
    )
    return rows[0]!.count
  },
})
