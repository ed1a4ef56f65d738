// The routes that each region's copy of one spanning router must hold, so that every subnet is reached from everywhere.
//
// Regions may take few routes. Those that cannot hold one for every CIDR group them into aligned blocks: a router then
// knows all of the blocks in which it has a CIDR, and of every other block one router that does, its hub. A packet so
// crosses the bridge at most twice. One to a private address that no subnet has, between those that a hub is for, may
// go to and fro between the hub and the exit until its TTL ends: Neutron has no route that discards.

import { conflict } from '../../error.ts'
import {
  type AddressRange,
  type Cidr,
  cidrContains,
  compareAddresses,
  coverOf,
  formatCidr,
  type IpVersion,
  mergeCidrs,
  networkOf,
  nthSubnet,
  parseCidr,
  rangeOf,
  widthOf,
} from '../addresses/address.ts'
import type { HostRoute } from '../model/model.ts'

/** One region's copy of the router. */
export interface RegionLeg {
  readonly region: string
  /** The copy's addresses on the bridge; without one of IPv6 it neither sends nor gets IPv6. */
  readonly nextHop: string
  readonly nextHop6: string | null
  /** The CIDRs that the copy is attached to in the region. Any two CIDRs of a scene are the same or apart. */
  readonly cidrs: readonly string[]
  /**
   * The CIDRs of other regions' subnets that have a mirror in this region: connected, but without the real
   * ports.
   */
  readonly mirrored: readonly string[]
  /** Whether the router's external gateway is in the region: at most one is. */
  readonly isExit: boolean
  /**
   * The user's own routes. One to exactly a subnet's CIDR, or to everywhere, replaces the route that Atoll
   * would make.
   */
  readonly extra: readonly HostRoute[]
}

export interface RouteScene {
  readonly regions: readonly RegionLeg[]
  /** How many routes a router of the region may have. */
  limitOf(region: string): number
}

/** One IP version of a scene: the legs that have an address of it, and every CIDR once. */
interface Plane {
  readonly version: IpVersion
  /** In order of their regions' names. */
  readonly legs: readonly RouteLeg[]
  /** In order of their first addresses. */
  readonly owned: readonly Owned[]
  readonly exit: RouteLeg | undefined
}

interface RouteLeg {
  readonly region: string
  readonly hop: string
  readonly isExit: boolean
  readonly cidrs: readonly Cidr[]
  /** The texts of the leg's own CIDRs and of those that are only mirrored. */
  readonly own: ReadonlySet<string>
  readonly mirrored: ReadonlySet<string>
  readonly extra: readonly Route[]
}

interface Owned {
  readonly cidr: Cidr
  readonly text: string
  /** A block that groups this CIDR with others has at least so many bits. */
  readonly leastBits: number
  /** The leg that routes to this CIDR lead to: the first by name of the regions that have it. */
  readonly owner: RouteLeg
}

interface Block {
  readonly members: readonly Owned[]
  readonly hub: RouteLeg
}

interface Route {
  readonly destination: Cidr
  readonly hop: string
}

/** The routes of one IP version, by region. */
type Tables = ReadonlyMap<string, readonly Route[]>

/**
 * The whole routing table of each region's copy, sorted: the same scene in any order gives the same tables.
 * Throws `conflict`: `routes_exceeded` where a copy would need more routes than its region takes, however
 * they are grouped, and `mirror_too_small` for a mirror of a single address.
 */
export function routesOf(scene: RouteScene): ReadonlyMap<string, HostRoute[]> {
  const planes = [planeOf(scene.regions, 4), planeOf(scene.regions, 6)]
  const direct = planes.map(plane => tablesOf(plane, widthOf(plane.version), plane.legs))
  const crowded = scene.regions.filter(leg => excess(scene, leg, direct) > 0)
  const summarised = crowded.length > 0 ? fitting(scene, crowded, planes) : direct
  return new Map(
    [...scene.regions]
      .sort(byName)
      .map(leg => [leg.region, written(leg.extra, leg.region, crowded.includes(leg) ? summarised : direct)]),
  )
}

// Planes

function planeOf(regions: readonly RegionLeg[], version: IpVersion): Plane {
  const legs = [...regions].sort(byName).flatMap(leg => legOf(leg, version) ?? [])
  const owned = new Map<string, Owned>()
  for (const owner of legs)
    for (const cidr of owner.cidrs) {
      const text = formatCidr(cidr)
      if (!owned.has(text)) owned.set(text, { cidr, text, leastBits: leastBitsOf(cidr), owner })
    }
  return {
    version,
    legs,
    owned: [...owned.values()].sort((a, b) => compareAddresses(a.cidr, b.cidr)),
    exit: legs.find(leg => leg.isExit),
  }
}

