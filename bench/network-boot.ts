// What a port costs the regions, on networks with ports in 1, 10 and 100 of them: the first one in a region, and the next.

import type { Ground } from './ground.ts'
import { median, printTable, rounded } from './measure.ts'
import { type Calls, isWrite, type Json, openSite, type Site, sumOf } from './network-site.ts'

export interface BootSettings {
  /** In how many regions each network has ports, the most at the end. */
  readonly spans: readonly number[]
  /** How many more ports each network then gets. */
  readonly rounds: number
}

/** Cells of a table. */
type Row = (string | number)[]

/** What there is beside a network's ports. */
interface Variant {
  readonly name: string
  readonly hasRouter: boolean
  /** A rule of the ports' group names the group: every region has to know the addresses of all of them. */
  readonly hasRemoteGroup: boolean
  /** Ports are asked for by their host, and not by its region. */
  readonly isByHost: boolean
}

const plain = { hasRouter: false, hasRemoteGroup: false, isByHost: false }
const variants: readonly Variant[] = [
  { ...plain, name: 'network' },
  { ...plain, name: 'network, by host', isByHost: true },
  { ...plain, name: '+ spanning router', hasRouter: true },
  { ...plain, name: '+ remote group', hasRouter: true, hasRemoteGroup: true },
]

interface Spanning {
  readonly variant: Variant
  readonly networkId: string
  readonly groupId: string
  readonly regions: readonly string[]
}

interface First {
  readonly ports: number
  readonly calls: Calls
  readonly ms: number
}

interface Next {
  readonly region: string
  readonly ms: number
  /** While the answer was waited for. */
  readonly calls: Calls
  /** By the jobs that followed. */
  readonly later: Calls
}

/** Returns, for each variant and span, calls and time a port; and the calls of the jobs that follow many ports at once. */
export async function boots(ground: Ground, { spans, rounds }: BootSettings): Promise<object> {
  const site = await openSite(ground, { name: 'boots', regions: spans.at(-1)! })
  const figures: Figures[] = []
  const kinds: Row[] = []
  let widest: Spanning
  for (const variant of variants) {
    const networks: Spanning[] = []
    for (const span of spans) networks.push(await spanningNetwork(site, variant, span))
    const firsts: First[] = []
    for (const network of networks) firsts.push(await placeFirst(site, network))
    const nexts = await placeNext(site, networks, rounds)
    for (const [at, network] of networks.entries()) {
      const [first, next] = [firsts[at]!, nexts[at]!]
      figures.push(figuresOf(network, { first, next, firstOfLeast: firsts[0]!, nextOfLeast: nexts[0]! }))
    }
    kinds.push(...kindsOf(variant, firsts, nexts))
    widest = networks.at(-1)!
  }
  show(spans, figures, kinds)
  return { figures, kinds, gathered: await gather(site, widest!, 10 * rounds) }
}

