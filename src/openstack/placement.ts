// Placement in a region: resource providers, what they have, and what is taken of it.
import { z } from 'zod'
import { isGone } from './fault.ts'
import type { Reply } from './http.ts'
import { checkedId, checkedName } from './names.ts'
import type { QueryItem, RegionCall, RegionClient, RegionReply } from './region.ts'
import { count, field, id, many, orNull, reader, type Shape, text, written } from './wire-fields.ts'

/**
 * The microversion from which on all of an inventory may be reserved (Rocky); every later Placement speaks
 * it.
 */
const headers = { 'openstack-api-version': 'placement 1.26' }

const resourceProvider = {
  id: field('uuid', id),
  name: field('name', text),
  generation: field('generation', count),
  parentId: field('parent_provider_uuid', orNull(id)),
  rootId: field('root_provider_uuid', id),
}
export type ResourceProvider = Shape<typeof resourceProvider>

const inventory = {
  total: field('total', count),
  reserved: field('reserved', count),
  minUnit: field('min_unit', count),
  maxUnit: field('max_unit', count),
  stepSize: field('step_size', count),
  allocationRatio: field('allocation_ratio', z.number()),
}
export type Inventory = Shape<typeof inventory>

const generation = count
const amounts = z.record(text, count)
export type ResourceAmounts = Readonly<Record<string, number>>

/** What a provider has, by class; a change shows the generation that it was read with. */
export interface Inventories {
  readonly generation: number
  readonly inventories: Readonly<Record<string, Inventory>>
}

const call = (region: RegionClient, request: RegionCall): Promise<RegionReply> =>
  region.call('placement', { ...request, headers })

async function isDone(region: RegionClient, missing: number, request: RegionCall): Promise<boolean> {
  const accept = (reply: Reply) => reply.status === missing && (missing !== 404 || isGone(reply))
  return (await call(region, { ...request, accept })).status !== missing
}

const providers = many(reader(resourceProvider))
const pathOf = (providerId: string): string => `/resource_providers/${checkedId(providerId)}`

/** Every resource provider; Placement has no pages. Throws as `RegionClient.call`. */
export const listResourceProviders = (region: RegionClient): Promise<readonly ResourceProvider[]> =>
  list(region, [])

/** The resource provider with exactly this name; null when there is none. Throws as `RegionClient.call`. */
export async function findProvider(region: RegionClient, name: string): Promise<ResourceProvider | null> {
  const [found] = await list(region, [['name', name]])
  return found ?? null
}

/** The root providers of an aggregate. Throws as `RegionClient.call`. */
export const listMembers = (region: RegionClient, aggregate: string): Promise<readonly ResourceProvider[]> =>
  list(region, [['member_of', aggregate]])

/**
 * The resource providers that have a trait. Throws as `RegionClient.call` (400 for a trait that does not exist).
 */
export const listBearers = (region: RegionClient, trait: string): Promise<readonly ResourceProvider[]> =>
  list(region, [['required', checkedName(trait)]])

async function list(region: RegionClient, query: QueryItem[]): Promise<readonly ResourceProvider[]> {
  const reply = await call(region, { method: 'GET', path: '/resource_providers', query })
  return reply.read(providers, 'resource_providers')
}

/** Null when Placement says that there is none. Throws as `RegionClient.call`. */
export async function getProvider(
  region: RegionClient,
  providerId: string,
): Promise<ResourceProvider | null> {
  const reply = await call(region, { method: 'GET', path: pathOf(providerId), accept: isGone })
  return reply.status === 404 ? null : reply.read(reader(resourceProvider))
}

/**
 * Creates a resource provider, below a parent unless that is null. False when its id or name is taken. Throws
 * as `RegionClient.call`.
 */
export const createProvider = (
  region: RegionClient,
  spec: Pick<ResourceProvider, 'id' | 'name' | 'parentId'>,
): Promise<boolean> =>
  isDone(region, 409, {
    method: 'POST',
    path: '/resource_providers',
    json: written(resourceProvider, spec),
  })

/** False when it was gone already. Throws as `RegionClient.call` (409 while it has children or allocations). */
export const removeProvider = (region: RegionClient, providerId: string): Promise<boolean> =>
  isDone(region, 404, { method: 'DELETE', path: pathOf(providerId) })

/** Makes a custom trait, unless it is there. Throws as `RegionClient.call`, `invalid` for no name. */
export async function ensureTrait(region: RegionClient, name: string): Promise<void> {
  await call(region, { method: 'PUT', path: `/traits/${checkedName(name)}` })
}

/** False when it was gone already. Throws as `RegionClient.call` (409 while a provider bears it). */
export const removeTrait = (region: RegionClient, name: string): Promise<boolean> =>
  isDone(region, 404, { method: 'DELETE', path: `/traits/${checkedName(name)}` })

/** Makes a custom resource class, unless it is there. Throws as `RegionClient.call`, `invalid` for no name. */
export async function ensureResourceClass(region: RegionClient, name: string): Promise<void> {
  await call(region, { method: 'PUT', path: `/resource_classes/${checkedName(name)}` })
}

