// The laws of the ledger, asked of what is true (supply, holds, usage) and never of what is derived from it.

import type pg from 'pg'

export interface Violation {
  readonly law: 'no double booking' | 'exclusivity' | 'within the supply of the host' | 'all or nothing'
  /** Which rows, in a line. */
  readonly found: string
}

/** By account, class and instant: what is posted, less what is held, less what is used. From now on. */
const levels = `
  with change (account_id, class, at, amount) as (
    select account_id, class, from_at, amount from supply
    union all select account_id, class, to_at, -amount from supply
    union all select account_id, class, from_at, -amount from hold
    union all select account_id, class, to_at, amount from hold
    union all select host_id, 'TENANCY', lower(during), case when whole then -1000000 else -1 end from host_hold
    union all select host_id, 'TENANCY', upper(during), case when whole then 1000000 else 1 end from host_hold
    union all select account_id, class, from_at, -amount from usage
    union all select account_id, class, to_at, amount from usage),
  level as (
    select account_id, class, at, sum(sum(amount)) over (partition by account_id, class order by at) as level,
           lead(at) over (partition by account_id, class order by at) as until
    from change group by account_id, class, at)
  select case kind when 'scope' then 'no double booking' else 'within the supply of the host' end as law,
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

/** What breaks a law now or at any instant from now on. */
export async function violations(pool: pg.Pool): Promise<Violation[]> {
  const found: Violation[] = []
  for (const question of [levels, overlaps, parts])
    found.push(...(await pool.query<Violation>(question)).rows)
  return found
}
