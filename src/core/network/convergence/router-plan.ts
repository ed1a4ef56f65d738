// The plan of a router in one region, worked out from the scene alone, by purposes and not by regional ids.

import { formatCidr, parseCidr } from '../addresses/address.ts'
import type { MadeKind, RegionQuery, ThingSpec } from '../copies/region-rows.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { HostRoute, Network, Router, Subnet } from '../model/model.ts'
import { hintsIn, homeOf } from '../model/where.ts'
import {
  type Bound,
  boundElsewhere,
  type Mirrored,
  mirrorsIn,
  type RouterScene,
  type SceneRegion,
} from './router-scene.ts'

/** Stands in a spec for the region's id of what was made for a purpose; see `refer`. */
export type Ref = string
export const refer = (kind: string, purpose: string): Ref => `@${kind}/${purpose}`

/** A thing that the plan wants: made where the region has none yet for its purpose. */
export interface Thing<K extends MadeKind = MadeKind> {
  readonly kind: K
  readonly purpose: string
  /** Its resource type in routings, and its central resource; null for a thing that has no routing. */
  readonly routedAs: { readonly kind: string; readonly centralId: string } | null
  readonly spec: ThingSpec<K>
  readonly where: NonNullable<RegionQuery<K>['where']>
}

/** A leg of the router: by a port that is made for it, or by one that the region has already. */
export interface WantedLeg {
  readonly port: Ref
  /** The leg's port where it has to be made; null where the region has it. */
  readonly thing: Thing<'port'> | null
}

/** A floating IP and the port that it is to lead to. */
export interface FloatingIpLink {
  readonly floatingIpId: string
  /** The region's id of the floating IP. */
  readonly regionalId: string
  readonly port: Ref
  readonly fixedIp: string
}

export interface RegionPlan {
  /** Networks whose copies the router needs in the region, with their subnets; made by `ensureNetwork`. */
  readonly networks: readonly Network[]
  /** Mirrors of other regions' networks and subnets, in an order in which they can be made. */
  readonly mirrors: readonly Thing[]
  /** Null where the region is to have no copy, or makes the router itself (at its home). */
  readonly router: Thing<'router'> | null
  readonly legs: readonly WantedLeg[]
  readonly mirrorPorts: readonly Thing<'port'>[]
  readonly links: readonly FloatingIpLink[]
  /** The CIDRs that the router's legs and gateway connect it to: its routes lead through these only. */
  readonly connected: readonly Connection[]
  /** All routes of the copy; null where they are not to be said yet, or not at all. */
  readonly routes: readonly HostRoute[] | null
}

export interface Connection {
  readonly cidr: string
  /** The port of the leg on the CIDR; null for the gateway. */
  readonly leg: Ref | null
}

/** The plan for a router that the region is not to have. */
export const nothing: RegionPlan = {
  networks: [],
  mirrors: [],
  router: null,
  legs: [],
  mirrorPorts: [],
  links: [],
  connected: [],
  routes: null,
}

/** What a plan is made of beside the scene. */
export interface Planned {
  /** The addresses of the router's legs in the region, by subnet. */
  readonly legs: ReadonlyMap<string, string>
  readonly routes: readonly HostRoute[] | null
  readonly ownProject: string
}

/** The plan of the router in a region. */
export function planFor(
  scene: RouterScene,
  here: SceneRegion | undefined,
  { legs, routes, ownProject }: Planned,
): RegionPlan {
  if (!here || scene.router.deleting) return nothing
  if (scene.home) return { ...nothing, links: linksIn(scene, here) }
  const isExit = here.region.id === scene.exit?.id
  const mirrored = isExit ? mirrorsIn(scene, here) : []
  return {
    networks: here.bridgeAddress === null ? [] : [scene.bridge!.network],
    mirrors: mirrored.flatMap(one => mirrorOf(one, ownProject)),
    router: routerThing(scene, here, isExit),
    legs: [
      ...bridgeLegs(scene, here, isExit),
      ...ownLegs(scene, here, legs),
      ...mirrored.map(one => mirrorLeg(scene, one)),
    ],
    mirrorPorts: isExit ? standIns(scene, here, ownProject) : [],
    links: isExit ? linksIn(scene, here) : [],
    connected: [
      ...onBridge(scene, here).map(({ subnet }) => ({
        cidr: subnet.cidr,
        leg: isExit ? refer('port', bridgeLegOf(scene.router, subnet)) : null,
      })),
      ...scene.attached
        .filter(({ subnet }) => legs.has(subnet.id))
        .map(({ port, subnet }) => ({ cidr: subnet.cidr, leg: refer('port', port.id) })),
      ...mirrored.map(one => ({ cidr: one.subnet.cidr, leg: mirrorLeg(scene, one).port })),
    ],
    routes,
  }
}

