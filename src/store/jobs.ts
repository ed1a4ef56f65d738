// Jobs in PostgreSQL: the active ones, and the log of those that succeeded.

import { type SqlBool, sql } from 'kysely'
import type { Turn } from '../core/clockwork.ts'
import { type Job, type JobStatus, jobKind, turnKey } from '../core/jobs/job.ts'
import type { JobFilter, JobStore, TakenJob } from '../core/jobs/job-store.ts'
import type { PageRequest } from '../core/page.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'
import type { JobLogTable, JobTable } from './tables.ts'
import { asking, stillMine, waking } from './turns.ts'

const toJob = (row: JobTable): Job => ({
  id: row.id,
  projectId: row.project_id,
  type: row.type,
  resource: row.resource,
  region: row.region,
  timestamp: row.timestamp,
  status: row.status,
  attempts: row.attempts,
  lastError: row.last_error,
  startedAt: row.started_at,
  nextTryAt: row.next_try_at,
  finishedAt: null,
})

const fromLog = (row: JobLogTable): Job => ({
  id: row.id,
  projectId: row.project_id,
  type: row.type,
  resource: row.resource,
  region: row.region,
  timestamp: row.timestamp,
  status: 'SUCCESS',
  attempts: row.attempts,
  lastError: null,
  startedAt: row.started_at,
  nextTryAt: null,
  finishedAt: row.finished_at,
})

const turnOf = (job: Job) => ({ kind: jobKind, key: turnKey(job), lane: job.region })

export function jobStore(db: Db): JobStore {
  return {
    list: (filter, page) => listJobs(db, filter, page),
    get: id => getJob(db, id),
    async post(jobs, note) {
      if (jobs.length > 0) await audited(db, note, insertion(jobs), { first: asked(jobs) })
    },
    async redo(id, note) {
      const job = await getJob(db, id)
      return job !== null && (await audited(db, note, renewal(id), { first: asked([job]) })).length > 0
    },
    async remove(id, note) {
      const removal = db
        .deleteFrom('job')
        .where('id', '=', id)
        .where('status', 'in', ['NEW', 'FAIL'])
        .returningAll()
      return (await audited(db, note, removal)).length > 0
    },
    take: turns => run(db.transaction().execute(tx => takeJobs(tx, turns))),
    succeed: (taken, more) =>
      run(
        more.length === 0
          ? succeed(db, taken, more)
          : db.transaction().execute(tx => succeed(tx, taken, more)),
      ),
    async fail(taken, message, retryMs) {
      return (await run(failing(taken, message, retryMs).execute(db))).rows.length > 0
    },
    async depth() {
      const { rows } = await run(
        sql<{ status: JobStatus; region: string; count: number }>`
          select status, region, count(*) as count from job group by status, region`.execute(db),
      )
      return rows
    },
    async oldestNew() {
      const { rows } = await run(
        sql<{ since: Date | null }>`select min(timestamp) as since from job where status = 'NEW'`.execute(db),
      )
      return rows[0]!.since
    },
    expire: (before, limit) => expireJobs(db, before, limit),
    forget: (before, limit) => forgetJobs(db, before, limit),
  }
}

/** The first parts of a statement that posts jobs: it asks for their turns and wakes the workers. */
const asked = (jobs: readonly Job[]) =>
  [
    ['asked', sql`(${asking(jobs.map(turnOf))})`],
    ['woken', sql`(${waking})`],
  ] as const

/** Each job bears the number of its asking: of one resource, the larger is the newer. */
const insertion = (jobs: readonly Job[]) => sql`(
  insert into job (id, project_id, type, key, resource, region, timestamp, status, asked)
  select new.id, new.project_id, new.type, new.key, new.resource, new.region, new.timestamp, 'NEW', asked.asked
  from unnest(${jobs.map(job => job.id)}::uuid[], ${jobs.map(job => job.projectId)}::text[],
              ${jobs.map(job => job.type)}::text[], ${jobs.map(turnKey)}::text[],
              ${jobs.map(job => JSON.stringify(job.resource))}::jsonb[], ${jobs.map(job => job.region)}::text[],
              ${jobs.map(job => job.timestamp)}::timestamptz[])
       as new (id, project_id, type, key, resource, region, timestamp)
       join asked on asked.key = new.key cross join woken
  returning *)`

const renewal = (id: string) => sql`(
  update job set status = 'NEW', asked = asked.asked, next_try_at = null
  from asked cross join woken where job.id = ${id} and job.status in ('NEW', 'FAIL')
  returning job.*)`

async function getJob(db: Db, id: string): Promise<Job | null> {
  const active = await run(db.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirst())
  if (active) return toJob(active)
  const logged = await run(db.selectFrom('job_log').selectAll().where('id', '=', id).executeTakeFirst())
  return logged ? fromLog(logged) : null
}

/** Pages run through the active jobs and on into the log. */
async function listJobs(
  db: Db,
  filter: JobFilter,
  { limit, marker }: PageRequest<string>,
): Promise<Job[] | null> {
  const after = marker === null ? null : await getJob(db, marker)
  if (marker !== null && after === null) return null
  const jobs: Job[] = []
  if (filter.status !== 'SUCCESS' && after?.status !== 'SUCCESS') {
    jobs.push(
      ...(await run(pageOf(db, 'job', filter, after, limit).execute())).map(row => toJob(row as JobTable)),
    )
  }
  if ((filter.status === undefined || filter.status === 'SUCCESS') && jobs.length < limit) {
    const place = after?.status === 'SUCCESS' ? after : null
    const rows = await run(pageOf(db, 'job_log', filter, place, limit - jobs.length).execute())
    jobs.push(...rows.map(row => fromLog(row as unknown as JobLogTable)))
  }
  return jobs
}

