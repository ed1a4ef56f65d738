// Resource routings: the API's view of routings.

import { invalid, notFound } from '../../core/error.ts'
import type { Page } from '../../core/page.ts'
import {
  type Routing,
  type RoutingChange,
  type RoutingFilter,
  type RoutingSpec,
  resourceTypes,
} from '../../core/routing/routing.ts'
import {
  createRouting,
  getRouting,
  listRoutings,
  type RoutingQuery,
  removeRouting,
  updateRouting,
} from '../../core/routing/routings.ts'
import { notAnInteger, parseInteger, parseLimit } from '../paging.ts'
import { isUuid, type Request, singles } from '../request.ts'
import { type Route, route } from '../route.ts'
import { wording } from './errors.ts'
import { objectUnder, parseTime, requiredText, viewTime, wantsAll } from './fields.ts'

const viewFields = (routing: Routing) => ({
  id: routing.id,
  top_id: routing.centralId,
  bottom_id: routing.regionalId,
  pod_id: routing.regionId,
  project_id: routing.projectId,
  resource_type: routing.resourceType,
  created_at: viewTime(routing.createdAt),
  updated_at: routing.updatedAt && viewTime(routing.updatedAt),
})

const viewRouting = (routing: Routing) => ({ routing: viewFields(routing) })

/** A page of routings. Its link begins with `/v1.0/` whatever the mount: clients cut that off. */
function viewRoutings({ items, more }: Page<Routing>, request: Request) {
  const list = { routings: items.map(viewFields) }
  if (!more) return list
  const href = `/v1.0/routings?limit=${items.length}&marker=${items.at(-1)!.id}${repeatAll(request)}`
  return { ...list, routings_links: [{ rel: 'next', href }] }
}

/** The link repeats `all_projects` only: clients repeat their filters themselves. */
const repeatAll = ({ query }: Request): string => (wantsAll(singles(query)) ? '&all_projects=true' : '')

/** An empty answer, where the seed says 200 and the original's framework made 204 of it. */
const viewEmpty = () => undefined

/** The id in the path; any text that cannot be a routing's id is not found. */
function parseId(text: string): number {
  const id = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(id)) throw notFound('Resource routing not found')
  return id
}

const parseRoutingId = ({ params }: Request): number => parseId(params.id!)

const lengths = { top_id: 127, bottom_id: 36, pod_id: 255, project_id: 36, resource_type: 64 } as const
type FilterName = keyof typeof lengths

const coreNames = {
  top_id: 'centralId',
  bottom_id: 'regionalId',
  pod_id: 'regionId',
  project_id: 'projectId',
  resource_type: 'resourceType',
} as const satisfies Record<FilterName, keyof RoutingSpec>

/** The given fields, in the API's order; throws `invalid` for the first that is blank, unknown or too long. */
function parseFields(
  routing: Record<string, unknown>,
  wanted: readonly FilterName[],
): Record<string, string> {
  const fields = wanted.map(
    field => [coreNames[field], requiredText(routing, field, lengths[field])] as const,
  )
  const parsed: Record<string, string> = Object.fromEntries(fields)
  const { resourceType, regionId } = parsed
  if (resourceType !== undefined && !(resourceTypes as readonly string[]).includes(resourceType)) {
    throw invalid('There is no such resource type')
  }
  if (regionId !== undefined && !isUuid(regionId)) throw invalid(`The pod ${regionId} doesn't exist`)
  return parsed
}

const allFields = Object.keys(lengths) as FilterName[]

function parseRouting({ body }: Request): RoutingSpec {
  const routing = objectUnder(body, 'routing', 'Request body not found')
  return parseFields(routing, allFields) as unknown as RoutingSpec
}

/** Reads a change of a routing. Other keys, such as ids and times, are ignored, as the original does. */
function parseRoutingChange({ params, body }: Request): { id: number; change: RoutingChange } {
  const id = parseId(params.id!)
  const routing = objectUnder(body, 'routing', 'Request body not found')
  const given = allFields.filter(field => field in routing)
  return { id, change: parseFields(routing, given) }
}

const filters = ['id', ...allFields, 'created_at', 'updated_at']

const parseRoutingQuery = (maximum: number) =>
  function parseRoutingQuery({ query }: Request): RoutingQuery {
    const parameters = singles(query)
    const { limit, marker, all_projects: _, ...rest } = parameters
    const unsupported = Object.keys(rest).filter(name => !filters.includes(name))
    if (unsupported.length > 0) throw invalid(`Unsupported filter type: ${unsupported.join(', ')}`)
    return {
      limit: parseLimit(limit, maximum),
      marker: marker === undefined ? null : parseMarker(marker),
      filter: parseFilter(rest),
      allProjects: wantsAll(parameters),
    }
  }

function parseMarker(text: string): number {
  const marker = parseInteger(text)
  if (marker === null) throw notAnInteger('Marker', text)
  if (!Number.isSafeInteger(marker)) throw invalid(`Marker ${text} is an invalid ID`)
  return marker
}

/** A value that nothing can match becomes the id 0, which no routing has. */
function parseFilter(parameters: Record<string, string>): RoutingFilter {
  const { id, pod_id, created_at, updated_at, ...texts } = parameters
  const filter: Record<string, unknown> = {}
  for (const [field, text] of Object.entries(texts)) filter[coreNames[field as FilterName]] = text
  if (id !== undefined) {
    const number = parseInteger(id)
    if (number === null) throw notAnInteger('Id', id)
    filter.id = Number.isSafeInteger(number) ? number : 0
  }
  if (pod_id !== undefined) Object.assign(filter, isUuid(pod_id) ? { regionId: pod_id } : { id: 0 })
  for (const [field, text] of Object.entries({ createdAt: created_at, updatedAt: updated_at })) {
    if (text !== undefined) Object.assign(filter, parseTime(text) ? { [field]: parseTime(text) } : { id: 0 })
  }
  return filter
}

const named = (action: string, denied: string) => ({
  rule: `admin_api:routings:${action}`,
  denied: `Unauthorized to ${denied}`,
  errors: wording.json,
})

export const routingRoutes = (maximum: number): readonly Route[] => [
  route({
    ...named('list', 'show all resource routings'),
    method: 'GET',
    path: '/routings',
    parse: parseRoutingQuery(maximum),
    verb: listRoutings,
    view: viewRoutings,
  }),
  route({
    ...named('show', 'show the resource routing'),
    method: 'GET',
    path: '/routings/:id',
    parse: parseRoutingId,
    verb: getRouting,
    view: viewRouting,
  }),
  route({
    ...named('create', 'create resource routing'),
    method: 'POST',
    path: '/routings',
    parse: parseRouting,
    verb: createRouting,
    view: viewRouting,
  }),
  route({
    ...named('put', 'update resource routing'),
    method: 'PUT',
    path: '/routings/:id',
    parse: parseRoutingChange,
    verb: updateRouting,
    view: viewRouting,
  }),
  route({
    ...named('delete', 'delete the resource routing'),
    method: 'DELETE',
    path: '/routings/:id',
    parse: parseRoutingId,
    verb: removeRouting,
    view: viewEmpty,
  }),
]