/**
 * A block may be wider than the CIDRs in it only within private ranges, else its route would take traffic
 * from the Internet.
 */
const privateRanges = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].map(
  cidrOf,
)

const leastBitsOf = (cidr: Cidr): number =>
  privateRanges.find(range => cidrContains(range, cidr))?.bits ?? cidr.bits

const byName = (a: { region: string }, b: { region: string }): number => (a.region < b.region ? -1 : 1)

function legOf(leg: RegionLeg, version: IpVersion): RouteLeg | null {
  const hop = version === 4 ? leg.nextHop : leg.nextHop6
  if (hop === null) return null
  const cidrs = ofVersion(leg.cidrs, version)
  const own = new Set(cidrs.map(formatCidr))
  const mirrored = new Set(ofVersion(leg.mirrored, version).map(formatCidr))
  for (const text of own) mirrored.delete(text)
  return { region: leg.region, hop, isExit: leg.isExit, cidrs, own, mirrored, extra: leg.extra.map(routeOf) }
}

const ofVersion = (texts: readonly string[], version: IpVersion): Cidr[] =>
  texts.map(cidrOf).filter(cidr => cidr.version === version)

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text)
  if (!cidr) throw new Error(`${text} is no CIDR`)
  return networkOf(cidr)
}

const routeOf = ({ destination, nextHop }: HostRoute): Route => ({
  destination: cidrOf(destination),
  hop: nextHop,
})

// Tables

/** The routes of these legs with the CIDRs in blocks of so many bits; of all bits: every CIDR by itself. */
function tablesOf(plane: Plane, bits: number, legs: readonly RouteLeg[]): Tables {
  const blocks = blocksOf(plane, bits)
  return new Map(legs.map(leg => [leg.region, tableOf(plane, blocks, leg)]))
}

function tableOf(plane: Plane, blocks: readonly Block[], leg: RouteLeg): Route[] {
  const routes = besideExtra(plane, leg, [...reach(leg, blocks), ...mirrorRoutes(plane, leg)])
  const all = { version: plane.version, value: 0n, bits: 0 }
  const hasDefault = !plane.exit || plane.exit === leg || isExtra(leg, all)
  return hasDefault ? routes : [...routes, { destination: all, hop: plane.exit.hop }]
}

const isExtra = (leg: RouteLeg, destination: Cidr): boolean =>
  leg.extra.some(extra => compareCidrs(extra.destination, destination) === 0)

/**
 * The routes without those to a destination that the user has a route to; the routes to subnets within it
 * stay.
 */
const besideExtra = (plane: Plane, leg: RouteLeg, routes: readonly Route[]): Route[] =>
  routes.flatMap(route =>
    isExtra(leg, route.destination)
      ? plane.owned
          .filter(owned => isForeign(leg, owned) && cidrContains(route.destination, owned.cidr))
          .map(({ cidr }) => ({ destination: cidr, hop: route.hop }))
          .filter(({ destination }) => !isExtra(leg, destination))
      : [route],
  )

const isForeign = (leg: RouteLeg, { text }: Owned): boolean => !leg.own.has(text) && !leg.mirrored.has(text)

const compareCidrs = (a: Cidr, b: Cidr): number => compareAddresses(a, b) || a.bits - b.bits

/** The CIDRs in aligned blocks of so many bits; a CIDR that is larger, or public, is a block by itself. */
function blocksOf(plane: Plane, bits: number): Block[] {
  const blocks = new Map<string, Owned[]>()
  for (const owned of plane.owned) {
    const length = Math.min(owned.cidr.bits, Math.max(bits, owned.leastBits))
    const key = formatCidr(networkOf({ ...owned.cidr, bits: length }))
    blocks.set(key, [...(blocks.get(key) ?? []), owned])
  }
  return [...blocks.values()].map(members => ({
    members,
    hub: members.map(({ owner }) => owner).sort(byName)[0]!,
  }))
}

/**
 * The routes of a leg: in the blocks of its own CIDRs to each CIDR's owner, to every other block by the
 * block's hub.
 */
const reach = (leg: RouteLeg, blocks: readonly Block[]): Route[] =>
  summarise(
    blocks.flatMap(({ members, hub }) => {
      const foreign = members.filter(owned => isForeign(leg, owned))
      if (foreign.length === 0) return []
      if (members.some(({ text }) => leg.own.has(text)))
        return foreign.map(({ cidr, owner }) => ({ destination: cidr, hop: owner.hop }))
      return [{ destination: coverOf(spanOf(foreign)), hop: hub.hop }]
    }),
  )

