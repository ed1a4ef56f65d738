// Packets that follow the tables of a spanning router, and how few routes the tables have.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../error.ts'
import { type Cidr, contains, formatCidr, nthSubnet, parseCidr as parse } from '../addresses/address.ts'
import type { HostRoute } from '../model/model.ts'
import { type RegionLeg, type RouteScene, routesOf } from './routes.ts'

/** The whole with SOAK=1, else a tenth. */
const sized = (whole: number): number => (process.env.SOAK === '1' ? whole : whole / 10)

/** Each text is read once: packets and models ask for the same ones again and again. */
const read = new Map<string, Cidr | null>()
function parseCidr(text: string): Cidr | null {
  const known = read.get(text)
  if (known !== undefined) return known
  const cidr = parse(text)
  read.set(text, cidr)
  return cidr
}

const legOf = (at: number, more: Partial<RegionLeg> = {}): RegionLeg => ({
  region: `Pod${`${at}`.padStart(3, '0')}`,
  nextHop: `100.0.${at >> 8}.${at & 255}`,
  nextHop6: null,
  cidrs: [],
  mirrored: [],
  isExit: false,
  extra: [],
  ...more,
})
const sceneOf = (regions: readonly RegionLeg[], limit = 30): RouteScene => ({ regions, limitOf: () => limit })
const shown = (routes: readonly HostRoute[] | undefined): string[] =>
  (routes ?? []).map(({ destination, nextHop }) => `${destination} ${nextHop}`)

/** What was refused, or null. */
function refusal(work: () => unknown): AppError | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

// Following packets

interface Hop {
  readonly cidr: Cidr
  /** The leg where it leads; none for what is connected. */
  readonly to: RegionLeg | undefined
  readonly isMirror: boolean
}

/** Of each region: all prefixes that its router knows, the longest first and connected ones before others. */
function networkOf(regions: readonly RegionLeg[], tables: ReadonlyMap<string, readonly HostRoute[]>) {
  const byHop = new Map(
    regions.flatMap(leg => [[leg.nextHop, leg] as const, [leg.nextHop6 ?? '', leg] as const]),
  )
  return new Map(
    regions.map(leg => {
      const hops: Hop[] = [
        ...leg.cidrs.map(text => ({ cidr: parseCidr(text)!, to: undefined, isMirror: false })),
        ...leg.mirrored.map(text => ({ cidr: parseCidr(text)!, to: undefined, isMirror: true })),
        ...tables.get(leg.region)!.map(route => ({
          cidr: parseCidr(route.destination)!,
          to: byHop.get(route.nextHop)!,
          isMirror: false,
        })),
      ]
      return [leg.region, hops.sort((a, b) => b.cidr.bits - a.cidr.bits)] as const
    }),
  )
}

/** How often a packet crosses the bridge until it is where its address is; null where it does not get there. */
function hopsOf(network: ReturnType<typeof networkOf>, from: RegionLeg, cidr: Cidr): number | null {
  let at = from
  for (let count = 0; count < 5; count += 1) {
    const hop = network.get(at.region)!.find(hop => contains(hop.cidr, cidr))
    if (!hop || hop.isMirror) return null
    if (!hop.to) return count
    at = hop.to
  }
  return null
}

/** The most that any packet crosses the bridge, from everywhere to the first and last and some address of each CIDR. */
function farthest(regions: readonly RegionLeg[], tables: ReadonlyMap<string, readonly HostRoute[]>): number {
  const network = networkOf(regions, tables)
  const cidrs = new Set(regions.flatMap(leg => leg.cidrs))
  let most = 0
  for (const text of cidrs)
    for (const address of samplesOf(parseCidr(text)!))
      for (const from of regions) {
        const hops = hopsOf(network, from, address)
        if (hops === null) throw new Error(`${from.region} does not reach ${formatCidr(address)} of ${text}`)
        most = Math.max(most, hops)
      }
  return most
}

function samplesOf(cidr: Cidr): Cidr[] {
  const width = cidr.version === 4 ? 32 : 128
  const size = 1n << BigInt(width - cidr.bits)
  return [0n, size / 3n, size - 1n].map(n => nthSubnet(cidr, width, n)!)
}

// Scenes

interface Piece {
  /** Which /20 of one of the IPv4 spaces, or /52 of an IPv6 space, it is in: one piece each. */
  readonly space: number
  readonly slot: number
  /** How many bits longer it is, and which of those that long. */
  readonly more: number
  readonly nth: number
  readonly isV6: boolean
  readonly owners: readonly number[]
  readonly isMirrored: boolean
}

