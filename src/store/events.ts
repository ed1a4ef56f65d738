// The feed in PostgreSQL. Events are written to its outbox in telling.ts; the function number_events gives
// them their numbers.

import { sql } from 'kysely'
import type { EventPage, EventQuery, EventStore, FeedEvent } from '../core/feed/event.ts'
import { type Db, run } from './database.ts'
import { together } from './together.ts'

/** How many callers one statement numbers events for: all that ask in the same moment. */
const askersAtOnce = 1000

export function eventStore(db: Db): EventStore {
  const numbered = together(askersAtOnce, async (limits: readonly number[]) => {
    const most = Math.max(...limits)
    const { rows } = await run(sql<{ count: number }>`select number_events(${most}) as count`.execute(db))
    return limits.map(() => rows[0]!.count)
  })
  return {
    number: limit => numbered(limit),
    list: query => list(db, query),
    removeBefore: (before, limit) => removeBefore(db, before, limit),
  }
}

interface Row extends FeedEvent {
  readonly last: number
  readonly removed: number
}

/** Lists a page of the feed in one statement, so that the last number is of the same moment as the page. */
async function list(db: Db, { after, limit, projectId, types }: EventQuery): Promise<EventPage> {
  const mine = projectId === null ? sql`true` : sql`project_id = ${projectId}`
  const wanted = types === null ? sql`true` : sql`type = any (${types}::text[])`
  const { rows } = await run(
    sql<Row | { number: null; last: number; removed: number }>`
      select page.*, state.last, state.removed
      from (select coalesce((select max(number) from event where ${mine}), 0) as last,
                   coalesce((select removed from feed), 0) as removed) as state
      left join lateral (
        select number, at, type, action, subject_id as "subjectId", project_id as "projectId", region, data
        from event where number > ${after} and ${mine} and ${wanted}
        order by number limit ${limit}) as page on true
      order by page.number`.execute(db),
  )
  const { last, removed } = rows[0]!
  const events = rows.flatMap(({ last: _, removed: __, ...event }) =>
    event.number === null ? [] : [event as FeedEvent],
  )
  return { events, next: events.length < limit ? Math.max(after, last) : events.at(-1)!.number, removed }
}

/**
 * Removes old events from the first on and stops at the first that is younger: so the numbers that are left
 * have no gap.
 */
async function removeBefore(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await run(
    sql<{ count: number }>`
      with oldest as (select number, at from event order by number limit ${limit}),
      gone as (
        delete from event where number in (select number from oldest)
          and number < coalesce((select min(number) from oldest where at >= ${before}), ${Number.MAX_SAFE_INTEGER}::bigint)
        returning number),
      counted as (
        update feed set removed = greatest(removed, (select max(number) from gone)) where exists (select from gone))
      select count(*) as count from gone`.execute(db),
  )
  return rows[0]!.count
}
