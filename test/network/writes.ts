// What the table of writers is made of: every kind and verb at home and spanning, as a thing that is there before, what
// two writers ask of it, and how it is seen that it was done.

import type { Kind } from '../../src/core/network/model/model.ts'
import { type Json, pathOf, type Reply } from '../world/person.ts'

/** Where things at home are, and the other region that spanning ones have copies in. */
export const here = 'Pod1'
export const there = 'Pod2'

export type Span = 'home' | 'spanning'
/** The first writer or the second. */
export type Side = 0 | 1

export interface Ask {
  readonly method: string
  readonly path: string
  readonly body?: Json
}

/** What was made for one row, and what is asked of it. */
export interface Scene {
  /** The path of the resource whose revision a writer may name; null where its verb takes none. */
  readonly versioned: string | null
  ask(side: Side): Ask
  /** Whether the model shows what this side has asked for. */
  isDone(side: Side): Promise<boolean>
}

export interface Case {
  readonly kind: Kind
  /** As the rule of its route is called: `update_router`. */
  readonly verb: string
  /** What is written, where the verb has several such. */
  readonly what: string
  readonly span: Span
  /** Whether a caller may name a revision. */
  readonly isVersioned: boolean
  /** Whether what one has removed another may find gone. */
  readonly isRemoval: boolean
  /** By which regions are asked for it. */
  readonly method: string
  make(maker: Maker): Promise<Scene>
}

export interface MakerSpec {
  /** The external network, in `here`. */
  readonly external: string
  /** Nothing else has this in its name. */
  readonly tag: string
  call(method: string, path: string, body?: Json): Promise<Reply>
  /** Does the jobs that follow. */
  work(): Promise<void>
}

/** Makes what a row needs, and knows how it all goes again. */
export class Maker {
  /** In the order in which they were made: what asks for their removal. */
  readonly undo: (() => Promise<Reply[]>)[] = []
  readonly external: string
  readonly #spec: MakerSpec
  #made = 0

  constructor(spec: MakerSpec) {
    this.#spec = spec
    this.external = spec.external
  }

  name(): string {
    this.#made += 1
    return `${this.#spec.tag}-${this.#made}`
  }

  work(): Promise<void> {
    return this.#spec.work()
  }

  /** Throws what is not good. */
  async good(method: string, path: string, body?: Json): Promise<Json> {
    const { status, json, text } = await this.#spec.call(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    const [key, ...more] = Object.keys(json ?? {})
    return key && more.length === 0 ? json[key] : json
  }

  reply(method: string, path: string, body?: Json): Promise<Reply> {
    return this.#spec.call(method, path, body)
  }

