// The ledger in PostgreSQL, within one transaction: what it measures, and what it appends.
//
// What is derived (steps, buckets, gaps) changes in the same statement as what it is derived from.

import { type RawBuilder, sql } from 'kysely'
import { conflict } from '../core/error.ts'
import {
  anyNumber,
  type Claim,
  forever,
  type HeldBy,
  type Hold,
  type HostHold,
  type HostSearch,
  type Ledger,
  type ScopeName,
  type SupplyPosting,
  wholeHost,
} from '../core/ledger/ledger.ts'
import type { Note } from '../core/note.ts'
import { type Db, run } from './database.ts'
import { reservable } from './filter.ts'
import {
  cutting,
  freeing,
  holding,
  journaling,
  journalingEach,
  type Posting,
  stepping,
  stepsOf,
  stepsOfReturned,
} from './ledger-parts.ts'
import { archiveUse, endUse, use } from './ledger-usage.ts'
import { firstWith, levels } from './levels.ts'

const refusals = { host_hold_alone: () => conflict('Another reservation has the host', 'host_taken') }

export function ledgerStore(db: Db): Ledger {
  return {
    async lock(accounts) {
      await run(
        sql`with these as (select id from account where id = any (${accounts}::bigint[]) order by id for update)
            update account set locked_by = pg_current_xact_id() from these where account.id = these.id`.execute(
          db,
        ),
      )
    },
    scope: (regionId, scope) => findScope(db, regionId, scope),
    levels: questions => levels(db, questions),
    freeHosts: search => freeHosts(db, search),
    async addHost(regionId, from) {
      const { rows } = await run(
        sql<{ id: number }>`
          with made as (insert into account (kind, region_id, scope)
                        values ('host', ${regionId}, 'reservable') returning id),
               supplied as (insert into supply (account_id, class, amount, from_at, to_at, origin)
                            select id, 'TENANCY', ${wholeHost}, ${from}, ${forever}, 'enrolment' from made),
               free as (insert into host_gap select id, ${from}::timestamptz, ${forever}::timestamptz from made)
          select id from made`.execute(db),
      )
      return rows[0]!.id
    },
    async addBudget(from) {
      const { rows } = await run(
        sql<{ id: number }>`insert into account (kind) values ('budget') returning id`.execute(db),
      )
      const { id } = rows[0]!
      const any: Posting = { account: id, class: 'TENANCY', amount: anyNumber, from, to: forever }
      await run(
        sql`with supplied as (insert into supply (account_id, class, amount, from_at, to_at, origin)
                              values (${id}, 'TENANCY', ${anyNumber}, ${from}, ${forever}, 'increase')),
            ${stepping([any])} select 1`.execute(db),
      )
      return id
    },
    async closeHost(host, at) {
      await run(
        sql`with closed as (
              insert into supply (account_id, class, amount, from_at, to_at, origin)
              select account_id, 'TENANCY', ${-wholeHost}, greatest(min(from_at), ${at}), ${forever}, 'enrolment'
              from supply where account_id = ${host} group by account_id having min(amount) > 0
              returning account_id),
            cut as (
              update host_gap set to_at = ${at} from closed
              where host_id = account_id and from_at < ${at} and to_at > ${at})
            delete from host_gap using closed where host_id = account_id and from_at >= ${at}`.execute(db),
      )
    },
    post: (postings, note) => post(db, postings, note),
    claim: (claim, holds, hosts, note) => writeClaims(db, [{ claim, holds, hosts }], note),
    release: (claim, note, from) => release(db, claim, note, from ?? new Date(0)),
    use: (usage, note) => use(db, usage, note),
    endUse: (consumers, at, note) => endUse(db, consumers, at, note),
    archiveUse: (consumers, at) => archiveUse(db, consumers, at),
    async usedAt(account, className, at) {
      const { rows } = await run(
        sql<{ amount: number }>`
          select coalesce(sum(amount), 0)::bigint as amount from usage
          where account_id = ${account} and class = ${className} and from_at <= ${at} and to_at > ${at}`.execute(
          db,
        ),
      )
      return rows[0]!.amount
    },
    firstWith: (question, amount) => firstWith(db, question, amount),
    holdsAt: (account, className, at) => holdsAt(db, account, className, at),
    async claimsOn(account, { from, to }) {
      const { rows } = await run(
        sql<{ claim_id: string }>`
          select claim_id from hold where account_id = ${account} and to_at > ${from} and from_at < ${to}
          union
          select claim_id from host_hold
          where host_id = ${account} and during && tstzrange(${from}, ${to})
          order by claim_id`.execute(db),
      )
      return rows.map(row => row.claim_id)
    },
  }
}

