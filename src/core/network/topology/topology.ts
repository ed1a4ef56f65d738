// The topology: a tree of regions, the networks, routers and ports in them, the links between them, and their
// states.

import { type Caller, isAtLeast } from '../../caller.ts'
import { AppError, notFound } from '../../error.ts'
import { grouped } from '../../grouped.ts'
import type { Job } from '../../jobs/job.ts'
import type { Region } from '../../regions/region.ts'
import type { SightKind, Suspicion } from '../../regions/suspicion.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { FloatingIp, Network, Port, Subnet } from '../model/model.ts'
import type { Sight } from '../model/network-store.ts'
import { sightOf } from '../model/read.ts'
import { homeOf, regionsOf } from '../model/where.ts'
import { type BridgeLink, type RouterThere, type SpreadRouter, spread } from './topology-routers.ts'
import { type Model, type Rows, readRows } from './topology-rows.ts'
import { ok, pending, type State, type StateOf, stateBy, statesOf, thingOf, worst } from './topology-state.ts'

export interface SubnetThere extends State {
  readonly id: string
  readonly regionalId: string | null
  readonly name: string
  readonly cidr: string
  /** The region's own, where the network spans regions. */
  readonly gatewayIp: string | null
}

/** A network in a region; its regional id is null while no region has it. */
export interface NetworkThere extends State {
  readonly id: string
  readonly regionalId: string | null
  readonly projectId: string
  readonly name: string
  readonly external: boolean
  readonly subnets: readonly SubnetThere[]
}

/** A port in a region; its regional id is null while it is reserved. */
export type PortThere = Port & State & { readonly regionalId: string | null }

export interface Ports {
  readonly portCount: number
  /** Null where ports are only counted. */
  readonly ports: readonly PortThere[] | null
}

export interface Doubt {
  readonly through: SightKind
  readonly since: Date
  /** Null in the sight of one project, since the sentence counts the resources of all projects. */
  readonly reason: string | null
}

export interface RegionTree extends State {
  readonly name: string
  readonly availabilityZone: string
  /** Since when, and by which look, the region is not believed. */
  readonly suspicions: readonly Doubt[]
  readonly networks: readonly (NetworkThere & Ports)[]
  readonly routers: readonly RouterThere[]
  readonly floatingIps: readonly FloatingIp[]
}

export interface Topology {
  readonly regions: readonly RegionTree[]
  readonly links: readonly BridgeLink[]
  /** Networks and routers that no region has yet, and reserved ports. */
  readonly nowhere: Ports & {
    readonly networks: readonly NetworkThere[]
    readonly routers: readonly RouterThere[]
  }
  /** The jobs that are not done, of resources that the tree does not show. */
  readonly jobs: readonly Job[]
}

export interface TopologyAsk {
  readonly region: string | null
  readonly network: string | null
  readonly project: string | null
  /** Whether ports are shown; null: only where a region or a network is named. */
  readonly ports: boolean | null
}

/**
 * The topology that the caller may see, by the central model alone. Throws `not_found` (`region`, `network`),
 * `forbidden` for another project than the caller's but to an admin, and `invalid` (`too_many`).
 */
export function topology(app: Model, caller: Caller, ask: TopologyAsk): Promise<Topology> {
  const { project } = ask
  if (project !== null && project !== caller.projectId && !isAtLeast(caller, 'admin'))
    throw new AppError('forbidden', 'Only an admin asks for another project')
  return topologyFor(app, project === null ? sightOf(caller) : { projectId: project }, ask)
}

/** As `topology`, for a sight. */
export async function topologyFor(app: Model, sight: Sight, ask: TopologyAsk): Promise<Topology> {
  const regions = await regionsOf(app.store)
  const region = ask.region === null ? null : regions.find(({ name }) => name === ask.region)
  if (region === undefined) throw notFound(`There is no region ${ask.region}`, 'region')
  const ports = ask.ports ?? (region !== null || ask.network !== null)
  const rows = await readRows(app, sight, { region, network: ask.network, ports }, regions)
  const stateOf = statesOf(rows.jobs)
  const seen: Seen = {
    rows,
    stateOf,
    routers: rows.routers.map(router => spread(app, rows, stateOf, router)),
    subnets: grouped(rows.subnets, ({ networkId }) => networkId),
    portsOf: portsBy(rows, stateOf),
    doubts: doubtsBy(await app.store.suspicions.list(), sight),
  }
  const links = seen.routers.flatMap(router => router.links)
  return {
    regions: (region ? [region] : regions).map(one => treeOf(seen, one)),
    links: region ? links.filter(({ ends }) => ends.some(end => end.region === region.name)) : links,
    nowhere: region ? nothing(ports) : nowhere(seen),
    jobs: ask.network === null ? otherJobs(rows, region) : [],
  }
}

