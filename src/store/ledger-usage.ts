// Usage in PostgreSQL: the amounts that servers and other consumers take of accounts without a hold.

import { sql } from 'kysely'
import type { Usage } from '../core/ledger/ledger.ts'
import type { Note } from '../core/note.ts'
import { type Db, run } from './database.ts'
import { journaling, type Posting, stepping, stepsOfReturned } from './ledger-parts.ts'

export async function use(db: Db, usage: readonly Usage[], note: Note): Promise<void> {
  if (usage.length === 0) return
  const postings = usage.map<Posting>(({ account, class: name, amount, window }) => ({
    account,
    class: name,
    amount: -amount,
    ...window,
  }))
  await run(
    sql`with used as (
          insert into usage (account_id, class, amount, from_at, to_at, consumer, imposed)
          select * from unnest(${usage.map(one => one.account)}::bigint[], ${usage.map(one => one.class)}::text[],
            ${usage.map(one => one.amount)}::bigint[], ${usage.map(one => one.window.from)}::timestamptz[],
            ${usage.map(one => one.window.to)}::timestamptz[], ${usage.map(one => one.consumer)}::text[],
            ${usage.map(one => one.imposed ?? false)}::boolean[])),
        ${stepping(postings)}, ${journaling(note, [...new Set(usage.map(one => one.consumer))].join(' '), postings)}
        select 1`.execute(db),
  )
}

export async function endUse(db: Db, consumers: readonly string[], at: Date, note: Note): Promise<void> {
  await run(
    sql`with was as (select * from usage where consumer = any (${consumers}::text[]) and to_at > ${at}),
        ended as (delete from usage using was where usage.id = was.id and was.from_at >= ${at}),
        shortened as (update usage set to_at = ${at} from was where usage.id = was.id and was.from_at < ${at}),
        returned as (
          select account_id, class, amount, greatest(from_at, ${at}) as from_at, to_at from was),
        ${stepping(stepsOfReturned)}, ${journaling(note, consumers.join(' '), sql`select * from returned`)}
        select 1`.execute(db),
  )
}

/** Of one consumer there is one row a class and account. */
export async function archiveUse(db: Db, consumers: readonly string[], at: Date): Promise<void> {
  await run(
    sql`update usage set consumer = consumer || ' until ' || to_char(to_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ')
        where consumer = any (${consumers}::text[]) and to_at <= ${at}`.execute(db),
  )
}
