// Leases in PostgreSQL, each with its reservations and events.

import { type RawBuilder, sql } from 'kysely'
import type { Turn } from '../core/clockwork.ts'
import type { HostPlace } from '../core/cloud.ts'
import {
  type Lease,
  type LeaseFilter,
  type LeaseQuery,
  type LeaseSortKey,
  type LeaseStore,
  type LeaseWriter,
  leaseKind,
  type TakenLease,
} from '../core/leases/lease.ts'
import type { Note } from '../core/note.ts'
import { type Db, run } from './database.ts'
import {
  eventColumns,
  eventRows,
  type LeaseRow,
  leaseColumns,
  reservationColumns,
  reservationRows,
  toLease,
} from './lease-rows.ts'
import { journaling } from './ledger-parts.ts'
import { type Telling, telling } from './telling.ts'
import { together } from './together.ts'
import { asking, waking } from './turns.ts'

/** How many results one statement writes at most. */
const atOnce = 200

export function leaseStore(db: Db): LeaseStore {
  const writeTogether = together(atOnce, (set: readonly Outcome[]) => writeOutcomes(db, set))
  const waitingTogether = together(atOnce, (set: readonly Leaving[]) => waitingFor(db, set))
  return {
    async get(id) {
      const { rows } = await run(
        sql<LeaseRow>`select ${leaseColumns} from lease where lease.id = ${id}`.execute(db),
      )
      return rows[0] ? toLease(rows[0]) : null
    },
    list: query => list(db, query),
    take: turns => take(db, turns),
    writeOutcome: (taken, lease, againInMs) => writeTogether({ taken, lease, againInMs }),
    async reservationStates(ids) {
      const { rows } = await run(
        sql<{ id: string; state: 'living' | 'over' }>`
          select id::text, case status when 'deleted' then 'over' else 'living' end as state
          from reservation where id::text = any (${ids}::text[])
          union all select id, 'over' from ended_reservation where id = any (${ids}::text[])`.execute(db),
      )
      return new Map(rows.map(({ id, state }) => [id, state]))
    },
    async forgetEnded(before, limit) {
      const result = await run(
        sql`delete from ended_reservation where id in (
              select id from ended_reservation where ended_at < ${before} order by ended_at limit ${limit}
              for update skip locked)`.execute(db),
      )
      return Number(result.numAffectedRows ?? 0)
    },
    waitingFor: (id, now) => waitingTogether({ id, now }),
  }
}

const sortColumns: Readonly<Record<LeaseSortKey, RawBuilder<unknown>>> = {
  created_at: sql`lease.created_at`,
  name: sql`lease.name collate "C"`,
  start_date: sql`lease.start_at`,
  end_date: sql`lease.end_at`,
  status: sql`lease.status collate "C"`,
  id: sql`lease.id`,
}

async function list(
  db: Db,
  { filter, sort, descending, limit, marker }: LeaseQuery,
): Promise<Lease[] | null> {
  const column = sortColumns[sort]
  const conditions = conditionsOf(filter)
  if (marker !== null) {
    const known = sql.join(conditionsOf({ projectId: filter.projectId }), sql` and `)
    const { rows } = await run(
      sql<{ id: string }>`select id from lease where id = ${marker} and ${known}`.execute(db),
    )
    if (rows.length === 0) return null
    const beyond = descending ? sql`<` : sql`>`
    conditions.push(
      sql`(${column}, lease.id) ${beyond} (select ${column}, lease.id from lease where lease.id = ${marker})`,
    )
  }
  const order = descending ? sql`desc` : sql`asc`
  const { rows } = await run(
    sql<LeaseRow>`
      select ${leaseColumns} from lease
      where ${sql.join(conditions, sql` and `)}
      order by ${column} ${order}, lease.id ${order}
      limit ${limit === null ? null : limit + 1}`.execute(db),
  )
  return rows.map(toLease)
}

function conditionsOf(filter: LeaseFilter): RawBuilder<unknown>[] {
  const { projectId, name, status, userId, degraded, region, kind, startsBefore, endsAfter } = filter
  const conditions: RawBuilder<unknown>[] = [sql`true`]
  const add = (value: unknown, condition: RawBuilder<unknown>): void => {
    if (value !== undefined && value !== null) conditions.push(condition)
  }
  add(projectId, sql`lease.project_id = ${projectId}`)
  add(name, sql`lease.name = ${name}`)
  add(status, sql`lease.status = ${status}`)
  add(userId, sql`lease.user_id = ${userId}`)
  add(degraded, sql`lease.degraded = ${degraded}`)
  add(startsBefore, sql`lease.start_at < ${startsBefore}`)
  add(endsAfter, sql`lease.end_at > ${endsAfter}`)
  add(
    region,
    sql`exists (select from reservation join region on region.id = reservation.region_id
                where reservation.lease_id = lease.id and region.name = ${region})`,
  )
  add(
    kind,
    sql`exists (select from reservation where reservation.lease_id = lease.id and reservation.kind = ${kind})`,
  )
  return conditions
}

