// The state of resources in regions, by their jobs: which are still to be done, and which have failed.

import type { App } from '../../app.ts'
import { grouped } from '../../grouped.ts'
import { everyPod, type Job, jobTypes } from '../../jobs/job.ts'
import type { Region } from '../../regions/region.ts'
import type { Sight } from '../model/network-store.ts'

export interface State {
  readonly state: 'ok' | 'pending' | 'failed'
  /** The newest job that the state comes from; null where none does. */
  readonly jobId: string | null
  /** The error of the failed job. */
  readonly error: string | null
}

export const ok: State = { state: 'ok', jobId: null, error: null }
export const pending: State = { ...ok, state: 'pending' }

const severity: Readonly<Record<State['state'], number>> = { ok: 0, pending: 1, failed: 2 }

/** The worst of these states: the first of equals. */
export function worst(...states: readonly State[]): State {
  const found = states.reduce((most, next) => (severity[next.state] > severity[most.state] ? next : most), ok)
  return { state: found.state, jobId: found.jobId, error: found.error }
}

/**
 * The most jobs that are read: when a region has been away for days there are many, and the newest say
 * enough.
 */
const mostJobs = 10_000

/** The jobs that are not done, of resources in this sight: of each status the newest first. */
export async function openJobs({ store }: Pick<App, 'store'>, sight: Sight): Promise<Job[]> {
  const filter = typeof sight === 'object' && sight !== null ? sight : {}
  const lists = await Promise.all(
    (['FAIL', 'RUNNING', 'NEW'] as const).map(status =>
      store.jobs.list({ ...filter, status }, { limit: mostJobs, marker: null }),
    ),
  )
  return lists.flatMap(jobs => jobs ?? [])
}

/** The central id of the resource that a job is for; null for a job of a whole project. */
export function thingOf({ type, resource }: Job): string | null {
  const owner = jobTypes.find(known => known.type === type)?.owner
  return (owner && resource[owner.key]) ?? null
}

/** The state of a resource in a region; in all of them for null. */
export type StateOf = (id: string, region: Region | null) => State

export function statesOf(jobs: readonly Job[]): StateOf {
  const byThing = grouped(jobs, thingOf)
  return (id, region) =>
    stateBy((byThing.get(id) ?? []).filter(job => region === null || actsIn(job, region)))
}

const actsIn = ({ resource: { pod_id: podId } }: Job, region: Region): boolean =>
  podId === undefined || podId === everyPod || podId === region.id

/** The state that jobs, in this order, give the one resource that they are all for. */
export function stateBy(jobs: readonly Job[]): State {
  const failed = jobs.find(({ status }) => status === 'FAIL')
  if (failed) return { state: 'failed', jobId: failed.id, error: failed.lastError }
  return jobs[0] ? { ...pending, jobId: jobs[0].id } : ok
}