async function spanningNetwork(site: Site, variant: Variant, span: number): Promise<Spanning> {
  const { call } = site
  const { id: networkId } = await call('POST', '/networks', { network: { name: `${variant.name} ${span}` } })
  const given = { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/16' }
  const subnet = await call('POST', '/subnets', { subnet: given })
  const group = await call('POST', '/security-groups', { security_group: { name: variant.name } })
  if (variant.hasRouter) {
    const router = await call('POST', '/routers', { router: {} })
    await call('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  }
  if (variant.hasRemoteGroup) {
    const rule = { security_group_id: group.id, direction: 'ingress', remote_group_id: group.id }
    await call('POST', '/security-group-rules', { security_group_rule: rule })
  }
  return { variant, networkId, groupId: group.id, regions: site.regions.slice(0, span) }
}

function placePort({ call }: Site, { variant, networkId, groupId }: Spanning, region: string): Promise<Json> {
  const where = variant.isByHost
    ? { 'binding:host_id': `${region.toLowerCase()}-compute1` }
    : { 'binding:profile': { region } }
  return call('POST', '/ports', { port: { network_id: networkId, security_groups: [groupId], ...where } })
}

/** One port in each region, and whatever follows from it. */
async function placeFirst(site: Site, network: Spanning): Promise<First> {
  const ports = network.regions.length
  let ms = 0
  const calls = await site.callsOf(async () => {
    const startedAt = performance.now()
    for (const region of network.regions) await placePort(site, network, region)
    ms = (performance.now() - startedAt) / ports
    await site.settle()
  })
  return { ports, calls, ms }
}

/** One port of each network in turn, each when what followed from the one before is done. */
async function placeNext(site: Site, networks: readonly Spanning[], rounds: number): Promise<Next[][]> {
  const nexts: Next[][] = networks.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const inTurn = [...networks.entries()]
    for (const [at, network] of round % 2 === 0 ? inTurn : inTurn.reverse()) {
      const region = network.regions[(round * 7) % network.regions.length]!
      let ms = 0
      const calls = await site.callsOf(async () => {
        const startedAt = performance.now()
        await placePort(site, network, region)
        ms = performance.now() - startedAt
      })
      nexts[at]!.push({ region, ms, calls, later: await site.callsOf(site.settle) })
    }
  }
  return nexts
}

interface Figures {
  readonly variant: string
  readonly regions: number
  /** Of the first port in a region: calls to all regions with those of the jobs that follow, and its time. */
  readonly firstCalls: number
  readonly firstMs: number
  readonly firstGrowth: number
  /** Of a next port: the most calls that any made to its own region, and to others. */
  readonly ownCalls: number
  readonly callsElsewhere: number
  /** By the jobs that follow, to each region that has the network. */
  readonly laterCalls: number
  readonly laterWrites: number
  readonly ms: number
  readonly growth: number
}

interface Measured {
  readonly first: First
  readonly next: readonly Next[]
  /** The same of the network in the fewest regions. */
  readonly firstOfLeast: First
  readonly nextOfLeast: readonly Next[]
}

function figuresOf(
  { variant, regions }: Spanning,
  { first, next, firstOfLeast, nextOfLeast }: Measured,
): Figures {
  const most = (isMeant: (one: Next) => (region: string) => boolean) =>
    Math.max(...next.map(one => sumOf(one.calls, isMeant(one))))
  const later = (isMeant?: (key: string) => boolean) =>
    next.reduce((sum, one) => sum + sumOf(one.later, (_, key) => isMeant?.(key) ?? true), 0) /
    (next.length * regions.length)
  return {
    variant: variant.name,
    regions: regions.length,
    firstCalls: rounded(sumOf(first.calls) / regions.length, 1),
    firstMs: rounded(first.ms, 1),
    firstGrowth: rounded(first.ms / firstOfLeast.ms),
    ownCalls: most(one => region => region === one.region),
    callsElsewhere: most(one => region => region !== one.region),
    laterCalls: rounded(later()),
    laterWrites: rounded(later(isWrite)),
    ms: rounded(median(next.map(one => one.ms)), 1),
    growth: rounded(median(next.map((one, round) => one.ms / nextOfLeast[round]!.ms))),
  }
}

/** How many calls a port, of each method and resource, for each of the networks. */
function kindsOf(variant: Variant, firsts: readonly First[], nexts: readonly Next[][]): Row[] {
  const phases: [string, Calls[][]][] = [
    ['first', firsts.map(({ calls }) => [calls])],
    ['next', nexts.map(next => next.map(({ calls }) => calls))],
    ['what follows', nexts.map(next => next.map(({ later }) => later))],
  ]
  return phases.flatMap(([phase, byNetwork]) => {
    const totals = byNetwork.map(totalsOf)
    const keys = [...new Set(totals.flatMap(total => [...total.keys()]))].sort()
    const ports = (at: number) => (phase === 'first' ? firsts[at]!.ports : nexts[at]!.length)
    return keys.map(key => [
      variant.name,
      phase,
      key,
      ...totals.map((total, at) => rounded((total.get(key) ?? 0) / ports(at))),
    ])
  })
}

function totalsOf(all: readonly Calls[]): Map<string, number> {
  const totals = new Map<string, number>()
  for (const counts of all.flatMap(calls => [...calls.values()]))
    for (const [key, count] of counts) totals.set(key, (totals.get(key) ?? 0) + count)
  return totals
}

/** How many ports are asked for at once. */
const atOnce = 8

/** Ports in all regions in a short time: what follows from each is told together with what follows from the others. */
async function gather(site: Site, network: Spanning, ports: number): Promise<object> {
  const regions = network.regions.length
  const startedAt = performance.now()
  let left = ports
  const placeOn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await placePort(site, network, network.regions[left % regions]!)
    }
  }
  const calls = await site.callsOf(async () => {
    await Promise.all(Array.from({ length: atOnce }, placeOn))
    await site.settle()
  })
  const seconds = (performance.now() - startedAt) / 1000
  const told = sumOf(calls, (_, key) => isWrite(key) && key !== 'POST ports')
  const asked = sumOf(calls, (_, key) => !isWrite(key))
  // A rule of its own for every address, in every other region.
  const original = ports * (regions - 1)
  const figures = {
    ports,
    regions,
    seconds: rounded(seconds, 1),
    writes: told,
    writesPerRegionAndSecond: rounded(told / regions / seconds),
    readsPerRegionAndSecond: rounded(asked / regions / seconds),
    original,
    ratio: rounded(original / told, 1),
  }
  printTable(
    `${ports} ports in groups that rules name, in ${regions} regions: what other regions are told of them`,
    [
      'seconds',
      'writes',
      'writes/region/s',
      'reads/region/s',
      'one write a port and region',
      'times as many',
    ],
    [
      [
        figures.seconds,
        told,
        figures.writesPerRegionAndSecond,
        figures.readsPerRegionAndSecond,
        original,
        figures.ratio,
      ],
    ],
  )
  return figures
}

function show(spans: readonly number[], figures: readonly Figures[], kinds: readonly Row[]): void {
  printTable(
    'a port on a network in some regions: calls to regions, and its time against the network in the fewest',
    [
      '',
      'regions',
      'first: calls',
      'ms',
      'growth',
      'next: calls',
      'elsewhere',
      'ms',
      'growth',
      'later, a region',
      'writes',
    ],
    figures.map(it => [
      it.variant,
      it.regions,
      it.firstCalls,
      it.firstMs,
      it.firstGrowth,
      it.ownCalls,
      it.callsElsewhere,
      it.ms,
      it.growth,
      it.laterCalls,
      it.laterWrites,
    ]),
  )
  printTable(
    'calls a port, in all regions together, by the number of regions',
    ['', 'port', 'call', ...spans.map(String)],
    kinds,
  )
}