interface Seen {
  readonly rows: Rows
  readonly stateOf: StateOf
  readonly routers: readonly SpreadRouter[]
  /** Subnets by the network's id. */
  readonly subnets: ReadonlyMap<string, readonly Subnet[]>
  /** The ports of a network in a region; its reserved ports for null. */
  portsOf(networkId: string, region: Region | null): Ports
  /** The doubts, by the region's id. */
  readonly doubts: ReadonlyMap<string, readonly Doubt[]>
}

const doubtsBy = (suspicions: readonly Suspicion[], sight: Sight): Seen['doubts'] =>
  new Map(
    [...grouped(suspicions, ({ regionId }) => regionId)].map(([regionId, list]) => [
      regionId,
      list.map(({ through, since, reason }) => ({ through, since, reason: sight === null ? reason : null })),
    ]),
  )

const nothing = (ports: boolean): Topology['nowhere'] => ({
  networks: [],
  routers: [],
  portCount: 0,
  ports: ports ? [] : null,
})

function treeOf(seen: Seen, region: Region): RegionTree {
  const { rows, routers, portsOf } = seen
  return {
    name: region.name,
    availabilityZone: region.availabilityZone,
    ...stateBy(rows.jobs.filter(job => job.region === region.name)),
    suspicions: seen.doubts.get(region.id) ?? [],
    networks: rows.networks
      .filter(network => regionalIdIn(network, region) !== null)
      .map(network => ({ ...networkIn(seen, network, region), ...portsOf(network.id, region) })),
    routers: routers.flatMap(({ copies }) => copies.get(region.name) ?? []),
    floatingIps: rows.floatingIps.filter(floatingIp => regionalIdIn(floatingIp, region) !== null),
  }
}

function nowhere(seen: Seen): Topology['nowhere'] {
  const { rows, routers, portsOf } = seen
  const reserved = rows.networks.map(({ id }) => portsOf(id, null))
  return {
    networks: rows.networks
      .filter(({ places }) => places.length === 0)
      .map(network => networkIn(seen, network, null)),
    routers: routers.flatMap(({ copies }) => copies.get(null) ?? []),
    portCount: reserved.reduce((sum, { portCount }) => sum + portCount, 0),
    ports: rows.ports && reserved.flatMap(({ ports }) => ports ?? []),
  }
}

function networkIn(seen: Seen, network: Network, region: Region | null): NetworkThere {
  const { id, projectId, name, external, deleting } = network
  return {
    id,
    regionalId: region && regionalIdIn(network, region),
    projectId,
    name,
    external,
    subnets: (seen.subnets.get(id) ?? []).map(subnet => subnetIn(seen, network, subnet, region)),
    ...worst(seen.stateOf(id, region), deleting ? pending : ok),
  }
}

function subnetIn(
  { rows, stateOf }: Seen,
  network: Network,
  { id, name, cidr, gatewayIp, places }: Subnet,
  region: Region | null,
): SubnetThere {
  const isSame = region === null || homeOf(network, [region]) !== null
  return {
    id,
    regionalId: region && regionalIdIn({ places }, region),
    name,
    cidr,
    gatewayIp: isSame ? gatewayIp : rows.addressOf(region.id, id),
    ...stateOf(id, region),
  }
}

const keyOf = (networkId: string, region: string | null): string => `${networkId} ${region ?? ''}`

function portsBy({ ports, portCounts }: Rows, stateOf: StateOf): Seen['portsOf'] {
  const counts = new Map(portCounts.map(one => [keyOf(one.networkId, one.region), one.count]))
  const copies = grouped((ports ?? []).flatMap(copiesOf), ({ key }) => key)
  return (networkId, region) => {
    const key = keyOf(networkId, region?.name ?? null)
    if (!ports) return { portCount: counts.get(key) ?? 0, ports: null }
    const there = (copies.get(key) ?? []).map(({ port }) => ({
      ...port,
      regionalId: region && regionalIdIn(port, region),
      ...stateOf(port.id, region),
    }))
    return { portCount: there.length, ports: there }
  }
}

function copiesOf(port: Port) {
  const regions = port.places.length === 0 ? [null] : port.places.map(({ region }) => region)
  return regions.map(region => ({ port, key: keyOf(port.networkId, region) }))
}

/** The jobs of resources that are gone, of whole projects, and of ports where these are only counted. */
function otherJobs(rows: Rows, region: Region | null): Job[] {
  const known = new Set<string | null>(
    [rows.networks, rows.subnets, rows.routers, rows.ports ?? []].flatMap(things =>
      things.map(({ id }) => id),
    ),
  )
  return rows.jobs.filter(job => !known.has(thingOf(job)) && (region === null || job.region === region.name))
}
