// Allocations of consumers on providers, and their sums.

import { codes, conflict, invalid, notFound } from '../refusals.ts'
import type { PlacementRegion } from '../region.ts'
import type { Amounts, Consumer, Provider } from '../rows.ts'
import {
  type Answer,
  type Asked,
  isUuid,
  type Json,
  nothing,
  ok,
  providerOf,
  type Routes,
  readInteger,
  readObject,
  readText,
} from './asked.ts'

export const allocationRoutes: Routes = {
  '/allocations': { POST: { rule: 'allocations:manage', since: 13, answer: setMany } },
  '/allocations/:consumer': {
    GET: { rule: 'allocations:list', answer: ofConsumer },
    PUT: { rule: 'allocations:update', answer: setOne },
    DELETE: { rule: 'allocations:delete', answer: remove },
  },
  '/resource_providers/:uuid/allocations': {
    GET: { rule: 'resource_providers:allocations:list', answer: ofProvider },
  },
  '/resource_providers/:uuid/usages': {
    GET: { rule: 'resource_providers:usages', answer: usagesOfProvider },
  },
  '/usages': { GET: { rule: 'usages', since: 9, answer: usagesOfProject } },
}

const viewAmounts = (amounts: Amounts): object => Object.fromEntries(amounts)

function ofConsumer({ region, params, minor }: Asked): Answer {
  const consumer = region.consumers.get(params.consumer ?? '')
  if (consumer === undefined) return ok({ allocations: {} })
  const allocations = Object.fromEntries(
    [...consumer.allocations].map(([{ uuid, generation }, amounts]) => [
      uuid,
      { resources: viewAmounts(amounts), generation },
    ]),
  )
  return ok({
    allocations,
    ...(minor >= 12 ? { project_id: consumer.projectId, user_id: consumer.userId } : {}),
    ...(minor >= 28 ? { consumer_generation: consumer.generation } : {}),
    ...(minor >= 38 ? { consumer_type: consumer.type } : {}),
  })
}

function ofProvider(asked: Asked): Answer {
  const provider = providerOf(asked)
  const viewHeld = (consumer: Consumer): object => ({
    resources: viewAmounts(consumer.allocations.get(provider) ?? new Map()),
    ...(asked.minor >= 28 ? { consumer_generation: consumer.generation } : {}),
  })
  return ok({
    allocations: Object.fromEntries([...provider.consumers].map(one => [one.uuid, viewHeld(one)])),
    resource_provider_generation: provider.generation,
  })
}

function usagesOfProvider(asked: Asked): Answer {
  const { generation, inventories, used } = providerOf(asked)
  const usages = Object.fromEntries([...inventories.keys()].map(name => [name, used.get(name) ?? 0]))
  return ok({ resource_provider_generation: generation, usages })
}

function usagesOfProject({ region, query, minor }: Asked): Answer {
  const projectId = query.get('project_id')
  const userId = query.get('user_id')
  if (projectId === null) {
    throw invalid("Invalid query string parameters: 'project_id' is a required property")
  }
  const sums: Record<string, Record<string, number>> = {}
  for (const consumer of region.consumers.values()) {
    if (consumer.projectId !== projectId || (userId !== null && consumer.userId !== userId)) continue
    sums[consumer.type] ??= { consumer_count: 0 }
    const sum = sums[consumer.type]!
    sum.consumer_count = (sum.consumer_count ?? 0) + 1
    for (const amounts of consumer.allocations.values()) {
      for (const [name, amount] of amounts) sum[name] = (sum[name] ?? 0) + amount
    }
  }
  if (minor >= 38) return ok({ usages: sums })
  const flat: Record<string, number> = {}
  for (const { consumer_count: _count, ...amounts } of Object.values(sums)) {
    for (const [name, amount] of Object.entries(amounts)) flat[name] = (flat[name] ?? 0) + amount
  }
  return ok({ usages: flat })
}

function setOne({ region, params, body, minor }: Asked): Answer {
  const uuid = params.consumer ?? ''
  if (!isUuid(uuid)) throw invalid(`Malformed consumer_uuid: ${uuid}`)
  allocate(region, uuid, readObject(body, ['allocations']), minor)
  return nothing
}

