// The five verbs of every resource, and the actions of a few, by the resource's table.

import {
  badRequest,
  internalError,
  malformed,
  refusal,
  unknownPath,
  wrongMethod,
  wrongRevision,
} from '../errors.ts'
import { type Fields, readCreate, readUpdate } from '../model/attributes.ts'
import { checkQuota } from '../model/limits.ts'
import { type Caller, isAllowed } from '../model/rules.ts'
import type { Region } from '../region.ts'
import type { Row } from '../rows.ts'
import type { Answer, Asked } from './answer.ts'
import { linksOf, nextOf } from './links.ts'
import { enforce } from './policy.ts'
import { find, pick, readQuery, viewAll } from './query.ts'
import { isStandardRow, type Resource, view } from './resource.ts'
import { answerTags } from './tags.ts'

export function answerResource(asked: Asked, resource: Resource, region: Region, caller: Caller): Answer {
  const { method, path } = asked
  const [id, action, ...rest] = path
  if (action === 'tags' && 'tags-any' in resource.attributes)
    return answerTags(asked, resource, region, caller)
  if (rest.length > 0) throw unknownPath()
  if (id === undefined) {
    if (method === 'GET') return list(asked, resource, region, caller)
    if (method === 'POST') return create(asked, resource, region, caller)
    if (method === 'PUT' || method === 'DELETE') throw resource.missing('None')
    throw wrongMethod()
  }
  if (action !== undefined) return act(asked, id, action, resource, region, caller)
  if (method === 'GET') return show(asked, id, resource, region, caller)
  if (method === 'PUT') return update(asked, id, resource, region, caller)
  if (method === 'DELETE') return remove(asked, id, resource, region, caller)
  throw wrongMethod()
}

function list({ query, url, isEndless }: Asked, resource: Resource, region: Region, caller: Caller): Answer {
  const wanted = readQuery(query, resource)
  resource.prepare?.(query, region, caller)
  const found = find(wanted, resource, region, caller)
  // After the last page of an endless list comes the first one.
  const isOver = isEndless && found.length === 0
  const rows = isOver
    ? find({ ...wanted, page: { ...wanted.page, marker: null } }, resource, region, caller)
    : found
  const shown = viewAll(rows, wanted.fields, resource, region, caller)
  const place = { url, query }
  const links = isEndless ? [nextOf(rows, place)] : linksOf(rows, wanted.page, place)
  const key = `${resource.name}s`
  return { status: 200, body: { [key]: shown, ...(links.length > 0 ? { [`${key}_links`]: links } : {}) } }
}

function show({ query }: Asked, id: string, resource: Resource, region: Region, caller: Caller): Answer {
  const row = visible(id, resource, region, caller)
  const fields = query.getAll('fields').filter(field => field !== '')
  return { status: 200, body: { [resource.name]: pick(view(resource, row, region, caller), fields) } }
}

function visible(id: string, resource: Resource, region: Region, caller: Caller): Row {
  const row = resource.table(region).get(id)
  if (row === undefined) throw resource.missing(id)
  if (isAllowed(resource.seenBy, caller, { ...row }, region)) return row
  throw resource.hidden?.() ?? resource.missing(id)
}

function create({ body, ifMatch }: Asked, resource: Resource, region: Region, caller: Caller): Answer {
  const { items, isBulk } = readCreate(body, resource, caller)
  for (const item of items) refuseForeignNetwork(item, resource, region, caller)
  const projects = items.map(item => String(item.project_id))
  for (const project of new Set(projects)) {
    checkQuota(resource.name, project, projects.filter(other => other === project).length, region)
  }
  revisionOf(ifMatch)
  for (const given of items) {
    const { name: on, createdBy: rule, attributes } = resource
    enforce({ verb: 'create', on, rule, attributes, given, target: given }, caller, region)
  }
  const rows = make(items, resource, region, caller)
  const views = rows.map(row => view(resource, row, region, caller, 'create'))
  return { status: 201, body: isBulk ? { [`${resource.name}s`]: views } : { [resource.name]: views[0] } }
}

