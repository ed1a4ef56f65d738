// The laws of the ledger, asked of what is true (supply, holds, usage) and never of what is derived from it.

import type pg from 'pg'

export interface Violation {
  readonly law:
    | 'no double booking'
    | 'exclusivity'
    | 'within the supply of the host'
    | 'all or nothing'
    | 'draw limit'
    | 'promises held'
    | 'usage of instances'
  /** Which rows, in a line. */
  readonly found: string
}

/**
 * By account, class and instant: what is posted, less what is held, less what is used. From now on. What has failed may
 * leave less than nothing.
 */
const levels = `
  with change (account_id, class, at, amount) as (
    select account_id, class, from_at, amount from supply where origin <> 'failure' or amount > 0
    union all select account_id, class, to_at, -amount from supply where origin <> 'failure' or amount > 0
    union all select account_id, class, from_at, -amount from hold
    union all select account_id, class, to_at, amount from hold
    union all select host_id, 'TENANCY', lower(during), case when whole then -1000000 else -1 end from host_hold
    union all select host_id, 'TENANCY', upper(during), case when whole then 1000000 else 1 end from host_hold
    union all select account_id, class, from_at, -amount from usage where not imposed
    union all select account_id, class, to_at, amount from usage where not imposed),
  level as (
    select account_id, class, at, sum(sum(amount)) over (partition by account_id, class order by at) as level,
           lead(at) over (partition by account_id, class order by at) as until
    from change group by account_id, class, at)
  select case kind when 'host' then 'within the supply of the host' else 'no double booking' end as law,
         format('%s %s, %s: %s from %s to %s', kind, account_id, class, level, at, until) as found
  from level join account on account.id = level.account_id
  where level < 0 and until > now()`

const overlaps = `
  select 'exclusivity' as law,
         format('host %s: %s of claim %s and %s of claim %s', one.host_id, one.during, one.claim_id,
                other.during, other.claim_id) as found
  from host_hold as one join host_hold as other
    on other.host_id = one.host_id and other.id > one.id and other.during && one.during
  where (one.whole or other.whole) and upper(one.during * other.during) > now()`

/** A reservation of a lease that is to have its hosts has as many as were asked for, for all of its time. */
const parts = `
  select 'all or nothing' as law,
         format('reservation %s: %s hosts held, %s to %s asked for', reservation.id, held.hosts, min, max) as found
  from reservation join lease on lease.id = reservation.lease_id
  cross join lateral (
    select count(distinct host_id) as hosts from host_hold
    where line = reservation.id and claim_id = lease.id and lower(during) <= lease.start_at
      and upper(during) >= lease.end_at) as held
  where lease.status in ('PENDING', 'STARTING', 'ACTIVE', 'UPDATING') and not held.hosts between min and max
  union all
  select 'all or nothing', format('host_hold %s of claim %s is for no reservation', id, claim_id)
  from host_hold where upper(during) > now() and not exists (
    select from reservation where reservation.id = host_hold.line and lease_id = claim_id)
  union all
  select 'all or nothing', format('claim %s holds %s hosts’ worth of scopes and %s hosts', claim.id, scopes, hosts)
  from claim
  cross join lateral (select coalesce(sum(amount), 0) / 1000000 as scopes from hold
                      where claim_id = claim.id and class = 'TENANCY' and to_at > now()) as of_scopes
  cross join lateral (select count(*) as hosts from host_hold
                      where claim_id = claim.id and upper(during) > now()) as of_hosts
  where claim.kind = 'lease' and scopes <> hosts`

const draws = `
  select 'draw limit' as law, format('reservation %s: %s %s drawn, %s held', reservation.id, drawn, kind, amount) as found
  from capacity_reservation as reservation
  cross join lateral (select key as kind, value::bigint as amount from jsonb_each_text(amounts)) as own
  cross join lateral (select coalesce(sum((instance.amounts ->> kind)::bigint), 0) as drawn from instance
                      where reservation_id = reservation.id and ended_at is null) as taken
  where state = 'living' and drawn > amount`

/** The classes of amounts that a region’s general scope has too, and some that budgets alone have. */
const held = `
  with kind (amount, class, is_general) as (
    values ('cores', 'VCPU', true), ('ram', 'MEMORY_MB', true), ('instances', 'SERVER', false)),
  due as (
    select reservation.id, reservation.to_at, place.account_id, kind.class, (amounts ->> kind.amount)::bigint as amount
    from capacity_reservation as reservation join provider on provider.id = provider_id cross join kind
    cross join lateral (
      select provider.budget as account_id
      union all select account.id from account
      where is_general and account.region_id = provider.region_id and scope = 'general') as place
    where state = 'living' and to_at > now())
  select 'promises held' as law,
         format('reservation %s: %s %s held of account %s, %s promised', due.id, held, class, account_id, amount) as found
  from due cross join lateral (
    select coalesce(sum(amount), 0) as held from hold
    where claim_id = due.id and hold.account_id = due.account_id and hold.class = due.class
      and hold.to_at = due.to_at) as has
  where held <> coalesce(amount, 0)`

const usages = `
  select 'usage of instances' as law,
         format('instance %s, ended at %s, takes until %s', instance.id, ended_at, to_at) as found
  from instance join usage on consumer = instance.id::text where to_at > ended_at
  union all
  select 'usage of instances', format('instance %s takes no cores as it should', instance.id)
  from instance join provider on provider.id = provider_id
  where ended_at is null and (amounts ->> 'cores')::bigint > 0
    and not exists (select from capacity_reservation where id = reservation_id and state = 'living')
    and not exists (select from usage where account_id = budget and class = 'VCPU' and consumer = instance.id::text
                      and amount = (amounts ->> 'cores')::bigint and to_at > now())`

/** What breaks a law now or at any instant from now on. */
export async function violations(pool: pg.Pool): Promise<Violation[]> {
  const found: Violation[] = []
  for (const question of [levels, overlaps, parts, draws, held, usages])
    found.push(...(await pool.query<Violation>(question)).rows)
  return found
}
