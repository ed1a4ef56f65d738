// Parts of the ledger's statements: the derived rows that a change brings with it, and the journal's line
// about it.

import { type RawBuilder, sql } from 'kysely'
import { forever, heldClass } from '../core/ledger/ledger.ts'
import type { Note } from '../core/note.ts'

/** By how much the available amount changes, and when. */
export interface Posting {
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly from: Date
  readonly to: Date
}

type Rows = RawBuilder<unknown>

const isRows = (given: readonly Posting[] | Rows): given is Rows => 'toOperationNode' in given

/** One step where a posting begins, one where it ends. */
export function stepsOf(postings: readonly Posting[]): Rows {
  const steps = postings.flatMap(({ account, class: name, amount, from, to }) => [
    { account, name, at: from, change: amount },
    ...(to < forever ? [{ account, name, at: to, change: -amount }] : []),
  ])
  return sql`select * from unnest(${steps.map(step => step.account)}::bigint[], ${steps.map(step => step.name)}::text[],
    ${steps.map(step => step.at)}::timestamptz[], ${steps.map(step => step.change)}::bigint[])
    as given (account_id, class, at, change)`
}

/** The steps that give back the amounts of ended holds (rows `returned`). */
export const stepsOfReturned = sql`
  select account_id, class, from_at as at, amount as change from returned
  union all select account_id, class, to_at, -amount from returned where to_at < ${forever}`

/**
 * Adds steps (`account_id, class, at, change`) and makes the buckets of their days anew, from the steps that
 * were there and these.
 */
export const stepping = (given: readonly Posting[] | Rows) => sql`
  change as (select account_id, class, at, sum(change)::bigint as change
             from (${isRows(given) ? given : stepsOf(given)}) as given group by account_id, class, at),
  stepped as (
    insert into step (account_id, class, at, change)
    select account_id, class, at, change from change order by account_id, class, at
    on conflict (account_id, class, at) do update set change = step.change + excluded.change),
  touched as (select distinct account_id, class, date_trunc('day', at, 'UTC') as day from change),
  moment as (
    select account_id, class, day, at, sum(change) as change
    from (
      select touched.*, there.at, there.change from touched cross join lateral (
        select at, change from step where step.account_id = touched.account_id and step.class = touched.class
          and at >= touched.day and at < touched.day + interval '24 hours') as there
      union all
      select account_id, class, date_trunc('day', at, 'UTC'), at, change from change) as part
    group by account_id, class, day, at),
  bucketed as (
    insert into bucket (account_id, class, day, change, lowest, highest)
    select account_id, class, day, sum(change), min(level), max(level)
    from (select account_id, class, day, change,
                 sum(change) over (partition by account_id, class, day order by at) as level
          from moment) as running
    group by account_id, class, day order by account_id, class, day
    on conflict (account_id, class, day) do update
      set change = excluded.change, lowest = excluded.lowest, highest = excluded.highest,
          writings = bucket.writings + 1)`

/**
 * The steps of holds. Those of a budget are also kept under a class of their own, so that the held amount is
 * known as well as the available one.
 */
export const holding = (steps: Rows): Rows => sql`
  select account_id, class, at, change from (${steps}) as given
  union all
  select account_id, ${heldClass('')} || class, at, change from (${steps}) as given
  join account on account.id = account_id and kind = 'budget'`

/** Takes windows (rows of `host_id, from_at, to_at`) out of the hosts' gaps. */
export const cutting = (held: Rows) => sql`
  taken as (
    select host_id, range_agg(tstzrange(from_at, to_at)) as during from ${held} as held group by host_id),
  cut as (
    delete from host_gap using taken
    where host_gap.host_id = taken.host_id
      and host_gap.from_at < upper(taken.during) and host_gap.to_at > lower(taken.during)
    returning host_gap.host_id, host_gap.from_at, host_gap.to_at, taken.during),
  parted as (
    insert into host_gap (host_id, from_at, to_at)
    select host_id, lower(part), upper(part)
    from cut cross join lateral unnest(tstzmultirange(tstzrange(from_at, to_at)) - during) as part)`

/** Gives time (rows of `host_id, during`) back to the hosts' gaps, as one with the gaps beside it. */
export const freeing = (freed: Rows) => sql`
  given as (
    select host_id, range_agg(during) as during from ${freed} as freed where not isempty(during) group by host_id),
  beside as (
    delete from host_gap using given
    where host_gap.host_id = given.host_id
      and host_gap.from_at <= upper(given.during) and host_gap.to_at >= lower(given.during)
    returning host_gap.host_id, host_gap.from_at, host_gap.to_at),
  joined as (
    insert into host_gap (host_id, from_at, to_at)
    select host_id, lower(part), upper(part)
    from given cross join lateral (
      select range_agg(tstzrange(from_at, to_at)) as during from beside
      where beside.host_id = given.host_id) as around
    cross join lateral unnest(given.during + coalesce(around.during, '{}')) as part)`

export interface JournalLine {
  readonly target: string
  readonly postings: readonly Posting[]
}

/** Lines of the journal, in their order. */
export function journalingEach(note: Note, lines: readonly JournalLine[]): Rows {
  const { caller, at, action } = note
  return sql`journaled as (
    insert into journal (at, request_id, user_id, project_id, action, target, postings)
    select ${at}::timestamptz, ${caller.requestId}::text, ${caller.userId}::text, ${caller.projectId}::text,
           ${action}::text, target, postings::jsonb
    from unnest(${lines.map(one => one.target)}::text[], ${lines.map(one => textOf(one.postings))}::text[])
      as line (target, postings))`
}

const textOf = (postings: readonly Posting[]): string =>
  JSON.stringify(postings.map(one => [one.account, one.class, one.amount, one.from, one.to]))

/** A line of the journal about postings (or rows of `account_id, class, amount, from_at, to_at`). */
export function journaling(note: Note, target: string, given: readonly Posting[] | Rows): Rows {
  const { caller, at, action } = note
  const postings = isRows(given)
    ? sql`coalesce((select jsonb_agg(jsonb_build_array(account_id, class, amount, from_at, to_at))
                    from (${given}) as given), '[]')`
    : sql`${textOf(given)}::jsonb`
  return sql`journaled as (
    insert into journal (at, request_id, user_id, project_id, action, target, postings)
    select ${at}::timestamptz, ${caller.requestId}::text, ${caller.userId}::text, ${caller.projectId}::text,
           ${action}::text, ${target}::text, ${postings})`
}
