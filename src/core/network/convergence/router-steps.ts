// The steps from what a region holds of a router to what the plan says, in an order that stock Neutron
// accepts. Each step may be done again without harm.

import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import { sameBy } from '../copies/any-order.ts'
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
  const kept = keptRoutes(plan, seen)
  const loose = looseLinks(plan, seen, isOurs ? surplusLegs(plan, seen) : [])
  return [
    ...loose.map((regionalId): RouterStep => ({ do: 'unlink', regionalId })),
    // A region takes no leg and no gateway away from a route, and no route that leads where there is none yet.
    ...(isOurs
      ? [
          ...routesTo(router, seen.router?.routes, kept),
          ...takings(plan, seen, router),
          ...givings(plan, seen, router),
          ...routesTo(router, kept, plan.routes),
        ]
      : []),
    ...plan.links
      .filter(link => loose.includes(link.regionalId) || !isLinked(seen, link))
      .map((link): RouterStep => ({ do: 'link', link })),
  ]
}

/**
 * Steps that remove what the plan does not have, in an order in which nothing is removed before what needs
 * it.
 */
function takings(plan: RegionPlan, seen: RegionSeen, router: Ref): RouterStep[] {
  const wanted = new Set(thingsOf(plan).map(({ kind, purpose }) => refer(kind, purpose)))
  const surplus = surplusLegs(plan, seen)
  const gone = seen.intents.filter(intent => !wanted.has(refOf(intent)))
  const gateway = gatewayChange(plan, seen)
  return [
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

/**
 * The floating IPs that lead where they are not to, or lead through a leg that is to go: another leg may come
 * in its place.
 */
function looseLinks(
  { links, connected }: RegionPlan,
  { floatingIps, ids }: RegionSeen,
  surplus: readonly RegionPort[],
): string[] {
  const going = surplus.flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress))
  const ranges = connected.map(({ cidr }) => cidr).filter(cidr => going.some(one => isIn(cidr, one)))
  return floatingIps
    .filter(({ id, portId, fixedIpAddress }) => {
      if (portId === null) return false
      const link = links.find(({ regionalId }) => regionalId === id)
      return !link || ids.get(link.port) !== portId || ranges.some(cidr => isIn(cidr, fixedIpAddress ?? ''))
    })
    .map(({ id }) => id)
}

/** Whether an address is in a range; a text that is no address is in none. */
function isIn(cidr: string, text: string): boolean {
  const address = parseAddress(text)
  return address !== null && contains(parseCidr(cidr)!, address)
}

const isLinked = ({ floatingIps, ids }: RegionSeen, { regionalId, port, fixedIp }: FloatingIpLink): boolean =>
  floatingIps.some(
    one =>
      one.id === regionalId &&
      one.portId !== null &&
      one.portId === ids.get(port) &&
      one.fixedIpAddress === fixedIp,
  )

/** The legs that the plan does not have. */
function surplusLegs(plan: RegionPlan, { legs, ids }: RegionSeen): RegionPort[] {
  const wanted = new Set(plan.legs.map(({ port }) => ids.get(port)))
  return legs.filter(({ id }) => !wanted.has(id))
}

/**
 * The routes that stay while legs and gateway change: those that do not lead through one that is to go. A
 * CIDR that is moved from the gateway to a leg, or the other way round, is not reached in between.
 */
function keptRoutes(plan: RegionPlan, seen: RegionSeen): readonly HostRoute[] | undefined {
  const { router, legs, ids } = seen
  const surplus = surplusLegs(plan, seen)
  const isGatewayGoing = gatewayChange(plan, seen) !== null
  if (!router || (surplus.length === 0 && !isGatewayGoing)) return router?.routes
  const staying = new Set(legs.filter(leg => !surplus.includes(leg)).map(leg => leg.id))
  const connected = plan.connected.filter(({ leg }) =>
    leg === null ? router.externalGateway !== null && !isGatewayGoing : staying.has(ids.get(leg) ?? ''),
  )
  return router.routes.filter(({ nextHop }) => connected.some(({ cidr }) => isIn(cidr, nextHop)))
}

export const sameRoutes = sameBy<HostRoute>(({ destination, nextHop }) => `${destination} ${nextHop}`)

/** The step from some routes to others; none where either is not known. */
const routesTo = (
  id: Ref,
  from: readonly HostRoute[] | undefined,
  to: readonly HostRoute[] | null | undefined,
): RouterStep[] => (from && to && !sameRoutes(from, to) ? [{ do: 'change', id, spec: { routes: to } }] : [])

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
