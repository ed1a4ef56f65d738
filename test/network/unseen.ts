// What the table of things that are not seen is made of: what there may be in regions, what may befall a region's sight,
// and everything that is to be the same afterwards, read from the model, the database and the regions.

import { sql } from 'kysely'
import type { Fault } from '../../sim/faults.ts'
import { openCloud } from '../../src/compose.ts'
import { AppError } from '../../src/core/error.ts'
import type { MadeKind } from '../../src/core/network/copies/region-rows.ts'
import { all } from '../../src/core/network/model/query.ts'
import { askForAll } from '../../src/core/network/watch/ask.ts'
import { lookAtSegments } from '../../src/core/network/watch/look-at-segments.ts'
import { forgetAbsences, forgetIntents, tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { watchRegion } from '../../src/core/network/watch/watch.ts'
import { type Death, lifeUntil } from '../world/mortal.ts'
import { type Json, type World, world } from '../world.ts'
import { type Process, type StageSpec, stage } from './crashing.ts'
import { outsideIn, plugInto } from './regions.ts'

/** Where things are that a region may lose sight of, and the other region that spanning ones have copies in. */
export const here = 'Pod1'
export const there = 'Pod2'
/** A region that Atoll does not know: where a catalog points by mistake. */
const elsewhere = 'Elsewhere'

/** A world that rows of the table use one after the other; its clock only goes on. */
export interface Ground extends AsyncDisposable {
  readonly world: World
  readonly external: string
  /** The process that runs now, at the time that it is now. */
  process(death?: Death): Process
  /** Another process on the same database, with its own log-in, instead of the one that runs. */
  replace(): Promise<void>
  pass(ms: number): void
  /** A call of the central API; throws what is not good. */
  call(method: string, path: string, body?: Json, as?: 'admin' | 'demo'): Promise<Json>
}

const tenYearsMs = 10 * 365 * 24 * 3_600_000

export async function ground(tamper: StageSpec['tamper'] = same => same): Promise<Ground> {
  const p = await world({
    regions: [here, there],
    joined: true,
    cloud: { regions: ['CentralRegion', here, there, elsewhere], tokenLifeMs: tenYearsMs, history: true },
    settings: { ATOLL_NETWORKING_QUOTA_PORT: '-1' },
  })
  /** A process with a log-in of its own. */
  const open = () => {
    const openstack = openCloud(p.config)
    return { openstack, stage: stage({ ...p, openstack }, { tamper }) }
  }
  let running = open()
  let passedMs = 0
  const made: Ground = {
    world: p,
    external: '',
    process: (death?: Death) => running.stage.start(lifeUntil(death ?? null), -passedMs),
    async replace() {
      await running.openstack.close()
      running = open()
      await running.stage.bury()
    },
    pass(ms) {
      passedMs += ms
      p.cloud.clock.advance(ms)
    },
    async call(method, path, body, as) {
      const answer = await made.process().call(method, `/v2.0${path}`, { body, as })
      if (!answer || answer.status >= 300)
        throw new Error(`${method} ${path}: ${answer?.status} ${JSON.stringify(answer?.json)}`)
      const [key, ...more] = Object.keys(answer.json ?? {})
      return key && more.length === 0 ? answer.json[key] : answer.json
    },
    async [Symbol.asyncDispose]() {
      await running.openstack.close()
      await p[Symbol.asyncDispose]()
    },
  }
  const external = await made.call('POST', '/networks', { network: outsideIn(here) }, 'admin')
  const range = { network_id: external.id, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
  await made.call('POST', '/subnets', { subnet: range }, 'admin')
  // Where the catalog points by mistake there are tenants too.
  await p.region(elsewhere).create('network', { projectId: p.demo.projectId!, name: 'other' })
  await upkeep(made.process(), { isHourly: true })
  return Object.assign(made, { external: external.id })
}

// What processes do by themselves

/** What the clockwork does of every region: a look; hourly a sweep, a tidying and a review with its jobs as well. */
export async function upkeep(
  process: Process,
  { isHourly, sweepEveryMs = 0 }: { isHourly: boolean; sweepEveryMs?: number },
): Promise<void> {
  const { app, life } = process
  try {
    for (const region of await app.store.regions.list()) {
      await unlessRefused(() => watchRegion(app, region, sweepEveryMs))
      if (!isHourly) continue
      await unlessRefused(() => tidyRegion(app, region.name))
      await unlessRefused(() => lookAtSegments(app, region))
      await unlessRefused(() => askForAll(app, region))
    }
    if (!isHourly) return
    await process.work(2)
    await forgetIntents(app)
    await forgetAbsences(app)
  } catch (error) {
    if (!life.isOver) throw error
  }
}

/** What the clockwork writes into its log, and comes back to. */
async function unlessRefused(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}

// What may befall a region's sight

export interface Sickness {
  readonly name: string
  /** True where what is shown proves nothing: the model keeps all of it the whole time. */
  readonly isProvable: boolean
  /** True where only who logs in afterwards sees it. */
  readonly isOfLogin?: boolean
  /** `since`: the simulator's time before the things of the row were made. */
  strike(p: World, since: Date): () => void
}

const byFault = (p: World, spec: Parameters<World['cloud']['faults']['add']>[0]): (() => void) => {
  const fault: Fault = p.cloud.faults.add(spec)
  return () => fault.remove()
}
const neutron = { region: here, service: 'neutron' }

export const sicknesses: readonly Sickness[] = [
  {
    name: 'blind for the service user',
    isProvable: true,
    strike: p => byFault(p, { kind: 'blind', ...neutron, user: 'atoll' }),
  },
  { name: 'blind for all', isProvable: true, strike: p => byFault(p, { kind: 'blind', ...neutron }) },
  {
    name: 'demoted by a policy file',
    isProvable: true,
    strike: p => byFault(p, { kind: 'demoted', ...neutron, user: 'atoll' }),
  },
  {
    name: 'role lost in Keystone',
    isProvable: true,
    strike(p) {
      const { keystone } = p.cloud
      const grant = [keystone.userId('atoll'), 'admin', keystone.projectId('service')] as const
      keystone.revokeGrant(...grant)
      return () => keystone.grant(...grant)
    },
  },
  { name: 'emptied', isProvable: true, strike: p => byFault(p, { kind: 'empty', ...neutron }) },
  {
    name: 'a region of an hour ago',
    isProvable: false,
    strike: (p, since) =>
      byFault(p, {
        kind: 'restore',
        ...neutron,
        seconds_ago: (p.cloud.clock.now().getTime() - since.getTime()) / 1000,
      }),
  },
  {
    name: 'catalog pointing elsewhere',
    isOfLogin: true,
    isProvable: false,
    strike(p) {
      const { keystone, neutrons, faults } = p.cloud
      const asked = faults.calls({ region: elsewhere })
      const point = (to: string) =>
        keystone.registerEndpoint({
          type: 'network',
          name: 'neutron',
          region: here,
          url: neutrons.get(to)!.url,
        })
      point(elsewhere)
      return () => {
        point(here)
        if (faults.calls({ region: elsewhere }) === asked) throw new Error('nobody was led elsewhere')
      }
    },
  },
]

// What there may be

/** What a subject has made, and how a tenant removes some of it in the region, without Atoll. */
export interface Made {
  /** In the order in which they were made: the paths by which they are removed. */
  readonly undo: (() => Promise<unknown>)[]
  /** Central paths that are a 404 afterwards; left out where nothing may go without a verb. */
  readonly removedThere?: () => Promise<readonly string[]>
}

export interface Subject {
  readonly name: string
  readonly span: 'home' | 'spanning'
  /** How many ports it has in the region, legs counted. */
  readonly ports: number
  make(g: Ground): Promise<Made>
}

class Maker {
  readonly undo: (() => Promise<unknown>)[] = []
  readonly g: Ground

  constructor(g: Ground) {
    this.g = g
  }

  async make(kind: string, fields: Json, path = `/${kind}s`): Promise<Json> {
    const row = await this.g.call('POST', path, { [kind]: fields })
    this.undo.push(() => this.g.process().call('DELETE', `/v2.0${path}/${row.id}`))
    return row
  }

  /** Nothing at home, `here` for a network that spans. */
  hints(span: Subject['span']): Json {
    return span === 'home' ? { availability_zone_hints: [here] } : {}
  }

  async net(span: Subject['span'], cidr = '10.1.0.0/24'): Promise<{ network: Json; subnet: Json }> {
    const network = await this.make('network', { name: 'net', ...this.hints(span) })
    const subnet = await this.make('subnet', { name: 'sub', network_id: network.id, ip_version: 4, cidr })
    return { network, subnet }
  }

  port(network: Json, span: Subject['span'], fields: Json = {}, region = here): Promise<Json> {
    const place = span === 'home' ? {} : { 'binding:profile': { region } }
    return this.make('port', { name: 'port', network_id: network.id, ...place, ...fields })
  }

  async routed(subnet: Json, fields: Json): Promise<Json> {
    const router = await this.make('router', { name: 'router', ...fields })
    const leg = { subnet_id: subnet.id }
    await this.g.call('PUT', `/routers/${router.id}/add_router_interface`, leg)
    this.undo.push(() =>
      this.g.process().call('PUT', `/v2.0/routers/${router.id}/remove_router_interface`, { body: leg }),
    )
    await this.g.process().work(2)
    return router
  }

  /** What a tenant removes in the region itself. */
  gone(kind: MadeKind, ...rows: Json[]): Made {
    const { g, undo } = this
    return {
      undo,
      async removedThere() {
        for (const { id } of rows) {
          const current = await g.call('GET', `/${kind}s/${id}`)
          const place = current['atoll:regions'].find((one: Json) => one.region === here)
          await g.world.region(here).remove(kind, place.id)
        }
        return rows.map(({ id }) => `/${kind}s/${id}`)
      },
    }
  }
}

type Build = (m: Maker, span: Subject['span']) => Promise<Made>

const either: Readonly<Record<string, readonly [ports: number, Build]>> = {
  network: [
    0,
    async (m, span) => {
      const network = await m.make('network', { name: 'net', ...m.hints(span) })
      return span === 'home' ? m.gone('network', network) : { undo: m.undo }
    },
  ],
  subnet: [
    1,
    async (m, span) => {
      const { network, subnet } = await m.net(span)
      if (span === 'home') return m.gone('subnet', subnet)
      return m.gone('port', await m.port(network, span))
    },
  ],
  'port placed by Atoll': [
    1,
    async (m, span) => {
      const { network } = await m.net(span)
      return m.gone('port', await m.port(network, span))
    },
  ],
  'port with a chosen address and MAC': [
    1,
    async (m, span) => {
      const { network, subnet } = await m.net(span)
      const fixed = [{ subnet_id: subnet.id, ip_address: '10.1.0.77' }]
      return m.gone(
        'port',
        await m.port(network, span, { mac_address: 'fa:16:3e:00:00:77', fixed_ips: fixed }),
      )
    },
  ],
  'port made by Nova': [
    2,
    async (m, span) => {
      const { g } = m
      const { network } = await m.net(span)
      if (span === 'spanning') await m.port(network, span)
      const places = (await g.call('GET', `/networks/${network.id}`))['atoll:regions']
      const id = places.find((one: Json) => one.region === here).id
      const port = await plugInto(g.world, here, id, g.world.demo.projectId!)
      m.undo.push(() => g.process().call('DELETE', `/v2.0/ports/${port.id}`))
      await upkeep(g.process(), { isHourly: false })
      await g.call('GET', `/ports/${port.id}`)
      return m.gone('port', port)
    },
  ],
  'port in groups': [
    1,
    async (m, span) => {
      const groups = [
        await m.make('security_group', { name: 'web' }, '/security-groups'),
        await m.make('security_group', { name: 'ssh' }, '/security-groups'),
      ]
      const rule = { direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22 }
      const full = { security_group_id: groups[1].id, ...rule, port_range_max: 22 }
      await m.make('security_group_rule', full, '/security-group-rules')
      const { network } = await m.net(span)
      return m.gone('port', await m.port(network, span, { security_groups: groups.map(({ id }) => id) }))
    },
  ],
  router: [
    0,
    async (m, span) => {
      const router = await m.make('router', { name: 'router', ...m.hints(span) })
      return span === 'home' ? m.gone('router', router) : { undo: m.undo }
    },
  ],
  'router with an interface': [
    2,
    async (m, span) => {
      const { network, subnet } = await m.net(span)
      const port = await m.port(network, span)
      if (span === 'spanning') await m.port(network, span, {}, there)
      await m.routed(subnet, m.hints(span))
      return m.gone('port', port)
    },
  ],
  'floating IP that leads to a port': [
    2,
    async (m, span) => {
      const { network, subnet } = await m.net(span)
      const port = await m.port(network, span)
      const gateway = { external_gateway_info: { network_id: m.g.external } }
      await m.routed(subnet, { ...m.hints(span), ...gateway })
      const floating = { floating_network_id: m.g.external, port_id: port.id }
      const ip = await m.make('floatingip', floating)
      await m.g.process().work(2)
      return m.gone('floatingip', ip)
    },
  ],
}

const only: readonly Subject[] = [
  subject('floating IP', 'home', 0, async m =>
    m.gone('floatingip', await m.make('floatingip', { floating_network_id: m.g.external })),
  ),
  subject('port reserved first', 'spanning', 1, async (m, span) => {
    const { network } = await m.net(span)
    const port = await m.make('port', { name: 'reserved', network_id: network.id })
    await m.g.call('PUT', `/ports/${port.id}`, { port: { 'binding:profile': { region: here } } })
    return m.gone('port', port)
  }),
  subject('address group of members elsewhere', 'spanning', 1, async (m, span) => {
    const group = await m.make('security_group', { name: 'peers' }, '/security-groups')
    const rule = { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4' }
    await m.make('security_group_rule', { ...rule, remote_group_id: group.id }, '/security-group-rules')
    const { network } = await m.net(span)
    const inGroup = { security_groups: [group.id] }
    const port = await m.port(network, span, inGroup)
    await m.port(network, span, inGroup, there)
    await m.g.process().work(2)
    return m.gone('port', port)
  }),
  subject('bridge and mirrors of a router', 'spanning', 2, async (m, span) => {
    const { network, subnet } = await m.net(span)
    const near = await m.port(network, span)
    const far = await m.port(network, span, {}, there)
    await m.routed(subnet, { external_gateway_info: { network_id: m.g.external } })
    await m.make('floatingip', { floating_network_id: m.g.external, port_id: far.id })
    await m.g.process().work(4)
    return m.gone('port', near)
  }),
]

function subject(name: string, span: Subject['span'], ports: number, build: Build): Subject {
  return { name, span, ports, make: g => build(new Maker(g), span) }
}

export const subjects: readonly Subject[] = [
  ...(['home', 'spanning'] as const).flatMap(span =>
    Object.entries(either).map(([name, [ports, build]]) => subject(name, span, ports, build)),
  ),
  ...only,
]

// Everything that is to be as it was

const modelKinds = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
] as const
const regionKinds = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'address_group',
] as const

/** By what it is, each line of it in words. */
export type Everything = Readonly<Record<string, readonly string[]>>

/** Order, times and revisions are no part of what something is. */
function told(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(told).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => !/^(updatedAt|revision|revisionNumber|ageMs)$/.test(field))
      .map(([field, inner]) => [field, told(inner)]),
  )
}