  async status(path: string): Promise<number> {
    return (await this.#spec.call('GET', path)).status
  }

  async make(kind: Kind, given: Json = {}): Promise<Json> {
    const named = kind === 'floatingip' ? {} : { name: this.name() }
    const row = await this.good('POST', pathOf(kind), {
      [kind]: { ...(kind === 'security_group_rule' ? {} : named), ...given },
    })
    this.goes(`${pathOf(kind)}/${row.id}`)
    return row
  }

  /** Notes that this is removed in the end. */
  goes(path: string): void {
    this.undo.push(async () => [await this.#spec.call('DELETE', path)])
  }

  /** Notes that all of a list are removed in the end. */
  allGo(kind: Kind, query: string): void {
    this.undo.push(async () => {
      const rows = await this.good('GET', `${pathOf(kind)}?${query}`)
      return Promise.all(
        rows.map(({ id }: Json) => this.#spec.call('DELETE', `${pathOf(kind)}/${id}`)),
      ) as Promise<Reply[]>
    })
  }

  /** Notes that a router is taken off a subnet in the end, where it is on it. */
  parts(router: Json, subnet: Json): void {
    this.undo.push(async () => [
      await this.#spec.call('PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id }),
    ])
  }

  /** A network and its subnet. Without ports it has copies nowhere but at home. */
  async net(span: Span, cidr = '10.1.0.0/24'): Promise<{ network: Json; subnet: Json }> {
    const network = await this.make('network', hints(span))
    const subnet = await this.make('subnet', { network_id: network.id, ip_version: 4, cidr })
    return { network, subnet }
  }

  port(network: Json, span: Span, region = here, given: Json = {}): Promise<Json> {
    const place = span === 'home' ? {} : { 'binding:profile': { region } }
    return this.make('port', { network_id: network.id, ...place, ...given })
  }

  /** A network in all regions that it spans: a port in each has brought it there. */
  async spread(span: Span, cidr?: string): Promise<{ network: Json; subnet: Json; port: Json }> {
    const { network, subnet } = await this.net(span, cidr)
    const port = await this.port(network, span)
    if (span === 'spanning') await this.port(network, span, there)
    return { network, subnet, port }
  }

  /** The same without its ports, which have left the copies behind. */
  async emptied(span: Span): Promise<{ network: Json; subnet: Json }> {
    const { network, subnet, port } = await this.spread(span)
    for (const one of await this.good('GET', `/ports?network_id=${network.id}`))
      if (one.device_owner === '') await this.good('DELETE', `/ports/${one.id}`)
    if ((await this.status(`/ports/${port.id}`)) !== 404) throw new Error('the network still has its port')
    return { network, subnet }
  }

  async join(router: Json, subnet: Json): Promise<void> {
    await this.good('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    this.parts(router, subnet)
  }

  /** A router on a network; spanning, it has a copy in both regions. */
  async routed(span: Span, given: Json = {}): Promise<{ router: Json; subnet: Json; network: Json }> {
    const { network, subnet } = await this.spread(span)
    const router = await this.make('router', { ...hints(span), ...given })
    await this.join(router, subnet)
    await this.work()
    return { router, subnet, network }
  }
}

const hints = (span: Span): Json => (span === 'home' ? { availability_zone_hints: [here] } : {})

// The verbs that every kind has

type Build = (m: Maker, span: Span) => Promise<Json>
type Both = readonly [Json, Json]

const spans: readonly Span[] = ['home', 'spanning']

function creations(
  kind: Kind,
  spec: (m: Maker, span: Span) => Promise<readonly [given: Both, query: Both]>,
): Case[] {
  return spans.map(span => ({
    kind,
    verb: `create_${kind}`,
    what: '',
    span,
    isVersioned: false,
    isRemoval: false,
    method: 'POST',
    async make(m) {
      const [given, queries] = await spec(m, span)
      for (const query of queries) m.allGo(kind, query)
      return {
        versioned: null,
        ask: side => ({ method: 'POST', path: pathOf(kind), body: { [kind]: given[side] } }),
        async isDone(side) {
          const rows = await m.good('GET', `${pathOf(kind)}?${queries[side]}`)
          if (rows.length > 1) throw new Error(`${rows.length} of ${queries[side]}`)
          return rows.length === 1
        },
      }
    },
  }))
}

const named =
  (given: (m: Maker, span: Span) => Promise<readonly [Json, Json]>) =>
  async (m: Maker, span: Span): Promise<readonly [Both, Both]> => {
    const both = await given(m, span)
    const names = [m.name(), m.name()] as const
    return [
      [
        { name: names[0], ...both[0] },
        { name: names[1], ...both[1] },
      ],
      [`name=${names[0]}`, `name=${names[1]}`],
    ]
  }

function updates(kind: Kind, what: string, build: Build, changes: (m: Maker, row: Json) => Both): Case[] {
  return spans.map(span => ({
    kind,
    verb: `update_${kind}`,
    what,
    span,
    isVersioned: true,
    isRemoval: false,
    method: 'PUT',
    async make(m) {
      const row = await build(m, span)
      const both = changes(m, row)
      const path = `${pathOf(kind)}/${row.id}`
      return {
        versioned: path,
        ask: side => ({ method: 'PUT', path, body: { [kind]: both[side] } }),
        isDone: async side => shows(await m.good('GET', path), both[side]),
      }
    },
  }))
}

/** Whether a row has these fields, and of objects these of theirs. */
function shows(row: Json, given: Json): boolean {
  if (given === null || typeof given !== 'object') return row === given
  return row !== null && Object.keys(given).every(key => shows(row[key], given[key]))
}

function removals(kind: Kind, build: Build): Case[] {
  return spans.map(span => ({
    kind,
    verb: `delete_${kind}`,
    what: '',
    span,
    isVersioned: true,
    isRemoval: true,
    method: 'DELETE',
    async make(m) {
      const path = `${pathOf(kind)}/${(await build(m, span)).id}`
      return {
        versioned: path,
        ask: () => ({ method: 'DELETE', path }),
        isDone: async () => (await m.status(path)) === 404,
      }
    },
  }))
}

// The actions of routers

/** An action on each of two subnets, or with each of two routes. */
interface Action {
  readonly verb: string
  readonly isRemoval: boolean
  make(m: Maker, span: Span): Promise<readonly [router: Json, bodies: Both, isDone: Scene['isDone']]>
}

const actions = ({ verb, isRemoval, make }: Action): Case[] =>
  spans.map(span => ({
    kind: 'router',
    verb,
    what: '',
    span,
    isVersioned: false,
    isRemoval,
    method: 'PUT',
    async make(m) {
      const [router, bodies, isDone] = await make(m, span)
      return {
        versioned: null,
        ask: side => ({ method: 'PUT', path: `/routers/${router.id}/${verb}`, body: bodies[side] }),
        isDone,
      }
    },
  }))

/** A router and two networks; `isOn`: it is on both. */
async function beside(m: Maker, span: Span, isOn: boolean) {
  const subnets = [
    (await m.spread(span, '10.1.0.0/24')).subnet,
    (await m.spread(span, '10.2.0.0/24')).subnet,
  ] as const
  const router = await m.make('router', hints(span))
  for (const subnet of subnets) await (isOn ? m.join(router, subnet) : m.parts(router, subnet))
  await m.work()
  const bodies: Both = [{ subnet_id: subnets[0].id }, { subnet_id: subnets[1].id }]
  const isJoined = async (side: Side): Promise<boolean> => {
    const ports = await m.good('GET', `/ports?device_id=${router.id}`)
    return ports.some((port: Json) => port.fixed_ips.some((one: Json) => one.subnet_id === subnets[side].id))
  }
  return { router, bodies, isJoined }
}

async function withRoutes(m: Maker, span: Span, areThere: boolean) {
  const { router } = await m.routed(span)
  const routes = ['192.168.1.0/24', '192.168.2.0/24'].map(destination => ({
    destination,
    nexthop: '10.1.0.99',
  }))
  if (areThere) {
    await m.good('PUT', `/routers/${router.id}`, { router: { routes } })
    await m.work()
  }
  const bodies: Both = [{ router: { routes: [routes[0]] } }, { router: { routes: [routes[1]] } }]
  // Else the router could not be taken off the subnet that its routes lead through.
  m.undo.push(async () => [await m.reply('PUT', `/routers/${router.id}`, { router: { routes: [] } })])
  const has = async (side: Side): Promise<boolean> => {
    const now = await m.good('GET', `/routers/${router.id}`)
    return now.routes.some((one: Json) => one.destination === routes[side]!.destination)
  }
  return { router, bodies, has }
}

// What there is before

const outside = (m: Maker) => ({ external_gateway_info: { network_id: m.external } })

/** A floating IP, and a port that it may lead to: spanning, the port is in the other region. */
async function floating(m: Maker, span: Span, leads: boolean): Promise<Json> {
  const { network } = await m.routed(span, outside(m))
  const port = await m.port(network, span, span === 'home' ? here : there)
  const to = leads ? { port_id: port.id } : {}
  const row = await m.make('floatingip', { floating_network_id: m.external, ...to })
  await m.work()
  return { ...row, mayLeadTo: port.id }
}

const changedRouter: Build = async (m, span) => (await m.routed(span)).router

/** A group that one region has, or both: ports are in it. */
async function group(m: Maker, span: Span): Promise<Json> {
  const made = await m.make('security_group')
  const { network } = await m.net(span)
  const inGroup = { security_groups: [made.id] }
  await m.port(network, span, here, inGroup)
  if (span === 'spanning') await m.port(network, span, there, inGroup)
  return made
}

const rule = (made: Json, port: number): Json => ({
  security_group_id: made.id,
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: 'tcp',
  port_range_min: port,
  port_range_max: port,
})

export const cases: readonly Case[] = [
  ...creations(
    'network',
    named(async (_m, span) => [hints(span), hints(span)]),
  ),
  ...updates(
    'network',
    '',
    async (m, span) => (await m.spread(span)).network,
    m => [{ name: m.name() }, { admin_state_up: false, description: 'told' }],
  ),
  ...removals('network', async (m, span) => (await m.emptied(span)).network),

  ...creations(
    'subnet',
    named(async (m, span) => {
      const { network } = await m.spread(span)
      const given = (cidr: string) => ({ network_id: network.id, ip_version: 4, cidr })
      return [given('10.3.0.0/24'), given('10.4.0.0/24')]
    }),
  ),
  ...updates(
    'subnet',
    '',
    async (m, span) => (await m.spread(span)).subnet,
    m => [{ name: m.name() }, { dns_nameservers: ['10.1.0.8'], description: 'told' }],
  ),
  ...removals('subnet', async (m, span) => (await m.emptied(span)).subnet),

  ...creations(
    'port',
    named(async (m, span) => {
      const { network } = await m.spread(span)
      const place = span === 'home' ? {} : { 'binding:profile': { region: here } }
      const given = { network_id: network.id, ...place }
      return [given, given]
    }),
  ),
  ...updates(
    'port',
    '',
    async (m, span) => (await m.spread(span)).port,
    m => [{ name: m.name() }, { admin_state_up: false }],
  ),
  ...updates(
    'port',
    'its region',
    async (m, span) => {
      const { network, port } = await m.spread(span)
      return span === 'home' ? port : m.make('port', { network_id: network.id })
    },
    m => [{ 'binding:profile': { region: here } }, { name: m.name() }],
  ),
  ...removals('port', async (m, span) => (await m.spread(span)).port),

  ...creations(
    'router',
    named(async (m, span) => [hints(span), { ...hints(span), ...outside(m) }]),
  ),
  ...updates('router', '', changedRouter, m => [{ name: m.name() }, { admin_state_up: false }]),
  ...updates('router', 'a gateway', changedRouter, m => [outside(m), { name: m.name() }]),
  ...updates(
    'router',
    'no gateway',
    async (m, span) => (await m.routed(span, outside(m))).router,
    m => [{ external_gateway_info: null }, { description: m.name() }],
  ),
  ...removals('router', async (m, span) => {
    const { router, subnet } = await m.routed(span, outside(m))
    await m.good('PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id })
    return router
  }),
  ...actions({
    verb: 'add_router_interface',
    isRemoval: false,
    async make(m, span) {
      const { router, bodies, isJoined } = await beside(m, span, false)
      return [router, bodies, isJoined]
    },
  }),
  ...actions({
    verb: 'remove_router_interface',
    isRemoval: true,
    async make(m, span) {
      const { router, bodies, isJoined } = await beside(m, span, true)
      return [router, bodies, async side => !(await isJoined(side))]
    },
  }),
  ...actions({
    verb: 'add_extraroutes',
    isRemoval: false,
    async make(m, span) {
      const { router, bodies, has } = await withRoutes(m, span, false)
      return [router, bodies, has]
    },
  }),
  ...actions({
    verb: 'remove_extraroutes',
    isRemoval: false,
    async make(m, span) {
      const { router, bodies, has } = await withRoutes(m, span, true)
      return [router, bodies, async side => !(await has(side))]
    },
  }),

  ...creations('floatingip', async (m, span) => {
    const { mayLeadTo } = await floating(m, span, false)
    const given = { floating_network_id: m.external }
    const names = [m.name(), m.name()] as const
    return [
      [
        { ...given, description: names[0], port_id: mayLeadTo },
        { ...given, description: names[1] },
      ],
      [`description=${names[0]}`, `description=${names[1]}`],
    ]
  }),
  ...updates(
    'floatingip',
    'a port',
    (m, span) => floating(m, span, false),
    (m, row) => [{ port_id: row.mayLeadTo }, { description: m.name() }],
  ),
  ...updates(
    'floatingip',
    'no port',
    (m, span) => floating(m, span, true),
    m => [{ port_id: null }, { description: m.name() }],
  ),
  ...removals('floatingip', (m, span) => floating(m, span, true)),

  ...creations(
    'security_group',
    named(async () => [{}, {}]),
  ),
  ...updates('security_group', '', group, m => [{ name: m.name() }, { description: m.name() }]),
  ...removals('security_group', async (m, span) => {
    const made = await group(m, span)
    const ports = await m.good('GET', '/ports')
    for (const port of ports)
      if (port.security_groups.includes(made.id)) await m.good('DELETE', `/ports/${port.id}`)
    return made
  }),
  ...creations('security_group_rule', async (m, span) => {
    const made = await group(m, span)
    const query = (port: number) => `security_group_id=${made.id}&port_range_min=${port}`
    return [
      [rule(made, 22), rule(made, 80)],
      [query(22), query(80)],
    ]
  }),
  ...removals('security_group_rule', async (m, span) => {
    const made = await m.make('security_group_rule', rule(await group(m, span), 22))
    await m.work()
    return made
  }),
]
