// The laws of what is promised, asked of what is true and never of what is derived from it, each by one statement: so that
// they can be asked while others go on.

import type pg from 'pg'

/** What each amount of a promise is in the ledger. */
const classes = `(values ('cores', 'VCPU', true), ('ram', 'MEMORY_MB', true), ('instances', 'SERVER', false),
  ('gigabytes', 'GIGABYTES', false)) as kind (amount_name, class, physical)`

/**
 * Law 1 and 5 over budgets and general scopes, from now on. Less than nothing is there only where something was lost
 * (a failure; a server of a promise that outlived it; what others have taken), and then those who exist by themselves
 * and those who are marked make up for all of it.
 */
const overdrawn = `
  with posting (account_id, class, from_at, to_at, amount, lost, borne) as (
    select account_id, class, from_at, to_at, amount, case when origin = 'failure' then -amount else 0 end, 0 from supply
    union all
    select hold.account_id, class, hold.from_at, hold.to_at, -amount, 0, case when at_risk then amount else 0 end
    from hold left join capacity_reservation on capacity_reservation.id = claim_id
    union all
    select account_id, class, from_at, to_at, -amount,
           case when consumer like 'others %' or exists (
             select from audit where target = consumer and state ->> 'reservation_id' is not null)
           then amount else 0 end, amount
    from usage),
  level as (
    select account_id, class, at, lead(at) over by_class as until, sum(sum(change)) over by_class as level,
           sum(sum(lost_change)) over by_class as lost, sum(sum(borne_change)) over by_class as borne
    from posting join account on account.id = account_id and (kind = 'budget' or scope = 'general')
    cross join lateral (values (from_at, amount, lost, borne), (to_at, -amount, -lost, -borne))
      as step (at, change, lost_change, borne_change)
    group by account_id, class, at
    window by_class as (partition by account_id, class order by at))
  select format('account %s has %s of %s from %s to %s, of which %s were lost, and %s are borne',
                account_id, level, class, at, until, lost, borne) as found
  from level where level < 0 and until > now() and (-level > lost or -level > borne)`

/** Law 2. */
const overspent = `
  select format('reservation %s has %s of %s, and %s are drawn', reservation.id, has, amount_name, drawn) as found
  from capacity_reservation as reservation cross join ${classes}
  cross join lateral (select coalesce((reservation.amounts ->> amount_name)::bigint, 0) as has) as of_it
  cross join lateral (
    select coalesce(sum((instance.amounts ->> amount_name)::bigint), 0) as drawn from instance
    where reservation_id = reservation.id and ended_at is null) as of_instances
  where drawn > has`

/** Law 4: a living reservation holds all of its parts until its end, and one that is not living holds nothing any more. */
const unheld = `
  select format('reservation %s (%s) is to hold %s of %s until %s, and holds %s of account %s until %s',
                reservation.id, state, wanted, kind.class, reservation.to_at, held, account, held_to) as found
  from capacity_reservation as reservation join provider on provider.id = provider_id
  left join account as general
    on general.region_id = provider.region_id and general.kind = 'scope' and general.scope = 'general'
  cross join ${classes}
  cross join lateral (values (budget), (case when physical then general.id end)) as place (account)
  cross join lateral (
    select case when state = 'living' then (reservation.amounts ->> amount_name)::bigint else 0 end as wanted) as asked
  cross join lateral (
    select coalesce(sum(amount), 0) as held, max(hold.to_at) as held_to from hold
    where claim_id = reservation.id and account_id = account and hold.class = kind.class and hold.to_at > now()) as there
  where account is not null and reservation.to_at > now()
    and (held <> wanted or (held > 0 and held_to <> reservation.to_at))`

/** Instances that are charged by themselves take what they are of both accounts, and nothing else takes anything. */
const leaked = `
  select format('%s takes %s of account %s for ever, and is %s', consumer, class, account_id,
                coalesce(status, 'nothing that is known')) as found
  from usage left join instance on instance.id::text = consumer
  where to_at > now() and consumer not like 'others %'
    and (instance.id is null or ended_at is not null or reservation_id is not null)
  union all
  select format('instance %s is to take %s of %s of account %s, and takes %s', instance.id, amounts ->> amount_name, kind.class,
                account, taken)
  from instance join provider on provider.id = provider_id
  left join account as general
    on general.region_id = provider.region_id and general.kind = 'scope' and general.scope = 'general'
  cross join ${classes}
  cross join lateral (values (budget), (case when physical then general.id end)) as place (account)
  cross join lateral (
    select coalesce(sum(amount), 0) as taken from usage
    where consumer = instance.id::text and account_id = account and usage.class = kind.class and to_at > now()) as there
  where ended_at is null and reservation_id is null and account is not null
    and taken <> (amounts ->> amount_name)::bigint`

/** Every row that breaks a law. */
export async function broken(pool: pg.Pool): Promise<string[]> {
  const found: string[] = []
  for (const question of [overdrawn, overspent, unheld, leaked])
    found.push(...(await pool.query<{ found: string }>(question)).rows.map(row => row.found))
  return found
}
