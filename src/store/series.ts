// Levels over time, in PostgreSQL: at every change where these are few, else the lowest in parts of the window.

import { type RawBuilder, sql } from 'kysely'
import type { SeriesPoint, SeriesQuery } from '../core/capacity/capacity.ts'
import { type Db, run } from './database.ts'
import { levelAt } from './levels.ts'

const dayMs = 86_400_000

/** What is longer has parts of whole days: then the buckets tell of all but the first and the last. */
const mostBySteps = 7 * dayMs

const dayOf = (at: Date): Date => new Date(Math.floor(at.getTime() / dayMs) * dayMs)

export async function series(db: Db, query: SeriesQuery): Promise<SeriesPoint[]> {
  if (query.accounts.length === 0 || query.classes.length === 0) return summed(query, [])
  return (await everyChange(db, query)) ?? (await lowestInParts(db, query))
}

const asked = ({ accounts, classes }: SeriesQuery) => sql`(
  select account_id, class from unnest(${accounts}::bigint[]) as account_id
  cross join unnest(${classes}::text[]) as class) as question`

interface Row {
  readonly at: Date
  readonly class: string
  readonly change: number
}

/** Null where there are more than the most points: of no account and class more steps than that are read. */
async function everyChange(db: Db, query: SeriesQuery): Promise<SeriesPoint[] | null> {
  const { from, to } = query.window
  const { rows } = await run(
    sql<Row>`
      with change as materialized (
          select class, at, change from ${asked(query)} cross join lateral (
            select at, change from step
            where step.account_id = question.account_id and step.class = question.class
              and at > ${from} and at < ${to} and change <> 0
            order by at limit ${query.points}) as step),
        few as materialized (select count(distinct at) < ${query.points} as are from change)
      select ${from}::timestamptz as at, class, sum(level)::bigint as change
      from ${asked(query)} cross join lateral ${levelAt(sql`${from}`, sql`${dayOf(from)}`)} as start
      where (select are from few) group by class
      union all
      select at, class, sum(change)::bigint from change where (select are from few) group by at, class
      order by at`.execute(db),
  )
  return rows.length === 0 ? null : summed(query, rows)
}

/** From changes to the levels after each. */
function summed({ window, classes }: SeriesQuery, changes: readonly Row[]): SeriesPoint[] {
  const levels = Object.fromEntries(classes.map(name => [name, 0]))
  const points = new Map([[window.from.getTime(), levels]])
  for (const { at, class: name, change } of changes) {
    levels[name]! += change
    points.set(at.getTime(), { ...levels })
  }
  return [...points].map(([at, levels]) => ({ at: new Date(at), levels }))
}

interface Parts {
  readonly starts: readonly Date[]
  readonly ofDays: boolean
}

function partsOf({ window: { from, to }, points }: SeriesQuery): Parts {
  const length = to.getTime() - from.getTime()
  if (length <= mostBySteps && length < points * dayMs) {
    const starts = Array.from(
      { length: points },
      (_, n) => from.getTime() + Math.floor((n * length) / points),
    )
    return { starts: [...new Set(starts)].map(at => new Date(at)), ofDays: false }
  }
  const first = dayOf(from).getTime()
  const partMs = Math.ceil((to.getTime() - first) / dayMs / points) * dayMs
  const count = Math.ceil((to.getTime() - first) / partMs)
  const starts = Array.from({ length: count }, (_, n) => new Date(n === 0 ? from : first + n * partMs))
  return { starts, ofDays: true }
}

interface Lowest {
  readonly part: number
  readonly class: string
  readonly lowest: number
}

/**
 * A part begins with the level that was before it, unless that changes in its first instant. Else the level is as low as
 * the steps in the part, or the buckets of its days, say.
 */
async function lowestInParts(db: Db, query: SeriesQuery): Promise<SeriesPoint[]> {
  const parts = partsOf(query)
  const starts = sql`${parts.starts}::timestamptz[]`
  const { from } = query.window
  const { rows } = await run(
    sql<Lowest>`
      with question as materialized (
          select account_id, class, level as start from ${asked(query)}
          cross join lateral ${levelAt(sql`${from}`, sql`${dayOf(from)}`)} as start),
        running as (
          select account_id, class, at, start + low + coalesce(sum(change) over (
                   partition by account_id, class order by at, turn
                   rows between unbounded preceding and 1 preceding), 0) as level
          from question cross join lateral (
            select ${from}::timestamptz as at, 0 as turn, 0 as change, 0 as low
            union all
            select begins, 0, 0, 0 from unnest((${starts})[2:]) as begins where not exists (
              select from step
              where step.account_id = question.account_id and step.class = question.class and at = begins)
            union all ${parts.ofDays ? byDays(query) : bySteps(query)}) as part),
        lowest as (
          select account_id, class, width_bucket(at, ${starts}) as part, min(level) as lowest
          from running group by account_id, class, part)
      select part, class, sum(lowest)::bigint as lowest from lowest group by part, class order by part`.execute(
      db,
    ),
  )
  const points = parts.starts.map(at => ({ at, levels: {} as Record<string, number> }))
  for (const { part, class: name, lowest } of rows) points[part - 1]!.levels[name] = lowest
  return points
}

const stepsIn = (after: RawBuilder<unknown>, before: RawBuilder<unknown>) => sql`
  select at, 1, change, change from step
  where step.account_id = question.account_id and step.class = question.class and ${after} and ${before}`

const bySteps = ({ window: { from, to } }: SeriesQuery) => stepsIn(sql`at > ${from}`, sql`at < ${to}`)

/** The first and the last day by their steps, and the days between by their buckets. */
function byDays({ window: { from, to } }: SeriesQuery): RawBuilder<unknown> {
  const second = new Date(dayOf(from).getTime() + dayMs)
  const last = dayOf(to)
  return sql`
    ${stepsIn(sql`at > ${from}`, sql`at < ${second < to ? second : to}`)}
    union all
    select day, 1, change, lowest from bucket
    where bucket.account_id = question.account_id and bucket.class = question.class
      and day >= ${second} and day < ${last}
    union all
    ${stepsIn(sql`at >= ${last > second ? last : second}`, sql`at < ${to}`)}`
}
