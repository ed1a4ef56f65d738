// Inventories: how much of a class a provider has.

import { classNotFound, codes, conflict, invalid, inventoryInUse, notFound } from '../refusals.ts'
import { capacityOf, type Inventory, type Provider } from '../rows.ts'
import {
  type Answer,
  type Asked,
  type Json,
  nothing,
  ok,
  providerOf,
  type Routes,
  readInteger,
  readObject,
  readText,
} from './asked.ts'

export const inventoryRoutes: Routes = {
  '/resource_providers/:uuid/inventories': {
    GET: { rule: 'resource_providers:inventories:list', answer: asked => viewAll(providerOf(asked)) },
    POST: { rule: 'resource_providers:inventories:create', answer: create },
    PUT: { rule: 'resource_providers:inventories:update', answer: replaceAll },
    DELETE: { rule: 'resource_providers:inventories:delete', since: 5, answer: removeAll },
  },
  '/resource_providers/:uuid/inventories/:class': {
    GET: { rule: 'resource_providers:inventories:show', answer: show },
    PUT: { rule: 'resource_providers:inventories:update', answer: replaceOne },
    DELETE: { rule: 'resource_providers:inventories:delete', answer: removeOne },
  },
}

function viewAll({ generation, inventories }: Provider): Answer {
  return ok({ resource_provider_generation: generation, inventories: Object.fromEntries(inventories) })
}

const viewOne = ({ generation }: Provider, inventory: Inventory): object => ({
  ...inventory,
  resource_provider_generation: generation,
})

const largest = 2 ** 31 - 1

function readInventory(value: unknown): Inventory {
  const given = readObject(value, ['total'])
  const whole = (name: string, least: number, otherwise: number) =>
    given[name] === undefined ? otherwise : readInteger(given[name], least)
  const ratio = given.allocation_ratio ?? 1
  if (typeof ratio !== 'number') {
    throw invalid(`JSON does not validate: '${String(ratio)}' is not of type 'number'`)
  }
  return {
    total: readInteger(given.total, 1),
    reserved: whole('reserved', 0, 0),
    min_unit: whole('min_unit', 1, 1),
    max_unit: whole('max_unit', 1, largest),
    step_size: whole('step_size', 1, 1),
    allocation_ratio: ratio,
  }
}

/** Checks an inventory's capacity; since 1.26 all of it may be reserved. */
function checkCapacity(
  verb: 'create' | 'update',
  { uuid }: Provider,
  resourceClass: string,
  inventory: Inventory,
  minor: number,
) {
  const capacity = capacityOf(inventory)
  if (capacity > 0 || (capacity === 0 && minor >= 26)) return
  const words = `Invalid inventory for '${resourceClass}' on resource provider '${uuid}'.`
  const than = minor >= 26 ? 'greater than' : 'greater than or equal to'
  throw invalid(
    `Unable to ${verb} inventory for resource provider ${uuid}: ${words} The reserved value is ${than} total.`,
  )
}

function checkGeneration(provider: Provider, given: Json): void {
  if (readInteger(given.resource_provider_generation) === provider.generation) return
  throw conflict('resource provider generation conflict', codes.concurrent)
}

function create(asked: Asked): Answer {
  const { region, body, minor } = asked
  const provider = providerOf(asked)
  const given = readObject(body, ['resource_class', 'total'])
  const resourceClass = readText(given.resource_class)
  const inventory = readInventory(given)
  checkCapacity('create', provider, resourceClass, inventory, minor)
  if (!region.classes.has(resourceClass)) {
    const words = `Unable to create inventory for resource provider ${provider.uuid}:`
    throw invalid(`${words} ${classNotFound(resourceClass)}`)
  }
  if (provider.inventories.has(resourceClass)) {
    throw conflict(`Update conflict: Duplicate entry for '${resourceClass}'`, codes.concurrent)
  }
  region.setInventory(provider, resourceClass, inventory)
  provider.generation += 1
  const location = `/resource_providers/${provider.uuid}/inventories/${resourceClass}`
  return { status: 201, body: viewOne(provider, inventory), location }
}

function replaceAll(asked: Asked): Answer {
  const { region, body, minor } = asked
  const provider = providerOf(asked)
  const given = readObject(body, ['resource_provider_generation', 'inventories'])
  const entries = Object.entries(readObject(given.inventories, []))
  const inventories = new Map(entries.map(([name, value]) => [name, readInventory(value)]))
  checkGeneration(provider, given)
  for (const [name, inventory] of inventories) {
    checkCapacity('update', provider, name, inventory, minor)
    if (region.classes.has(name)) continue
    const words = `Unknown resource class in inventory for resource provider ${provider.uuid}:`
    throw invalid(`${words} ${classNotFound(name)}`)
  }
  region.setInventories(provider, inventories)
  return viewAll(provider)
}

function removeAll(asked: Asked): Answer {
  const provider = providerOf(asked)
  const used = [...provider.inventories.keys()].find(name => asked.region.isUsed(provider, name))
  if (used !== undefined) throw conflict(inventoryInUse(used, provider.uuid), codes.inUse)
  asked.region.setInventories(provider, new Map())
  return nothing
}

function show(asked: Asked): Answer {
  const provider = providerOf(asked)
  const name = asked.params.class ?? ''
  const inventory = provider.inventories.get(name)
  if (inventory === undefined) throw notFound(`No inventory of class ${name} for ${provider.uuid}`)
  return ok(viewOne(provider, inventory))
}

function replaceOne(asked: Asked): Answer {
  const { region, body, minor } = asked
  const provider = providerOf(asked)
  const name = asked.params.class ?? ''
  const given = readObject(body, ['resource_provider_generation', 'total'])
  checkGeneration(provider, given)
  const inventory = readInventory(given)
  checkCapacity('update', provider, name, inventory, minor)
  if (!provider.inventories.has(name)) {
    const words = `No inventory record with resource class for resource provider ${provider.uuid}:`
    throw invalid(`${words} No inventory of class ${name} found.`)
  }
  region.setInventory(provider, name, inventory)
  provider.generation += 1
  return ok(viewOne(provider, inventory))
}

/**
 * Removes an inventory. One that is in use is a conflict with the code of a concurrent update, as in the real
 * Placement.
 */
function removeOne(asked: Asked): Answer {
  const { region } = asked
  const provider = providerOf(asked)
  const name = asked.params.class ?? ''
  if (!provider.inventories.has(name)) {
    const words = `No inventory of class ${name} found for delete`
    throw notFound(region.classes.has(name) ? `${words}: ${words}` : `${words}: ${classNotFound(name)}`)
  }
  if (region.isUsed(provider, name)) {
    const words = `Unable to delete inventory of class ${name}: ${inventoryInUse(name, provider.uuid)}`
    throw conflict(words, codes.concurrent)
  }
  region.removeInventory(provider, name)
  return nothing
}
