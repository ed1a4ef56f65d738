// The routers of a topology: their copies in regions, and the links between these.

import { AppError } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import { routesIn } from '../convergence/configure-routes.ts'
import {
  type Attached,
  attachedBy,
  boundBy,
  involved,
  type RouterScene,
  type SceneRegion,
} from '../convergence/router-scene.ts'
import { asBridge, type Bridge } from '../copies/bridge.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { HostRoute, Router } from '../model/model.ts'
import { homeOf, routerHome } from '../model/where.ts'
import type { Model, Rows } from './topology-rows.ts'
import { ok, pending, type State, type StateOf, worst } from './topology-state.ts'

/** An interface of a router in a region, with its address there; null while it has none. */
export interface InterfaceThere {
  readonly portId: string
  readonly networkId: string
  readonly subnetId: string
  readonly cidr: string
  readonly ipAddress: string | null
}

export interface RouterThere extends State {
  readonly id: string
  /** Null where the region has no copy yet. */
  readonly regionalId: string | null
  readonly projectId: string
  readonly name: string
  /** The external gateway, at the router's exit. */
  readonly gateway: {
    readonly networkId: string
    readonly networkName: string
    readonly ipAddresses: readonly string[]
  } | null
  readonly bridgeAddress: string | null
  readonly interfaces: readonly InterfaceThere[]
  /** The routes that the copy should have. */
  readonly routes: readonly HostRoute[]
}

export interface BridgeLinkEnd {
  readonly region: string
  /** The copy's address on the bridge. */
  readonly ipAddress: string
  /** The CIDRs that this copy leads to. */
  readonly cidrs: readonly string[]
}

/** Two copies of a router, which meet on the bridge of its project. */
export interface BridgeLink extends State {
  readonly routerId: string
  readonly routerName: string
  readonly bridge: string
  readonly ends: readonly [BridgeLinkEnd, BridgeLinkEnd]
}

/** A router with its copies in all its regions. */
export interface SpreadRouter {
  /** The copies by region name; by null a router that is in no region. */
  readonly copies: ReadonlyMap<string | null, RouterThere>
  readonly links: readonly BridgeLink[]
}

export function spread(app: Model, rows: Rows, stateOf: StateOf, router: Router): SpreadRouter {
  const scene = sceneOf(rows, router)
  const wanted = wantedRoutes(app, scene)
  const there = rows.regions.filter(
    region => regionalIdIn(router, region) !== null || scene.regions.some(one => one.region.id === region.id),
  )
  if (there.length === 0) return { copies: new Map([[null, nowhere(scene, stateOf)]]), links: [] }
  const copies = new Map(
    there.map(region => [region.name, copyIn(rows, scene, region, wanted, stateOf)] as const),
  )
  return { copies, links: bridgeLinksOf(scene, copies) }
}

/** The scene of a router as `routerScene` reads it, but without holding addresses. */
function sceneOf(rows: Rows, router: Router): RouterScene {
  const gatewayNetwork = (router.gateway && rows.networkById.get(router.gateway.networkId)) ?? null
  const attached = attachedBy(rows.interfaces.get(router.id) ?? [], rows.subnetById, rows.networkById)
  const exit = gatewayNetwork && homeOf(gatewayNetwork, rows.regions)
  const home = routerHome(router, rows.regions)
  const there = home ? [home] : involved(rows.regions, attached, exit)
  const bridge = !home && there.length > 1 ? bridgeAmong(rows, router) : null
  const regions = there.map(region => ({
    region,
    bridgeAddress: bridge && rows.addressOf(`${router.id}/${region.id}`, bridge.subnet.id),
    bridgeAddress6:
      bridge?.subnet6 == null ? null : rows.addressOf(`${router.id}/${region.id}`, bridge.subnet6.id),
  }))
  const bound = boundBy(rows.bound.get(router.id) ?? [], rows.portById)
  return { router, home, attached, gatewayNetwork, exit, bridge, bound, regions }
}

function bridgeAmong({ bridges, subnetById }: Rows, { projectId }: Router): Bridge | null {
  const network = bridges.get(projectId)
  const subnets = network?.subnetIds.flatMap(id => subnetById.get(id) ?? [])
  return network && subnets ? asBridge(network, subnets) : null
}

interface Wanted {
  /** The routes of the router's copies, by region. */
  readonly routes: ReadonlyMap<string, readonly HostRoute[]>
  /** Failed where a region cannot have the routes. */
  readonly state: State
}

