// The difference between what a region should hold of a router and what it holds, as steps in an order that stock
// Neutron accepts. Each step may be done again without harm.

import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import type { Intent } from '../copies/intent.ts'
import type { RegionFloatingIp, RegionPort, RegionRouter, RegionSpec } from '../copies/region-rows.ts'
import type { HostRoute, Network } from '../model/model.ts'
import { type Link, type Ref, type RegionPlan, refer, type Thing } from './router-plan.ts'

/** What is there. */
export interface RegionSeen {
  /** The router's copy; null where there is none. */
  readonly router: RegionRouter | null
  /** The ports by which it is on networks, its gateway's not among them. */
  readonly legs: readonly RegionPort[]
  /** Those of the plan's links, and those of ours that lead through the router. */
  readonly floatingIps: readonly RegionFloatingIp[]
  /** What was made in the region for this router's sake. */
  readonly intents: readonly Intent[]
  /** The region's ids of what is known, by `refer`. */
  readonly ids: ReadonlyMap<Ref, string>
  /** What its removal asks for beside: the bridge, where no other router of the project is in the region. */
  readonly leaving: readonly Leaving[]
}

/** Something that is to go from the region with the last that needed it. */
export interface Leaving {
  readonly kind: 'network'
  readonly centralId: string
  readonly regionalId: string
}

export type Step =
  | { readonly do: 'ensure'; readonly network: Network }
  | { readonly do: 'make'; readonly thing: Thing }
  | { readonly do: 'change'; readonly id: Ref; readonly spec: RegionSpec<'router'> }
  | { readonly do: 'addLeg'; readonly router: Ref; readonly port: Ref }
  | {
      readonly do: 'dropLeg'
      readonly routerId: string
      readonly portId: string
      readonly intent: Intent | null
    }
  | { readonly do: 'drop'; readonly intent: Intent }
  | { readonly do: 'leave'; readonly leaving: Leaving }
  | { readonly do: 'link'; readonly link: Link }
  | { readonly do: 'unlink'; readonly regionalId: string }

/** No steps where all is as it should be. Of a router that lives in the region only the floating IPs are Atoll's to lead. */
export function stepsTo(plan: RegionPlan, seen: RegionSeen, routerId: string, isOurs: boolean): Step[] {
  const router = refer('router', routerId)
  return [
    ...unlinks(plan, seen),
    ...(isOurs ? [...takings(plan, seen, router), ...givings(plan, seen, router)] : []),
    ...plan.links.filter(link => !isLinked(seen, link)).map((link): Step => ({ do: 'link', link })),
  ]
}

/** What is there and should not be, in an order in which nothing needs what goes before it. */
function takings(plan: RegionPlan, seen: RegionSeen, router: Ref): Step[] {
  const wanted = new Set(thingsOf(plan).map(({ kind, purpose }) => refer(kind, purpose)))
  const legs = new Set(plan.legs.map(({ port }) => seen.ids.get(port)))
  const surplus = seen.legs.filter(({ id }) => !legs.has(id))
  const gone = seen.intents.filter(intent => !wanted.has(refOf(intent)))
  const gateway = gatewayChange(plan, seen)
  return [
    ...fewerRoutes(plan, seen, router, { surplus, isGatewayGoing: gateway !== null }),
    ...surplus.map(({ id }): Step => {
      return { do: 'dropLeg', routerId: seen.router!.id, portId: id, intent: intentFor(seen, id) }
    }),
    ...drops(gone, 'port', surplus),
    ...(gateway ? [{ do: 'change', id: router, spec: gateway } as const] : []),
    ...drops(gone, 'router', []),
    ...drops(gone, 'subnet', []),
    ...drops(gone, 'network', []),
    ...seen.leaving.map((leaving): Step => ({ do: 'leave', leaving })),
  ]
}

