// How much is available of accounts, in PostgreSQL: the lowest over a window, and the first instant with so much.

import { type RawBuilder, sql } from 'kysely'
import type { Level, Question } from '../core/ledger/ledger.ts'
import { type Db, run } from './database.ts'

/**
 * The level of `question` (`account_id, class`) at an instant: the buckets of the days before it and the steps of the day
 * itself.
 */
export const levelAt = (at: RawBuilder<unknown>, firstDay: RawBuilder<unknown>) => sql`(
  select coalesce((select sum(change) from bucket
                   where bucket.account_id = question.account_id and bucket.class = question.class
                     and day < ${firstDay}), 0)
       + coalesce((select sum(change) from step
                   where step.account_id = question.account_id and step.class = question.class
                     and at >= ${firstDay} and at <= ${at}), 0) as level)`

/**
 * The steps and buckets that change the level of `question` within its window (`at, is_day, change, reach`):
 * the steps of the first and the last day, and the buckets of the days between, each with its lowest or
 * highest level as `reach`.
 */
const partsOf = (reach: RawBuilder<unknown>) => sql`(
  select at, false as is_day, change, change as reach from step
  where step.account_id = question.account_id and step.class = question.class
    and at > question.from_at and at < least(question.to_at, first_day + interval '24 hours')
  union all
  select day, true, change, ${reach} from bucket
  where bucket.account_id = question.account_id and bucket.class = question.class
    and day > first_day and day < last_day
  union all
  select at, false, change, change from step
  where step.account_id = question.account_id and step.class = question.class
    and at >= greatest(last_day, first_day + interval '24 hours') and at < question.to_at)`

/** The same steps and buckets, each with the level before it. */
const running = (reach: RawBuilder<unknown>) => sql`(
  select at, is_day, reach, start + coalesce(sum(change) over (
           order by at rows between unbounded preceding and 1 preceding), 0) as before
  from ${partsOf(reach)} as part)`

/** The level at every instant of a day at which it changes. */
const moments = (day: RawBuilder<unknown>, before: RawBuilder<unknown>) => sql`(
  select at, ${before} + sum(change) over (order by at) as level from step
  where step.account_id = question.account_id and step.class = question.class
    and at >= ${day} and at < ${day} + interval '24 hours')`

/**
 * The questions, each with the first and last day and the level at the beginning of its window: computed
 * once, however often the statement uses it (`materialized`).
 */
const asking = (questions: readonly Question[]) => sql`
  question as materialized (
    select question.*, start.level as start
    from (select account_id, class, from_at, to_at, n, date_trunc('day', from_at, 'UTC') as first_day,
                 date_trunc('day', to_at, 'UTC') as last_day
          from unnest(${questions.map(one => one.account)}::bigint[], ${questions.map(one => one.class)}::text[],
                      ${questions.map(one => one.window.from)}::timestamptz[],
                      ${questions.map(one => one.window.to)}::timestamptz[])
               with ordinality as asked (account_id, class, from_at, to_at, n)) as question
    cross join lateral ${levelAt(sql`from_at`, sql`first_day`)} as start)`

/** The lowest level of each question, in the order of the questions. */
export async function levels(db: Db, questions: readonly Question[]): Promise<Level[]> {
  if (questions.length === 0) return []
  const { rows } = await run(
    sql<{ lowest: number; at: Date }>`
      with ${asking(questions)}
      select least(start, dip.level)::bigint as lowest,
             case when dip.level is null or dip.level >= start then question.from_at
                  when dip.is_day then (
                    select at from ${moments(sql`dip.at`, sql`dip.before`)} as moment
                    where moment.level = dip.level order by at limit 1)
                  else dip.at end as at
      from question
      left join lateral (
        select at, is_day, before, before + reach as level from ${running(sql`lowest`)} as running
        order by before + reach, at limit 1) as dip on true
      order by question.n`.execute(db),
  )
  return rows
}

/**
 * The highest level of a day. A bucket that a process of an older release wrote has none, and then it is
 * computed from the day's steps.
 */
const highest = sql`coalesce(highest, (
  select max(level) from ${moments(sql`bucket.day`, sql`0`)} as moment))`

/** The first instant of the window at which at least so much is available, or null. */
export async function firstWith(db: Db, question: Question, amount: number): Promise<Date | null> {
  const { rows } = await run(
    sql<{ at: Date | null }>`
      with ${asking([question])}
      select case when start >= ${amount} then question.from_at
                  when peak.is_day then (
                    select at from ${moments(sql`peak.at`, sql`peak.before`)} as moment
                    where moment.level >= ${amount} order by at limit 1)
                  else peak.at end as at
      from question
      left join lateral (
        select at, is_day, before from ${running(highest)} as running
        where before + reach >= ${amount} order by at limit 1) as peak on start < ${amount}`.execute(db),
  )
  return rows[0]!.at
}
