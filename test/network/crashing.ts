// Processes of an Atoll over regions that die at a moment that a test chooses, and what is to be seen of the whole
// afterwards, from within and in every region, in words that do not depend on ids, marks and chance.

import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { pino } from 'pino'
import { createMetrics } from '../../src/api/metrics.ts'
import { createApi, createApp, openCloud } from '../../src/compose.ts'
import type { App } from '../../src/core/app.ts'
import type { Cloud } from '../../src/core/cloud.ts'
import { intentOf } from '../../src/core/network/copies/intent.ts'
import type { RegionNetworking } from '../../src/core/network/copies/region-rows.ts'
import { all } from '../../src/core/network/model/query.ts'
import { tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { createCloud } from '../../src/openstack/cloud.ts'
import type { Regions } from '../../src/openstack/region.ts'
import { jobTurns } from '../../src/worker/jobs.ts'
import { Killed, type Life, lifeUntil, mortalRegions, mortalStore } from '../leases/mortal.ts'
import { logIn } from '../world.ts'
import type { Json, Planet } from './planet.ts'

/** An answer of the API; null when the process died before it gave one. */
export type Answer = { readonly status: number; readonly json: Json } | null

/** A process, API and worker in one. */
export interface Process {
  readonly life: Life
  readonly app: App
  ask(method: string, path: string, body?: unknown, as?: 'admin' | 'demo'): Promise<Answer>
  /** Does jobs until none is left that can be done, or until it dies; each is tried so often. */
  work(rounds?: number): Promise<void>
  /** What every process does of its regions now and then. */
  tidy(): Promise<void>
}

export interface Stage extends AsyncDisposable {
  /** `agoMs`: it lived so long ago. */
  start(life: Life, agoMs?: number): Process
  /** Frees what dead processes had in hand. */
  bury(): Promise<void>
  see(): Promise<Seen>
  /** What there is of a project's networks in the database and in regions; nothing once all was removed. */
  leftovers(): Promise<unknown>
}

/** Everything there is, each line of it in words. */
export type Seen = Readonly<Record<string, readonly string[]>>

export interface StageSpec {
  /** What processes see of their regions. */
  readonly tamper?: (cloud: Cloud) => Cloud
  /** How long a call to a region may take. */
  readonly timeoutMs?: number
}

const jobRounds = 8

export async function stage(
  p: Planet,
  { tamper = same => same, timeoutMs = 60_000 }: StageSpec = {},
): Promise<Stage> {
  const ports = openCloud(p.config)
  const log = pino({ level: process.env.LOG ?? 'silent' })
  const tokens = {
    admin: await logIn(p.sim!.authUrl, 'admin'),
    demo: await logIn(p.sim!.authUrl, 'demo'),
  }
  const whole = createApp(p.config, p.database, ports.regions, log)
  // One server for all processes: it keeps nothing between requests but tokens.
  let current: App = whole
  const delegate = new Proxy(whole, { get: (_whole, key) => current[key as keyof App] })
  const server: FastifyInstance = createApi({
    config: p.config,
    log,
    app: delegate,
    identity: ports.identity,
    metrics: createMetrics(),
  })
  let workers = 2_000_000

  return {
    start(life, agoMs = 0) {
      const hasty: Regions = {
        ...ports.regions,
        region: (name, context) => ports.regions.region(name, { ...context, timeoutMs }),
      }
      const regions = mortalRegions(hasty, life)
      const app: App = {
        ...whole,
        store: mortalStore(whole.store, withoutReads(life)),
        cloud: tamper(createCloud(regions, { blazarFilter: false })),
        now: () => new Date(Date.now() - agoMs),
      }
      return {
        life,
        app,
        async ask(method, path, body, as = 'demo') {
          current = app
          const reply = await server.inject({
            method: method as 'GET',
            url: `/network/v2.0${path}`,
            headers: { 'x-auth-token': tokens[as], accept: 'application/json' },
            ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
          })
          if (life.isOver) return null
          return { status: reply.statusCode, json: reply.body === '' ? undefined : JSON.parse(reply.body) }
        },
        async work(rounds = jobRounds) {
          const worker = workers++
          const turns = jobTurns({ app, retryForMs: 3_600_000, onRun: () => {} })
          try {
            for (let round = 0; round < rounds; round += 1) {
              for (;;) {
                const request = { worker, kinds: ['job'], room: 100, laneRoom: 100, rooms: new Map() }
                const taken = await app.store.turns.claim(request)
                if (taken.length === 0) break
                for (const one of await turns.begin(taken)) await one.run()
              }
              // Those that failed are tried again, as if their time had come.
              const { rows } = await sql`
                update turn set due_at = now() where kind = 'job' and worker is null and key in (select key from job)
                returning key`.execute(p.database.db)
              if (rows.length === 0) return
            }
          } catch (error) {
            if (!life.isOver) throw error
          }
        },
        async tidy() {
          for (const region of p.regions) await tidyRegion(app, region)
        },
      }
    },
    bury: async () => void (await whole.store.turns.releaseAbandoned()),
    see: () => see(p),
    leftovers: () => leftovers(p),
    async [Symbol.asyncDispose]() {
      await server.close()
      await ports.close()
    },
  }
}

/** What only reads the database changes nothing: to die there is to die at the step before, or after. */
const reads =
  /^(?:networks|regions|routings|bindings|watches)\.|^intents\.(?:living|settled|forsaken)$|^jobs\.(?:list|get)$/

const withoutReads = (life: Life): Life => ({
  steps: life.steps,
  get isOver() {
    return life.isOver
  },
  async live(name, call) {
    if (!reads.test(name)) return life.live(name, call)
    if (life.isOver) throw new Killed()
    const answer = await call()
    if (life.isOver) throw new Killed()
    return answer
  },
})

export const immortal = () => lifeUntil(null)

// What is to be seen

type Rows = readonly Json[]

async function see(p: Planet): Promise<Seen> {
  const central = await seeCentral(p)
  const regional = await Promise.all(p.regions.map(name => seeRegion(name, p.region(name), central)))
  const kept = await seeKept(p)
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

async function seeCentral({ app: { store } }: Planet) {
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
async function seeKept({ database: { db } }: Planet): Promise<Seen> {
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

async function leftovers(p: Planet): Promise<unknown> {
  const { rows } = await sql<{ what: string; n: number }>`
    select 'held ranges' as what, count(*) as n from held_range
    union all select 'living intents', count(*) from intent where ended_at is null
    union all select 'routings', count(*) from routing where resource_type <> 'security_group'
    union all select 'segments', count(*) from segment
    union all select 'rows', (select count(*) from network) + (select count(*) from subnet) + (select count(*) from port)
      + (select count(*) from router) + (select count(*) from floatingip)
    union all select 'jobs', count(*) from job`.execute(p.database.db)
  const marked = await Promise.all(p.regions.map(async region => [region, await p.marked(region)] as const))
  return {
    database: rows.filter(({ n }) => Number(n) > 0),
    regions: marked.filter(([, things]) => things.length > 0),
  }
}
