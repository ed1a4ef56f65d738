// Asynchronous jobs: the API's view of jobs.

import { invalid, malformed, notFound } from '../../core/error.ts'
import { type Job, type JobStatus, jobTypes } from '../../core/jobs/job.ts'
import {
  createJob,
  getJob,
  type JobQuery,
  listJobs,
  type NewJob,
  redoJob,
  removeJob,
} from '../../core/jobs/jobs.ts'
import type { Page } from '../../core/page.ts'
import { parseLimit } from '../paging.ts'
import { isObject, isUuid, kindOf, type Request, singles } from '../request.ts'
import { type Route, route } from '../route.ts'
import { wording } from './errors.ts'
import { objectUnder, textField, viewTime, wantsAll } from './fields.ts'
import { viewNothing } from './pods.ts'

const viewFields = (job: Job) => ({
  id: job.id,
  project_id: job.projectId,
  type: job.type,
  timestamp: viewTime(job.timestamp),
  status: job.status,
  resource: inOrder(job),
})

/** The resource's keys in the order of the job type's schema, which JSONB does not keep. */
function inOrder({ type, resource }: Job): Record<string, string | undefined> {
  const { keys } = jobTypes.find(known => known.type === type)!
  return Object.fromEntries(keys.map(key => [key, resource[key]]))
}

const viewJob = (job: Job) => ({ job: viewFields(job) })

function viewJobs({ items, more }: Page<Job>, request: Request) {
  const list = { jobs: items.map(viewFields) }
  if (!more) return list
  const all = wantsAll(singles(request.query)) ? '&all_projects=true' : ''
  const href = `/v1.0/jobs?limit=${items.length}&marker=${items.at(-1)!.id}${all}`
  return { ...list, jobs_links: [{ rel: 'next', href }] }
}

const viewSchemas = () => ({ schemas: jobTypes.map(({ type, keys }) => ({ type, resource: keys })) })

/** A JSON null: the client parses the answer's body, so there must be one. */
const viewNull = () => null

const parseNothing = () => undefined

const parseJobId =
  (missing: (id: string) => string) =>
  ({ params }: Request): string => {
    if (!isUuid(params.id!)) throw notFound(missing(params.id!), 'job')
    return params.id!
  }
const parseShownId = parseJobId(() => 'Resource not found')
const parseChangedId = parseJobId(id => `Job ${id} not found`)

const filters = ['project_id', 'type', 'status']
const statuses: readonly string[] = ['NEW', 'RUNNING', 'FAIL', 'SUCCESS'] satisfies JobStatus[]

const parseJobQuery = (maximum: number) =>
  function parseJobQuery({ query }: Request): JobQuery {
    const parameters = singles(query)
    const { limit, marker, all_projects: _, ...rest } = parameters
    const unsupported = Object.keys(rest).filter(name => !filters.includes(name))
    if (unsupported.length > 0) throw invalid(`Unsupported filter type: ${unsupported.join(', ')}`)
    if (marker !== undefined && !isUuid(marker)) throw invalid(`Invalid marker: ${marker}`)
    const { project_id: projectId, type, status } = rest
    const known = status === undefined || statuses.includes(status.toUpperCase())
    return {
      limit: parseLimit(limit, maximum),
      marker: marker ?? null,
      allProjects: wantsAll(parameters),
      filter: {
        ...(projectId === undefined ? {} : { projectId }),
        ...(type === undefined ? {} : { type }),
        // An unknown status or type matches no job.
        ...(known ? {} : { type: '' }),
        ...(known && status !== undefined ? { status: status.toUpperCase() as JobStatus } : {}),
      },
    }
  }

/** Reads a new job and checks its fields in the order in which the original does. */
function parseJob({ body }: Request): NewJob {
  const job = objectUnder(body, 'job', 'Request body not found')
  const type = given(job, 'type')
  const projectId = given(job, 'project_id')
  const known = jobTypes.find(candidate => candidate.type === type)
  if (!known) throw invalid(`There is no such job type: ${type}`)
  const resource = job.resource ?? null
  if (resource === null) throw invalid('Failed to create job, because the resource is not specified')
  if (!isObject(resource)) throw malformed(`Field resource must be an object, not ${kindOf(resource)}`)
  const set = (names: string[]): string => `{${names.map(name => `'${name}'`).join(', ')}}`
  const missing = known.keys.filter(key => !(key in resource))
  if (missing.length > 0) throw invalid(`Some required fields are not specified: ${set(missing)}`)
  const redundant = Object.keys(resource).filter(key => !known.keys.includes(key))
  if (redundant.length > 0) throw invalid(`Some fields are redundant: ${set(redundant)}`)
  return { type, projectId, resource: Object.fromEntries(known.keys.map(key => [key, value(resource, key)])) }
}

function given(job: Record<string, unknown>, field: string): string {
  if (!(field in job)) throw invalid(`${field} isn't provided in request body`)
  const text = textField(job, field, 64)
  if (text === '') throw invalid(`${field} can't be empty`)
  return text
}

function value(resource: Record<string, unknown>, key: string): string {
  const text = textField(resource, key, 127)
  // The values are joined by `#` into the key by which jobs for the same resource are recognised.
  if (text === '' || text.includes('#')) throw invalid(`Field ${key} must be an id`)
  return text
}

const named = (rule: string, denied: string) => ({
  rule: `admin_api:jobs:${rule}`,
  denied: `Unauthorized to ${denied}`,
  errors: wording.json,
})

/** Jobs are served under `/jobs`, and under `/job`, which the tables of the documents name. */
export const jobRoutes = (pageLimit: number): readonly Route[] =>
  ['/jobs', '/job'].flatMap(path => [
    ...['', '/detail'].map(suffix =>
      route({
        ...named('list', 'show all jobs'),
        method: 'GET',
        path: `${path}${suffix}`,
        parse: parseJobQuery(pageLimit),
        verb: listJobs,
        view: viewJobs,
      }),
    ),
    route({
      ...named('schema_list', 'show job information'),
      method: 'GET',
      path: `${path}/schemas`,
      parse: parseNothing,
      verb: null,
      view: viewSchemas,
    }),
    route({
      ...named('schema_list', 'show job information'),
      method: 'GET',
      path: `${path}/:id`,
      parse: parseShownId,
      verb: getJob,
      view: viewJob,
    }),
    route({
      ...named('create', 'create a job'),
      method: 'POST',
      path,
      status: 202,
      parse: parseJob,
      verb: createJob,
      view: viewJob,
    }),
    route({
      ...named('redo', 'redo a job'),
      method: 'PUT',
      path: `${path}/:id`,
      parse: parseChangedId,
      verb: redoJob,
      view: viewNull,
    }),
    route({
      ...named('delete', 'delete a job'),
      method: 'DELETE',
      path: `${path}/:id`,
      parse: parseChangedId,
      verb: removeJob,
      view: viewNothing,
    }),
  ])