/** The leases that had one of this lease's hosts directly before it, and have not left it yet. */
const predecessors = sql`
  coalesce((
    select jsonb_agg(distinct before.claim_id)
    from host_hold as mine
    cross join lateral (
      select claim_id, line from host_hold as other
      where other.host_id = mine.host_id and lower(other.during) < lower(mine.during)
        and other.claim_id <> mine.claim_id
      order by lower(other.during) desc limit 1) as before
    where mine.claim_id = lease.id and lease.status = 'PENDING'
      and exists (select from reservation where reservation.id = before.line and reservation.status <> 'deleted')), '[]')`

const places = sql`
  coalesce((
    select jsonb_object_agg(host.id, jsonb_build_object(
      'hypervisorHostname', host.hypervisor_hostname, 'serviceName', host.service_name,
      'providerId', host.provider_id, 'inventory', host.inventory))
    from host where host.id in (select host_id from host_hold where host_hold.claim_id = lease.id)), '{}')`

async function take(db: Db, turns: readonly Turn[]): Promise<TakenLease[]> {
  const { rows } = await run(
    sql<LeaseRow & { waits_for: string[]; places: Record<string, HostPlace> }>`
      select ${leaseColumns}, ${predecessors} as waits_for, ${places} as places from lease
      where lease.id = any (${turns.map(turn => turn.key)}::uuid[])`.execute(db),
  )
  const found = new Map(rows.map(row => [row.id, row]))
  return turns.map(turn => {
    const row = found.get(turn.key)
    const hosts = Object.entries(row?.places ?? {}).map(([id, place]) => [Number(id), place] as const)
    return { turn, lease: row ? toLease(row) : null, waitsFor: row?.waits_for ?? [], places: new Map(hosts) }
  })
}

interface Outcome {
  readonly taken: TakenLease
  readonly lease: Lease
  readonly againInMs: number | null | undefined
}

/**
 * Writes the results of several turns in one statement; each only if its worker still has the turn, by its
 * epoch.
 */
async function writeOutcomes(db: Db, set: readonly Outcome[]): Promise<boolean[]> {
  const rows = set.map(({ taken: { turn }, lease, againInMs }) => ({
    kind: turn.kind,
    key: turn.key,
    worker: turn.worker,
    epoch: turn.epoch,
    asked: turn.asked,
    ends: againInMs !== undefined,
    again: againInMs ?? null,
    id: lease.id,
    version: lease.version,
    status: lease.status,
    status_reason: lease.statusReason,
    action: lease.action,
    degraded: lease.degraded,
    updated_at: lease.updatedAt,
  }))
  const { rows: written } = await run(
    sql<{ id: string }>`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (
          kind text, key text, worker int, epoch bigint, asked bigint, ends boolean, again double precision, id uuid,
          version bigint, status text, status_reason text, action text, degraded boolean, updated_at timestamptz)),
      mine as (
        select given.*, turn.asked > given.asked as asked_since from turn join given
          on turn.kind = given.kind and turn.key = given.key
             and turn.worker is not distinct from given.worker and turn.epoch = given.epoch
        order by turn.kind, turn.key for update of turn),
      done as (
        update lease set status = mine.status, status_reason = mine.status_reason, action = mine.action,
               degraded = mine.degraded, updated_at = mine.updated_at, version = lease.version + 1
        from mine join lease as was on was.id = mine.id and was.version = mine.version
        where lease.id = mine.id and lease.version = mine.version
        returning lease.*, lease.status <> was.status as moves,
          (lease.status, lease.status_reason, lease.action, lease.degraded)
            is distinct from (was.status, was.status_reason, was.action, was.degraded) as differs),
      ${toldOf({ rows: sql`(select * from done where differs)`, action: writtenAction, at: sql`now()` })},
      reserved as (
        update reservation set status = given.status, missing_resources = given.missing_resources,
               resources_changed = given.resources_changed, updated_at = given.updated_at
        from jsonb_to_recordset(${JSON.stringify(set.flatMap(one => reservationRows(one.lease)))}::jsonb) as given (
          id uuid, lease_id uuid, status text, missing_resources boolean, resources_changed boolean,
          updated_at timestamptz)
        where reservation.id = given.id and given.lease_id in (select id from done)),
      happened as (
        update lease_event set status = given.status, updated_at = given.updated_at
        from jsonb_to_recordset(${JSON.stringify(set.flatMap(one => eventRows(one.lease)))}::jsonb) as given (
          id uuid, lease_id uuid, status text, updated_at timestamptz)
        where lease_event.id = given.id and given.lease_id in (select id from done)),
      finished as (
        update turn set worker = null, lease_until = null, attempts = 0,
               due_at = case when mine.asked_since then now() when mine.again is null then 'infinity'
                             else now() + make_interval(secs => mine.again / 1000) end
        from mine where turn.kind = mine.kind and turn.key = mine.key and mine.ends)
      select id from done`.execute(db),
  )
  const done = new Set(written.map(row => row.id))
  return set.map(({ lease }) => done.has(lease.id))
}

/** A part of a statement: the events of leases that it has changed. */
const toldOf = (told: Omit<Telling, 'noun'>) => sql`told as ${telling({ noun: 'lease', ...told })}`

