// Nova's host aggregates in a region.
import { z } from 'zod'
import { callNova, unless } from './nova-call.ts'
import type { RegionClient } from './region.ts'
import { count, field, id, many, orNull, reader, type Shape, text } from './wire-fields.ts'

const aggregate = {
  /** The id that Nova's paths take, a number. */
  id: field('id', count),
  /** The id by which Placement knows the aggregate. */
  uuid: field('uuid', id),
  name: field('name', text),
  availabilityZone: field('availability_zone', orNull(text)),
  /** Names of compute services. */
  hosts: field('hosts', many(text)),
  metadata: field('metadata', z.record(text, text)),
}
export type Aggregate = Shape<typeof aggregate>

/** Every aggregate; Nova gives them without pages. Throws as `RegionClient.call`. */
export async function listAggregates(region: RegionClient): Promise<readonly Aggregate[]> {
  const reply = await callNova(region, { method: 'GET', path: '/os-aggregates' })
  return reply.read(many(reader(aggregate)), 'aggregates')
}

/**
 * Creates an aggregate without zone, hosts and metadata. Throws as `RegionClient.call` (409 when the name is
 * taken).
 */
export async function createAggregate(region: RegionClient, name: string): Promise<Aggregate> {
  const json = { aggregate: { name } }
  const reply = await callNova(region, { method: 'POST', path: '/os-aggregates', json })
  const { id: made, uuid } = reply.read(z.object({ id: count, uuid: id }), 'aggregate')
  return { id: made, uuid, name, availabilityZone: null, hosts: [], metadata: {} }
}

/** Sets these keys, and removes those that are null. Throws as `RegionClient.call`. */
export const setAggregateMetadata = (
  region: RegionClient,
  aggregateId: number,
  metadata: Readonly<Record<string, string | null>>,
): Promise<Aggregate> => act(region, aggregateId, { set_metadata: { metadata } })

/** A host is named by its compute service. Throws as `RegionClient.call` (409 when it is in already, or in another zone). */
export const addHost = (region: RegionClient, aggregateId: number, host: string): Promise<Aggregate> =>
  act(region, aggregateId, { add_host: { host } })

/** Takes a host out of an aggregate; false when it was not in it. Throws as `RegionClient.call`. */
export const removeHost = (region: RegionClient, aggregateId: number, host: string): Promise<boolean> =>
  unless(region, 404, {
    method: 'POST',
    path: `${pathOf(aggregateId)}/action`,
    json: { remove_host: { host } },
  })

/** False when it was gone already. Throws as `RegionClient.call` (400 while it has hosts). */
export const removeAggregate = (region: RegionClient, aggregateId: number): Promise<boolean> =>
  unless(region, 404, { method: 'DELETE', path: pathOf(aggregateId) })

const pathOf = (aggregateId: number): string => `/os-aggregates/${aggregateId}`

async function act(region: RegionClient, aggregateId: number, json: object): Promise<Aggregate> {
  const reply = await callNova(region, { method: 'POST', path: `${pathOf(aggregateId)}/action`, json })
  return reply.read(reader(aggregate), 'aggregate')
}
