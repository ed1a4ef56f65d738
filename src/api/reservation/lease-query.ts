// Filters, order and pages of the list of leases. The original has none of them: its lists are always whole.

import { invalid, notFound } from '../../core/error.ts'
import { type LeaseSortKey, type LeaseStatus, leaseSortKeys, leaseStatuses } from '../../core/leases/lease.ts'
import { parseLimit } from '../paging.ts'
import { isUuid, type Request, singlesOf } from '../request.ts'
import { parseDate } from './dates.ts'
import { regionOf } from './view.ts'

const filters = [
  'name',
  'status',
  'project_id',
  'user_id',
  'degraded',
  'region',
  'resource_type',
  'start_before',
  'end_after',
] as const
const names = [...filters, 'sort', 'sort_key', 'sort_dir', 'limit', 'marker'] as const
type Parameters = Partial<Record<(typeof names)[number], string>>

/** Reads the query of the list; unknown parameters are ignored, as the original ignores all. */
export const parseLeaseQuery = (maximum: number) =>
  function parseLeaseQuery(request: Request) {
    const parameters = singlesOf(request.query, names)
    const { limit, marker } = parameters
    if (marker !== undefined && !isUuid(marker)) throw notFound(`There is no lease ${marker}`, 'no_marker')
    return {
      filter: parseFilter(parameters, regionOf(request)),
      ...parseSort(parameters),
      limit: limit === undefined ? null : parseLimit(limit, maximum),
      marker: marker ?? null,
    }
  }

function parseFilter(parameters: Parameters, view: string | null) {
  const { name, status, project_id, user_id, degraded, resource_type, start_before, end_after } = parameters
  const region = view ?? parameters.region
  if (view !== null && parameters.region !== undefined && parameters.region !== view) {
    throw invalid(`This is the view of the region ${view}: leave the parameter region out`)
  }
  return {
    ...(project_id === undefined ? {} : { projectId: project_id }),
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status: parseStatus(status) }),
    ...(user_id === undefined ? {} : { userId: user_id }),
    ...(degraded === undefined ? {} : { degraded: parseBoolean('degraded', degraded) }),
    ...(region === undefined ? {} : { region }),
    ...(resource_type === undefined ? {} : { kind: resource_type }),
    ...(start_before === undefined ? {} : { startsBefore: parseDate(start_before) }),
    ...(end_after === undefined ? {} : { endsAfter: parseDate(end_after) }),
  }
}

function parseStatus(text: string): LeaseStatus {
  const status = leaseStatuses.find(known => known === text.toUpperCase())
  if (!status) throw invalid(`There is no status ${text}: a lease is ${leaseStatuses.join(', ')}`)
  return status
}

function parseBoolean(name: string, text: string): boolean {
  const [value] = ['true', 'false'].filter(word => word === text.toLowerCase())
  if (!value) throw invalid(`The parameter ${name} is true or false, not ${text}`)
  return value === 'true'
}

/** `sort=start_date:desc`, or `sort_key` and `sort_dir`; the oldest first unless told. */
function parseSort({ sort, sort_key, sort_dir }: Parameters): { sort: LeaseSortKey; descending: boolean } {
  const [key = '', direction = 'asc'] = sort?.split(':') ?? [sort_key ?? 'created_at', sort_dir]
  const known = leaseSortKeys.find(one => one === key)
  if (!known) throw invalid(`Leases are not sorted by ${key}, but by one of ${leaseSortKeys.join(', ')}`)
  if (direction !== 'asc' && direction !== 'desc') {
    throw invalid(`The direction of a sort is asc or desc, not ${direction}`)
  }
  return { sort: known, descending: direction === 'desc' }
}