/**
 * The action of a lease's event, by its new status; a step that begins or is tried again leaves the status as
 * it is.
 */
const writtenAction = sql`'lease.' || case when moves then lower(status) else 'progress' end`

interface Leaving {
  readonly id: string
  readonly now: Date
}

/** For each lease that leaves its hosts, those that are due and have one of the hosts directly after it. */
async function waitingFor(db: Db, set: readonly Leaving[]): Promise<string[][]> {
  const ids = set.map(one => one.id)
  const { rows } = await run(
    sql<{ id: string; next: string }>`
      select distinct mine.claim_id as id, after.claim_id as next
      from unnest(${ids}::uuid[], ${set.map(one => one.now)}::timestamptz[]) as leaving (id, now)
      join host_hold as mine on mine.claim_id = leaving.id
      cross join lateral (
        select claim_id from host_hold as other
        where other.host_id = mine.host_id and lower(other.during) > lower(mine.during)
        order by lower(other.during) limit 1) as after
      join lease on lease.id = after.claim_id and lease.status = 'PENDING' and lease.start_at <= leaving.now`.execute(
      db,
    ),
  )
  return ids.map(id => rows.filter(row => row.id === id).map(row => row.next))
}

export function leaseWriter(db: Db): LeaseWriter {
  return {
    async lock(id) {
      // The turn is locked before its lease, as the statement that writes results does, so that the two
      // cannot deadlock.
      await run(sql`select from turn where kind = ${leaseKind} and key = ${id} for update`.execute(db))
      const { rows } = await run(
        sql<LeaseRow>`select ${leaseColumns} from lease where lease.id = ${id} for update of lease`.execute(
          db,
        ),
      )
      return rows[0] ? toLease(rows[0]) : null
    },
    async insert(lease, note, ask) {
      await run(
        sql`with made as (
              insert into lease (id, name, project_id, user_id, start_at, end_at, status, status_reason, action,
                                 degraded, created_at, updated_at)
              values (${lease.id}, ${lease.name}, ${lease.projectId}, ${lease.userId}, ${lease.startAt},
                      ${lease.endAt}, ${lease.status}, ${lease.statusReason}, ${lease.action}, ${lease.degraded},
                      ${lease.createdAt}, ${lease.updatedAt})
              returning *),
            ${writingParts(lease)}, ${writtenTold(lease, sql`made`, note)},
            asked as (${asking([ask])}), ${journaling(note, lease.id, [])}
            ${waking}`.execute(db),
      )
    },
    async replace(lease, note, ask) {
      await run(
        sql`with changed as (
              update lease set name = ${lease.name}, start_at = ${lease.startAt}, end_at = ${lease.endAt},
                     status = ${lease.status}, status_reason = ${lease.statusReason}, action = ${lease.action},
                     degraded = ${lease.degraded}, updated_at = ${lease.updatedAt}, version = version + 1
              where id = ${lease.id} returning *),
            ${writingParts(lease)}, ${writtenTold(lease, sql`changed`, note)},
            gone as (delete from lease_event
                     where lease_id = ${lease.id} and not id = any (${lease.events.map(event => event.id)}::uuid[])),
            asked as (${asking([ask])}), ${journaling(note, lease.id, [])}
            ${waking}`.execute(db),
      )
    },
    async remove(id, note) {
      await run(
        sql`with gone as (delete from lease where id = ${id} returning *),
            ended as (
              insert into ended_reservation (id, region_id, ended_at)
              select id, region_id, ${note.at} from reservation where lease_id = ${id}
              on conflict (id) do update set ended_at = excluded.ended_at),
            ${toldOf({ rows: sql`gone`, action: note.action, at: note.at })},
            ${journaling(note, id, [])} select 1`.execute(db),
      )
    },
  }
}

/**
 * Tells a lease's event with its region. That comes from the lease and not from the table, because the
 * reservations are written by the same statement, which does not see them.
 */
function writtenTold({ reservations }: Lease, rows: RawBuilder<unknown>, { action, at }: Note) {
  const [region = null, ...others] = new Set(reservations.map(one => one.regionName))
  return toldOf({ rows, action, at, region: sql`${others.length === 0 ? region : null}::text` })
}

const writingParts = (lease: Lease) => sql`
  reserved as (
    insert into reservation (${reservationColumns})
    select ${reservationColumns} from jsonb_populate_recordset(null::reservation, ${JSON.stringify(reservationRows(lease))}::jsonb)
    on conflict (id) do update set
      status = excluded.status, min = excluded.min, max = excluded.max,
      hypervisor_properties = excluded.hypervisor_properties,
      resource_properties = excluded.resource_properties, region_id = excluded.region_id,
      missing_resources = excluded.missing_resources, resources_changed = excluded.resources_changed,
      updated_at = excluded.updated_at),
  happening as (
    insert into lease_event (${eventColumns})
    select ${eventColumns} from jsonb_populate_recordset(null::lease_event, ${JSON.stringify(eventRows(lease))}::jsonb)
    on conflict (id) do update set at = excluded.at, status = excluded.status, updated_at = excluded.updated_at)`
