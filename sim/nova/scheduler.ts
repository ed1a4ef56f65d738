// The scheduler: Placement's candidates, then Nova's own filters, the emptiest host first.

import { type Candidate, findCandidates } from '../placement/candidates.ts'
import type { Amounts, Provider } from '../placement/rows.ts'
import { passesBlazar } from './blazar-filter.ts'
import { isWhole } from './nodes.ts'
import type { NovaRegion } from './region.ts'
import { questionOf } from './request.ts'
import { type EmbeddedFlavor, type Host, isUp, type Server } from './rows.ts'

export interface Ask {
  flavor: EmbeddedFlavor
  /** The only host to consider; `nowhere` when no host has the requested name. */
  host: Host | 'nowhere' | null
  /** Whether Nova's own filters are skipped, because the zone was given with a host. */
  isForced: boolean
  /** A host to leave out: the one that the server moves away from. */
  notOn: string | null
}

export interface Place {
  host: Host
  /** The host's root provider. */
  root: Provider
  allocations: ReadonlyMap<Provider, Amounts>
}

export class NoHost extends Error {}

const none = 'No valid host was found. '

/** How often a build is tried on another host. */
const attempts = 3

/**
 * Chooses a host and allocates the server's resources there. Throws `NoHost` with the message of the server's
 * fault.
 */
export function place(region: NovaRegion, server: Server, ask: Ask, consumer = server.id): Place {
  const candidates = candidatesFor(region, server, ask)
  const broken: Host[] = []
  for (const found of candidates) {
    if (isWhole(found.host, found.root, region.now())) {
      region.placement.allocate({
        uuid: consumer,
        projectId: server.projectId,
        userId: server.userId,
        type: 'INSTANCE',
        allocations: found.allocations,
      })
      return found
    }
    if (!broken.includes(found.host)) broken.push(found.host)
    if (broken.length >= attempts) break
  }
  const words =
    'Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for'
  throw new NoHost(`${words} instance ${server.id}.`)
}

function candidatesFor(region: NovaRegion, server: Server, ask: Ask): Place[] {
  if (ask.host === 'nowhere') throw new NoHost(none)
  const question = questionOf(region, server, ask.flavor, ask.host?.uuid ?? null)
  const candidates = question === null ? [] : findCandidates(region.placement, question)
  if (candidates.length === 0) throw new NoHost(none)
  const places = candidates
    .flatMap(candidate => placeOf(region, candidate))
    .filter(({ host }) => host.name !== ask.notOn)
    .filter(({ host }) => ask.isForced || passes(region, host, server, ask))
  if (places.length === 0) throw new NoHost(`${none}There are not enough hosts available.`)
  return places.sort((one, other) => freeMemory(other) - freeMemory(one))
}

function placeOf(region: NovaRegion, { root, pieces }: Candidate): Place[] {
  const host = region.hostsByUuid.get(root.uuid)
  if (host === undefined) return []
  const allocations = new Map<Provider, Map<string, number>>()
  for (const { provider, resourceClass, amount } of pieces) {
    const amounts = allocations.get(provider) ?? new Map<string, number>()
    amounts.set(resourceClass, (amounts.get(resourceClass) ?? 0) + amount)
    allocations.set(provider, amounts)
  }
  return [{ host, root, allocations }]
}

const freeMemory = ({ host, root }: Place): number => host.memoryMb - (root.used.get('MEMORY_MB') ?? 0)

function passes(region: NovaRegion, host: Host, server: Server, { flavor }: Ask): boolean {
  if (!isUp(host.service) || host.service.isDisabled) return false
  if (server.zone !== null && server.zone !== (region.zoneOf(host.name) ?? 'nova')) return false
  if (!isTenants(region, host, server.projectId)) return false
  if (!hasExtraSpecs(region, host, flavor)) return false
  return !region.settings.hasBlazarFilter || passesBlazar(region, host, server, flavor)
}

/** AggregateMultiTenancyIsolation: an aggregate may name the projects that it is for. */
function isTenants(region: NovaRegion, host: Host, projectId: string): boolean {
  const named = metadataOf(region, host)
    .flatMap(metadata => [...metadata])
    .filter(([name]) => name.startsWith('filter_tenant_id'))
    .flatMap(([, value]) => value.split(','))
  return named.length === 0 || named.includes(projectId)
}

/** AggregateInstanceExtraSpecsFilter: every such key of the flavor is in an aggregate of the host. */
function hasExtraSpecs(region: NovaRegion, host: Host, { extraSpecs }: EmbeddedFlavor): boolean {
  const all = metadataOf(region, host)
  return [...extraSpecs].every(([name, value]) => {
    const [scope, rest] = name.split(/:(.*)/s)
    if (rest !== undefined && scope !== 'aggregate_instance_extra_specs') return true
    return all.some(metadata => metadata.get(rest ?? name) === value)
  })
}

export function metadataOf(region: NovaRegion, host: Host): ReadonlyMap<string, string>[] {
  return [...region.aggregates.values()]
    .filter(({ hosts }) => hosts.has(host.name))
    .map(({ metadata }) => metadata)
}
