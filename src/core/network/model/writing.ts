// Parts of every verb that writes the central model: the first fields of rows, revisions, and jobs that
// follow.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { type JobSpec, turnKey } from '../../jobs/job.ts'
import { newJob } from '../../jobs/jobs.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { type Kind, type Place, wordOf } from './model.ts'
import { regionNamed } from './where.ts'

/** The first fields of every new row. */
export const born = (app: Pick<App, 'now'>): { revision: number; createdAt: Date; updatedAt: Date } => {
  const now = app.now()
  return { revision: 1, createdAt: now, updatedAt: now }
}

/** Throws `conflict` (`revision`) where a revision is asked for that is not the row's. */
export function checkRevision(kind: Kind, row: { id: string; revision: number }, asked?: number): void {
  if (asked !== undefined && asked !== row.revision) {
    throw conflict(
      `The ${wordOf(kind)} ${row.id} is at revision ${row.revision}, not ${asked}: read it again first`,
      'revision',
    )
  }
}

/** A job that Atoll posts with a change. */
export interface FollowUp {
  readonly type: string
  readonly projectId: string
  readonly resource: JobSpec['resource']
  /** The region that the job acts in; null for one that acts in several. */
  readonly region: Region | null
}

/** A job for a resource in one region. */
export const jobIn = (
  region: Region,
  type: string,
  projectId: string,
  resource: FollowUp['resource'],
): FollowUp => ({ type, projectId, resource: { pod_id: region.id, ...resource }, region })

/** One job for each region that has a copy of the resource. */
export const jobsWhereIs = (
  { projectId, places }: { readonly projectId: string; readonly places: readonly Place[] },
  regions: readonly Region[],
  type: string,
  resource: FollowUp['resource'],
): FollowUp[] => places.map(({ region }) => jobIn(regionNamed(region, regions), type, projectId, resource))

/** Posts jobs for regions in the transaction of the change that they follow from; due at once unless told. */
export async function follow(
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  follows: readonly FollowUp[],
  at?: Date,
): Promise<void> {
  if (follows.length === 0) return
  const once = new Map(follows.map(one => [turnKey(one), one]))
  const jobs = [...once.values()].map(({ region, ...spec }) =>
    newJob(app, { ...spec, region: region?.name ?? '' }),
  )
  await tx.jobs.post(jobs, noteOf(app, caller, 'job.create'), at)
}