/** Private ones and, the last, a public one. */
const spaces4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '80.0.0.0/12']
const spaces6 = ['fd00::/40', '2600::/40']

function cidrOfPiece({ space, slot, more, nth, isV6 }: Piece): string {
  const [spaces, bits] = isV6 ? [spaces6, 52] : [spaces4, 20]
  const whole = parseCidr(spaces[space % spaces.length]!)!
  const block = nthSubnet(whole, bits, BigInt(slot % (1 << (bits - whole.bits))))!
  return formatCidr(nthSubnet(block, bits + more, BigInt(nth % (1 << more)))!)
}

/** In which there is one piece. */
const blockOfPiece = (piece: Piece): string => cidrOfPiece({ ...piece, more: 0 })

const piecesOf = (regions: number, least: number, most: number): fc.Arbitrary<Piece[]> =>
  fc.uniqueArray(
    fc.record<Piece>({
      space: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat(3), weight: 1 }),
      // Mostly beside each other.
      slot: fc.oneof(fc.nat(15), fc.nat(63), fc.nat(4095)),
      more: fc.oneof(fc.constant(0), fc.nat(12)),
      nth: fc.nat(4095),
      isV6: fc.oneof(
        { arbitrary: fc.constant(false), weight: 3 },
        { arbitrary: fc.constant(true), weight: 1 },
      ),
      owners: fc.oneof(
        fc.tuple(fc.nat(regions - 1)),
        fc.uniqueArray(fc.nat(regions - 1), { minLength: 1, maxLength: 3 }),
      ),
      isMirrored: fc.nat(7).map(one => one === 0),
    }),
    { minLength: least, maxLength: most, selector: blockOfPiece },
  )

/** Regions with pieces of address space; the exit has mirrors of some, where it can. */
const regionsOf = (mostRegions: number, mostPieces: number, leastPieces = 0): fc.Arbitrary<RegionLeg[]> =>
  fc.integer({ min: 1, max: mostRegions }).chain(count =>
    fc
      .record({
        pieces: piecesOf(count, leastPieces, mostPieces),
        exit: fc.option(fc.nat(count - 1)),
        alone4: fc.array(fc.nat(count - 1), { maxLength: 2 }),
      })
      .map(({ pieces, exit, alone4 }) =>
        Array.from({ length: count }, (_, at) => built(at, pieces, exit, alone4)),
      ),
  )

function built(
  at: number,
  pieces: readonly Piece[],
  exit: number | null,
  alone4: readonly number[],
): RegionLeg {
  const hasV6 = !alone4.includes(at)
  const owners = ({ owners, isV6 }: Piece) => owners.filter(owner => !isV6 || !alone4.includes(owner))
  const mirrors = pieces.filter(
    piece =>
      piece.isMirrored &&
      at === exit &&
      (hasV6 || !piece.isV6) &&
      owners(piece).length > 0 &&
      !owners(piece).includes(at) &&
      !cidrOfPiece(piece).endsWith('/32'),
  )
  return legOf(at, {
    nextHop6: hasV6 ? `fd11::${at.toString(16)}` : null,
    cidrs: pieces.filter(piece => owners(piece).includes(at)).map(cidrOfPiece),
    mirrored: mirrors.map(cidrOfPiece),
    isExit: at === exit,
  })
}

const isOf = (version: 4 | 6, text: string): boolean => parseCidr(text)!.version === version

/** A scene in which everybody has IPv6, or nobody: else some of it is not to be reached from some regions. */
const onlyReachable = (regions: readonly RegionLeg[]): RegionLeg[] =>
  regions.every(leg => leg.nextHop6)
    ? [...regions]
    : regions.map(leg => ({
        ...leg,
        nextHop6: null,
        cidrs: leg.cidrs.filter(text => isOf(4, text)),
        mirrored: leg.mirrored.filter(text => isOf(4, text)),
      }))

const contiguous = (count: number, isExit = true): RegionLeg[] =>
  Array.from({ length: count }, (_, at) =>
    legOf(at, { cidrs: [`10.0.${at}.0/24`], isExit: isExit && at === 0 }),
  )

// A slow model of how many routes there must be

