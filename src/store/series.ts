// Levels over time, in PostgreSQL: at every change where these are few, else the lowest in parts of the window.

import { type RawBuilder, sql } from 'kysely'
import type { SeriesPoint, SeriesQuery } from '../core/capacity/capacity.ts'
import { type Db, run } from './database.ts'
import { levelAt } from './levels.ts'

const dayMs = 86_400_000

/**
 * The longest window whose parts are computed from steps: a longer one has parts of whole days, which buckets
 * tell.
 */
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

/**
 * The level at every change; null where there are more changes than points. No more steps than that are read
 * of any account and class.
 */
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

/** Sums the changes up to the level after each. */
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

interface Change {
  readonly part: number
  readonly class: string
  readonly change: number
}

/**
 * The lowest level in each part of the window. A part begins with the level before it, unless that changes in
 * the part's first instant; further levels come from the steps in the part, or from the buckets of its days.
 * Only parts in which something changes are computed, account by account, as differences from the part
 * before.
 */
async function lowestInParts(db: Db, query: SeriesQuery): Promise<SeriesPoint[]> {
  const parts = partsOf(query)
  const starts = sql`${parts.starts}::timestamptz[]`
  const { from } = query.window
  const { rows } = await run(
    sql<Change>`
      with question as materialized (
          select account_id, class, level as start from ${asked(query)}
          cross join lateral ${levelAt(sql`${from}`, sql`${dayOf(from)}`)} as start),
        running as (
          select account_id, class, width_bucket(at, ${starts}) as part, at, is_step, change, low,
                 start + coalesce(sum(change) over (partition by account_id, class order by at
                   rows between unbounded preceding and 1 preceding), 0) as before
          from question cross join lateral (${parts.ofDays ? byDays(query) : bySteps(query)})
            as part (at, is_step, change, low)),
        moment as (
          select *, at = (${starts})[part] and (is_step or exists (
                   select from step
                   where step.account_id = running.account_id and step.class = running.class
                     and step.at = running.at)) as is_beginning
          from running),
        changed as (
          select account_id, class, part, (array_agg(before order by at))[1] as before,
                 (array_agg(before + change order by at desc))[1] as after,
                 case when bool_or(is_beginning) then min(before + low)
                      else least((array_agg(before order by at))[1], min(before + low)) end as lowest
          from moment group by account_id, class, part)
      select part, class, sum(change)::bigint as change
      from (
        select 1 as part, class, start as change from question
        union all select part, class, lowest - before from changed
        union all select part + 1, class, after - lowest from changed) as change
      group by part, class order by part`.execute(db),
  )
  return inParts(parts, query.classes, rows)
}

/** Sums the changes up to the level of each part. */
function inParts({ starts }: Parts, classes: readonly string[], changes: readonly Change[]): SeriesPoint[] {
  const levels = Object.fromEntries(classes.map(name => [name, 0]))
  let next = 0
  return starts.map((at, index) => {
    for (; changes[next]?.part === index + 1; next++) levels[changes[next]!.class]! += changes[next]!.change
    return { at, levels: { ...levels } }
  })
}

const stepsIn = (after: RawBuilder<unknown>, before: RawBuilder<unknown>) => sql`
  select at, true, change, change from step
  where step.account_id = question.account_id and step.class = question.class and ${after} and ${before}`

const bySteps = ({ window: { from, to } }: SeriesQuery) => stepsIn(sql`at > ${from}`, sql`at < ${to}`)

/** Changes over a long window: the first and the last day by steps, the days between by buckets. */
function byDays({ window: { from, to } }: SeriesQuery): RawBuilder<unknown> {
  const second = new Date(dayOf(from).getTime() + dayMs)
  const last = dayOf(to)
  return sql`
    ${stepsIn(sql`at > ${from}`, sql`at < ${second < to ? second : to}`)}
    union all
    select day, false, change, lowest from bucket
    where bucket.account_id = question.account_id and bucket.class = question.class
      and day >= ${second} and day < ${last}
    union all
    ${stepsIn(sql`at >= ${last > second ? last : second}`, sql`at < ${to}`)}`
}
