// The verbs of hosts that are enrolled: list, get, update; their allocations and properties.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { type Filter, propertiesOf } from '../filter/filter.ts'
import { noteOf } from '../note.ts'
import {
  type Allocation,
  type AllocationFilter,
  builtInProperties,
  type Host,
  type HostAllocations,
  type HostProperty,
} from './host.ts'

export interface HostRef {
  readonly id: number
  /** The region in whose view it is; null for all. */
  readonly region: string | null
}

/** All hosts, or those of a region, by id. */
export const listHosts = (
  app: Pick<App, 'store'>,
  _caller: Caller,
  { region }: { region: string | null },
): Promise<Host[]> => app.store.hosts.list(region)

/** Throws `not_found`. */
export async function getHost(
  app: Pick<App, 'store'>,
  _caller: Caller,
  { id, region }: HostRef,
): Promise<Host> {
  const host = await app.store.hosts.get(id)
  if (!host || (region !== null && host.regionName !== region))
    throw notFound(`Object with {'host_id': '${id}'} not found`, 'no_host')
  return host
}

/** Refuses names that every host has by itself: no capability may have them. Throws `invalid`. */
export function checkNames(names: readonly string[]): void {
  const own: readonly string[] = builtInProperties
  const taken = names.find(name => own.includes(name))
  if (taken !== undefined)
    throw invalid(
      `"${taken}" is a property that every host has of itself: an extra capability needs another name`,
      'name_taken',
    )
}

/** Sets and (by null) removes capabilities. Throws `not_found`, `invalid` (a name that is not free). */
export async function updateHost(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  change: HostRef & { capabilities: Readonly<Record<string, string | null>> },
): Promise<Host> {
  checkNames(Object.keys(change.capabilities))
  await getHost(app, caller, change)
  const host = await app.store.hosts.update(
    change.id,
    change.capabilities,
    noteOf(app, caller, 'host.update'),
  )
  if (!host) throw notFound(`Object with {'host_id': '${change.id}'} not found`, 'no_host')
  return host
}

export interface AllocationQuery {
  readonly region: string | null
  readonly leaseId?: string
  readonly reservationId?: string
}

/** Every host with its allocations; without a filter only those that have not ended. */
export async function listAllocations(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  query: AllocationQuery,
): Promise<HostAllocations[]> {
  const [hosts, allocations] = await Promise.all([
    listHosts(app, caller, query),
    app.store.hosts.allocations(allocationFilter(app, query)),
  ])
  const byHost = new Map<number, Allocation[]>(hosts.map(host => [host.id, []]))
  for (const allocation of allocations) byHost.get(allocation.hostId)?.push(allocation)
  return [...byHost].map(([hostId, list]) => ({ hostId, allocations: list }))
}

/** Throws `not_found`. */
export async function getAllocations(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  query: AllocationQuery & { id: number },
): Promise<HostAllocations> {
  const { id } = await getHost(app, caller, query)
  const allocations = await app.store.hosts.allocations({ ...allocationFilter(app, query), hostId: id })
  return { hostId: id, allocations }
}

function allocationFilter(
  app: Pick<App, 'now'>,
  { region, leaseId, reservationId }: AllocationQuery,
): AllocationFilter {
  const isFiltered = leaseId !== undefined || reservationId !== undefined
  return {
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(reservationId === undefined ? {} : { reservationId }),
    ...(region === null ? {} : { regionName: region }),
    ...(isFiltered ? {} : { endingFrom: app.now() }),
  }
}

/** The names of extra capabilities; private ones only when `all` are asked for. */
export async function listHostProperties(
  app: Pick<App, 'store'>,
  _caller: Caller,
  { all }: { all: boolean },
): Promise<HostProperty[]> {
  const properties = await app.store.hosts.properties()
  return properties.filter(property => all || !property.private)
}

/** Throws `not_found`. */
export async function setHostProperty(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  { name, private: isPrivate }: { name: string; private: boolean },
): Promise<HostProperty> {
  const property = await app.store.hosts.setPropertyPrivate(
    name,
    isPrivate,
    noteOf(app, caller, 'host_property.update'),
  )
  if (!property) throw notFound(`Resource property ${name} not found`, 'no_property')
  return property
}

/**
 * Refuses filters for a property that no host ever had: such a name is a slip, and would find nothing. Throws
 * `invalid`.
 */
export async function checkProperties(app: Pick<App, 'store'>, filters: readonly Filter[]): Promise<void> {
  const builtIn: readonly string[] = builtInProperties
  const own = filters.flatMap(propertiesOf).filter(name => !builtIn.includes(name))
  if (own.length === 0) return
  const known = (await app.store.hosts.properties()).map(property => property.name)
  const unknown = own.find(name => !known.includes(name))
  if (unknown !== undefined) {
    throw invalid(
      `No host has a property "${unknown}". Every host has ${builtIn.join(', ')}${known.length ? `; some have ${known.join(', ')}` : ''}`,
      'unknown_property',
    )
  }
}