async function holdsAt(db: Db, account: number, className: string, at: Date): Promise<HeldBy[]> {
  const { rows } = await run(
    sql<{ claim: string; amount: number; from: Date; to: Date }>`
      select claim_id as claim, amount, from_at as from, to_at as to from hold
      where account_id = ${account} and class = ${className} and from_at <= ${at} and to_at > ${at}
      order by from_at, claim_id, id`.execute(db),
  )
  return rows.map(({ claim, amount, from, to }) => ({ claim, amount, window: { from, to } }))
}

async function findScope(db: Db, regionId: string, scope: ScopeName): Promise<number> {
  const found = sql<{ id: number }>`
    select id from account where kind = 'scope' and region_id = ${regionId} and scope = ${scope}`
  const { rows } = await run(found.execute(db))
  if (rows[0]) return rows[0].id
  await run(
    sql`insert into account (kind, region_id, scope) values ('scope', ${regionId}, ${scope})
        on conflict do nothing`.execute(db),
  )
  return (await run(found.execute(db))).rows[0]!.id
}

/**
 * Free hosts in the order of their ids, preferred ones first: each host by one index probe of its gaps, until
 * there are enough.
 */
async function freeHosts(db: Db, search: HostSearch): Promise<number[]> {
  const { preferred, without, most } = search
  const first =
    preferred.length === 0
      ? []
      : await searchHosts(
          db,
          search,
          sql`host.id = any (${preferred}::bigint[]) and not host.id = any (${without}::bigint[])`,
          most,
        )
  if (first.length >= most) return first
  const others = sql`not host.id = any (${[...preferred, ...without]}::bigint[])`
  return [...first, ...(await searchHosts(db, search, others, most - first.length))]
}

async function searchHosts(
  db: Db,
  { regionId, filter, window }: HostSearch,
  among: RawBuilder<unknown>,
  most: number,
): Promise<number[]> {
  const { rows } = await run(
    sql<{ id: number }>`
      select host.id
      from host join region on region.id = host.region_id cross join lateral ${gapOver(window.from)} as gap
      where host.region_id = ${regionId} and gap.to_at >= ${window.to} and ${among} and ${reservable(filter)}
      order by host.id + 0 limit ${most}`.execute(db),
  )
  return rows.map(row => row.id)
}

/** The last gap of `host` that begins at or before an instant: the only one that can cover it. */
export const gapOver = (at: Date) => sql`(
  select to_at from host_gap where host_gap.host_id = host.id and host_gap.from_at <= ${at}
  order by host_gap.from_at desc limit 1)`

async function post(db: Db, given: readonly SupplyPosting[], note: Note): Promise<void> {
  const postings = given.map<Posting>(({ account, class: name, amount, window }) => ({
    account,
    class: name,
    amount,
    ...window,
  }))
  await run(
    sql`with supplied as (
          insert into supply (account_id, class, amount, from_at, to_at, origin)
          select * from unnest(${given.map(one => one.account)}::bigint[], ${given.map(one => one.class)}::text[],
            ${given.map(one => one.amount)}::bigint[], ${given.map(one => one.window.from)}::timestamptz[],
            ${given.map(one => one.window.to)}::timestamptz[], ${given.map(one => one.origin)}::text[])),
        ${stepping(postings)}, ${journaling(note, [...new Set(given.map(one => one.account))].join(' '), postings)}
        select 1`.execute(db),
  )
}

/** A claim with all that it holds. */
export interface ClaimWithHolds {
  readonly claim: Claim
  readonly holds: readonly Hold[]
  readonly hosts: readonly HostHold[]
}

