// Host aggregates; Placement is told which hosts are in them.

import { randomUUID } from 'node:crypto'
import { represented } from '../../python.ts'
import { badRequest, conflict, invalidField, notFound } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import type { Aggregate, Host } from '../rows.ts'
import {
  type Answer,
  type Asked,
  type Json,
  microTime,
  ok,
  type Route,
  readBody,
  readObject,
  readText,
} from './asked.ts'

const route = (
  method: Route['method'],
  path: string,
  action: string,
  answer: (asked: Asked) => Answer,
): Route => ({
  method,
  path: `/os-aggregates${path}`,
  rule: `os-aggregates:${action}`,
  isAdmins: true,
  answer,
})

export const aggregateRoutes: readonly Route[] = [
  route('GET', '', 'index', ({ region, minor }) =>
    ok({ aggregates: [...region.aggregates.values()].map(one => view(one, minor)) }),
  ),
  route('POST', '', 'create', create),
  route('GET', '/:id', 'show', asked => ok({ aggregate: view(aggregateOf(asked), asked.minor) })),
  route('PUT', '/:id', 'update', update),
  route('DELETE', '/:id', 'delete', remove),
  route('POST', '/:id/action', 'add_host', act),
]

function view(aggregate: Aggregate, minor: number, isNew = false): object {
  const { id, uuid, name, hosts, metadata, createdAt, updatedAt } = aggregate
  return {
    id,
    ...(minor >= 41 ? { uuid } : {}),
    name,
    ...(isNew ? {} : { hosts: [...hosts], metadata: Object.fromEntries(metadata) }),
    created_at: microTime(createdAt),
    updated_at: microTime(updatedAt),
    deleted_at: null,
    deleted: false,
    availability_zone: metadata.get('availability_zone') ?? null,
  }
}

function aggregateOf({ region, params }: Asked): Aggregate {
  const id = params.id ?? ''
  if (!/^\d+$/.test(id)) throw badRequest('Invalid input received: id must be an integer')
  const aggregate = region.aggregates.get(Number(id))
  if (aggregate === undefined) throw notFound(`Aggregate ${id} could not be found.`)
  return aggregate
}

function checkName(region: NovaRegion, name: string, own?: Aggregate): void {
  for (const one of region.aggregates.values()) {
    if (one.name === name && one !== own) throw conflict(`Aggregate ${name} already exists.`)
  }
}

function create({ region, body, minor }: Asked): Answer {
  const given = readBody(body, 'aggregate', ['name'])
  const name = readText(given.name, 'name')
  checkName(region, name)
  const zone = given.availability_zone ?? null
  const metadata = new Map<string, string>()
  if (zone !== null) metadata.set('availability_zone', readText(zone, 'availability_zone'))
  const id = region.nextNumber()
  const now = region.now()
  const aggregate = { id, uuid: randomUUID(), name, hosts: new Set<string>(), metadata }
  region.aggregates.set(id, { ...aggregate, createdAt: now, updatedAt: null })
  return ok({ aggregate: view(region.aggregates.get(id)!, minor, true) })
}

function update(asked: Asked): Answer {
  const { region, body, minor } = asked
  const given = readBody(body, 'aggregate')
  const aggregate = aggregateOf(asked)
  const name = given.name === undefined ? aggregate.name : readText(given.name, 'name')
  checkName(region, name, aggregate)
  if (given.availability_zone !== undefined) {
    setMetadata(region, aggregate, { availability_zone: given.availability_zone })
  }
  aggregate.name = name
  aggregate.updatedAt = region.now()
  return ok({ aggregate: view(aggregate, minor) })
}

function remove(asked: Asked): Answer {
  const aggregate = aggregateOf(asked)
  if (aggregate.hosts.size > 0) {
    const why = 'Host aggregate is not empty.'
    throw badRequest(`Cannot remove host from aggregate ${aggregate.id}. Reason: ${why}`)
  }
  asked.region.aggregates.delete(aggregate.id)
  return { status: 200 }
}