export async function everything({ app, database, region }: World): Promise<Everything> {
  const lines = (rows: readonly unknown[]) => rows.map(row => JSON.stringify(told(row))).sort()
  const seen: Record<string, readonly string[]> = {}
  for (const kind of modelKinds) seen[`model: ${kind}`] = lines(await all(app.store, kind))
  for (const name of [here, there])
    for (const kind of regionKinds) seen[`${name}: ${kind}`] = lines(await region(name).list(kind))
  const kept = async (what: string, query: ReturnType<typeof sql<object>>) => {
    seen[what] = lines((await query.execute(database.db)).rows)
  }
  await kept(
    'routings',
    sql`select central_id, regional_id, region_id, project_id, resource_type from routing`,
  )
  await kept('held', sql`select subnet_id, range::text, scope, purpose, holder from held_range`)
  await kept(
    'intents',
    sql`select id, region, resource_type, purpose, owner, regional_id from intent where ended_at is null`,
  )
  await kept('absent', sql`select kind, id from absent`)
  await kept('suspicions', sql`select region_id, reason from suspicion`)
  await kept('jobs', sql`select type, region, status, last_error from job`)
  return seen
}

/** What there was and is not, and what there is and was not: empty where nothing has changed. */
export function difference(before: Everything, after: Everything): Record<string, unknown> {
  const changed: Record<string, unknown> = {}
  for (const what of Object.keys(before)) {
    const [was, is] = [before[what]!, after[what]!]
    const lost = was.filter(line => !is.includes(line))
    const more = is.filter(line => !was.includes(line))
    if (lost.length + more.length > 0 || was.length !== is.length) changed[what] = { lost, more }
  }
  return changed
}

/** What was removed in regions since then, as their own logs of calls say. */
export const removals = ({ cloud }: World, since: number): string[] =>
  cloud.faults.log
    .slice(since)
    .filter(
      ({ service, method, path }) =>
        service === 'neutron' &&
        (method === 'DELETE' || /remove_router_interface|remove_addresses/.test(path)),
    )
    .map(({ region, method, path }) => `${region} ${method} ${path}`)