function wantedRoutes(app: Model, scene: RouterScene): Wanted {
  const isReady = ({ bridgeAddress }: SceneRegion): boolean => !scene.bridge || bridgeAddress !== null
  try {
    const routes = routesIn(app, { ...scene, regions: scene.regions.filter(isReady) })
    return { routes, state: ok }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { routes: new Map(), state: { ...ok, state: 'failed', error: error.message } }
  }
}

function copyIn(
  rows: Rows,
  scene: RouterScene,
  region: Region,
  wanted: Wanted,
  stateOf: StateOf,
): RouterThere {
  const { router, exit } = scene
  const regionalId = regionalIdIn(router, region)
  const isUnderWay = router.deleting || regionalId === null
  return {
    ...namesOf(router),
    regionalId,
    gateway: region.id === exit?.id ? gatewayOf(scene) : null,
    bridgeAddress: scene.regions.find(one => one.region.id === region.id)?.bridgeAddress ?? null,
    interfaces: scene.attached
      .filter(({ subnet }) => regionalIdIn(subnet, region) !== null)
      .map(one => interfaceIn(one, addressIn(rows, scene, one, region))),
    routes: wanted.routes.get(region.name) ?? [],
    ...worst(stateOf(router.id, region), wanted.state, isUnderWay ? pending : ok),
  }
}

/** A router that is in no region, as its user asked for it. */
function nowhere(scene: RouterScene, stateOf: StateOf): RouterThere {
  const { router } = scene
  return {
    ...namesOf(router),
    regionalId: null,
    gateway: gatewayOf(scene),
    bridgeAddress: null,
    interfaces: scene.attached.map(one => interfaceIn(one, ownAddress(one))),
    routes: router.routes,
    ...worst(stateOf(router.id, null), router.deleting ? pending : ok),
  }
}

const namesOf = ({ id, projectId, name }: Router) => ({ id, projectId, name })

function gatewayOf({ router: { gateway }, gatewayNetwork }: RouterScene): RouterThere['gateway'] {
  if (!gateway) return null
  const ipAddresses = gateway.fixedIps.map(({ ipAddress }) => ipAddress)
  return { networkId: gateway.networkId, networkName: gatewayNetwork?.name ?? '', ipAddresses }
}

const interfaceIn = ({ port, subnet }: Attached, ipAddress: string | null): InterfaceThere => ({
  portId: port.id,
  networkId: port.networkId,
  subnetId: subnet.id,
  cidr: subnet.cidr,
  ipAddress,
})

const ownAddress = ({ port, subnet }: Attached): string =>
  port.fixedIps.find(({ subnetId }) => subnetId === subnet.id)!.ipAddress

/**
 * The address of an interface in a region: on a spanning network each region has a gateway of its own, and an
 * interface that is not the gateway an address of its own.
 */
function addressIn(rows: Rows, { router }: RouterScene, one: Attached, region: Region): string | null {
  const own = ownAddress(one)
  if (homeOf(one.network, [region])) return own
  const holder = own === one.subnet.gatewayIp ? region.id : `${router.id}/${region.id}`
  return rows.addressOf(holder, one.subnet.id)
}

/** The links between any two copies that have an address on the bridge. */
function bridgeLinksOf(scene: RouterScene, copies: ReadonlyMap<string | null, RouterThere>): BridgeLink[] {
  const { bridge, router } = scene
  if (!bridge) return []
  const ends = scene.regions
    .filter(({ bridgeAddress }) => bridgeAddress !== null)
    .map(one => endOf(scene, one))
  return ends.flatMap((one, at) =>
    ends.slice(at + 1).map(other => ({
      routerId: router.id,
      routerName: router.name,
      bridge: bridge.subnet.cidr,
      ends: [one, other] as const,
      ...worst(copies.get(one.region)!, copies.get(other.region)!),
    })),
  )
}

function endOf({ attached, exit }: RouterScene, { region, bridgeAddress }: SceneRegion): BridgeLinkEnd {
  const own = attached.filter(({ subnet }) => regionalIdIn(subnet, region) !== null)
  const everywhere = region.id === exit?.id ? ['0.0.0.0/0'] : []
  return {
    region: region.name,
    ipAddress: bridgeAddress!,
    cidrs: [...own.map(({ subnet }) => subnet.cidr), ...everywhere],
  }
}
