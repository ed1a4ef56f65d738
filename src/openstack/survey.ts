// The survey of a region's hosts and reservations, in a few calls whatever its size.

import type { RegionSurvey, SurveyedHost } from '../core/cloud.ts'
import { childOf, isIsolating, poolName, reservedTrait } from './isolation.ts'
import { type Hypervisor, listHypervisors, listServers } from './nova.ts'
import { type Aggregate, listAggregates } from './nova-aggregates.ts'
import { getExtraSpecs, listFlavors } from './nova-flavors.ts'
import { listBearers, listMembers, listResourceProviders, type ResourceProvider } from './placement.ts'
import { placePrefix } from './placements.ts'
import type { RegionClient } from './region.ts'

/** Throws as `RegionClient.call`. */
export async function survey(region: RegionClient): Promise<RegionSurvey> {
  const [hypervisors, aggregates, providers, flavors, servers] = await Promise.all([
    listHypervisors(region),
    listAggregates(region),
    listResourceProviders(region),
    listFlavors(region),
    listServers(region),
  ])
  const isClosed = await closedHosts(region, aggregates, providers)
  const roots = new Map(providers.map(provider => [provider.name, provider]))
  const hosts = hypervisors.flatMap<SurveyedHost>(one => {
    const root = roots.get(one.hostname)
    if (!root) return []
    const { host } = one.service
    const known = { hypervisorHostname: one.hostname, serviceName: host, providerId: root.id }
    return [{ ...known, isUp: isUp(one), isClosed: isClosed(root, host) }]
  })
  const ours = flavors.filter(flavor => flavor.name === `reservation:${flavor.id}`)
  return {
    hosts,
    reservations: ours.map(flavor => flavor.id),
    plainServers: servers.flatMap(({ id, name, projectId, status, host, flavor }) => {
      if (host === null || Object.keys(flavor.extraSpecs).some(key => key.startsWith(placePrefix))) return []
      return isOwner(aggregates, host, projectId) ? [] : [{ id, name, projectId, status, host }]
    }),
  }
}

/** The names of the hypervisors whose root provider Placement has. Throws as `RegionClient.call`. */
export async function hostsSeen(region: RegionClient): Promise<string[]> {
  const [hypervisors, providers] = await Promise.all([listHypervisors(region), listResourceProviders(region)])
  const roots = new Set(providers.map(({ name }) => name))
  return hypervisors.flatMap(({ hostname }) => (roots.has(hostname) ? [hostname] : []))
}

/** Whether BlazarFilter lets a project's servers onto a host: it is lent to that project. */
const isOwner = (aggregates: readonly Aggregate[], host: string, projectId: string): boolean =>
  aggregates.some(
    one => isReservation(one) && one.hosts.includes(host) && one.metadata['blazar:owner'] === projectId,
  )

const isUp = ({ state, status }: Hypervisor): boolean => state === 'up' && status === 'enabled'

/**
 * Tells closed hosts: those that Nova and Placement both have in the pool and whose child provider has the
 * trait; and those in the aggregate of a reservation, which BlazarFilter goes by.
 */
async function closedHosts(
  region: RegionClient,
  aggregates: readonly Aggregate[],
  providers: readonly ResourceProvider[],
): Promise<(root: ResourceProvider, service: string) => boolean> {
  const pool = aggregates.find(one => one.name === poolName)
  if (!pool || !isIsolating(pool)) return () => false
  const [members, bearers] = await Promise.all([
    listMembers(region, pool.uuid),
    listBearers(region, reservedTrait),
  ])
  const inPool = new Set(members.map(one => one.id))
  const lent = new Set(aggregates.filter(isReservation).flatMap(one => one.hosts))
  const children = new Set(bearers.map(one => one.id))
  const parents = new Map(providers.map(one => [one.id, one.parentId]))
  return (root, service) => {
    const child = childOf({ providerId: root.id })
    if (!children.has(child) || parents.get(child) !== root.id) return false
    return lent.has(service) || (pool.hosts.includes(service) && inPool.has(root.id))
  }
}

const isReservation = ({ metadata }: Aggregate): boolean =>
  metadata.availability_zone?.startsWith('blazar_') ?? false

/** Whether a flavor with a name like ours was made by us. Throws as `RegionClient.call`. */
export async function isOurs(region: RegionClient, flavorId: string): Promise<boolean> {
  const specs = await getExtraSpecs(region, flavorId)
  return Object.keys(specs ?? {}).some(key => key.startsWith(placePrefix))
}
