// Checks the ledger: computes all derived rows anew from supply and holds and compares them, replays the
// journal, and checks the laws. Every row that is wrong is named in a sentence.

import { type RawBuilder, sql } from 'kysely'
import { anyNumber, heldClass, wholeHost } from '../core/ledger/ledger.ts'
import { type Check, check, utc } from './check.ts'
import { type Db, run } from './database.ts'
import { journalSince } from './journal.ts'
import { drawLimit, promisesHeld, usageOfInstances } from './promise-check.ts'

export interface LedgerFinding {
  /** The part of the ledger that was checked. */
  readonly subject: string
  /** A sentence for each row that is wrong, or for the first of many. */
  readonly wrong: readonly string[]
  /** The number of all rows that are wrong. */
  readonly count: number
}

/** How many wrong rows of one part are named. */
const mostNamed = 20

/** Checks one snapshot of the whole ledger, while other processes go on working. */
export const checkLedger = (db: Db): Promise<LedgerFinding[]> =>
  run(
    db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async trx => {
        const findings: LedgerFinding[] = []
        for (const [subject, check] of Object.entries(checks)) findings.push(await look(trx, subject, check))
        return findings
      }),
  )

async function look(db: Db, subject: string, { rows: wrong, sentence }: Check): Promise<LedgerFinding> {
  const { rows } = await sql<{ row: never; count: number }>`
    with ${common}
    select to_jsonb(wrong) as row, count(*) over ()::int as count from (${wrong}) as wrong
    limit ${mostNamed}`.execute(db)
  return { subject, wrong: rows.map(({ row }) => sentence(row)), count: rows[0]?.count ?? 0 }
}

/** By how much the available amount changes at each instant, computed from supply, holds and usage alone. */
const changes = (windows: RawBuilder<unknown>) => sql`
  select account_id, class, at, sum(change) as change
  from (${windows}) as part (account_id, class, amount, from_at, to_at)
  cross join lateral (values (from_at, amount), (to_at, -amount)) as moment (at, change)
  where at < '9999-12-31Z' group by account_id, class, at`

const ofHosts = sql`
  select host_id, 'TENANCY', case when whole then ${sql.lit(-wholeHost)} else -1 end, lower(during), upper(during)
  from host_hold`

const supplied = sql`select account_id, class, amount, from_at, to_at from supply`

const held = sql`select account_id, class, -amount, from_at, to_at from hold`

/**
 * Usage of scopes and budgets; the usage of a host is written as the region has it, and is not in the
 * journal.
 */
const used = sql`select account_id, class, -amount, from_at, to_at from usage`

/** The holds of budgets, under a class of their own. */
const heldOfBudgets = sql`
  select account_id, ${sql.lit(heldClass(''))} || class, -amount, from_at, to_at from hold
  join account on account.id = account_id and kind = 'budget'`

const common = sql`
  account_name as (
    select account.id, kind, 'Account ' || account.id || ' (the ' || scope || ' scope of ' || region.name || ')' as name
    from account join region on region.id = account.region_id where kind = 'scope'
    union all select id, kind, 'Host ' || id from account where kind = 'host'
    union all
    select id, kind, 'Account ' || id || ' (the budget of ' || coalesce(
             (select 'provider ' || provider.name from provider where budget = account.id limit 1), 'no provider') || ')'
    from account where kind = 'budget'),
  true_step as (
    select truth.* from (
      ${changes(sql`${supplied} union all ${held} union all ${used} union all ${heldOfBudgets}`)}) as truth
    join account on account.id = account_id and kind <> 'host')`

interface Differing {
  readonly name: string
  readonly class: string
  readonly at: string
  readonly stored: number | null
  readonly rebuilt: number | null
}

const steps = check<Differing>(
  ({ name, class: what, at, stored, rebuilt }) =>
    `${name}: its step of ${what} at ${utc(at)} is ${stored ?? 'missing'}, and by supply and holds it is ${rebuilt ?? 'none'}`,
  sql`
    select name, class, at, step.change as stored, true_step.change as rebuilt
    from step full join true_step using (account_id, class, at) join account_name on account_name.id = account_id
    where coalesce(step.change, 0) <> coalesce(true_step.change, 0) order by account_id, class, at`,
)