/** Writes claims with their holds, and a line of the journal for each claim. */
export async function writeClaims(db: Db, claimings: readonly ClaimWithHolds[], note: Note): Promise<void> {
  const claims = claimings.map(one => one.claim)
  const holds = claimings.flatMap(({ claim, holds }) => holds.map(one => ({ ...one, claim: claim.id })))
  const hosts = claimings.flatMap(({ claim, hosts }) => hosts.map(one => ({ ...one, claim: claim.id })))
  await run(
    sql`with claimed as (
          insert into claim (id, project_id, kind, from_at, to_at)
          select * from unnest(${claims.map(one => one.id)}::uuid[], ${claims.map(one => one.projectId)}::text[],
            ${claims.map(one => one.kind)}::text[], ${claims.map(one => one.window.from)}::timestamptz[],
            ${claims.map(one => one.window.to)}::timestamptz[])
          on conflict (id) do update set from_at = excluded.from_at, to_at = excluded.to_at),
        held as (
          insert into hold (claim_id, line, account_id, class, amount, from_at, to_at)
          select * from unnest(${holds.map(one => one.claim)}::uuid[], ${holds.map(one => one.line)}::uuid[],
            ${holds.map(one => one.account)}::bigint[], ${holds.map(one => one.class)}::text[],
            ${holds.map(one => one.amount)}::bigint[], ${holds.map(one => one.window.from)}::timestamptz[],
            ${holds.map(one => one.window.to)}::timestamptz[])),
        held_host (claim_id, line, host_id, from_at, to_at, whole) as (
          select * from unnest(${hosts.map(one => one.claim)}::uuid[], ${hosts.map(one => one.line)}::uuid[],
            ${hosts.map(one => one.host)}::bigint[], ${hosts.map(one => one.window.from)}::timestamptz[],
            ${hosts.map(one => one.window.to)}::timestamptz[], ${hosts.map(one => one.whole)}::boolean[])),
        host_held as (
          insert into host_hold (claim_id, line, host_id, during, whole)
          select claim_id, line, host_id, tstzrange(from_at, to_at), whole from held_host order by host_id),
        ${cutting(sql`held_host`)}, ${stepping(holding(stepsOf(holds.map(taking))))},
        ${journalingEach(
          note,
          claimings.map(({ claim, holds, hosts }) => ({
            target: claim.id,
            postings: [...holds.map(taking), ...hosts.map(takingHost)],
          })),
        )}
        select 1`.execute(db),
    refusals,
  )
}

const taking = ({ account, class: name, amount, window }: Hold): Posting => ({
  account,
  class: name,
  amount: -amount,
  ...window,
})

const takingHost = ({ host, window, whole }: HostHold): Posting => ({
  account: host,
  class: 'TENANCY',
  amount: whole ? -wholeHost : -1,
  ...window,
})

/**
 * Ends a claim's holds from an instant on. A host gets its gap back only where no other claim shares it, and
 * only while it is enrolled.
 */
async function release(db: Db, claim: string, note: Note, since: Date): Promise<void> {
  await run(
    sql`with was as (select * from hold where claim_id = ${claim} and to_at > ${since}),
        was_host as (select id, host_id, lower(during) as from_at, upper(during) as to_at, whole
                     from host_hold where claim_id = ${claim} and upper(during) > ${since}),
        ended as (delete from hold using was where hold.id = was.id and was.from_at >= ${since}),
        shortened as (update hold set to_at = ${since} from was where hold.id = was.id and was.from_at < ${since}),
        host_ended as (delete from host_hold using was_host
                       where host_hold.id = was_host.id and was_host.from_at >= ${since}),
        host_shortened as (update host_hold set during = tstzrange(was_host.from_at, ${since}) from was_host
                           where host_hold.id = was_host.id and was_host.from_at < ${since}),
        freed as (
          select host_id, tstzmultirange(tstzrange(greatest(from_at, ${since}), to_at) * enrolled.during)
                          - coalesce(shared.during, '{}') as during
          from was_host
          cross join lateral (
            select tstzrange(min(from_at) filter (where amount > 0), null)
                   * tstzrange(null, min(from_at) filter (where amount < 0)) as during
            from supply where account_id = was_host.host_id) as enrolled
          cross join lateral (
            select range_agg(during) as during from host_hold as other
            where not was_host.whole and other.host_id = was_host.host_id and other.claim_id <> ${claim}
              and during && tstzrange(was_host.from_at, was_host.to_at)) as shared),
        returned as (
          select account_id, class, amount, greatest(from_at, ${since}) as from_at, to_at from was),
        ${freeing(sql`freed`)},
        ${stepping(holding(stepsOfReturned))},
        ${journaling(
          note,
          claim,
          sql`select account_id, class, amount, from_at, to_at from returned
              union all select host_id, 'TENANCY', case when whole then ${wholeHost} else 1 end,
                               greatest(from_at, ${since}), to_at from was_host`,
        )}
        select 1`.execute(db),
  )
}