/** What should be there and is not, in an order in which all that it needs is there before it. */
const givings = (plan: RegionPlan, seen: RegionSeen, router: Ref): Step[] => [
  ...plan.networks
    // Whoever made it may have got no further than the network itself.
    .filter(
      ({ id, subnetIds }) =>
        !seen.ids.has(refer('network', id)) || !subnetIds.every(one => seen.ids.has(refer('subnet', one))),
    )
    .map((network): Step => ({ do: 'ensure', network })),
  ...[...plan.mirrors, ...(plan.router ? [plan.router] : [])].filter(isMissing(seen)).map(made),
  ...attributes(plan, seen, router),
  ...plan.legs.flatMap(leg => (leg.thing && isMissing(seen)(leg.thing) ? [made(leg.thing)] : [])),
  ...plan.legs
    .filter(({ port }) => !seen.legs.some(({ id }) => id === seen.ids.get(port)))
    .map(({ port }): Step => ({ do: 'addLeg', router, port })),
  ...plan.mirrorPorts.filter(isMissing(seen)).map(made),
]

const thingsOf = ({ mirrors, router, legs, mirrorPorts }: RegionPlan): Thing[] => [
  ...mirrors,
  ...(router ? [router] : []),
  ...legs.flatMap(({ thing }) => thing ?? []),
  ...mirrorPorts,
]

const refOf = ({ resourceType, purpose }: Intent): Ref => refer(resourceType, purpose)
const made = (thing: Thing): Step => ({ do: 'make', thing })
const isMissing =
  ({ ids }: RegionSeen) =>
  ({ kind, purpose }: Thing): boolean =>
    !ids.has(refer(kind, purpose))

const intentFor = ({ intents }: RegionSeen, regionalId: string): Intent | null =>
  intents.find(intent => intent.regionalId === regionalId) ?? null

/** A leg's port goes with the leg. */
const drops = (gone: readonly Intent[], kind: string, legs: readonly RegionPort[]): Step[] =>
  gone
    .filter(
      ({ resourceType, regionalId }) => resourceType === kind && !legs.some(({ id }) => id === regionalId),
    )
    .map(intent => ({ do: 'drop', intent }))

function unlinks({ links }: RegionPlan, { floatingIps, ids }: RegionSeen): Step[] {
  return floatingIps
    .filter(({ id, portId }) => {
      if (portId === null) return false
      const link = links.find(({ regionalId }) => regionalId === id)
      return !link || ids.get(link.port) !== portId
    })
    .map(({ id }) => ({ do: 'unlink', regionalId: id }))
}

const isLinked = ({ floatingIps, ids }: RegionSeen, { regionalId, port, fixedIp }: Link): boolean =>
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
 * Routes through what goes away go first: the region would not let it go. What is reached by a gateway before and by a
 * leg afterwards, or the other way round, is not reached in between.
 */
function fewerRoutes(
  plan: RegionPlan,
  seen: RegionSeen,
  id: Ref,
  { surplus, isGatewayGoing }: Going,
): Step[] {
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

/** What the gateway is to be, where it is not that; null where it is. */
function gatewayChange(plan: RegionPlan, { router, ids }: RegionSeen): RegionSpec<'router'> | null {
  const wanted = plan.router?.spec.externalGateway ?? null
  const present = router?.externalGateway ?? null
  if (!router || sameGateway(wanted, present, ids)) return null
  const isMoved = present !== null && present.networkId !== (wanted && (ids.get(wanted.networkId) ?? ''))
  // Its new network may have to be made first: later steps see to it.
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
          // Of a subnet alone any address of it will do.
          (one.ipAddress === undefined || other.ipAddress === one.ipAddress),
      ),
    )
  )
}

/** What of the router's own attributes is not as it should be. */
function attributes({ router: wanted }: RegionPlan, { router, ids }: RegionSeen, id: Ref): Step[] {
  if (!wanted || !router) return []
  const { name, adminStateUp, externalGateway = null } = wanted.spec
  const spec: RegionSpec<'router'> = {
    ...(name === router.name ? {} : { name: name! }),
    ...(adminStateUp === router.adminStateUp ? {} : { adminStateUp: adminStateUp! }),
    ...(sameGateway(externalGateway, router.externalGateway, ids) || externalGateway === null
      ? {}
      : { externalGateway }),
  }
  return Object.keys(spec).length === 0 ? [] : [{ do: 'change', id, spec }]
}
