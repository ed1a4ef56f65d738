// The routers of a topology: their copies in regions, and the links between these.

import { AppError } from '../error.ts'
import type { Region } from '../regions/region.ts'
import { routesIn } from './configure-routes.ts'
import type { HostRoute, Router } from './model.ts'
import { type Attached, involved, type RouterScene } from './router-scene.ts'
import { placeIn } from './spanning.ts'
import type { Model, Rows } from './topology-rows.ts'
import { ok, pending, type State, type StateOf, worst } from './topology-state.ts'
import { homeOf, routerHome } from './where.ts'

/** An interface of a router, with the address that it has there; null while it has none. */
export interface InterfaceThere {
  readonly portId: string
  readonly networkId: string
  readonly subnetId: string
  readonly cidr: string
  readonly ipAddress: string | null
}

export interface RouterThere extends State {
  readonly id: string
  /** Null where it is not there yet. */
  readonly regionalId: string | null
  readonly projectId: string
  readonly name: string
  /** The way out, where this copy has it. */
  readonly gateway: {
    readonly networkId: string
    readonly networkName: string
    readonly ipAddresses: readonly string[]
  } | null
  readonly bridgeAddress: string | null
  readonly interfaces: readonly InterfaceThere[]
  /** Those that it should have. */
  readonly routes: readonly HostRoute[]
}

export interface LinkEnd {
  readonly region: string
  /** On the bridge. */
  readonly ipAddress: string
  /** What is reached by it. */
  readonly cidrs: readonly string[]
}

/** Two copies of a router, which meet on the bridge of its project. */
export interface Link extends State {
  readonly routerId: string
  readonly routerName: string
  readonly bridge: string
  readonly ends: readonly [LinkEnd, LinkEnd]
}

/** A router as it is in every region that it has to do with. */
export interface SpreadRouter {
  readonly router: Router
  /** By the names of the regions; by null where it is nowhere. */
  readonly copies: ReadonlyMap<string | null, RouterThere>
  readonly links: readonly Link[]
}

export function spread(app: Model, rows: Rows, stateOf: StateOf, router: Router): SpreadRouter {
  const scene = sceneOf(rows, router)
  const wanted = wantedRoutes(app, scene)
  const there = rows.regions.filter(
    region => scene.regions.some(one => one.region === region) || placeIn(router, region) !== null,
  )
  const copyIn = (region: Region | null) => copyOf(rows, scene, region, wanted, stateOf)
  const copies = new Map((there.length > 0 ? there : [null]).map(region => [region?.name ?? null, copyIn(region)]))
  return { router, copies, links: linksOf(scene, copies) }
}

/** As `routerScene`, but that nothing is held which is not held yet. */
function sceneOf(rows: Rows, router: Router): RouterScene {
  const gatewayNetwork = (router.gateway && rows.networkById.get(router.gateway.networkId)) ?? null
  const attached = attachedTo(rows, router)
  const exit = gatewayNetwork && homeOf(gatewayNetwork, rows.regions)
  const home = routerHome(router, rows.regions)
  const there = home ? [home] : involved(rows.regions, attached, exit)
  const meeting = rows.bridges.find(({ bridgeOf }) => bridgeOf === router.projectId)
  const subnet = rows.subnetById.get(meeting?.subnetIds[0] ?? '')
  const bridge = !home && there.length > 1 && meeting && subnet ? { network: meeting, subnet } : null
  return {
    router,
    home,
    attached,
    gatewayNetwork,
    exit,
    bridge,
    bound: rows.bound.flatMap(floatingIp => {
      const port = rows.portById.get(floatingIp.portId ?? '')
      const fixedIp = floatingIp.fixedIpAddress ?? port?.fixedIps[0]?.ipAddress
      return floatingIp.routerId === router.id && port && fixedIp ? [{ floatingIp, port, fixedIp }] : []
    }),
    regions: there.map(region => ({
      region,
      bridgeAddress: bridge && rows.addressOf(`${router.id}/${region.id}`, bridge.subnet.id),
    })),
  }
}
