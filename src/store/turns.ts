// Turns of the clockwork in PostgreSQL. Time is the database's: it is one for all processes.

import { sql } from 'kysely'
import pg from 'pg'
import type { ClaimRequest, EnlistEvents, Enlisted, Turn, TurnAsk, TurnStore } from '../core/clockwork.ts'
import { type Db, run } from './database.ts'

/** How long a worker may be silent: a stopped process holds its turns no longer. Renewed three times as often. */
export const leaseSeconds = 15

/** Advisory locks of workers are (this, worker number). */
const workerLocks = 0x61746c77

const channel = 'atoll_turn'

/**
 * The part of a statement that asks for turns: upserts them and returns `key, asked`. A key may occur once;
 * keys are sorted, as in all statements that lock several turns, so that none deadlock. While a worker has a
 * turn, the time at which it was due before (its epoch is the number of its taking) does not count.
 */
export const asking = (asks: readonly TurnAsk[], when = sql`true`) => sql`
  insert into turn (kind, key, lane, due_at)
  select kind, key, lane, coalesce(at, now())
  from unnest(${asks.map(ask => ask.kind)}::text[], ${asks.map(ask => ask.key)}::text[],
              ${asks.map(ask => ask.lane)}::text[], ${asks.map(ask => ask.at ?? null)}::timestamptz[])
       as new (kind, key, lane, at)
  where ${when}
  order by kind, key
  on conflict (kind, key) do update
    set due_at = case when turn.worker is not null and turn.asked < turn.epoch then excluded.due_at
                      else least(turn.due_at, excluded.due_at) end,
        asked = nextval('turn_asked'), attempts = 0,
        lane = case when excluded.lane = '' then turn.lane else excluded.lane end
  returning key, asked`

/** The part of a statement that wakes the workers when it commits. */
export const waking = sql`select pg_notify(${sql.lit(channel)}, '')`

/**
 * The condition under which a worker may write a turn's result: it still has the turn that it took. (`is not
 * distinct from` keeps the planner on the primary key: it would otherwise expect few taken turns and read
 * those.)
 */
export const stillMine = (turn: Turn) =>
  sql`turn.kind = ${turn.kind} and turn.key = ${turn.key}
      and turn.worker is not distinct from ${turn.worker} and turn.epoch = ${turn.epoch}`

export function turnStore(db: Db): TurnStore {
  return {
    async ask(asks) {
      await run(sql`with asked as (${asking(asks)}) ${waking}`.execute(db))
    },

    async finish(turn, againInMs) {
      const later =
        againInMs === null ? sql`'infinity'` : sql`now() + make_interval(secs => ${againInMs / 1000})`
      const result = await run(
        sql`update turn set worker = null, lease_until = null, attempts = 0,
              due_at = case when asked > ${turn.asked} then now() else ${later} end
            where ${stillMine(turn)}`.execute(db),
      )
      return Number(result.numAffectedRows ?? 0) > 0
    },

    async claim(request) {
      const { rows } = await run(claiming(request).execute(db))
      return rows
    },

    async renew(turns) {
      await run(
        sql`with mine as (
              select turn.kind, turn.key from turn
              join unnest(${turns.map(turn => turn.kind)}::text[], ${turns.map(turn => turn.key)}::text[],
                          ${turns.map(turn => turn.worker)}::int[], ${turns.map(turn => turn.epoch)}::bigint[])
                   as mine (kind, key, worker, epoch)
                on turn.kind = mine.kind and turn.key = mine.key
                   and turn.worker is not distinct from mine.worker and turn.epoch = mine.epoch
              order by turn.kind, turn.key for update of turn)
            update turn set lease_until = now() + make_interval(secs => ${leaseSeconds})
            from mine where turn.kind = mine.kind and turn.key = mine.key`.execute(db),
      )
    },

    async releaseAbandoned() {
      const result = await run(
        releasing(sql`lease_until < now() or not exists (
          select from pg_locks
          where locktype = 'advisory' and classid = ${workerLocks}::oid and objid = turn.worker::oid
            and database = (select oid from pg_database where datname = current_database()) and granted)`).execute(
          db,
        ),
      )
      return Number(result.numAffectedRows ?? 0)
    },

    async releaseAll(worker) {
      await run(releasing(sql`worker = ${worker}`).execute(db))
    },

    async removeIdle(limit) {
      const result = await run(
        sql`delete from turn where (kind, key) in (
              select kind, key from turn where worker is null and due_at = 'infinity'
              limit ${limit} for update skip locked)`.execute(db),
      )
      return Number(result.numAffectedRows ?? 0)
    },
  }
}

/**
 * Releases turns of dead workers. Turns that another transaction has locked are skipped until next time: they
 * must not hold up the others.
 */
const releasing = (whose: ReturnType<typeof sql>) => sql`
  update turn set worker = null, lease_until = null, due_at = least(turn.due_at, now())
  from (select kind, key from turn where worker is not null and (${whose})
        order by kind, key for update skip locked) as abandoned
  where turn.kind = abandoned.kind and turn.key = abandoned.key`

/**
 * Claims due turns. One index probe finds each lane, and one range of the same index its due turns: a full
 * lane, or a backlog of a million in another, costs nothing.
 */
const claiming = ({ worker, kinds, room, laneRoom, rooms }: ClaimRequest) => sql<Turn>`
  with recursive lanes as (
    (select min(lane) as lane from turn where worker is null)
    union all
    select (select min(lane) from turn where worker is null and turn.lane > lanes.lane)
    from lanes where lanes.lane is not null
  ), rooms as (
    select lanes.lane, least(coalesce(given.room, ${laneRoom}), ${room}) as room
    from lanes left join unnest(${[...rooms.keys()]}::text[], ${[...rooms.values()]}::int[]) as given (lane, room)
      on given.lane = lanes.lane
    where lanes.lane is not null
  ), due as (
    select found.kind, found.key, found.due_at
    from rooms cross join lateral (
      select kind, key, due_at from turn
      where turn.lane = rooms.lane and worker is null and due_at <= now() and kind = any (${kinds}::text[])
      order by due_at limit rooms.room for update skip locked) as found
    order by found.due_at limit ${room}
  )
  update turn
  set worker = ${worker}, epoch = nextval('turn_asked'), lease_until = now() + make_interval(secs => ${leaseSeconds})
  from due where turn.kind = due.kind and turn.key = due.key
  returning turn.kind, turn.key, turn.lane, turn.worker, turn.epoch, turn.asked, turn.attempts`

/**
 * Makes this process known as a worker: its number, an advisory lock on it that PostgreSQL drops at once when the
 * process dies, and word of every asking. It needs a connection of its own for as long as it lives.
 */
export async function enlist(url: string, events: EnlistEvents): Promise<Enlisted> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'atoll worker lock',
    keepAlive: true,
  })
  let closing = false
  client.on('error', error => closing || events.onLost(error))
  client.on(
    'end',
    () => closing || events.onLost(new Error('the connection that holds the worker lock has ended')),
  )
  client.on('notification', () => events.onWake())
  await client.connect()
  const { rows } = await client.query<{ worker: number }>("select nextval('turn_worker')::int as worker")
  const worker = rows[0]!.worker
  await client.query('select pg_advisory_lock($1, $2)', [workerLocks, worker])
  await client.query(`listen ${channel}`)
  return {
    worker,
    async close() {
      closing = true
      await client.end()
    },
  }
}