/** The range from the first address of the first CIDR to the last address of the last one. */
const spanOf = (owned: readonly Owned[]): AddressRange => ({
  ...rangeOf(owned[0]!.cidr),
  last: rangeOf(owned.at(-1)!.cidr).last,
})

/** As few routes as possible that lead exactly as these do. */
function summarise(routes: readonly Route[]): Route[] {
  const byHop = new Map<string, Route[]>()
  for (const route of routes) {
    const others = byHop.get(route.hop)
    if (others) others.push(route)
    else byHop.set(route.hop, [route])
  }
  return [...byHop.values()].flatMap(mergeRoutes)
}

/**
 * Merges routes that have the same next hop. Most hops have a single route: then there is nothing to merge.
 */
function mergeRoutes(routes: readonly Route[]): readonly Route[] {
  const { hop } = routes[0]!
  return routes.length === 1
    ? routes
    : mergeCidrs(routes.map(({ destination }) => destination)).map(destination => ({ destination, hop }))
}

/**
 * Routes from a mirror to the real ports: a mirrored subnet is connected, so only longer prefixes than its
 * own lead away from it.
 */
function mirrorRoutes(plane: Plane, leg: RouteLeg): Route[] {
  const mirrored = plane.owned.filter(({ text }) => leg.mirrored.has(text))
  return mirrored.flatMap(({ cidr, owner }) =>
    halvesOf(cidr).map(destination => ({ destination, hop: owner.hop })),
  )
}

function halvesOf(cidr: Cidr): Cidr[] {
  const halves = [0n, 1n].flatMap(n => nthSubnet(cidr, cidr.bits + 1, n) ?? [])
  if (halves.length === 0)
    throw conflict(
      `Subnet ${formatCidr(cidr)} has a single address and cannot be reached from another region's external network`,
      'mirror_too_small',
    )
  return halves
}

// Limits

/** By how many routes a router is over its limit; under 0: how many more it could have. */
function excess(scene: RouteScene, leg: RegionLeg, planes: readonly Tables[]): number {
  const own = planes.reduce((sum, tables) => sum + (tables.get(leg.region)?.length ?? 0), 0)
  return own + leg.extra.length - scene.limitOf(leg.region)
}

/** Routes of the crowded regions, with blocks of the length that leaves the fullest copy the most room. */
function fitting(scene: RouteScene, crowded: readonly RegionLeg[], planes: readonly Plane[]): Tables[] {
  const names = new Set(crowded.map(leg => leg.region))
  const choices = planes.map(plane => {
    const legs = plane.legs.filter(leg => names.has(leg.region))
    return blockLengths(plane).map(bits => tablesOf(plane, bits, legs))
  })
  const pairs = choices[0]!.flatMap(first => choices[1]!.map(second => [first, second]))
  const fullestOf = (tables: readonly Tables[]): RegionLeg =>
    least(crowded, leg => -excess(scene, leg, tables))
  const best = least(pairs, tables => excess(scene, fullestOf(tables), tables))
  checkLimit(scene, fullestOf(best), best)
  return best
}

function checkLimit(scene: RouteScene, leg: RegionLeg, tables: readonly Tables[]): void {
  const over = excess(scene, leg, tables)
  if (over <= 0) return
  const limit = scene.limitOf(leg.region)
  throw conflict(
    `The router in region ${leg.region} needs ${limit + over} routes and may have ${limit}: use fewer subnets, or subnets whose CIDRs are next to each other`,
    'routes_exceeded',
  )
}

/**
 * The lengths of blocks worth trying, the widest blocks first: those that just hold two neighbouring CIDRs.
 */
function blockLengths({ owned }: Plane): number[] {
  const covers = owned.slice(1).map((next, at) => coverOf(spanOf([owned[at]!, next])).bits)
  return covers.length > 0 ? [...new Set(covers)].sort((a, b) => a - b) : [0]
}

/** The element of the least weight: the first of equals. */
function least<T>(all: readonly T[], weightOf: (one: T) => number): T {
  const weights = all.map(weightOf)
  return all[weights.indexOf(Math.min(...weights))]!
}

/** A region's routes as Neutron takes them, sorted. */
function written(extra: readonly HostRoute[], region: string, planes: readonly Tables[]): HostRoute[] {
  return [...extra.map(routeOf), ...planes.flatMap(tables => tables.get(region) ?? [])]
    .sort((a, b) => compareCidrs(a.destination, b.destination) || (a.hop < b.hop ? -1 : 1))
    .map(({ destination, hop }) => ({ destination: formatCidr(destination), nextHop: hop }))
}
