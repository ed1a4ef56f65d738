// The steps from what a region holds of a router to what the plan says, in an order that stock Neutron
// accepts. Each step may be done again without harm.

import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import type { Intent } from '../copies/intent.ts'
import type { RegionFloatingIp, RegionPort, RegionRouter, ThingSpec } from '../copies/region-rows.ts'
import type { HostRoute, Network } from '../model/model.ts'
import { type FloatingIpLink, type Ref, type RegionPlan, refer, type Thing } from './router-plan.ts'

/** What a region holds of a router. */
export interface RegionSeen {
  /** The router's copy; null where there is none. */
  readonly router: RegionRouter | null
  /** The ports by which it is on networks, its gateway's not among them. */
  readonly legs: readonly RegionPort[]
  /** The floating IPs of the plan's links, and all others of Atoll's that lead through the router. */
  readonly floatingIps: readonly RegionFloatingIp[]
  /** The living intents of the things that were made in the region for this router. */
  readonly intents: readonly Intent[]
  /** The region's ids of resources and things, by `refer`. */
  readonly ids: ReadonlyMap<Ref, string>
  /**
   * Copies that go with the router's: that of the bridge, where no other router of the project is in the
   * region.
   */
  readonly leaving: readonly LeavingCopy[]
}

/** A copy that leaves the region with the last router that needed it. */
export interface LeavingCopy {
  readonly kind: 'network'
  readonly centralId: string
  readonly regionalId: string
}

export type RouterStep =
  | { readonly do: 'ensure'; readonly network: Network }
  | { readonly do: 'make'; readonly thing: Thing }
  | { readonly do: 'change'; readonly id: Ref; readonly spec: ThingSpec<'router'> }
  | { readonly do: 'addLeg'; readonly router: Ref; readonly port: Ref }
  | {
      readonly do: 'dropLeg'
      readonly routerId: string
      readonly portId: string
      readonly intent: Intent | null
    }
  | { readonly do: 'drop'; readonly intent: Intent }
  | { readonly do: 'leave'; readonly leaving: LeavingCopy }
  | { readonly do: 'link'; readonly link: FloatingIpLink }
  | { readonly do: 'unlink'; readonly regionalId: string }

/**
 * The steps; none where the region holds what the plan says. Where the router is at home the steps are only
 * for its floating IPs.
 */
export function stepsTo(plan: RegionPlan, seen: RegionSeen, routerId: string, isOurs: boolean): RouterStep[] {
  const router = refer('router', routerId)
  return [
    ...unlinks(plan, seen),
    ...(isOurs ? [...takings(plan, seen, router), ...givings(plan, seen, router)] : []),
    ...plan.links.filter(link => !isLinked(seen, link)).map((link): RouterStep => ({ do: 'link', link })),
  ]
}

/**
 * Steps that remove what the plan does not have, in an order in which nothing is removed before what needs
 * it.
 */
function takings(plan: RegionPlan, seen: RegionSeen, router: Ref): RouterStep[] {
  const wanted = new Set(thingsOf(plan).map(({ kind, purpose }) => refer(kind, purpose)))
  const legs = new Set(plan.legs.map(({ port }) => seen.ids.get(port)))
  const surplus = seen.legs.filter(({ id }) => !legs.has(id))
  const gone = seen.intents.filter(intent => !wanted.has(refOf(intent)))
  const gateway = gatewayChange(plan, seen)
  return [
    ...fewerRoutes(plan, seen, router, { surplus, isGatewayGoing: gateway !== null }),
    ...surplus.map(({ id }): RouterStep => {
      return { do: 'dropLeg', routerId: seen.router!.id, portId: id, intent: intentFor(seen, id) }
    }),
    ...drops(gone, 'port', surplus),
    ...(gateway ? [{ do: 'change', id: router, spec: gateway } as const] : []),
    ...drops(gone, 'router', []),
    ...drops(gone, 'subnet', []),
    ...drops(gone, 'network', []),
    ...seen.leaving.map((leaving): RouterStep => ({ do: 'leave', leaving })),
  ]
}

/**
 * Steps that make what the plan has and the region does not, in an order in which a thing comes after all
 * that it needs.
 */
const givings = (plan: RegionPlan, seen: RegionSeen, router: Ref): RouterStep[] => [
  ...plan.networks
    // A worker that made the network may have died before its subnets were made.
    .filter(
      ({ id, subnetIds }) =>
        !seen.ids.has(refer('network', id)) || !subnetIds.every(one => seen.ids.has(refer('subnet', one))),
    )
    .map((network): RouterStep => ({ do: 'ensure', network })),
  ...[...plan.mirrors, ...(plan.router ? [plan.router] : [])].filter(isMissing(seen)).map(made),
  ...attributes(plan, seen, router),
  ...plan.legs.flatMap(leg => (leg.thing && isMissing(seen)(leg.thing) ? [made(leg.thing)] : [])),
  ...plan.legs
    .filter(({ port }) => !seen.legs.some(({ id }) => id === seen.ids.get(port)))
    .map(({ port }): RouterStep => ({ do: 'addLeg', router, port })),
  ...plan.mirrorPorts.filter(isMissing(seen)).map(made),
]

