// Jobs in full: what the Tricircle API's six fields leave out.

import { malformed, notFound } from '../../core/error.ts'
import type { Job } from '../../core/jobs/job.ts'
import { getOwnJob } from '../../core/jobs/jobs.ts'
import { isUuid, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'

function parseJobId({ params }: Request): string {
  if (params.id!.length > 64) throw malformed('A job id has 36 characters')
  if (!isUuid(params.id!)) throw notFound(`There is no job ${params.id}`)
  return params.id!
}

export const viewJob = (job: Job) => ({
  job: {
    id: job.id,
    project_id: job.projectId,
    type: job.type,
    resource: job.resource,
    region: job.region === '' ? null : job.region,
    status: job.status,
    asked_at: job.timestamp.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    attempts: job.attempts,
    last_error: job.lastError,
    next_try_at: job.nextTryAt?.toISOString() ?? null,
  },
})

export const jobRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/jobs/:id',
    rule: 'atoll:jobs:show',
    denied: 'Only readers of a project see its jobs',
    parse: parseJobId,
    verb: getOwnJob,
    view: viewJob,
  }),
]