function act(asked: Asked): Answer {
  const { region, body, minor } = asked
  const [action, given] = Object.entries(readObject(body, 'body'))[0] ?? []
  if (!['add_host', 'remove_host', 'set_metadata'].includes(action ?? '')) {
    throw badRequest(`There is no such action: ${action}`)
  }
  const aggregate = aggregateOf(asked)
  if (action === 'set_metadata') {
    const { metadata } = readObject(given, 'set_metadata', ['metadata'])
    setMetadata(region, aggregate, readObject(metadata, 'metadata'))
    // Nova shows the time of this change in the answer, but does not store it.
    return ok({ aggregate: view({ ...aggregate, updatedAt: region.now() }, minor) })
  }
  const name = readText(readObject(given, action ?? '', ['host']).host, 'host')
  if (action === 'add_host') addHost(region, aggregate, name)
  else removeHost(region, aggregate, name)
  return ok({ aggregate: view(aggregate, minor) })
}

function setMetadata(region: NovaRegion, aggregate: Aggregate, given: Json): void {
  const zone = given.availability_zone
  if (typeof zone === 'string') {
    const failed = `Cannot update metadata of aggregate ${aggregate.id}. Reason:`
    const conflicting = zoneConflict(region, aggregate, [...aggregate.hosts], zone)
    if (conflicting !== null) throw badRequest(`${failed} ${conflicting}`)
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === null) aggregate.metadata.delete(name)
    else aggregate.metadata.set(name, readValue(value, name))
  }
}

function readValue(value: unknown, name: string): string {
  if (typeof value === 'string') return readText(value, name)
  throw invalidField(name, value, `${represented(value)} is not of type 'string', 'null'`)
}

/** The message when a host would be in a second availability zone; null when it would not. */
function zoneConflict(
  region: NovaRegion,
  aggregate: Aggregate,
  hosts: readonly string[],
  zone: string,
): string | null {
  const others = [...region.aggregates.values()]
    .filter(one => one !== aggregate && hosts.some(host => one.hosts.has(host)))
    .flatMap(({ metadata }) => metadata.get('availability_zone') ?? [])
    .filter(other => other !== zone)
  if (others.length === 0) return null
  return `One or more hosts already in availability zone(s) ${represented([...new Set(others)])}.`
}

function addHost(region: NovaRegion, aggregate: Aggregate, name: string): void {
  const host = region.hosts.get(name)
  if (host === undefined) throw notFound(`Compute host ${name} could not be found.`)
  const zone = aggregate.metadata.get('availability_zone')
  const conflicting = zone === undefined ? null : zoneConflict(region, aggregate, [name], zone)
  if (conflicting !== null) {
    throw conflict(`Cannot add host to aggregate ${aggregate.id}. Reason: ${conflicting}`)
  }
  if (aggregate.hosts.has(name)) throw conflict(`Aggregate ${aggregate.id} already has host ${name}.`)
  aggregate.hosts.add(name)
  mirror(region, host, uuids => [...uuids, aggregate.uuid])
}

function removeHost(region: NovaRegion, aggregate: Aggregate, name: string): void {
  const host = region.hosts.get(name)
  if (host === undefined || !aggregate.hosts.has(name)) {
    throw notFound(`Cannot remove host ${name} in aggregate ${aggregate.id}`)
  }
  aggregate.hosts.delete(name)
  mirror(region, host, uuids => uuids.filter(uuid => uuid !== aggregate.uuid))
}

/** Writes a host's aggregates to its root provider in Placement, if the provider exists and they differ. */
function mirror(region: NovaRegion, host: Host, how: (uuids: string[]) => string[]): void {
  const root = region.rootOf(host)
  if (root === undefined) return
  const uuids = [...new Set(how([...root.aggregates]))]
  if (uuids.length === root.aggregates.size && uuids.every(uuid => root.aggregates.has(uuid))) return
  region.placement.setAggregates(root, uuids)
}