/** The fewest CIDRs, by joining siblings until there are none. */
function joined(texts: readonly string[]): string[] {
  const set = new Set(texts)
  for (let before = -1; before !== set.size; ) {
    before = set.size
    for (const text of [...set]) {
      const cidr = parseCidr(text)!
      const parent = { ...cidr, bits: cidr.bits - 1 }
      const halves = [0n, 1n].map(n => formatCidr(nthSubnet(parent, cidr.bits, n)!))
      if (cidr.bits > 0 && halves.every(half => set.has(half))) {
        for (const half of halves) set.delete(half)
        set.add(formatCidr(nthSubnet(parent, parent.bits, 0n)!))
      }
    }
  }
  return [...set]
}

/** The longest prefix that all have. */
function commonCidr(texts: readonly string[]): string {
  let cidr = parseCidr(texts[0]!)!
  while (!texts.every(text => parseCidr(text)!.bits >= cidr.bits && contains(cidr, parseCidr(text)!)))
    cidr = nthSubnet({ ...cidr, bits: cidr.bits - 1 }, cidr.bits - 1, 0n)!
  return formatCidr(cidr)
}

/** How many bits all have in common that are private as this one is. */
const privateBits = (text: string): number =>
  text.startsWith('10.') ? 8 : text.startsWith('172.') ? 12 : text.startsWith('192.') ? 16 : 7

/** What a region holds for one version when blocks have so many bits. */
function modelNeed(regions: readonly RegionLeg[], leg: RegionLeg, version: 4 | 6, bits: number): number {
  const hopOf = (leg: RegionLeg) => (version === 4 ? leg.nextHop : leg.nextHop6)
  if (hopOf(leg) === null) return 0
  const reachable = regions.filter(leg => hopOf(leg) !== null).sort((a, b) => (a.region < b.region ? -1 : 1))
  const blocks = new Map<string, Set<string>>()
  for (const text of reachable.flatMap(leg => leg.cidrs).filter(text => isOf(version, text))) {
    const cidr = parseCidr(text)!
    const isPublic =
      contains(parseCidr(spaces4.at(-1)!)!, cidr) || contains(parseCidr(spaces6.at(-1)!)!, cidr)
    const length = Math.min(cidr.bits, Math.max(bits, isPublic ? cidr.bits : privateBits(text)))
    const key = formatCidr(nthSubnet({ ...cidr, bits: length }, length, 0n)!)
    blocks.set(key, (blocks.get(key) ?? new Set()).add(text))
  }
  const byHop = new Map<string, string[]>()
  const add = (leg: RegionLeg, text: string) =>
    byHop.set(hopOf(leg)!, [...(byHop.get(hopOf(leg)!) ?? []), text])
  for (const block of blocks.values()) {
    const foreign = [...block].filter(text => !leg.cidrs.includes(text) && !leg.mirrored.includes(text))
    if (foreign.length === 0) continue
    if ([...block].some(text => leg.cidrs.includes(text)))
      for (const text of foreign) add(reachable.find(other => other.cidrs.includes(text))!, text)
    else add(reachable.find(other => other.cidrs.some(text => block.has(text)))!, commonCidr(foreign))
  }
  const mirrors = leg.mirrored.filter(text => isOf(version, text)).length
  const toExit = reachable.some(other => other.isExit && other !== leg) ? 1 : 0
  return [...byHop.values()].flatMap(joined).length + 2 * mirrors + toExit
}

const directNeed = (regions: readonly RegionLeg[], leg: RegionLeg): number =>
  modelNeed(regions, leg, 4, 32) + modelNeed(regions, leg, 6, 128)

/** By how much the fullest of the crowded routers is over the limit under the best lengths; null where none is crowded. */
function modelExcess(regions: readonly RegionLeg[], limit: number): number | null {
  const crowded = regions.filter(leg => directNeed(regions, leg) > limit)
  if (crowded.length === 0) return null
  const needs = (version: 4 | 6, width: number) => {
    const all = Array.from({ length: width + 1 }, (_, bits) =>
      crowded.map(leg => modelNeed(regions, leg, version, bits)),
    )
    return [...new Map(all.map(needs => [needs.join(), needs])).values()]
  }
  const six = needs(6, 128)
  const sums = needs(4, 32).flatMap(four =>
    six.map(six => Math.max(...four.map((need, at) => need + six[at]!))),
  )
  return Math.min(...sums) - limit
}

