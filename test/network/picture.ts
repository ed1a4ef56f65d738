// What is to be seen of a world's networks in words that do not depend on ids, marks and chance.

import { sql } from 'kysely'
import { intentOf } from '../../src/core/network/copies/intent.ts'
import type { RegionNetworking } from '../../src/core/network/copies/region-rows.ts'
import { all } from '../../src/core/network/model/query.ts'
import type { Json, World } from '../world.ts'
import { markedIn } from './regions.ts'

/** Everything there is, each line of it in words. */
export type Seen = Readonly<Record<string, readonly string[]>>

type Rows = readonly Json[]

/** Everything there is, from within and in every region. */
export async function see(w: World): Promise<Seen> {
  const central = await seeCentral(w)
  const regional = await Promise.all(w.regions.map(name => seeRegion(name, w.region(name), central)))
  const kept = await seeKept(w)
  const lists = { ...central.seen, ...Object.assign({}, ...regional.map(({ seen }) => seen)), ...kept }
  const labels = regional.flatMap(one => one.labels)
  const text = labels.reduce(
    (all, [address, label]) =>
      all.replaceAll(new RegExp(`(?<![\\d.])${address.replaceAll('.', '\\.')}(?![\\d./])`, 'g'), label),
    JSON.stringify(lists),
  )
  const sorted = Object.entries(JSON.parse(text) as Record<string, string[]>)
  return Object.fromEntries(sorted.map(([what, lines]) => [what, [...lines].sort()]))
}

/** Of the network outside, the region gives whichever address is next. */
const outside = (text: string): string => text.replaceAll(/\b163\.3\.124\.\d+/g, '163.3.124.*')
const line = (...words: unknown[]): string =>
  outside(words.map(word => (typeof word === 'string' ? word : JSON.stringify(word))).join(' | '))
const sized = (pools: readonly { start: string; end: string }[]): number =>
  pools.reduce((sum, { start, end }) => sum + numberOf(end) - numberOf(start) + 1, 0)
const numberOf = (address: string): number =>
  address.split('.').reduce((value, part) => value * 256 + Number(part), 0)

async function seeCentral({ app: { store } }: World) {
  const [networks, subnets, ports, routers, floatingIps] = await Promise.all([
    all(store, 'network'),
    all(store, 'subnet'),
    all(store, 'port'),
    all(store, 'router'),
    all(store, 'floatingip'),
  ])
  const nameOf = (rows: Rows, id: string | null): string =>
    rows.find(row => row.id === id)?.name || (id ? '?' : 'none')
  const where = ({ places }: { places: readonly { region: string }[] }) => places.map(({ region }) => region)
  const named = (port: (typeof ports)[number]) =>
    port.name || `${port.deviceOwner} of ${nameOf(routers, port.deviceId)}`
  const seen = {
    'central networks': networks.map(one =>
      line(
        one.name,
        where(one),
        one.deleting,
        one.external,
        one.subnetIds.map(id => nameOf(subnets, id)).sort(),
      ),
    ),
    'central subnets': subnets.map(one =>
      line(
        one.name.replace(/[0-9a-f]{32}/, '…'),
        one.cidr,
        where(one),
        one.gatewayIp,
        sized(one.allocationPools),
      ),
    ),
    'central ports': ports.map(one =>
      line(
        named(one),
        nameOf(networks, one.networkId),
        one.fixedIps.map(({ ipAddress }) => ipAddress),
        where(one),
      ),
    ),
    'central routers': routers.map(one =>
      line(
        one.name,
        where(one),
        one.deleting,
        one.gateway && nameOf(networks, one.gateway.networkId),
        one.gateway?.fixedIps.map(({ ipAddress }) => ipAddress),
      ),
    ),
    'central floating IPs': floatingIps.map(one =>
      line(
        one.description,
        one.floatingIpAddress,
        one.fixedIpAddress,
        nameOf(ports, one.portId),
        nameOf(routers, one.routerId),
        where(one),
      ),
    ),
  }
  return { seen, macs: new Map(ports.map(port => [port.macAddress, named(port)])) }
}