/** Refuses to put a member's port or subnet on another project's network, unless that is shared. */
function refuseForeignNetwork(item: Fields, { name }: Resource, region: Region, caller: Caller): void {
  if (caller.isAdmin || (name !== 'port' && name !== 'subnet')) return
  const id = String(item.network_id)
  const network = region.networks.get(id)
  // A network is looked up before any role is looked at.
  if (network === undefined || !isAllowed('ownerOrPublic', caller, { ...network }, region, null)) {
    throw refusal(404, 'NetworkNotFound', `Network ${id} could not be found.`)
  }
  if (network.shared || network.project_id === item.project_id) return
  const message = `Tenant ${item.project_id} not allowed to create ${name} on this network`
  throw refusal(403, 'HTTPForbidden', message)
}

/** Creates all rows of a request, or none. */
function make(items: readonly Fields[], resource: Resource, region: Region, caller: Caller): Row[] {
  if (resource.createAll !== undefined) return resource.createAll(items, region, caller)
  if (resource.create === undefined) throw wrongMethod()
  const made: Row[] = []
  try {
    for (const item of items) made.push(resource.create(item, region, caller))
    return made
  } catch (error) {
    for (const row of made.reverse()) resource.remove?.(row, region, caller)
    throw error
  }
}

function update(
  { body, ifMatch }: Asked,
  id: string,
  resource: Resource,
  region: Region,
  caller: Caller,
): Answer {
  const given = readUpdate(body, resource, caller)
  const wanted = revisionOf(ifMatch)
  const row = visible(id, resource, region, caller)
  const { name: on, changedBy: rule, attributes } = resource
  enforce({ verb: 'update', on, rule, attributes, given, target: { ...row, ...given } }, caller, region)
  refuseOther(row, wanted, resource)
  if (resource.update === undefined) throw internalError()
  resource.update(row, given, region, caller)
  return { status: 200, body: { [resource.name]: view(resource, row, region, caller, 'update') } }
}

function remove(
  { body, ifMatch }: Asked,
  id: string,
  resource: Resource,
  region: Region,
  caller: Caller,
): Answer {
  const wanted = revisionOf(ifMatch)
  const row = visible(id, resource, region, caller)
  const { name: on, removedBy: rule, attributes } = resource
  enforce({ verb: 'delete', on, rule, attributes, given: {}, target: { ...row } }, caller, region)
  if (body !== undefined) throw malformed('Request body is not supported in DELETE.')
  refuseOther(row, wanted, resource)
  if (resource.remove === undefined) throw wrongMethod()
  resource.remove(row, region, caller)
  return { status: 204 }
}

function act(
  asked: Asked,
  id: string,
  name: string,
  resource: Resource,
  region: Region,
  caller: Caller,
): Answer {
  const action = resource.actions?.[name]
  if (action === undefined) throw unknownPath()
  if (asked.method !== 'PUT') throw wrongMethod()
  const row = visible(id, resource, region, caller)
  if (!isAllowed(resource.changedBy, caller, { ...row }, region, 'member'))
    throw refusal(403, 'PolicyNotAuthorized', `rule:${name} is disallowed by policy`)
  refuseOther(row, revisionOf(asked.ifMatch), resource)
  return { status: 200, body: action(row, asked.body, region, caller) }
}

/** The revision that `If-Match: revision_number=N` asks for. */
function revisionOf(ifMatch: string | undefined): number | null {
  const tags = (ifMatch ?? '').split(',').map(tag => tag.trim().replaceAll('"', ''))
  const numbers = tags.filter(tag => tag.startsWith('revision_number=')).map(tag => tag.split('=')[1] ?? '')
  if (numbers.length === 0) return null
  if (numbers.length > 1) throw badRequest('if-match', 'Multiple revision_number etags are not supported')
  if (/^-?\d+$/.test(numbers[0] ?? '')) return Number(numbers[0])
  throw badRequest('if-match', 'Revision number etag must be in the format of revision_number=<int>')
}

function refuseOther(row: Row, wanted: number | null, resource: Resource): void {
  if (wanted === null || !isStandardRow(resource, row) || row.revision_number === wanted) return
  throw wrongRevision(wanted, row.revision_number)
}