describe('a table', () => {
  it('leads to every CIDR that is only elsewhere, by its region, and for the rest to the exit', () => {
    const tables = routesOf(
      sceneOf([
        legOf(1, { cidrs: ['10.0.1.0/24', '10.0.9.0/24'], nextHop6: 'fd11::1' }),
        legOf(2, { cidrs: ['10.0.9.0/24', '10.0.4.0/24', 'fd00:2::/64'], nextHop6: 'fd11::2' }),
        legOf(3, { isExit: true, nextHop6: 'fd11::3' }),
      ]),
    )
    expect(shown(tables.get('Pod001'))).toEqual([
      '0.0.0.0/0 100.0.0.3',
      '10.0.4.0/24 100.0.0.2',
      '::/0 fd11::3',
      'fd00:2::/64 fd11::2',
    ])
    expect(shown(tables.get('Pod002'))).toEqual([
      '0.0.0.0/0 100.0.0.3',
      '10.0.1.0/24 100.0.0.1',
      '::/0 fd11::3',
    ])
    expect(shown(tables.get('Pod003'))).toEqual([
      '10.0.1.0/24 100.0.0.1',
      '10.0.4.0/24 100.0.0.2',
      '10.0.9.0/24 100.0.0.1',
      'fd00:2::/64 fd11::2',
    ])
  })

  it('has one route for adjacent CIDRs of one region, and never for more than those', () => {
    const cidrs = ['10.0.2.0/24', '10.0.3.0/24', '10.0.4.0/24', '10.0.1.0/24']
    const tables = routesOf(sceneOf([legOf(1, { cidrs }), legOf(2)]))
    expect(shown(tables.get('Pod002'))).toEqual([
      '10.0.1.0/24 100.0.0.1',
      '10.0.2.0/23 100.0.0.1',
      '10.0.4.0/24 100.0.0.1',
    ])
  })

  it('leads from a mirror by both of its halves', () => {
    const tables = routesOf(
      sceneOf([
        legOf(1, { cidrs: ['10.0.0.0/24', '10.0.1.0/24'] }),
        legOf(2, { mirrored: ['10.0.1.0/24'], isExit: true }),
      ]),
    )
    expect(shown(tables.get('Pod002'))).toEqual([
      '10.0.0.0/24 100.0.0.1',
      '10.0.1.0/25 100.0.0.1',
      '10.0.1.128/25 100.0.0.1',
    ])
  })

  it('has none for a mirror of what is there itself, or nowhere', () => {
    const mirrored = ['10.0.0.0/24', '10.0.1.0/24']
    const tables = routesOf(sceneOf([legOf(1, { cidrs: ['10.0.0.0/24'], mirrored }), legOf(2)]))
    expect(shown(tables.get('Pod001'))).toEqual([])
  })

  it('cannot be where a mirror has a single address', () => {
    const scene = sceneOf([legOf(1, { cidrs: ['10.0.0.1/32'] }), legOf(2, { mirrored: ['10.0.0.1/32'] })])
    expect(refusal(() => routesOf(scene))).toMatchObject({
      code: 'conflict',
      message:
        "Subnet 10.0.0.1/32 has a single address and cannot be reached from another region's external network",
      detail: { reason: 'mirror_too_small' },
    })
  })

  it("has the user's routes, in place of ours with the same destination", () => {
    const extra = [
      { destination: '0.0.0.0/0', nextHop: '10.0.1.9' },
      { destination: '192.168.0.0/16', nextHop: '10.0.1.9' },
    ]
    const tables = routesOf(
      sceneOf([legOf(1, { cidrs: ['10.0.1.0/24'], extra }), legOf(2, { isExit: true })]),
    )
    expect(shown(tables.get('Pod001'))).toEqual(['0.0.0.0/0 10.0.1.9', '192.168.0.0/16 10.0.1.9'])
  })

  it('leads to subnets whatever less specific routes the user has', () => {
    const cidrs = ['10.0.4.0/24', '10.0.5.0/24']
    const extra = [
      { destination: '10.0.4.0/23', nextHop: '10.0.1.9' },
      { destination: '10.0.5.0/24', nextHop: '10.0.1.9' },
    ]
    const tables = routesOf(sceneOf([legOf(1, { cidrs: ['10.0.1.0/24'], extra }), legOf(2, { cidrs })]))
    expect(shown(tables.get('Pod001'))).toEqual([
      '10.0.4.0/23 10.0.1.9',
      '10.0.4.0/24 100.0.0.2',
      '10.0.5.0/24 10.0.1.9',
    ])
  })

  it('summarises private addresses only, each range of those by itself', () => {
    const cidrs = ['10.0.0.0/24', '10.0.2.0/24', '192.168.0.0/24', '80.0.0.0/24', '80.0.2.0/24']
    const regions = [legOf(1, { isExit: true }), ...cidrs.map((cidr, at) => legOf(at + 2, { cidrs: [cidr] }))]
    expect(shown(routesOf(sceneOf(regions, 4 + 1)).get('Pod001'))).toEqual([
      '10.0.0.0/24 100.0.0.2',
      '10.0.2.0/24 100.0.0.3',
      '80.0.0.0/24 100.0.0.5',
      '80.0.2.0/24 100.0.0.6',
      '192.168.0.0/24 100.0.0.4',
    ])
    const limitOf = (region: string) => (region === 'Pod001' ? 4 : 5)
    expect(shown(routesOf({ regions, limitOf }).get('Pod001'))).toEqual([
      '10.0.0.0/22 100.0.0.2',
      '80.0.0.0/24 100.0.0.5',
      '80.0.2.0/24 100.0.0.6',
      '192.168.0.0/24 100.0.0.4',
    ])
  })

  it('has the routes of one IP version where a region has no other on the bridge', () => {
    const cidrs = ['10.0.1.0/24', 'fd00:1::/64']
    const tables = routesOf(
      sceneOf([
        legOf(1, { cidrs, nextHop6: 'fd11::1', isExit: true }),
        legOf(2),
        legOf(3, { nextHop6: 'fd11::3' }),
      ]),
    )
    expect(shown(tables.get('Pod002'))).toEqual(['0.0.0.0/0 100.0.0.1', '10.0.1.0/24 100.0.0.1'])
    expect(shown(tables.get('Pod003'))).toHaveLength(4)
  })

  it('says which router needs more than it may have, and what would help', () => {
    const regions = Array.from({ length: 9 }, (_, at) => legOf(at, { cidrs: [`10.${at * 16}.0.0/24`] }))
    expect(refusal(() => routesOf(sceneOf(regions, 3)))).toMatchObject({
      code: 'conflict',
      message:
        'The router in region Pod000 needs 5 routes and may have 3: use fewer subnets, or subnets whose CIDRs are next to each other',
      detail: { reason: 'routes_exceeded' },
    })
  })

  it('is as short as it can be for many regions', () => {
    for (const count of [10, 100]) {
      const regions = contiguous(count)
      const tables = routesOf(sceneOf(regions))
      const most = Math.max(...[...tables.values()].map(routes => routes.length))
      const perServer = ((count - 1) * 1000).toLocaleString('en')
      console.log(`${count} regions: at most ${most} routes a router (per server: ${perServer})`)
      expect(most).toBeLessThanOrEqual(count === 10 ? 10 : 20)
      expect(farthest(regions, tables)).toBeLessThanOrEqual(count === 10 ? 1 : 2)
    }
  })

  it('leaves a region that takes many routes its direct ones', () => {
    const limitOf = (region: string) => (region === 'Pod007' ? 200 : 30)
    const tables = routesOf({ regions: contiguous(100), limitOf })
    expect(tables.get('Pod007')).toHaveLength(100)
    expect(tables.get('Pod008')!.length).toBeLessThanOrEqual(30)
    expect(farthest(contiguous(100), tables)).toBe(2)
  })
})