interface DifferingBucket {
  readonly name: string
  readonly class: string
  readonly day: string
  readonly stored: string | null
  readonly rebuilt: string
}

/**
 * A step with a change of 0, left where steps have cancelled each other, still counts as an instant of its
 * day.
 */
const buckets = check<DifferingBucket>(
  ({ name, class: what, day, stored, rebuilt }) =>
    `${name}: its bucket of ${what} on ${utc(day).slice(0, 10)} has ${stored ?? 'nothing'}, and by supply and holds it has ${rebuilt}`,
  sql`
    select name, class, day,
           'a change of ' || bucket.change || ', a lowest of ' || bucket.lowest
             || coalesce(' and a highest of ' || bucket.highest, ' and no known highest') as stored,
           'a change of ' || coalesce(rebuilt.change, 0) || ', a lowest of ' || coalesce(rebuilt.lowest, 0)
             || ' and a highest of ' || coalesce(rebuilt.highest, 0) as rebuilt
    from bucket full join (
      select account_id, class, day, sum(change) as change, min(level) as lowest, max(level) as highest
      from (select account_id, class, day, change,
                   sum(change) over (partition by account_id, class, day order by at) as level
            from (select account_id, class, at, date_trunc('day', at, 'UTC') as day,
                         coalesce(true_step.change, 0) as change
                  from step full join true_step using (account_id, class, at)) as instant) as running
      group by account_id, class, day) as rebuilt using (account_id, class, day)
    join account_name on account_name.id = account_id
    where coalesce(bucket.change, 0) <> coalesce(rebuilt.change, 0)
       or coalesce(bucket.lowest, 0) <> coalesce(rebuilt.lowest, 0)
       or case when bucket.day is null then 0 else coalesce(bucket.highest, rebuilt.highest, 0) end
          <> coalesce(rebuilt.highest, 0)
    order by account_id, class, day`,
)

interface DifferingGap {
  readonly name: string
  readonly from_at: string
  readonly to_at: string
  readonly is_stored: boolean
}

const gaps = check<DifferingGap>(
  ({ name, from_at, to_at, is_stored }) =>
    is_stored
      ? `${name}: a gap says that it is free from ${utc(from_at)} to ${utc(to_at)}, and by supply and holds it is not, or not just then`
      : `${name}: it is free from ${utc(from_at)} to ${utc(to_at)} by supply and holds, and no gap says just that`,
  sql`
    select name, from_at, to_at, is_stored is not null as is_stored
    from (select host_id, from_at, to_at, true as is_stored from host_gap) as stored
    full join (
      select account.id as host_id, lower(free) as from_at, upper(free) as to_at, true as is_rebuilt
      from account
      cross join lateral (
        select tstzrange(min(from_at) filter (where amount > 0), '9999-12-31Z')
               * tstzrange(null, min(from_at) filter (where amount < 0)) as during
        from supply where account_id = account.id) as enrolled
      cross join lateral (
        select range_agg(during) as during from host_hold where host_id = account.id) as held
      cross join lateral unnest(tstzmultirange(enrolled.during) - coalesce(held.during, '{}')) as free
      where kind = 'host') as rebuilt using (host_id, from_at, to_at)
    join account_name on account_name.id = host_id
    where is_stored is null or is_rebuilt is null order by host_id, from_at, is_stored`,
)

/** Windows cut at the instant from which on the journal is complete: all before that counts as one level. */
const sinceThen = (windows: RawBuilder<unknown>) => sql`
  select account_id, class, amount, greatest(from_at, ${journalSince}), to_at
  from (${windows}) as told (account_id, class, amount, from_at, to_at) where to_at > ${journalSince}`

/**
 * Law 6, that the journal adds up to supply and holds. Usage of a host, and a budget's holds under their own
 * class, are not in the journal.
 */
