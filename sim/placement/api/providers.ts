// Resource providers, in trees.

import { randomUUID } from 'node:crypto'
import { hasTraits, isExcluded, isMember } from '../candidates.ts'
import { classNotFound, invalid, notFound } from '../refusals.ts'
import type { PlacementRegion } from '../region.ts'
import { hasRoom, type Provider, treeOf } from '../rows.ts'
import {
  type Answer,
  type Asked,
  badQuery,
  checkQuery,
  isUuid,
  nothing,
  ok,
  providerOf,
  type Routes,
  readObject,
  readText,
  readUuid,
} from './asked.ts'
import { readMemberOf, readResources, readTraits } from './query.ts'

export const providerRoutes: Routes = {
  '/resource_providers': {
    GET: { rule: 'resource_providers:list', answer: list },
    POST: { rule: 'resource_providers:create', answer: create },
  },
  '/resource_providers/:uuid': {
    GET: { rule: 'resource_providers:show', answer: asked => ok(view(providerOf(asked), asked.minor)) },
    PUT: { rule: 'resource_providers:update', answer: update },
    DELETE: { rule: 'resource_providers:delete', answer: remove },
  },
}

function view({ uuid, name, generation, parent, root }: Provider, minor: number): object {
  const path = `/resource_providers/${uuid}`
  const parts = ['inventories', 'usages']
  if (minor >= 1) parts.push('aggregates')
  if (minor >= 6) parts.push('traits')
  if (minor >= 11) parts.push('allocations')
  const links = [{ rel: 'self', href: path }, ...parts.map(rel => ({ rel, href: `${path}/${rel}` }))]
  const tree =
    minor >= 14 ? { parent_provider_uuid: parent?.uuid ?? null, root_provider_uuid: root.uuid } : {}
  return { uuid, name, generation, links, ...tree }
}

/** The filters of the list, each with its first microversion. */
const filters: Record<string, number> = {
  name: 0,
  uuid: 0,
  member_of: 3,
  resources: 4,
  in_tree: 14,
  required: 18,
}

function list({ region, query, minor }: Asked): Answer {
  checkQuery(query, name => (filters[name] ?? Infinity) <= minor)
  for (const name of ['uuid', 'in_tree']) {
    const value = query.get(name)
    if (value !== null && !isUuid(value)) throw badQuery(`'${value}' is not a 'uuid'`)
  }
  const members = readMemberOf(query.getAll('member_of'), minor)
  const traits = readTraits(query.getAll('required'), minor)
  checkTraits(region, [...traits.required.flat(), ...traits.forbidden])
  const resources = query.has('resources') ? readResources(query.get('resources') ?? '') : new Map()
  for (const name of resources.keys()) {
    if (region.classes.has(name)) continue
    throw invalid(`Invalid resource class in resources parameter: ${classNotFound(name)}`)
  }
  const found = candidates(region, query).filter(
    provider =>
      isMember(provider, members) &&
      !isExcluded(provider, members) &&
      hasTraits([provider], traits) &&
      [...resources].every(([name, amount]) => hasRoom(provider, name, amount, provider.used.get(name) ?? 0)),
  )
  return ok({ resource_providers: found.map(provider => view(provider, minor)) })
}

function candidates(region: PlacementRegion, query: URLSearchParams): Provider[] {
  const name = query.get('name')
  const uuid = query.get('uuid')
  const inTree = query.get('in_tree')
  let found: Provider[]
  if (name !== null) found = [region.providersByName.get(name) ?? []].flat()
  else if (uuid !== null) found = [region.providers.get(uuid) ?? []].flat()
  else if (inTree !== null)
    found = [region.providers.get(inTree) ?? []].flat().flatMap(one => treeOf(one.root))
  else return [...region.providers.values()]
  return found.filter(
    provider =>
      (uuid === null || provider.uuid === uuid) &&
      (inTree === null || provider.root === region.providers.get(inTree)?.root),
  )
}

function checkTraits(region: PlacementRegion, names: readonly string[]): void {
  const unknown = names.filter(name => !region.traits.has(name))
  if (unknown.length === 0) return
  throw invalid(`Invalid trait(s) in "required" parameter: No such trait(s): ${unknown.join(', ')}.`)
}

function create({ region, body, minor }: Asked): Answer {
  const given = readObject(body, ['name'])
  const name = readText(given.name, 200)
  const uuid = given.uuid === undefined ? randomUUID() : readUuid(given.uuid)
  const parentId = minor >= 14 ? (given.parent_provider_uuid ?? null) : null
  const parent = parentId === null ? null : region.providers.get(readUuid(parentId))
  if (parent === undefined) {
    const why = 'Object action create failed because: parent provider UUID does not exist.'
    throw invalid(`Unable to create resource provider "${name}", ${uuid}: ${why}`)
  }
  const provider = region.addProvider({ uuid, name, parent })
  const location = `/resource_providers/${uuid}`
  return minor >= 20 ? { status: 200, body: view(provider, minor), location } : { status: 201, location }
}

function update(asked: Asked): Answer {
  const { region, body, minor } = asked
  const provider = providerOf(asked)
  const given = readObject(body, ['name'])
  const failed = `Unable to save resource provider ${provider.uuid}: Object action update failed because:`
  const asks = minor >= 14 && 'parent_provider_uuid' in given
  const parentId = given.parent_provider_uuid ?? null
  const wanted = asks && parentId !== null ? region.providers.get(readUuid(parentId)) : null
  if (wanted === undefined) throw invalid(`${failed} parent provider UUID does not exist.`)
  const parent = asks ? wanted : provider.parent
  const moves = parent !== provider.parent
  if (moves && provider.parent !== null && minor < 37) {
    throw invalid(`${failed} re-parenting a provider is not currently allowed.`)
  }
  if (moves && parent !== null && treeOf(provider).includes(parent)) {
    throw invalid(`${failed} creating loop in the provider tree is not allowed.`)
  }
  region.changeProvider(provider, readText(given.name, 200), parent)
  return ok(view(provider, minor))
}

function remove({ region, params }: Asked): Answer {
  const provider = region.providers.get(params.uuid ?? '')
  if (provider === undefined) throw notFound(`No resource provider with uuid ${params.uuid} found for delete`)
  region.removeProvider(provider)
  return nothing
}