function pageOf(db: Db, table: 'job' | 'job_log', filter: JobFilter, after: Job | null, limit: number) {
  let query = db
    .selectFrom(table as 'job')
    .selectAll()
    .orderBy('timestamp', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  if (filter.status !== undefined && table === 'job') query = query.where('status', '=', filter.status)
  if (after) query = query.where(sql<SqlBool>`(timestamp, id) < (${after.timestamp}, ${after.id}::uuid)`)
  return query
}

/** The turns that are still the taker's, locked: nobody asks for them until this transaction ends. */
const stillTaken = (turns: readonly Turn[]) => sql`
  select turn.key, turn.asked from turn
  join unnest(${turns.map(turn => turn.key)}::text[], ${turns.map(turn => turn.worker)}::int[],
              ${turns.map(turn => turn.epoch)}::bigint[]) as taken (key, worker, epoch)
    on turn.kind = ${sql.lit(jobKind)} and turn.key = taken.key
       and turn.worker = taken.worker and turn.epoch = taken.epoch
  order by turn.key for update of turn`

/**
 * What a worker that is gone has left running goes back first: one job of a resource runs at a time, and the newest
 * is not always the one that was left. A FAIL one runs only when it is to be tried again.
 */
async function takeJobs(tx: Db, turns: readonly Turn[]): Promise<TakenJob[]> {
  await sql`
    with mine as (${stillTaken(turns)})
    update job set status = 'NEW' from mine where job.key = mine.key and job.status = 'RUNNING'`.execute(tx)
  const { rows } = await sql<JobTable & { up_to: number }>`
    with mine as (${stillTaken(turns)}), newest as (
      select mine.asked, waiting.id
      from mine cross join lateral (
        (select id, asked from job where job.key = mine.key and status = 'NEW' order by asked desc limit 1)
        union all
        (select id, asked from job where job.key = mine.key and status = 'FAIL' and next_try_at is not null
         order by asked desc limit 1)
        order by asked desc limit 1) as waiting
    )
    update job
    set status = 'RUNNING', attempts = job.attempts + 1, started_at = now(), next_try_at = null
    from newest where job.id = newest.id
    returning job.*, greatest(newest.asked, job.asked) as up_to`.execute(tx)
  const byKey = new Map(rows.map(row => [row.key, row]))
  const empty = turns.filter(turn => !byKey.has(turn.key))
  if (empty.length > 0) {
    await sql`
      with mine as (${stillTaken(empty)})
      update turn set worker = null, lease_until = null, due_at = 'infinity'
      from mine where turn.kind = ${sql.lit(jobKind)} and turn.key = mine.key`.execute(tx)
  }
  return turns.flatMap(turn => {
    const row = byKey.get(turn.key)
    return row ? [{ turn, job: toJob(row), upTo: row.up_to }] : []
  })
}

async function succeed(tx: Db, taken: TakenJob, more: readonly Job[]): Promise<boolean> {
  const { rows } = await succeeding(taken).execute(tx)
  if (rows.length === 0) return false
  const parts = asked(more).map(([name, part]) => sql`${sql.id(name)} as ${part}`)
  if (more.length > 0)
    await sql`with ${sql.join(parts)}, posted as ${insertion(more)} select from posted`.execute(tx)
  return true
}

/** Frees the turn, moves the job to the log, and removes the others that this run has answered. */
const succeeding = ({ turn, job, upTo }: TakenJob) => sql`
  with freed as (
    update turn set worker = null, lease_until = null, attempts = 0,
      due_at = case when turn.asked > ${upTo} then now() else 'infinity' end
    where ${stillMine(turn)} returning turn.key
  ), done as (
    delete from job using freed where job.key = freed.key and job.asked <= ${upTo} returning job.*
  ), logged as (
    insert into job_log (id, project_id, type, resource, region, timestamp, attempts, started_at, finished_at)
    select id, project_id, type, resource, region, timestamp, attempts, started_at, clock_timestamp()
    from done where id = ${job.id}
  )
  select key from freed`

const failing = ({ turn, job, upTo }: TakenJob, message: string, retryMs: number | null) => sql`
  with freed as (
    update turn set worker = null, lease_until = null, attempts = turn.attempts + 1,
      due_at = case when turn.asked > ${upTo} then now()
                    else coalesce(now() + make_interval(secs => ${retryMs === null ? null : retryMs / 1000}::float8), 'infinity') end
    where ${stillMine(turn)} returning turn.due_at
  )
  update job set status = 'FAIL', last_error = ${message}, next_try_at = nullif(freed.due_at, 'infinity')
  from freed where job.id = ${job.id} returning job.id`

async function expireJobs(db: Db, before: Date, limit: number): Promise<number> {
  const result = await run(
    sql`update job set status = 'FAIL', last_error = 'It waited too long for its turn'
        where id in (select id from job where status = 'NEW' and timestamp < ${before}
                     order by timestamp limit ${limit} for update skip locked)`.execute(db),
  )
  return Number(result.numAffectedRows ?? 0)
}

async function forgetJobs(db: Db, before: Date, limit: number): Promise<number> {
  const result = await run(
    sql`delete from job_log where id in (select id from job_log where finished_at < ${before}
                                         order by finished_at limit ${limit} for update skip locked)`.execute(
      db,
    ),
  )
  return Number(result.numAffectedRows ?? 0)
}