const journal = check<Differing>(
  ({ name, class: what, at, stored, rebuilt }) =>
    `${name}: by the journal its ${what} changes by ${stored ?? 0} at ${utc(at)}, by supply and holds it changes by ${rebuilt ?? 0}`,
  sql`
    select name, class, at, journaled.change as stored, held.change as rebuilt
    from (${changes(
      sinceThen(sql`
        select (posting ->> 0)::bigint, posting ->> 1, (posting ->> 2)::bigint, (posting ->> 3)::timestamptz,
               (posting ->> 4)::timestamptz
        from journal cross join lateral jsonb_array_elements(postings) as posting`),
    )}) as journaled
    full join (${changes(
      sinceThen(sql`
        select posted.* from (
          ${supplied} where not (class = 'TENANCY' and amount = ${sql.lit(anyNumber)})
          union all ${held} union all ${used}) as posted
        join account on account.id = account_id and kind <> 'host'
        union all ${ofHosts}`),
    )}) as held using (account_id, class, at)
    join account_name on account_name.id = account_id
    where coalesce(journaled.change, 0) <> coalesce(held.change, 0) order by account_id, class, at`,
)

interface Shortfall {
  readonly name: string
  readonly class: string
  readonly level: number
  readonly at: string
  readonly until: string
}

/**
 * Law 1, and for hosts the first half of law 3: no account is below 0. Only the supply that a failure takes
 * away and usage that is imposed may bring it there.
 */
const doubleBooking = check<Shortfall>(
  ({ name, class: what, level, at, until }) =>
    `${name}: from ${utc(at)} to ${utc(until)} ${-level} ${what} more is held or used than there is`,
  sql`
    select name, class, level, at, until
    from (select account_id, class, at, sum(change) over (partition by account_id, class order by at) as level,
                 coalesce(lead(at) over (partition by account_id, class order by at), '9999-12-31Z') as until
          from (${changes(sql`
            ${supplied} where not (origin = 'failure' and amount < 0)
            union all ${held} union all ${ofHosts} union all ${used} where not imposed`)}) as change) as running
    join account_name on account_name.id = account_id
    where level < 0 and until > now() order by account_id, class, at`,
)

interface Overlap {
  readonly name: string
  readonly claim: string
  readonly other: string
  readonly at: string
  readonly until: string
}

const exclusivity = check<Overlap>(
  ({ name, claim, other, at, until }) =>
    `${name}: claims ${claim} and ${other} both hold it from ${utc(at)} to ${utc(until)}`,
  sql`
    select name, one.claim_id as claim, other.claim_id as other,
           lower(one.during * other.during) as at, upper(one.during * other.during) as until
    from host_hold as one
    join host_hold as other on other.host_id = one.host_id and other.id > one.id and other.during && one.during
    join account_name on account_name.id = one.host_id
    where (one.whole or other.whole) and upper(one.during * other.during) > now() order by one.host_id, one.id`,
)

interface Incomplete {
  readonly reservation: string
  readonly lease: string
  readonly held: number
  readonly min: number
  readonly max: number
}

const allOrNothing = check<Incomplete>(
  ({ reservation, lease, held, min, max }) =>
    `Reservation ${reservation} of lease ${lease}: it holds ${held} hosts, and is to have ${min === max ? min : `${min} to ${max}`}`,
  sql`
    select reservation.id as reservation, lease.id as lease, held, min, max
    from reservation join lease on lease.id = lease_id
    cross join lateral (
      select count(distinct host_id) as held from host_hold
      where claim_id = lease.id and line = reservation.id and upper(during) >= lease.end_at) as holding
    where lease.status in ('PENDING', 'STARTING', 'ACTIVE', 'UPDATING') and not missing_resources
      and not held between min and max order by lease.id, position`,
)

const checks: Readonly<Record<string, Check>> = {
  steps,
  buckets,
  gaps,
  journal,
  'no double booking': doubleBooking,
  'one claim a host': exclusivity,
  'all or nothing': allOrNothing,
  'draw limit': drawLimit,
  'promises held': promisesHeld,
  'usage of instances': usageOfInstances,
}