/** Sets several consumers' allocations, all or none: when one is refused, those before it are undone. */
function setMany({ region, body, minor }: Asked): Answer {
  const entries = Object.entries(readObject(body, []))
  const before = entries.map(([uuid]) => [uuid, region.consumers.get(uuid)] as const)
  // Consumers that give their allocations back come first, so that others can take them over.
  const isEmpty = (given: unknown) => Object.keys((given as Json | null)?.allocations ?? {}).length === 0
  const ordered = entries.toSorted(([, one], [, other]) => Number(isEmpty(other)) - Number(isEmpty(one)))
  try {
    for (const [uuid, given] of ordered) {
      allocate(region, uuid, readObject(given, ['allocations', 'project_id', 'user_id']), minor)
    }
  } catch (error) {
    for (const [uuid, consumer] of before) {
      const now = region.consumers.get(uuid)
      if (now !== undefined && now !== consumer) region.release(now)
    }
    for (const [, consumer] of before) {
      if (consumer === undefined || region.consumers.get(consumer.uuid) === consumer) continue
      region.allocate({ ...consumer })
      region.consumers.get(consumer.uuid)!.generation = consumer.generation
    }
    throw error
  }
  return nothing
}

function allocate(region: PlacementRegion, uuid: string, given: Json, minor: number): void {
  const required = minor >= 8 ? ['project_id', 'user_id'] : []
  if (minor >= 28) required.push('consumer_generation')
  if (minor >= 38) required.push('consumer_type')
  readObject(given, required)
  const known = region.consumers.get(uuid)
  if (minor >= 28) checkConsumer(known, given.consumer_generation)
  const unknown = '00000000-0000-0000-0000-000000000000'
  region.allocate({
    uuid,
    projectId: minor >= 8 ? readText(given.project_id) : unknown,
    userId: minor >= 8 ? readText(given.user_id) : unknown,
    type: minor >= 38 ? readText(given.consumer_type) : (known?.type ?? 'unknown'),
    allocations: readAllocations(region, given.allocations, minor),
  })
}

function checkConsumer(known: Consumer | undefined, given: unknown): void {
  const generation = given === null ? null : readInteger(given)
  const expected = known?.generation ?? null
  if (generation === expected) return
  const words = `consumer generation conflict - expected ${expected ?? 'null'} but got ${generation ?? 'None'}`
  throw conflict(words, codes.concurrent)
}

/** Reads allocations: a list before microversion 1.12, an object by provider since. */
function readAllocations(region: PlacementRegion, value: unknown, minor: number): Map<Provider, Amounts> {
  const isList = minor < 12
  const entries: [string, unknown][] = isList
    ? (Array.isArray(value) ? value : []).map(one => {
        const { resource_provider, resources } = readObject(one, ['resource_provider', 'resources'])
        return [readText(readObject(resource_provider, ['uuid']).uuid), { resources }]
      })
    : Object.entries(readObject(value, []))
  if (entries.length === 0 && minor < 28) throw invalid('JSON does not validate: [] is too short')
  return new Map(
    entries.map(([uuid, one]) => {
      const provider = region.providers.get(uuid)
      if (provider === undefined) {
        throw invalid(`Allocation for resource provider '${uuid}' that does not exist.`)
      }
      const resources = Object.entries(readObject(readObject(one, ['resources']).resources, []))
      const unknown = resources.find(([name]) => !region.classes.has(name))
      if (unknown !== undefined) {
        throw invalid(`Unable to allocate inventory for consumer: No such resource class ${unknown[0]}.`)
      }
      return [provider, new Map(resources.map(([name, amount]) => [name, readInteger(amount, 1)]))] as const
    }),
  )
}

function remove({ region, params }: Asked): Answer {
  const consumer = region.consumers.get(params.consumer ?? '')
  if (consumer === undefined) throw notFound(`No allocations for consumer '${params.consumer}'`)
  region.release(consumer)
  return nothing
}