/** False when it was gone already. Throws as `RegionClient.call` (409 while a provider has an inventory of it). */
export const removeResourceClass = (region: RegionClient, name: string): Promise<boolean> =>
  isDone(region, 404, { method: 'DELETE', path: `/resource_classes/${checkedName(name)}` })

/** The traits or aggregates of a provider, and its generation, which a change of them must name. */
export interface Names {
  readonly generation: number
  readonly names: readonly string[]
}

/** The traits of a provider. Throws as `RegionClient.call`. */
export const getTraits = (region: RegionClient, providerId: string): Promise<Names> =>
  getNames(region, providerId, 'traits')

/** Gives a provider just these traits. Throws as `RegionClient.call` (409 when the generation has moved). */
export const setTraits = (region: RegionClient, providerId: string, traits: Names): Promise<Names> =>
  setNames(region, providerId, 'traits', traits)

/** The uuids of the aggregates that a provider is in. Throws as `RegionClient.call`. */
export const getAggregates = (region: RegionClient, providerId: string): Promise<Names> =>
  getNames(region, providerId, 'aggregates')

/** Puts a provider into just these aggregates. Throws as `RegionClient.call` (409 when the generation has moved). */
export const setAggregates = (region: RegionClient, providerId: string, uuids: Names): Promise<Names> =>
  setNames(region, providerId, 'aggregates', uuids)

type NameList = 'traits' | 'aggregates'

async function getNames(region: RegionClient, providerId: string, kind: NameList): Promise<Names> {
  return readNames(await call(region, { method: 'GET', path: `${pathOf(providerId)}/${kind}` }), kind)
}

async function setNames(
  region: RegionClient,
  providerId: string,
  kind: NameList,
  given: Names,
): Promise<Names> {
  const json = { resource_provider_generation: given.generation, [kind]: given.names }
  return readNames(await call(region, { method: 'PUT', path: `${pathOf(providerId)}/${kind}`, json }), kind)
}

const readNames = (reply: RegionReply, kind: NameList): Names => ({
  generation: reply.read(generation, 'resource_provider_generation'),
  names: reply.read(many(text), kind),
})

/** Throws as `RegionClient.call`. */
export async function getInventories(region: RegionClient, providerId: string): Promise<Inventories> {
  return readInventories(await call(region, { method: 'GET', path: `${pathOf(providerId)}/inventories` }))
}

/**
 * Replaces a provider's inventories. Throws as `RegionClient.call`: 409 when the generation has moved, and when a
 * class that is in use would go.
 */
export async function setInventories(
  region: RegionClient,
  providerId: string,
  given: Inventories,
): Promise<Inventories> {
  const inventories = Object.fromEntries(
    Object.entries(given.inventories).map(([name, one]) => [name, written(inventory, one)]),
  )
  const json = { resource_provider_generation: given.generation, inventories }
  return readInventories(
    await call(region, { method: 'PUT', path: `${pathOf(providerId)}/inventories`, json }),
  )
}

const readInventories = (reply: RegionReply): Inventories => ({
  generation: reply.read(generation, 'resource_provider_generation'),
  inventories: reply.read(z.record(text, reader(inventory)), 'inventories'),
})

/**
 * Adds an inventory of one class, whatever the generation. False when the provider has that class already.
 * Throws as `RegionClient.call`.
 */
export const addInventory = (
  region: RegionClient,
  providerId: string,
  resourceClass: string,
  given: Inventory,
): Promise<boolean> =>
  isDone(region, 409, {
    method: 'POST',
    path: `${pathOf(providerId)}/inventories`,
    json: { resource_class: checkedName(resourceClass), ...written(inventory, given) },
  })

/** False when it was gone already. Throws as `RegionClient.call` (409 while it is in use). */
export const removeInventory = (
  region: RegionClient,
  providerId: string,
  resourceClass: string,
): Promise<boolean> =>
  isDone(region, 404, {
    method: 'DELETE',
    path: `${pathOf(providerId)}/inventories/${checkedName(resourceClass)}`,
  })

/** What is taken of a provider, by class. Throws as `RegionClient.call`. */
export async function getUsages(region: RegionClient, providerId: string): Promise<ResourceAmounts> {
  const reply = await call(region, { method: 'GET', path: `${pathOf(providerId)}/usages` })
  return reply.read(amounts, 'usages')
}

/** What is taken of a provider, by consumer (a server's id) and class. Throws as `RegionClient.call`. */
export async function getAllocations(
  region: RegionClient,
  providerId: string,
): Promise<ReadonlyMap<string, ResourceAmounts>> {
  const reply = await call(region, { method: 'GET', path: `${pathOf(providerId)}/allocations` })
  const consumers = reply.read(z.record(text, z.object({ resources: amounts })), 'allocations')
  return new Map(Object.entries(consumers).map(([consumer, { resources }]) => [consumer, resources]))
}
