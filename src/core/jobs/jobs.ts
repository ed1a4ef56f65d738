// The verbs of jobs: list, get, create, redo, remove; and running one that a worker has taken.

import type { App } from '../app.ts'
import { dayMs, inBatches } from '../batches.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import type { Cloud } from '../cloud.ts'
import { AppError, invalid, notFound } from '../error.ts'
import { noteOf } from '../note.ts'
import { type Page, type PageRequest, toPage } from '../page.ts'
import { everyPod, type Job, type JobSpec, jobTypes, retryDelayMs } from './job.ts'
import type { JobFilter, TakenJob } from './job-store.ts'

export interface JobQuery extends PageRequest<string> {
  readonly filter: JobFilter
  /**
   * Jobs of every project, or of the one in the filter; else of the caller's project, whatever the filter
   * says.
   */
  readonly allProjects: boolean
}

/** A page of jobs; throws `invalid` (`marker`) for a marker that is no job. */
export async function listJobs(app: Pick<App, 'store'>, caller: Caller, query: JobQuery): Promise<Page<Job>> {
  const filter = query.allProjects ? query.filter : { ...query.filter, projectId: caller.projectId ?? '' }
  const rows = await app.store.jobs.list(filter, { limit: query.limit + 1, marker: query.marker })
  if (!rows) throw invalid(`Invalid marker: ${query.marker}`, 'marker')
  return toPage(rows, query.limit)
}

/** One job, active or in the log, of any project; throws `not_found`. */
export async function getJob(app: Pick<App, 'store'>, _caller: Caller, id: string): Promise<Job> {
  const job = await app.store.jobs.get(id)
  if (!job) throw notFound('Resource not found')
  return job
}

/** As getJob, but unless the caller is an admin only a job of the caller's project. */
export async function getOwnJob(app: Pick<App, 'store'>, caller: Caller, id: string): Promise<Job> {
  const job = await app.store.jobs.get(id)
  if (!job || (job.projectId !== caller.projectId && !isAtLeast(caller, 'admin'))) {
    throw notFound(`There is no job ${id}`)
  }
  return job
}

export type NewJob = Pick<JobSpec, 'projectId' | 'type' | 'resource'>

/**
 * The new job. Throws `invalid` for a resource that is not the project's, an unknown region, and a type that this
 * release has no handler for.
 */
export async function createJob(app: App, caller: Caller, spec: NewJob): Promise<Job> {
  if (!(spec.type in app.jobHandlers)) {
    throw invalid(`Jobs of the type ${spec.type} cannot be run by this release of Atoll`, 'no_handler')
  }
  await checkOwner(app, spec)
  const job = newJob(app, { ...spec, region: await regionOf(app, spec) })
  await app.store.jobs.post([job], noteOf(app, caller, 'job.create'))
  return job
}

async function checkOwner(app: App, { type, projectId, resource }: NewJob): Promise<void> {
  const { owner } = jobTypes.find(known => known.type === type)!
  if (!owner) {
    if (resource.project_id !== projectId) {
      throw invalid(
        `Specified project_id ${projectId} and resource's project_id ${resource.project_id} are different`,
      )
    }
    return
  }
  const id = resource[owner.key]!
  const filter = { projectId, centralId: id, resourceType: owner.resourceType }
  const [routing] = await app.store.routings.list(filter, { limit: 1, marker: null })
  if (!routing)
    throw invalid(`${owner.resourceType} ${id} doesn't belong to the project ${projectId}`, 'owner')
}

async function regionOf(app: App, { resource }: NewJob): Promise<string> {
  const { pod_id: podId } = resource
  if (podId === undefined || podId === everyPod) return ''
  const region = (await app.store.regions.list()).find(({ id }) => id === podId)
  if (!region) throw invalid(`The pod ${podId} doesn't exist`, 'region_unknown')
  return region.name
}

/** A new job, asked for at this moment. */
export function newJob(app: Pick<App, 'newId' | 'now'>, spec: JobSpec): Job {
  const now = app.now().getTime()
  return {
    ...spec,
    id: app.newId(),
    timestamp: new Date(now - (now % 1000)),
    status: 'NEW',
    attempts: 0,
    lastError: null,
    startedAt: null,
    nextTryAt: null,
    finishedAt: null,
  }
}

/**
 * Makes a failed job due again. Throws `not_found` (`job`), or `invalid` with a reason: `in_log`, `running`.
 */
export async function redoJob(app: Pick<App, 'now' | 'store'>, caller: Caller, id: string): Promise<void> {
  await requireIdle(app, id, `Can't redo job ${id} which is running`)
  const redone = await app.store.jobs.redo(id, noteOf(app, caller, 'job.redo'))
  if (!redone) await requireIdle(app, id, `Can't redo job ${id} which is running`)
}

