// The scene of a router, read from the central model alone: all that the plans for its copies depend on.

import type { App } from '../../app.ts'
import type { Region } from '../../regions/region.ts'
import { gatewayFor, holdOne } from '../addresses/blocks.ts'
import { type Bridge, bridgeAddress, bridgeOf } from '../copies/bridge.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { FloatingIp, Network, Port, Router, Subnet } from '../model/model.ts'
import { all, interfacesOf } from '../model/query.ts'
import { homeOf, regionsOf, routerHome } from '../model/where.ts'

/** One of the router's interfaces. */
export interface Attached {
  readonly port: Port
  readonly subnet: Subnet
  readonly network: Network
}

/** A floating IP that leads through the router. */
export interface Bound {
  readonly floatingIp: FloatingIp
  readonly port: Port
  readonly fixedIp: string
}

/** A region that has, or is to have, a copy of the router. */
export interface SceneRegion {
  readonly region: Region
  /** The IPv4 address of the router's copy on the bridge; null where it needs none. */
  readonly bridgeAddress: string | null
  /** The IPv6 address of the copy on the bridge; null where the router has no IPv6 subnet. */
  readonly bridgeAddress6: string | null
}

export interface RouterScene {
  readonly router: Router
  /** The one region that it lives in; null for one that spans regions. */
  readonly home: Region | null
  readonly attached: readonly Attached[]
  readonly gatewayNetwork: Network | null
  /** The region of the external network. */
  readonly exit: Region | null
  readonly bridge: Bridge | null
  readonly bound: readonly Bound[]
  /** The regions of the router, in order of their names. */
  readonly regions: readonly SceneRegion[]
}

/**
 * Reads the scene of a router; null when the router is gone. Holds the addresses that the router's copies
 * need.
 */
export async function routerScene(app: App, routerId: string): Promise<RouterScene | null> {
  const router = await app.store.networks.get('router', routerId, 'atoll')
  if (!router) return null
  const known = await regionsOf(app.store)
  const attached = await attachedTo(app, router)
  const gatewayNetwork = router.gateway
    ? await app.store.networks.get('network', router.gateway.networkId, 'atoll')
    : null
  const exit = gatewayNetwork && homeOf(gatewayNetwork, known)
  const home = routerHome(router, known)
  const there = home ? [home] : involved(known, attached, exit)
  const needs6 = attached.some(({ subnet }) => subnet.ipVersion === 6)
  const bridge = !home && there.length > 1 ? await bridgeOf(app, router.projectId, needs6) : null
  const addresses = await addressesOn(app, bridge?.subnet ?? null, { routerId, there, exit })
  const addresses6 = await addressesOn(app, needs6 ? (bridge?.subnet6 ?? null) : null, {
    routerId,
    there,
    exit,
  })
  const regions = there.map(region => ({
    region,
    bridgeAddress: addresses.get(region.id) ?? null,
    bridgeAddress6: addresses6.get(region.id) ?? null,
  }))
  return {
    router,
    home,
    attached,
    gatewayNetwork,
    exit,
    bridge,
    bound: await boundThrough(app, router),
    regions,
  }
}

interface Copies {
  readonly routerId: string
  readonly there: readonly Region[]
  readonly exit: Region | null
}

/** The addresses of a router's copies in a subnet of the bridge, by the regions' ids. */
async function addressesOn(app: App, subnet: Subnet | null, { routerId, there, exit }: Copies) {
  const addresses = new Map<string, string>()
  if (!subnet) return addresses
  const held = await app.store.networks.holdings(subnet.id, ['leg'])
  for (const region of there) {
    const ask = { routerId, region, isExit: region.id === exit?.id }
    addresses.set(region.id, await bridgeAddress(app, subnet, held, ask))
  }
  return addresses
}

async function attachedTo(app: App, router: Router): Promise<Attached[]> {
  const ports = await interfacesOf(app.store, router.id)
  const subnets = await app.store.networks.getMany('subnet', [
    ...new Set(ports.flatMap(port => port.fixedIps.map(({ subnetId }) => subnetId))),
  ])
  const networks = await app.store.networks.getMany('network', [
    ...new Set(ports.map(({ networkId }) => networkId)),
  ])
  return attachedBy(ports, byId(subnets), byId(networks))
}

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map(row => [row.id, row]))