describe('tables of any scene', () => {
  const regions = fc.oneof(regionsOf(40, 60), regionsOf(40, 60, 40)).map(onlyReachable)
  /** How many routes a router has at most where it has all. */
  const longest = (regions: readonly RegionLeg[]): number =>
    Math.max(...[...routesOf(sceneOf(regions, 1000)).values()].map(routes => routes.length))

  it('lead straight where no router is crowded', () => {
    fc.assert(
      fc.property(regions, regions => {
        expect(farthest(regions, routesOf(sceneOf(regions, 1000)))).toBeLessThanOrEqual(1)
      }),
      { numRuns: sized(200) },
    )
  })

  it('lead everywhere by at most one other region, within the limits of each', () => {
    const lesses = fc.array(fc.nat(10), { minLength: 1, maxLength: 4 })
    let followed = 0
    fc.assert(
      fc.property(regions, lesses, (regions, lesses) => {
        const most = longest(regions)
        const limitOf = (region: string) => most - lesses[Number(region.slice(3)) % lesses.length]!
        const refused = refusal(() => {
          const tables = routesOf({ regions, limitOf })
          const over = [...tables].filter(([region, routes]) => routes.length > limitOf(region))
          expect(over).toEqual([])
          const hops = farthest(regions, tables)
          expect(hops).toBeLessThanOrEqual(2)
          if (hops === 2) followed += 1
        })
        expect(refused?.detail.reason ?? 'routes_exceeded').toBe('routes_exceeded')
      }),
      { numRuns: sized(300) },
    )
    expect(followed).toBeGreaterThan(0)
  })

  it('lead whatever is on the Internet to the exit, and leave it there', () => {
    const addresses = [
      '8.8.8.8',
      '11.0.0.0',
      '80.15.255.255',
      '172.15.255.255',
      '192.169.0.0',
      '0.0.0.0',
      '2600::ff',
    ]
    fc.assert(
      fc.property(regions, fc.nat(10), (regions, less) => {
        const exit = regions.find(leg => leg.isExit)
        const elsewhere = addresses.map(text => parseCidr(`${text}/${text.includes(':') ? 128 : 32}`)!)
        const nobodys = elsewhere.filter(
          address => !regions.some(leg => leg.cidrs.some(text => contains(parseCidr(text)!, address))),
        )
        refusal(() => {
          const network = networkOf(regions, routesOf(sceneOf(regions, longest(regions) - less)))
          for (const leg of regions)
            for (const address of nobodys) {
              const hop = network.get(leg.region)!.find(hop => contains(hop.cidr, address))
              const isThere = leg === exit || (address.version === 6 && leg.nextHop6 === null)
              expect(hop?.to).toBe(isThere ? undefined : exit)
            }
        })
      }),
      { numRuns: sized(200) },
    )
  })

  it('are refused only where no length of blocks would do, and have the most room else', () => {
    const outcomes = { refused: 0, summarised: 0 }
    fc.assert(
      fc.property(regionsOf(12, 16, 8), fc.nat(4), (regions, less) => {
        const limit = Math.max(...regions.map(leg => directNeed(regions, leg))) - less
        const excess = modelExcess(regions, limit)
        const refused = refusal(() => {
          const tables = routesOf(sceneOf(regions, limit))
          const crowded = regions.filter(leg => directNeed(regions, leg) > limit)
          const most = Math.max(...crowded.map(leg => tables.get(leg.region)!.length))
          if (excess !== null) expect(most - limit).toBe(excess)
        })
        expect(refused !== null).toBe(excess !== null && excess > 0)
        if (refused) expect(refused.message).toContain(`needs ${limit + excess!} routes`)
        if (refused) outcomes.refused += 1
        else if (excess !== null) outcomes.summarised += 1
      }),
      { numRuns: sized(300) },
    )
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0)
  })

  it('are the same whatever the order of what is given', () => {
    const shuffled = (regions: readonly RegionLeg[]): RegionLeg[] =>
      regions
        .map(leg => ({ ...leg, cidrs: leg.cidrs.toReversed(), mirrored: leg.mirrored.toReversed() }))
        .reverse()
    fc.assert(
      fc.property(regions, fc.constantFrom(20, 1000), (regions, limit) => {
        const answer = (regions: readonly RegionLeg[]) => {
          let tables: unknown = null
          const refused = refusal(() => {
            tables = [...routesOf(sceneOf(regions, limit))]
          })
          return refused?.detail.reason ?? tables
        }
        expect(answer(shuffled(regions))).toEqual(answer(regions))
      }),
      { numRuns: sized(200) },
    )
  })

  it('change only where they name the region that changed', () => {
    fc.assert(
      fc.property(regions, fc.nat(), (regions, which) => {
        const changed = regions[which % regions.length]!
        const [gone, ...kept] = changed.cidrs
        const isShared = regions.some(leg => leg !== changed && leg.cidrs.includes(gone ?? ''))
        fc.pre(gone !== undefined && !isShared)
        const after = regions.map(leg => (leg === changed ? { ...leg, cidrs: kept } : leg))
        const others = (regions: readonly RegionLeg[]) =>
          [...routesOf(sceneOf(regions, 1000))].map(([region, routes]) => [
            region,
            routes.filter(({ nextHop }) => nextHop !== changed.nextHop && nextHop !== changed.nextHop6),
          ])
        expect(others(after)).toEqual(others(regions))
      }),
      { numRuns: sized(200) },
    )
  })
})