/** Removes a job. Throws as redoJob. */
export async function removeJob(app: Pick<App, 'now' | 'store'>, caller: Caller, id: string): Promise<void> {
  await requireIdle(app, id, `Failed to delete the running job ${id}`)
  const removed = await app.store.jobs.remove(id, noteOf(app, caller, 'job.remove'))
  if (!removed) await requireIdle(app, id, `Failed to delete the running job ${id}`)
}

async function requireIdle(app: Pick<App, 'store'>, id: string, running: string): Promise<void> {
  const job = await app.store.jobs.get(id)
  if (!job) throw notFound(`Job ${id} not found`, 'job')
  if (job.status === 'SUCCESS') throw invalid(`Job ${id} is from job log`, 'in_log')
  if (job.status === 'RUNNING') throw invalid(running, 'running')
}

export interface RunSettings {
  /** A job that has failed for so long is not tried again by itself. */
  readonly retryForMs: number
}

/** `lost`: another worker has the job by now, and this run's result was not written. */
export type JobOutcome = 'succeeded' | 'failed' | 'lost'

export interface RunResult {
  readonly outcome: JobOutcome
  /**
   * Whether the job's region gave an answer, be it a refusal; null when the run says nothing of the region.
   */
  readonly regionAnswered: boolean | null
}

/**
 * Runs a taken job and writes its outcome, as long as the turn is still the taker's. Throws only when the
 * store is away.
 */
export async function runJob(app: App, taken: TakenJob, settings: RunSettings): Promise<RunResult> {
  const { job } = taken
  const { watched, wasAsked } = watch(app, job)
  let more: readonly Job[]
  try {
    more = await work(watched, job)
  } catch (error) {
    const written = await app.store.jobs.fail(
      taken,
      sentenceFor(app, job, error),
      retryMs(app, job, settings),
    )
    return { outcome: written ? 'failed' : 'lost', regionAnswered: answerIn(error, job) }
  }
  const written = await app.store.jobs.succeed(taken, more)
  return { outcome: written ? 'succeeded' : 'lost', regionAnswered: wasAsked() ? true : null }
}

/** Notes whether the job's region was asked for anything: a job that makes no call tells nothing of its region. */
function watch(app: App, job: Job): { watched: App; wasAsked(): boolean } {
  let asked = false
  const networking: Cloud['networking'] = (region, requestId) => {
    asked ||= region === job.region
    return app.cloud.networking(region, requestId)
  }
  return { watched: { ...app, cloud: { ...app.cloud, networking } }, wasAsked: () => asked }
}

/** Does the job, or names the jobs that do it in each region. */
async function work(app: App, job: Job): Promise<readonly Job[]> {
  if (job.resource.pod_id === everyPod) return fanOut(app, job)
  await app.jobHandlers[job.type]!(app, job)
  return []
}

function sentenceFor(app: App, job: Job, error: unknown): string {
  if (error instanceof AppError) return error.message
  app.report(error, `job ${job.id} (${job.type})`)
  return `Something went wrong on our side; the log has more under the job's id`
}

/** How soon a failed job is tried again; null when it has been tried for long enough. */
function retryMs(app: App, job: Job, { retryForMs }: RunSettings): number | null {
  const age = app.now().getTime() - job.timestamp.getTime()
  return age > retryForMs ? null : retryDelayMs(job.attempts, app.chance())
}

/** One job for each region that has the resource. */
async function fanOut(app: App, job: Job): Promise<Job[]> {
  const { owner } = jobTypes.find(known => known.type === job.type)!
  const filter = { centralId: job.resource[owner!.key]!, resourceType: owner!.resourceType }
  const routings = await app.store.routings.list(filter, { limit: 10_000, marker: null })
  const mapped = new Set(routings.map(routing => routing.regionId))
  const regions = (await app.store.regions.list()).filter(region => mapped.has(region.id))
  return regions.map(region =>
    newJob(app, { ...job, region: region.name, resource: { ...job.resource, pod_id: region.id } }),
  )
}

/**
 * Whether an error is an answer of a region that is at work: false for no answer or a server error; null when
 * the error is not the region's.
 */
function answerIn(error: unknown, { region }: Job): boolean | null {
  if (!(error instanceof AppError) || error.code !== 'upstream' || error.detail.region !== region) return null
  return (error.detail.status ?? 500) < 500
}

/** Makes FAIL the jobs that have been NEW for longer; returns how many. */
export function expireNewJobs(app: Pick<App, 'now' | 'store'>, seconds: number): Promise<number> {
  const before = new Date(app.now().getTime() - seconds * 1000)
  return inBatches(limit => app.store.jobs.expire(before, limit))
}

/** Removes the jobs that succeeded more than so many days ago; returns how many. */
export function forgetLoggedJobs(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = new Date(app.now().getTime() - days * dayMs)
  return inBatches(limit => app.store.jobs.forget(before, limit))
}