/** A region's rows by their names; and which of its addresses were chosen by chance. */
async function seeRegion(
  name: string,
  region: RegionNetworking,
  { macs }: { macs: ReadonlyMap<string, string> },
) {
  const [networks, subnets, ports, routers, floatingIps] = await Promise.all([
    region.list('network'),
    region.list('subnet'),
    region.list('port'),
    region.list('router'),
    region.list('floatingip'),
  ])
  const nameOf = (rows: Rows, id: string | null): string =>
    rows.find(row => row.id === id)?.name || (id ? '?' : 'none')
  const mark = ({ description }: { description: string | null }) =>
    intentOf(description) === null ? 'unmarked' : 'marked'
  const labels: (readonly [string, string])[] = [
    ...subnets.flatMap(one =>
      one.gatewayIp && !one.gatewayIp.startsWith('163.')
        ? [[one.gatewayIp, `gateway of ${one.name} in ${name}`] as const]
        : [],
    ),
    ...routers.flatMap(
      one =>
        one.externalGateway?.externalFixedIps
          .filter(({ ipAddress }) => ipAddress.startsWith('100.'))
          .map(({ ipAddress }) => [ipAddress, `bridge of ${one.name} in ${name}`] as const) ?? [],
    ),
  ]
  const seen = {
    [`${name} networks`]: networks.map(one =>
      line(one.name.replace(/[0-9a-f]{32}/, '…'), one.external, mark(one)),
    ),
    [`${name} subnets`]: subnets.map(one =>
      line(
        one.name.replace(/[0-9a-f]{32}/, '…'),
        nameOf(networks, one.networkId).replace(/[0-9a-f]{32}/, '…'),
        one.cidr,
        one.gatewayIp,
        sized(one.allocationPools),
        mark(one),
      ),
    ),
    [`${name} ports`]: ports.map(one =>
      line(
        one.name,
        one.deviceOwner,
        nameOf(routers, one.deviceId),
        one.fixedIps.map(({ ipAddress }) => ipAddress),
        macs.get(one.macAddress) ?? 'a MAC of its own',
        mark(one),
      ),
    ),
    [`${name} routers`]: routers.map(one =>
      line(
        one.name,
        one.externalGateway && nameOf(networks, one.externalGateway.networkId).replace(/[0-9a-f]{32}/, '…'),
        one.externalGateway?.enableSnat,
        one.externalGateway?.externalFixedIps.map(({ ipAddress }) => ipAddress),
        one.routes.map(({ destination, nextHop }) => `${destination} via ${nextHop}`).sort(),
        mark(one),
      ),
    ),
    [`${name} floating IPs`]: floatingIps.map(one =>
      line(
        one.description?.replace(/ ?atoll:.*/, '') ?? '',
        one.floatingIpAddress,
        one.fixedIpAddress,
        nameOf(ports, one.portId),
        mark(one),
      ),
    ),
  }
  return { seen, labels }
}

/** What the database keeps beside the model. */
async function seeKept({ database: { db } }: World): Promise<Seen> {
  const lines = async (query: ReturnType<typeof sql<{ line: string }>>) =>
    (await query.execute(db)).rows.map(row => row.line)
  return {
    held: await lines(sql<{ line: string }>`
      select coalesce(regexp_replace(subnet.name, '_.{32}$', ''), '?') || ' | ' || held_range.purpose || ' | ' ||
        coalesce((select name from region where region.id::text = held_range.scope), held_range.scope) || ' | ' ||
        sum(host(upper(range))::inet - host(lower(range))::inet + 1) as line
      from held_range left join subnet on subnet.id = held_range.subnet_id
      group by subnet.name, held_range.purpose, held_range.scope`),
    intents: await lines(sql<{ line: string }>`
      select region || ' | ' || resource_type || ' | ' || (owner <> '') || ' | ' || (regional_id is not null) || ' | ' || count(*) as line
      from intent where ended_at is null group by region, resource_type, owner <> '', regional_id is not null`),
    routings: await lines(sql<{ line: string }>`
      select region.name || ' | ' || resource_type || ' | ' || (regional_id is not null) || ' | ' || count(*) as line
      from routing join region on region.id = region_id group by region.name, resource_type, regional_id is not null`),
    segments: await lines(sql<{ line: string }>`
      select network_type || ' | ' || count(*) as line from segment group by network_type`),
    'open jobs': await lines(sql<{ line: string }>`
      select type || ' | ' || region || ' | ' || status || ' | ' || coalesce(last_error, '') as line from job`),
  }
}

/** What there is of a project's networks in the database and in regions; nothing once all was removed. */
export async function leftovers(w: World): Promise<unknown> {
  const { rows } = await sql<{ what: string; n: number }>`
    select 'held ranges' as what, count(*) as n from held_range
    union all select 'living intents', count(*) from intent where ended_at is null
    union all select 'routings', count(*) from routing where resource_type <> 'security_group'
    union all select 'segments', count(*) from segment
    union all select 'rows', (select count(*) from network) + (select count(*) from subnet) + (select count(*) from port)
      + (select count(*) from router) + (select count(*) from floatingip)
    union all select 'jobs', count(*) from job`.execute(w.database.db)
  const marked = await Promise.all(
    w.regions.map(async region => [region, await markedIn(w, region)] as const),
  )
  return {
    database: rows.filter(({ n }) => Number(n) > 0),
    regions: marked.filter(([, things]) => things.length > 0),
  }
}