/** The copy at the exit has its gateway on the external network; other copies have theirs on the bridge, if any. */
function routerThing(scene: RouterScene, here: SceneRegion, isExit: boolean): Thing<'router'> {
  const { router } = scene
  return {
    kind: 'router',
    purpose: router.id,
    routedAs: { kind: 'router', centralId: router.id },
    where: { projectId: router.projectId },
    spec: {
      projectId: router.projectId,
      name: router.name,
      description: router.description,
      adminStateUp: router.adminStateUp,
      externalGateway: (isExit && gatewayOutside(router)) || gatewayOnBridge(scene, here),
      availabilityZoneHints: hintsIn(here.region),
    },
  }
}

type Gateway = NonNullable<ThingSpec<'router'>['externalGateway']>

const gatewayOutside = ({ gateway }: Router): Gateway | null =>
  gateway && {
    networkId: refer('network', gateway.networkId),
    enableSnat: gateway.enableSnat,
    externalFixedIps: gateway.fixedIps.map(one => ({ ...one, subnetId: refer('subnet', one.subnetId) })),
  }

function gatewayOnBridge(scene: RouterScene, here: SceneRegion): Gateway | null {
  const addresses = onBridge(scene, here)
  if (addresses.length === 0) return null
  return {
    networkId: refer('network', scene.bridge!.network.id),
    enableSnat: false,
    externalFixedIps: addresses.map(({ subnet, ipAddress }) => ({
      subnetId: refer('subnet', subnet.id),
      ipAddress,
    })),
  }
}

/** The copy's addresses on the bridge, each in its subnet. */
function onBridge({ bridge }: RouterScene, { bridgeAddress, bridgeAddress6 }: SceneRegion) {
  const addresses = [
    [bridge?.subnet, bridgeAddress],
    [bridge?.subnet6, bridgeAddress6],
  ] as const
  return addresses.flatMap(([subnet, ipAddress]) =>
    subnet && ipAddress !== null ? [{ subnet, ipAddress }] : [],
  )
}

/**
 * The legs on the bridge of the copy at the exit, one in each subnet: all other copies have their gateway
 * there.
 */
function bridgeLegs(scene: RouterScene, here: SceneRegion, isExit: boolean): WantedLeg[] {
  if (!isExit || !scene.bridge) return []
  const { network } = scene.bridge
  return onBridge(scene, here).map(({ subnet, ipAddress }) => {
    return legBy(scene.router, bridgeLegOf(scene.router, subnet), { network, subnet }, ipAddress, null)
  })
}

/** The purpose of the copy's leg on the bridge. */
const bridgeLegOf = ({ id }: Router, { ipVersion }: Subnet): string =>
  `bridge${ipVersion === 6 ? '6' : ''}/${id}`

function ownLegs(
  scene: RouterScene,
  { region }: SceneRegion,
  legs: ReadonlyMap<string, string>,
): WantedLeg[] {
  return scene.attached.flatMap(({ port, subnet, network }) => {
    const address = legs.get(subnet.id)
    if (address === undefined) return []
    // At the network's home the port that the user made is the leg itself.
    const isThere = homeOf(network, [region]) && regionalIdIn(port, region) === port.id
    if (isThere) return [{ port: refer('port', port.id), thing: null }]
    return [legBy(scene.router, port.id, { network, subnet }, address, port.id)]
  })
}

/** A leg by a port that is made with the given address, and found again by its mark. */
function legBy(
  { projectId, name }: { projectId: string; name: string },
  purpose: string,
  { network, subnet }: { network: Pick<Network, 'id'>; subnet: Pick<Subnet, 'id'> },
  ipAddress: string,
  centralId: string | null,
): WantedLeg {
  const networkId = refer('network', network.id)
  return {
    port: refer('port', purpose),
    thing: {
      kind: 'port',
      purpose,
      routedAs: centralId === null ? null : { kind: 'port', centralId },
      where: { networkId },
      spec: {
        projectId,
        networkId,
        name,
        fixedIps: [{ subnetId: refer('subnet', subnet.id), ipAddress }],
        // Without an empty list the region would put the port into the project's default group.
        securityGroupIds: [],
      },
    },
  }
}