const thingsOf = ({ mirrors, router, legs, mirrorPorts }: RegionPlan): Thing[] => [
  ...mirrors,
  ...(router ? [router] : []),
  ...legs.flatMap(({ thing }) => thing ?? []),
  ...mirrorPorts,
]

const refOf = ({ resourceType, purpose }: Intent): Ref => refer(resourceType, purpose)
const made = (thing: Thing): RouterStep => ({ do: 'make', thing })
const isMissing =
  ({ ids }: RegionSeen) =>
  ({ kind, purpose }: Thing): boolean =>
    !ids.has(refer(kind, purpose))

const intentFor = ({ intents }: RegionSeen, regionalId: string): Intent | null =>
  intents.find(intent => intent.regionalId === regionalId) ?? null

/**
 * The intents' things of this kind that are to be removed; a leg's port is not among them, since it goes with
 * its leg.
 */
const drops = (gone: readonly Intent[], kind: string, legs: readonly RegionPort[]): RouterStep[] =>
  gone
    .filter(
      ({ resourceType, regionalId }) => resourceType === kind && !legs.some(({ id }) => id === regionalId),
    )
    .map(intent => ({ do: 'drop', intent }))

function unlinks({ links }: RegionPlan, { floatingIps, ids }: RegionSeen): RouterStep[] {
  return floatingIps
    .filter(({ id, portId }) => {
      if (portId === null) return false
      const link = links.find(({ regionalId }) => regionalId === id)
      return !link || ids.get(link.port) !== portId
    })
    .map(({ id }) => ({ do: 'unlink', regionalId: id }))
}

const isLinked = ({ floatingIps, ids }: RegionSeen, { regionalId, port, fixedIp }: FloatingIpLink): boolean =>
  floatingIps.some(
    one =>
      one.id === regionalId &&
      one.portId !== null &&
      one.portId === ids.get(port) &&
      one.fixedIpAddress === fixedIp,
  )

interface Going {
  readonly surplus: readonly RegionPort[]
  readonly isGatewayGoing: boolean
}

/**
 * Routes through a leg or gateway that is to go are removed first, else the region would not let it go. A
 * CIDR that is moved from the gateway to a leg, or the other way round, is not reached in between.
 */
function fewerRoutes(
  plan: RegionPlan,
  seen: RegionSeen,
  id: Ref,
  { surplus, isGatewayGoing }: Going,
): RouterStep[] {
  const { router, legs, ids } = seen
  if (!router || (surplus.length === 0 && !isGatewayGoing)) return []
  const staying = new Set(legs.filter(leg => !surplus.includes(leg)).map(leg => leg.id))
  const connected = plan.connected
    .filter(({ leg }) =>
      leg === null ? router.externalGateway !== null && !isGatewayGoing : staying.has(ids.get(leg) ?? ''),
    )
    .map(({ cidr }) => parseCidr(cidr)!)
  const kept = router.routes.filter(({ nextHop }: HostRoute) => {
    const address = parseAddress(nextHop)
    return address !== null && connected.some(cidr => contains(cidr, address))
  })
  return kept.length === router.routes.length ? [] : [{ do: 'change', id, spec: { routes: kept } }]
}

/** Takes away a gateway that has to move to another network; null where none has to. */
function gatewayChange(plan: RegionPlan, { router, ids }: RegionSeen): ThingSpec<'router'> | null {
  const wanted = plan.router?.spec.externalGateway ?? null
  const present = router?.externalGateway ?? null
  if (!router || sameGateway(wanted, present, ids)) return null
  const isMoved = present !== null && present.networkId !== (wanted && (ids.get(wanted.networkId) ?? ''))
  // The new gateway's network may have to be made first: `attributes` sets the gateway after that.
  return isMoved ? { externalGateway: null } : null
}

type Gateway = NonNullable<RegionRouter['externalGateway']>

function sameGateway(wanted: Gateway | null, present: Gateway | null, ids: RegionSeen['ids']): boolean {
  if (!wanted || !present) return wanted === present
  const idOf = (ref: string): string => ids.get(ref) ?? ref
  return (
    idOf(wanted.networkId) === present.networkId &&
    wanted.enableSnat === present.enableSnat &&
    wanted.externalFixedIps.every(one =>
      present.externalFixedIps.some(
        other =>
          other.subnetId === idOf(one.subnetId) &&
          // Where the plan has a subnet without an address, any address of the subnet will do.
          (one.ipAddress === undefined || other.ipAddress === one.ipAddress),
      ),
    )
  )
}

/** A change of the router's name, state and gateway, where they are not as the plan says. */
function attributes({ router: wanted }: RegionPlan, { router, ids }: RegionSeen, id: Ref): RouterStep[] {
  if (!wanted || !router) return []
  const { name, adminStateUp, externalGateway = null } = wanted.spec
  const spec: ThingSpec<'router'> = {
    ...(name === router.name ? {} : { name: name! }),
    ...(adminStateUp === router.adminStateUp ? {} : { adminStateUp: adminStateUp! }),
    ...(sameGateway(externalGateway, router.externalGateway, ids) || externalGateway === null
      ? {}
      : { externalGateway }),
  }
  return Object.keys(spec).length === 0 ? [] : [{ do: 'change', id, spec }]
}
