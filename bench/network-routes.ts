// How many routes the copies of a spanning router hold: by the planner at 100 regions with 1,000 servers each, and for
// real in simulated regions; the original wrote one for every server of another region.

import { formatAddress, formatCidr, nthSubnet, parseCidr } from '../src/core/network/addresses/address.ts'
import { routesOf } from '../src/core/network/convergence/routes.ts'
import { askForAll } from '../src/core/network/watch/ask.ts'
import type { Ground } from './ground.ts'
import { printTable, rounded } from './measure.ts'
import { isWrite, openSite, type Site, sumOf } from './network-site.ts'

export interface RouteSettings {
  /** Of the planner's scene. */
  readonly regions: number
  readonly serversPerRegion: number
  /** Of the router that is built, and how many routes each of its copies may have. */
  readonly built: number
  readonly limit: number
}

/** How many routes a router of a stock Neutron may have. */
const stockLimit = 30

/** Returns the fullest router's routes of both beside the original's, and what building and looking again wrote. */
export async function routes(ground: Ground, settings: RouteSettings): Promise<object> {
  const planned = plan(settings)
  const built = await build(ground, settings)
  const line = (what: string, one: Counted) => [what, ...Object.values(one)]
  printTable(
    "routes of a spanning router's copies",
    ['', 'regions', 'servers a region', 'allowed', 'most', 'in all', 'original, a router', 'times as many'],
    [line('planner', planned), line('regions', built.counted)],
  )
  printTable(
    'a router over that many regions: calls to them',
    ['', 'calls', 'writes', 'PUT routers', 'PUT routers a region'],
    [
      ['until it is as it should be', ...Object.values(built.building)],
      ['looked at once more', ...Object.values(built.again)],
    ],
  )
  return { planned, built }
}

interface Counted {
  readonly regions: number
  readonly serversPerRegion: number
  /** How many a router may have. */
  readonly limit: number
  /** In the fullest router, and in all of them. */
  readonly most: number
  readonly total: number
  /** One for every server elsewhere. */
  readonly original: number
  readonly ratio: number
}

function countedOf(
  tables: readonly (readonly unknown[])[],
  { serversPerRegion, limit }: Pick<Counted, 'serversPerRegion' | 'limit'>,
): Counted {
  const regions = tables.length
  const most = Math.max(...tables.map(table => table.length))
  const original = (regions - 1) * serversPerRegion
  const total = tables.reduce((sum, table) => sum + table.length, 0)
  return { regions, serversPerRegion, limit, most, total, original, ratio: rounded(original / most, 1) }
}

/** The region's subnet: they lie next to each other, each with room for a thousand servers. */
const cidrOf = (at: number): string => formatCidr(nthSubnet(parseCidr('10.0.0.0/8')!, 22, BigInt(at))!)

function plan({ regions, serversPerRegion }: RouteSettings): Counted {
  const bridge = parseCidr('100.0.0.0/9')!
  const legs = Array.from({ length: regions }, (_, at) => ({
    region: `Pod${at + 1}`,
    nextHop: formatAddress({ version: 4, value: bridge.value + BigInt(at + 2) }),
    nextHop6: null,
    cidrs: [cidrOf(at)],
    mirrored: [],
    isExit: false,
    extra: [],
  }))
  const tables = routesOf({ regions: legs, limitOf: () => stockLimit })
  return countedOf([...tables.values()], { serversPerRegion, limit: stockLimit })
}

interface Written {
  readonly calls: number
  readonly writes: number
  readonly routerUpdates: number
  readonly routerUpdatesPerRegion: number
}

/** How many servers each region of the router that is built has: its routes do not depend on it. */
const builtServers = 2

async function build(ground: Ground, { built, limit }: RouteSettings) {
  const site = await openSite(ground, { name: 'routes', regions: built, mostRoutes: limit })
  const writtenOf = async (work: () => Promise<unknown>): Promise<Written> => {
    const calls = await site.callsOf(work)
    const routerUpdates = sumOf(calls, (_, key) => key === 'PUT routers')
    return {
      calls: sumOf(calls),
      writes: sumOf(calls, (_, key) => isWrite(key)),
      routerUpdates,
      routerUpdatesPerRegion: rounded(routerUpdates / built),
    }
  }
  const building = await writtenOf(() => attachAll(site))
  const again = await writtenOf(() => lookAgain(site))
  const tables = site.regions.map(region => site.cloud.neutrons.get(region)!.routers()[0]!.routes)
  return { building, again, counted: countedOf(tables, { serversPerRegion: builtServers, limit }) }
}

/** A network of each region's own, all on one router, with servers. */
async function attachAll({ call, regions, settle }: Site): Promise<void> {
  const router = await call('POST', '/routers', { router: {} })
  for (const [at, region] of regions.entries()) {
    const network = await call('POST', '/networks', { network: { availability_zone_hints: [region] } })
    const given = { network_id: network.id, ip_version: 4, cidr: cidrOf(at) }
    const subnet = await call('POST', '/subnets', { subnet: given })
    await call('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const port = { network_id: network.id, security_groups: [] }
    for (let server = 0; server < builtServers; server++) await call('POST', '/ports', { port })
  }
  await settle()
}

/** As every region does every hour, and after a trigger was lost. */
async function lookAgain({ app, settle }: Site): Promise<void> {
  for (const region of await app.store.regions.list()) await askForAll(app, region)
  await settle()
}
