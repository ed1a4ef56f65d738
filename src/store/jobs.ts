// Jobs in PostgreSQL: the active ones, and the log of those that succeeded.

import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Turn } from '../core/clockwork.ts'
import { type Job, type JobStatus, jobKind, turnKey } from '../core/jobs/job.ts'
import type { JobFilter, JobStore, TakenJob } from '../core/jobs/job-store.ts'
import type { PageRequest } from '../core/page.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'
import type { JobLogTable, JobTable } from './tables.ts'
import { type Telling, telling } from './telling.ts'
import { together } from './together.ts'
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

/** A part of a statement: the events of jobs that it has changed. */
const toldOf = (told: Omit<Telling, 'noun'>) => sql`told as ${telling({ noun: 'job', ...told })}`

const turnOf = (job: Job) => ({ kind: jobKind, key: turnKey(job), lane: job.region })

export function jobStore(db: Db): JobStore {
  const succeedTogether = together(atOnce, (taken: readonly TakenJob[]) => succeed(db, taken))
  return {
    list: (filter, page) => listJobs(db, filter, page),
    get: id => getJob(db, id),
    async post(jobs, note, at) {
      if (jobs.length > 0) await audited(db, note, insertion(jobs), { first: asked(jobs, { at }) })
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
    take: turns => takeJobs(db, turns),
    async succeed(taken, more) {
      if (more.length === 0) return succeedTogether(taken)
      return (await succeed(db, [taken], more))[0]!
    },
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
const asked = (
  jobs: readonly Job[],
  { at, when }: { at?: Date | undefined; when?: RawBuilder<unknown> } = {},
) =>
  [
    [
      'asked',
      sql`(${asking(
        jobs.map(job => ({ ...turnOf(job), ...(at ? { at } : {}) })),
        when,
      )})`,
    ],
    ['woken', sql`(${waking})`],
  ] as const

/**
 * Inserts jobs, each with the number of its turn's asking: of two jobs of one resource the larger number is
 * newer.
 */
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

/** Lists jobs in pages that run through the active jobs first and then through the log. */
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

/** Locks the turns that this worker still has: nobody can ask for them until the statement ends. */
const stillTaken = (turns: readonly Turn[]) => sql`
  select turn.key, taken.epoch, taken.asked from turn
  join unnest(${turns.map(turn => turn.key)}::text[], ${turns.map(turn => turn.worker)}::int[],
              ${turns.map(turn => turn.epoch)}::bigint[], ${turns.map(turn => turn.asked)}::bigint[])
       as taken (key, worker, epoch, asked)
    on turn.kind = ${sql.lit(jobKind)} and turn.key = taken.key
       and turn.worker is not distinct from taken.worker and turn.epoch = taken.epoch
  order by turn.key for update of turn`

/** The newest job of a turn in a state. */
const newest = (state: ReturnType<typeof sql>) => sql`
  (select id, asked, status from job where job.key = mine.key and ${state} order by asked desc limit 1)`

/**
 * Takes the jobs of these turns in one statement, so that a process that is stopped in the middle of it holds
 * no locks. The newest job runs; one in FAIL only when it is to be tried again. Where a dead worker has left
 * an older job running, that one goes back to NEW first and its turn is looked at again, so that one job of a
 * resource runs at a time.
 */
async function takeJobs(db: Db, turns: readonly Turn[]): Promise<TakenJob[]> {
  const { rows } = await run(
    sql<JobTable & { up_to: number }>`
    with mine as (${stillTaken(turns)}), chosen as (
      select mine.key, mine.asked, waiting.id, abandoned.id as abandoned
      from mine cross join lateral (
        ${newest(sql`status = 'NEW'`)} union all
        ${newest(sql`status = 'RUNNING'`)} union all
        ${newest(sql`status = 'FAIL' and next_try_at is not null`)}
        order by asked desc limit 1) as waiting
      left join lateral (
        select id from job where job.key = mine.key and status = 'RUNNING' limit 1) as abandoned
        on abandoned.id <> waiting.id
    ), idle as (
      update turn set worker = null, lease_until = null,
        due_at = case when turn.asked > mine.asked then now() else 'infinity' end
      from mine where turn.kind = ${sql.lit(jobKind)} and turn.key = mine.key
        and not exists (select from chosen where chosen.key = mine.key)
    ), begun as (
    update job set
      status = case when abandoned is null then 'RUNNING' else 'NEW' end,
      attempts = job.attempts + case when abandoned is null then 1 else 0 end,
      started_at = case when abandoned is null then now() else job.started_at end,
      next_try_at = null
    from chosen where job.id = coalesce(chosen.abandoned, chosen.id)
    returning job.*, greatest(chosen.asked, job.asked) as up_to),
    ${toldOf({ rows: sql`begun`, action: sql`case status when 'RUNNING' then 'job.start' else 'job.release' end`, at: sql`now()` })}
    select * from begun`.execute(db),
  )
  const byKey = new Map(rows.map(row => [row.key, row]))
  const taken = turns.flatMap(turn => {
    const row = byKey.get(turn.key)
    return row?.status === 'RUNNING' ? [{ turn, job: toJob(row), upTo: row.up_to }] : []
  })
  const again = turns.filter(turn => byKey.get(turn.key)?.status === 'NEW')
  return again.length > 0 ? [...taken, ...(await takeJobs(db, again))] : taken
}

/** How many results go into one statement. */
const atOnce = 100

/** Ends jobs that succeeded. Returns for each whether this worker still had its turn. */
async function succeed(db: Db, taken: readonly TakenJob[], more: readonly Job[] = []): Promise<boolean[]> {
  const { rows } = await run(succeeding(taken, more).execute(db))
  const freed = new Set(rows.map(({ epoch }) => epoch))
  return taken.map(({ turn }) => freed.has(turn.epoch))
}

/**
 * Frees the turns, moves the jobs to the log, removes the older jobs of the same resources, which these runs
 * have done as well, and posts the jobs that follow.
 */
function succeeding(taken: readonly TakenJob[], more: readonly Job[]) {
  const follows = telling({
    noun: 'job',
    rows: sql`posted`,
    action: 'job.create',
    at: sql`clock_timestamp()`,
  })
  const posting = [
    ...asked(more, { when: sql`exists (select from freed)` }),
    ['posted', insertion(more)] as const,
    ['follows', follows] as const,
  ]
  const parts = more.length > 0 ? posting.map(([name, part]) => sql`, ${sql.id(name)} as ${part}`) : []
  return sql<{ epoch: number }>`
  with mine as (${stillTaken(taken.map(({ turn }) => turn))}), freed as (
    update turn set worker = null, lease_until = null, attempts = 0,
      due_at = case when turn.asked > ended.up_to then turn.due_at else 'infinity' end
    from mine join unnest(${taken.map(({ turn }) => turn.epoch)}::bigint[], ${taken.map(({ job }) => job.id)}::uuid[],
                          ${taken.map(({ upTo }) => upTo)}::bigint[]) as ended (epoch, id, up_to)
      on ended.epoch = mine.epoch
    where turn.kind = ${sql.lit(jobKind)} and turn.key = mine.key
    returning turn.key, ended.*
  ), done as (
    delete from job using freed where job.key = freed.key and job.asked <= freed.up_to
    returning job.*, job.id = freed.id as ran
  ), logged as (
    insert into job_log (id, project_id, type, resource, region, timestamp, attempts, started_at, finished_at)
    select id, project_id, type, resource, region, timestamp, attempts, started_at, clock_timestamp()
    from done where ran
  ), ${toldOf({ rows: ended, action: sql`case when ran then 'job.succeed' else 'job.supersede' end`, at: sql`clock_timestamp()` })}
  ${sql.join(parts, sql``)}
  select epoch from freed`
}

/**
 * The jobs that ended: those that ran, and the older ones of the same resource, which did not run themselves.
 */
const ended = sql`(
  select id, project_id, type, resource, region, attempts, ran, null::timestamptz as next_try_at,
         case when ran then 'SUCCESS' else status end as status, case when ran then null else last_error end as last_error
  from done)`

const failing = ({ turn, job, upTo }: TakenJob, message: string, retryMs: number | null) => sql`
  with freed as (
    update turn set worker = null, lease_until = null, attempts = turn.attempts + 1,
      due_at = case when turn.asked > ${upTo} then turn.due_at
                    else coalesce(now() + make_interval(secs => ${retryMs === null ? null : retryMs / 1000}::float8), 'infinity') end
    where ${stillMine(turn)} returning turn.due_at
  ), failed as (
    update job set status = 'FAIL', last_error = ${message}, next_try_at = nullif(freed.due_at, 'infinity')
    from freed where job.id = ${job.id} returning job.*
  ), ${toldOf({ rows: sql`failed`, action: 'job.fail', at: sql`clock_timestamp()` })}
  select id from failed`

async function expireJobs(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await run(
    sql<{ count: number }>`
      with expired as (
        update job set status = 'FAIL', last_error = 'It waited too long for its turn'
        where id in (select id from job where status = 'NEW' and timestamp < ${before}
                     order by timestamp limit ${limit} for update skip locked)
        returning *),
      ${toldOf({ rows: sql`expired`, action: 'job.expire', at: sql`now()` })}
      select count(*) as count from expired`.execute(db),
  )
  return rows[0]!.count
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