/** A subnet's mirror: without DHCP and gateway, and with no address to give but that of the router's leg. */
function mirrorOf({ network, subnet }: Mirrored, ownProject: string): Thing[] {
  const networkId = refer('network', `mirror/${network.id}`)
  const pool = { start: mirrorAddress(subnet), end: mirrorAddress(subnet) }
  return [
    {
      kind: 'network',
      purpose: `mirror/${network.id}`,
      routedAs: { kind: 'shadow_network', centralId: network.id },
      where: { projectId: ownProject },
      spec: { projectId: ownProject, name: `mirror_${network.name}`, portSecurityEnabled: false },
    } as Thing<'network'>,
    {
      kind: 'subnet',
      purpose: `mirror/${subnet.id}`,
      routedAs: { kind: 'shadow_subnet', centralId: subnet.id },
      where: { networkId },
      spec: {
        projectId: ownProject,
        networkId,
        name: `mirror_${subnet.name}`,
        ipVersion: subnet.ipVersion,
        cidr: subnet.cidr,
        gatewayIp: null,
        enableDhcp: false,
        allocationPools: [pool],
      },
    } as Thing<'subnet'>,
  ]
}

/** The address of the router's leg on a mirror: the subnet's own gateway address, which is free there. */
const mirrorAddress = ({ gatewayIp, cidr, allocationPools }: Subnet): string =>
  gatewayIp ?? allocationPools.at(-1)?.end ?? formatCidr(parseCidr(cidr)!)

function mirrorLeg({ router }: RouterScene, { network, subnet }: Mirrored): WantedLeg {
  const mirror = { network: { id: `mirror/${network.id}` }, subnet: { id: `mirror/${subnet.id}` } }
  return legBy(router, `mirror-leg/${router.id}/${subnet.id}`, mirror, mirrorAddress(subnet), null)
}

/** A mirror port, which stands here for a port of another region. */
interface StandIn {
  readonly purpose: string
  /** The purposes of the network and the subnet that the mirror port is on. */
  readonly networkId: string
  readonly subnetId: string
}

/**
 * The mirror port of a bound port: on the mirror of the port's subnet, or on the subnet's own copy where this
 * region has one, since that is one layer 2 with the port's.
 */
function standInFor({ attached }: RouterScene, { region }: SceneRegion, bound: Bound): StandIn | null {
  const { port, fixedIp } = bound
  const subnetId = port.fixedIps.find(({ ipAddress }) => ipAddress === fixedIp)?.subnetId
  const on = attached.find(({ subnet }) => subnet.id === subnetId)
  if (!on) return null
  const { network, subnet } = on
  return regionalIdIn(subnet, region) === null
    ? {
        purpose: `mirror/${port.id}/${fixedIp}`,
        networkId: `mirror/${network.id}`,
        subnetId: `mirror/${subnet.id}`,
      }
    : { purpose: `shadow/${port.id}/${fixedIp}`, networkId: network.id, subnetId: subnet.id }
}

/**
 * Mirror ports with the addresses that floating IPs lead to: from there the router's routes lead on to the
 * real ports.
 */
function standIns(scene: RouterScene, here: SceneRegion, ownProject: string): Thing<'port'>[] {
  return boundElsewhere(scene, here).flatMap(bound => {
    const { port, fixedIp } = bound
    const standIn = standInFor(scene, here, bound)
    if (!standIn) return []
    const networkId = refer('network', standIn.networkId)
    return [
      {
        kind: 'port',
        purpose: standIn.purpose,
        routedAs: { kind: 'shadow_port', centralId: port.id },
        where: { networkId },
        spec: {
          projectId: ownProject,
          networkId,
          name: `mirror_${port.name}`,
          macAddress: port.macAddress,
          deviceOwner: 'compute:shadow',
          fixedIps: [{ subnetId: refer('subnet', standIn.subnetId), ipAddress: fixedIp }],
          securityGroupIds: [],
        },
      },
    ]
  })
}

/** Links each floating IP of the region whose port has a place to the port itself, or to its mirror port. */
function linksIn(scene: RouterScene, here: SceneRegion): FloatingIpLink[] {
  return scene.bound.flatMap(bound => {
    const { floatingIp, port, fixedIp } = bound
    const regionalId = regionalIdIn(floatingIp, here.region)
    if (regionalId === null || port.places.length === 0) return []
    const isHere = regionalIdIn(port, here.region) !== null
    const purpose = isHere ? port.id : standInFor(scene, here, bound)?.purpose
    if (purpose === undefined) return []
    return [{ floatingIpId: floatingIp.id, regionalId, port: refer('port', purpose), fixedIp }]
  })
}