/** The router's interfaces with their networks and subnets, in order of the subnets' ids. */
export function attachedBy(
  interfaces: readonly Port[],
  subnetById: ReadonlyMap<string, Subnet>,
  networkById: ReadonlyMap<string, Network>,
): Attached[] {
  const found = interfaces.flatMap(port =>
    port.fixedIps.flatMap(({ subnetId }) => {
      const subnet = subnetById.get(subnetId)
      const network = networkById.get(port.networkId)
      return subnet && network ? [{ port, subnet, network }] : []
    }),
  )
  return found.sort((a, b) => (a.subnet.id < b.subnet.id ? -1 : 1))
}

/** The regions of a router's copies: those that have an attached subnet, and the exit. */
export const involved = (
  known: readonly Region[],
  attached: readonly Attached[],
  exit: Region | null,
): Region[] =>
  known.filter(
    region => region.id === exit?.id || attached.some(({ subnet }) => regionalIdIn(subnet, region) !== null),
  )

/** The address of the router's leg in each attached subnet that is in a region, by the subnet's id. */
export async function legsIn(
  app: Pick<App, 'store'>,
  { attached, router: { id: routerId } }: RouterScene,
  region: Region,
): Promise<Map<string, string>> {
  const legs = new Map<string, string>()
  for (const one of attached) {
    if (regionalIdIn(one.subnet, region) === null) continue
    legs.set(one.subnet.id, await legAddress(app, one, region, routerId))
  }
  return legs
}

/**
 * The address of the router's leg in a subnet of a region. At the network's home it is the interface's own;
 * on a spanning network it is the region's own gateway, or, for an interface that is not the gateway, an
 * address of its own in each region.
 */
async function legAddress(
  app: Pick<App, 'store'>,
  { port, subnet, network }: Attached,
  region: Region,
  routerId: string,
): Promise<string> {
  const own = port.fixedIps.find(({ subnetId }) => subnetId === subnet.id)!.ipAddress
  if (homeOf(network, [region])) return own
  if (own === subnet.gatewayIp) return (await gatewayFor(app, subnet, region)) ?? own
  const holder = `${routerId}/${region.id}`
  const held = await app.store.networks.holdings(subnet.id, ['leg'])
  const mine = held.find(one => one.holder === holder)
  if (mine) return mine.start
  const holding = { subnetId: subnet.id, scope: region.id, purpose: 'leg', holder } as const
  return (await holdOne(app, subnet.allocationPools, holding)) ?? own
}

async function boundThrough(app: App, router: Router): Promise<Bound[]> {
  const floatingIps = await all(app.store, 'floatingip', { field: 'routerId', in: [router.id] })
  const ports = await app.store.networks.getMany(
    'port',
    floatingIps.flatMap(({ portId }) => portId ?? []),
  )
  return boundBy(floatingIps, byId(ports))
}

/** The floating IPs that lead to an address of a port, with their ports. */
export const boundBy = (floatingIps: readonly FloatingIp[], portById: ReadonlyMap<string, Port>): Bound[] =>
  floatingIps.flatMap(floatingIp => {
    const port = portById.get(floatingIp.portId ?? '')
    const fixedIp = floatingIp.fixedIpAddress ?? port?.fixedIps[0]?.ipAddress
    return port && fixedIp ? [{ floatingIp, port, fixedIp }] : []
  })

/**
 * A subnet of other regions that has a mirror here, since floating IPs of this region lead to ports on it.
 */
export interface Mirrored {
  readonly network: Network
  readonly subnet: Subnet
}

/** The ports in other regions that floating IPs of this region lead to. */
export const boundElsewhere = ({ bound }: RouterScene, { region }: SceneRegion): Bound[] =>
  bound.filter(({ port }) => port.places.length > 0 && regionalIdIn(port, region) === null)

export function mirrorsIn(scene: RouterScene, here: SceneRegion): Mirrored[] {
  const elsewhere = boundElsewhere(scene, here)
  return scene.attached.filter(
    ({ subnet }) =>
      regionalIdIn(subnet, here.region) === null &&
      elsewhere.some(({ port, fixedIp }) =>
        port.fixedIps.some(one => one.subnetId === subnet.id && one.ipAddress === fixedIp),
      ),
  )
}
