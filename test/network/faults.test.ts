// What goes wrong while networks are made: requests that cannot be, regions that refuse, fail, hang or lose their answers.
// The caller is told in Neutron's words, the model is as it was, and what a region has of it goes with its next tidying.

import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultSpec } from '../../sim/faults.ts'
import { convergeRouter } from '../../src/core/network/convergence/converge.ts'
import { seed, share } from '../chance.ts'
import { until } from '../wait.ts'
import { type Json, type World, world } from '../world.ts'
import { immortal, type Process, type Stage, stage } from './crashing.ts'
import { look } from './regions.ts'

let w: World
let on: Stage
/** Everything that the script made before, by name. */
const ids: Record<string, string> = {}

/** A region that hangs is given up soon; whoever answers has all the time that a busy machine needs. */
const timeoutMs = (): number =>
  w.cloud.faults.list().some(({ spec }) => spec.kind === 'hang') ? 1_000 : 60_000
const longAgoMs = 600_000

const external = (name: string, region: string, vlan: number) => ({
  name,
  'router:external': true,
  'provider:network_type': 'vlan',
  'provider:physical_network': 'extern',
  'provider:segmentation_id': vlan,
  availability_zone_hints: [region],
})
const subnetOf = (network: string, cidr: string) => ({ network_id: ids[network], ip_version: 4, cidr })

async function make(kind: string, name: string, spec: Json, as: 'admin' | 'demo' = 'demo'): Promise<void> {
  ids[name] = (await w[as].make(kind, { name, ...spec })).id
}

beforeAll(async () => {
  w = await world({ joined: true, lab: true, regions: ['Pod1', 'Pod2', 'Pod3'] })
  on = stage(w, { timeoutMs })
  await make('network', 'ext', external('ext', 'Pod1', 151), 'admin')
  await make('subnet', 'ext-sub', { ...subnetOf('ext', '163.3.124.0/24'), enable_dhcp: false }, 'admin')
  const here = { availability_zone_hints: ['Pod1'] }
  for (const [name, cidr] of [
    ['n1', '10.1.0.0/24'],
    ['n2', '10.2.0.0/24'],
  ] as const) {
    await make('network', name, here)
    await make('subnet', `${name}-sub`, subnetOf(name, cidr))
  }
  await make('network', 'bare', here)
  await make('router', 'r', { ...here, external_gateway_info: { network_id: ids.ext } })
  await w.demo.change(`/routers/${ids.r}/add_router_interface`, { subnet_id: ids['n1-sub'] })
  await make('port', 'p1', { network_id: ids.n1 })
  await make('network', 'wide', {})
  await make('subnet', 'wide-sub', subnetOf('wide', '10.3.0.0/24'))
  await on.start(immortal()).work()
})
afterEach(() => w?.cloud.faults.clear())
afterAll(async () => {
  await w?.[Symbol.asyncDispose]()
})

const tables = ['network', 'subnet', 'port', 'router', 'floatingip', 'held_range', 'segment', 'routing']

/** The whole model, line by line, but for what counts and dates its changes. */
async function model(): Promise<string[]> {
  const lists = await Promise.all(
    tables.map(async table => {
      const { rows } = await sql<{ line: string }>`
        select ${table} || ' ' || (to_jsonb(row) - 'revision' - 'updated_at' - 'status' - 'id' || jsonb_build_object('id',
          case when to_jsonb(row) ? 'holder' then null else to_jsonb(row) ->> 'id' end))::text as line
        from ${sql.table(table)} row where ${table} <> 'routing' or to_jsonb(row) ->> 'resource_type' <> 'security_group'
      `.execute(w.database.db)
      return rows.map(({ line }) => line)
    }),
  )
  return lists.flat().sort()
}

/** What there is more of than before, and less: nothing where all is as it was. */
function changes(before: readonly string[], after: readonly string[]): string[] {
  const short = (sign: string, lines: readonly string[]) => lines.map(line => `${sign} ${line.slice(0, 300)}`)
  return [
    ...short(
      '+',
      after.filter(line => !before.includes(line)),
    ),
    ...short(
      '-',
      before.filter(line => !after.includes(line)),
    ),
  ]
}

/** What regions have, by kind and id. */
async function regional(): Promise<string[]> {
  const kinds = ['network', 'subnet', 'port', 'router', 'floatingip'] as const
  const lists = await Promise.all(
    w.regions.flatMap(region =>
      kinds.map(async kind => (await w.region(region).list(kind)).map(({ id }) => `${region} ${kind} ${id}`)),
    ),
  )
  return lists.flat().sort()
}

/** A process that has asked long ago; its calls take effect no more. */
const earlier = (): Process => on.start(immortal(), longAgoMs)

async function tidyUp(): Promise<void> {
  const process = on.start(immortal())
  await process.tidy()
  await process.work()
}

describe('a request that cannot be', () => {
  const route = (network: string) => ({ external_gateway_info: { network_id: ids[network] } })
  const requests: Record<string, () => readonly [string, string, Json, number, string]> = {
    'a wrong CIDR': () => [
      'POST',
      '/subnets',
      { subnet: subnetOf('bare', '10.9.0.0/33') },
      400,
      'InvalidInput',
    ],
    'a CIDR of the other version': () => [
      'POST',
      '/subnets',
      { subnet: subnetOf('bare', 'fd00::/64') },
      400,
      'InvalidInput',
    ],
    'a subnet that overlaps its sibling': () => [
      'POST',
      '/subnets',
      { subnet: subnetOf('n1', '10.1.0.128/25') },
      400,
      'InvalidInput',
    ],
    'an address outside its subnet': () => [
      'POST',
      '/ports',
      { port: { network_id: ids.wide, fixed_ips: [{ subnet_id: ids['wide-sub'], ip_address: '10.4.0.9' }] } },
      400,
      'InvalidIpForSubnet',
    ],
    'an IPv6 address in an IPv4 subnet': () => [
      'POST',
      '/ports',
      { port: { network_id: ids.wide, fixed_ips: [{ subnet_id: ids['wide-sub'], ip_address: 'fd00::9' }] } },
      400,
      'InvalidIpForSubnet',
    ],
    'a gateway on a network that is not external': () => [
      'POST',
      '/routers',
      { router: { name: 'x', ...route('wide') } },
      400,
      'BadRequest',
    ],
    'a floating IP of a network that is not external': () => [
      'POST',
      '/floatingips',
      { floatingip: { floating_network_id: ids.wide } },
      400,
      'BadRequest',
    ],
    'an unknown hint': () => [
      'POST',
      '/networks',
      { network: { name: 'x', availability_zone_hints: ['nowhere'] } },
      404,
      'AvailabilityZoneNotFound',
    ],
    'the removal of a network with ports': () => [
      'DELETE',
      `/networks/${ids.n1}`,
      undefined,
      409,
      'NetworkInUse',
    ],
    'the removal of a subnet with ports': () => [
      'DELETE',
      `/subnets/${ids['n1-sub']}`,
      undefined,
      409,
      'SubnetInUse',
    ],
    'the removal of a router with interfaces': () => [
      'DELETE',
      `/routers/${ids.r}`,
      undefined,
      409,
      'RouterInUse',
    ],
    'the same interface once more': () => [
      'PUT',
      `/routers/${ids.r}/add_router_interface`,
      { subnet_id: ids['n1-sub'] },
      400,
      'BadRequest',
    ],
  }
  for (const [what, request] of Object.entries(requests)) {
    it(`is refused and changes nothing: ${what}`, async () => {
      const [before, there] = [await model(), await regional()]
      const [method, path, body, status, type] = request()
      const answer = await w.call(method, `/v2.0${path}`, { as: 'demo', body })
      expect([answer.status, answer.json]).toEqual([
        status,
        { NeutronError: { type, message: expect.stringMatching(/\w+ \w+/), detail: '' } },
      ])
      expect([...changes(before, await model()), ...changes(there, await regional())]).toEqual([])
    })
  }

  it('over the quota is refused before any region is asked', async () => {
    await using full = await world({ joined: true, settings: { ATOLL_NETWORKING_QUOTA_NETWORK: '1' } })
    const network = { availability_zone_hints: ['Pod1'] }
    await full.demo.make('network', { name: 'a', ...network })
    const calls = () => full.cloud.neutrons.get('Pod1')!.calls('POST', 'networks')
    const before = calls()
    const answer = await full.demo.post('/networks', { network: { name: 'b', ...network } })
    expect([answer.status, answer.json.NeutronError.type]).toEqual([409, 'OverQuota'])
    expect(calls()).toBe(before)
  })
})

// Regions

interface Creation {
  /** What the region is asked for it. */
  readonly call: Pick<FaultSpec, 'method' | 'path'>
  request(): readonly [method: string, path: string, body: Json]
  /** Takes away what came of it. */
  undo(made: Json): readonly [method: string, path: string, body?: Json]
  /** An answer that is lost cannot be looked up by a mark. */
  readonly isUnmarked?: true
}

const here = { availability_zone_hints: ['Pod1'] }
const post = (path: string) => ({ method: 'POST', path: `/v2.0${path}` })

const creations: Record<string, Creation> = {
  'a network': {
    call: post('/networks'),
    request: () => ['POST', '/networks', { network: { name: 'x', ...here } }],
    undo: ({ network }) => ['DELETE', `/networks/${network.id}`],
  },
  'a subnet': {
    call: post('/subnets'),
    request: () => ['POST', '/subnets', { subnet: { name: 'x', ...subnetOf('bare', '10.8.0.0/24') } }],
    undo: ({ subnet }) => ['DELETE', `/subnets/${subnet.id}`],
  },
  'a port': {
    call: post('/ports'),
    request: () => ['POST', '/ports', { port: { name: 'x', network_id: ids.n1 } }],
    undo: ({ port }) => ['DELETE', `/ports/${port.id}`],
  },
  'a router of the region': {
    call: post('/routers'),
    request: () => [
      'POST',
      '/routers',
      { router: { name: 'x', ...here, external_gateway_info: { network_id: ids.ext } } },
    ],
    undo: ({ router }) => ['DELETE', `/routers/${router.id}`],
  },
  'a router of all regions with its way out': {
    call: post('/routers'),
    request: () => [
      'POST',
      '/routers',
      { router: { name: 'x', external_gateway_info: { network_id: ids.ext } } },
    ],
    undo: ({ router }) => ['DELETE', `/routers/${router.id}`],
  },
  'a floating IP': {
    call: post('/floatingips'),
    request: () => ['POST', '/floatingips', { floatingip: { floating_network_id: ids.ext } }],
    undo: ({ floatingip }) => ['DELETE', `/floatingips/${floatingip.id}`],
  },
  'a floating IP that cannot be led to its port': {
    call: { method: 'PUT', path: '/v2.0/floatingips/*' },
    request: () => [
      'POST',
      '/floatingips',
      { floatingip: { floating_network_id: ids.ext, port_id: ids.p1 } },
    ],
    undo: ({ floatingip }) => ['DELETE', `/floatingips/${floatingip.id}`],
    isUnmarked: true,
  },
  'an interface': {
    call: { method: 'PUT', path: '*/add_router_interface' },
    request: () => ['PUT', `/routers/${ids.r}/add_router_interface`, { subnet_id: ids['n2-sub'] }],
    undo: () => ['PUT', `/routers/${ids.r}/remove_router_interface`, { subnet_id: ids['n2-sub'] }],
    isUnmarked: true,
  },
}

interface Fault {
  readonly spec: Pick<FaultSpec, 'kind' | 'status' | 'type' | 'message' | 'after' | 'body'>
  /** What the caller gets; null where it is well in the end. */
  readonly answer: readonly [status: number, type: string] | null
  /** The region is silent from then on, so that nothing can be looked up. */
  readonly isDark?: true
}

const inUse = 'Unable to complete operation: the thing is in use.'
const faults: Record<string, Fault> = {
  'is refused with 409': {
    spec: { kind: 'status', status: 409, type: 'ThingInUse', message: inUse },
    answer: [409, 'ThingInUse'],
  },
  'is refused with 403': {
    spec: {
      kind: 'status',
      status: 403,
      type: 'PolicyNotAuthorized',
      message: 'It is disallowed by policy.',
    },
    answer: [403, 'PolicyNotAuthorized'],
  },
  'is over the region’s quota': {
    spec: { kind: 'status', status: 409, type: 'OverQuota', message: "Quota exceeded for resources: ['x']." },
    answer: [409, 'OverQuota'],
  },
  'fails with 500': {
    spec: { kind: 'status', status: 500, message: 'Request Failed: internal server error.' },
    answer: [502, 'RegionUnavailable'],
  },
  'never has an answer': { spec: { kind: 'hang' }, answer: [502, 'RegionUnavailable'] },
  'is answered with nonsense': { spec: { kind: 'garbage' }, answer: [502, 'RegionUnavailable'] },
  'is answered with a list': { spec: { kind: 'garbage', body: [] }, answer: [502, 'RegionUnavailable'] },
  'takes effect, and the answer is lost': { spec: { kind: 'lost' }, answer: null },
  'takes effect, and a proxy says 504': { spec: { kind: 'status', status: 504, after: true }, answer: null },
  'takes effect, and the region goes dark': {
    spec: { kind: 'lost' },
    answer: [502, 'RegionUnavailable'],
    isDark: true,
  },
}

const drawn = seed()

describe('a region’s answer', () => {
  for (const [at, [what, creation]] of Object.entries(creations).entries()) {
    it(`to ${what}, whatever it is, leaves one of it or nothing`, async () => {
      const wrong: string[] = []
      const all = Object.entries(faults).filter(([, { isDark }]) => !isDark || !creation.isUnmarked)
      const some = share(all, drawn + at)
      console.log(`SEED=${drawn}: ${what} ${some.map(([how]) => how)}`)
      for (const [how, fault] of some) {
        try {
          await suffer(creation, fault)
        } catch (error) {
          wrong.push(`${how}: ${(error as Error).message} ${(error as { actual?: string }).actual}`)
        }
        w.cloud.faults.clear()
      }
      expect(wrong.join('\n\n')).toBe('')
    })
  }

  async function suffer({ call, request, undo, isUnmarked }: Creation, { spec, answer, isDark }: Fault) {
    const [before, there] = [await model(), await regional()]
    const struck = w.cloud.faults.add({ ...spec, ...call, region: 'Pod1', service: 'neutron' })
    // What bears a mark is looked up by it: in vain.
    if (isDark) w.cloud.faults.add({ kind: 'status', status: 503, region: 'Pod1', ...call, method: 'GET' })
    const [method, path, body] = request()
    const got = (await earlier().call(method, `/v2.0${path}`, { body }))!
    expect(struck.hits, 'times that the fault struck').toBeGreaterThan(0)
    const expected = answer ?? (isUnmarked ? ([502, 'RegionUnavailable'] as const) : null)
    if (expected) {
      const [status, type] = expected
      expect([got.status, got.json]).toEqual([
        status,
        { NeutronError: { type, message: expect.stringContaining('Pod1'), detail: '' } },
      ])
      if (status !== 502) expect(got.json.NeutronError.message).toContain(spec.message)
      expect(changes(before, await model()).join('\n'), 'the model').toBe('')
    } else {
      expect(got.status).toBeLessThan(300)
      expect(await regional(), 'the regions').toHaveLength(there.length + (hasPort(got.json) ? 2 : 1))
    }
    w.cloud.faults.clear()
    await tidyUp()
    if (!expected) {
      const [method, path, body] = undo(got.json)
      expect((await w.call(method, `/v2.0${path}`, { as: 'demo', body })).status).toBeLessThan(300)
      await tidyUp()
    }
    // A leg has no mark: one that came about unseen is seen by the watcher.
    await look(w)
    if ((await model()).length > before.length && isUnmarked) {
      const [method, path, body] = undo({})
      expect(
        (await w.call(method, `/v2.0${path}`, { as: 'demo', body })).status,
        'taking away what the watcher saw',
      ).toBe(200)
    }
    expect(changes(before, await model()).join('\n'), 'the model in the end').toBe('')
    expect(changes(there, await regional()).join('\n'), 'the regions in the end').toBe('')
    expect((await w.app.store.jobs.list({ status: 'FAIL' }, { limit: 9, marker: null }))!).toEqual([])
  }

  /** A gateway's, or the one of a floating address. */
  const hasPort = (made: Json): boolean => 'router' in made || 'floatingip' in made
})

describe('a port in a region that its network has not been to', () => {
  for (const path of ['/networks', '/subnets', '/ports']) {
    it(`is not there where the region refuses ${path}, and is at the next try`, async () => {
      const region = { '/networks': 'Pod2', '/subnets': 'Pod3', '/ports': 'Pod1' }[path]!
      const before = await sql`select * from port`.execute(w.database.db)
      const held = () => sql`select * from held_range where purpose = 'port'`.execute(w.database.db)
      const heldBefore = (await held()).rows.length
      const message = 'No more of them.'
      w.cloud.faults.add({ ...post(path), kind: 'status', status: 409, type: 'NoMore', message, region })
      const spec = { name: 'x', network_id: ids.wide, 'binding:profile': { region } }
      const answer = await w.demo.post('/ports', { port: spec })
      expect([answer.status, answer.json.NeutronError.type]).toEqual([409, 'NoMore'])
      expect(answer.json.NeutronError.message).toContain(message)
      expect((await sql`select * from port`.execute(w.database.db)).rows).toHaveLength(before.rows.length)
      expect((await held()).rows).toHaveLength(heldBefore)
      w.cloud.faults.clear()
      await tidyUp()
      const port = await w.demo.make('port', spec)
      expect(await w.region(region).get('port', port.id)).not.toBeNull()
      await w.demo.remove(`/ports/${port.id}`)
      expect((await w.region(region).list('network')).filter(({ name }) => name === 'wide')).toHaveLength(1)
    })
  }
})

describe('a leg’s port that others take away in the middle of a convergence', () => {
  it('is looked for again until it stays, and who asked is told nothing of it', async () => {
    const network = await w.demo.make('network', { name: 'met' })
    const subnet = { name: 'met', network_id: network.id, ip_version: 4, cidr: '10.99.0.0/24' }
    const { id: subnet_id } = await w.demo.make('subnet', subnet)
    const placed = { network_id: network.id, 'binding:profile': { region: 'Pod1' } }
    const port = await w.demo.make('port', placed)
    const router = await w.demo.make('router', { name: 'met' })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id })
    const region = (await w.app.store.regions.list()).find(({ name }) => name === 'Pod1')!
    const call = { service: 'neutron', region: 'Pod1', method: 'PUT', path: /add_router_interface$/ }
    const gone = { status: 404, type: 'PortNotFound', message: 'Port x could not be found.' }
    const struck = w.cloud.faults.add({ ...call, ...gone, kind: 'status', times: 6 })
    expect(await convergeRouter(w.app, { caller: w.admin, routerId: router.id, region })).toBeGreaterThan(0)
    expect(struck.hits).toBe(6)
    await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id })
    await w.demo.remove(`/routers/${router.id}`)
    await w.demo.remove(`/ports/${port.id}`)
    await w.demo.remove(`/networks/${network.id}`)
    await tidyUp()
  })
})

describe('a region that is down while a router comes to three', () => {
  it('keeps the others from nothing, is named, and is made good once it is back', {
    timeout: 600_000,
  }, async () => {
    await w.startWork()
    try {
      await make('router', 'far', {})
      for (const [index, region] of w.regions.entries()) {
        await make('network', `far${index}`, {})
        await make('subnet', `far${index}-sub`, subnetOf(`far${index}`, `10.4${index}.0.0/24`))
        await make('port', `far-p${index}`, { network_id: ids[`far${index}`], 'binding:profile': { region } })
      }
      await w.settle()
      w.cloud.faults.add({ kind: 'status', status: 503, region: 'Pod2', service: 'neutron' })
      for (const index of [0, 1, 2]) {
        await w.demo.change(`/routers/${ids.far}/add_router_interface`, { subnet_id: ids[`far${index}-sub`] })
      }
      const copy = async (region: string) =>
        (await w.region(region).list('router', { where: { name: 'far' } }))[0]
      await until(
        async () =>
          (await copy('Pod1'))?.routes.some(({ destination }) => destination === '10.42.0.0/24') === true &&
          (await copy('Pod3'))?.routes.some(({ destination }) => destination === '10.40.0.0/24') === true,
        { what: 'the regions that answer have theirs, with routes to each other' },
      )
      await until(
        async () => {
          const failed = (await w.app.store.jobs.list({ status: 'FAIL' }, { limit: 100, marker: null }))!
          return failed.some(job => job.region === 'Pod2' && /^Pod2’?'?s? /.test(job.lastError ?? ''))
        },
        { what: 'the job of the region that is down has failed, and says of which region' },
      )
      w.cloud.faults.clear()
      await w.settle()
      const routes = (await copy('Pod2'))!.routes.map(({ destination }) => destination).sort()
      expect(routes).toEqual(['10.40.0.0/24', '10.42.0.0/24'])
      for (const region of w.regions) expect((await copy(region))!.routes).toHaveLength(2)
    } finally {
      await w.stopWork()
    }
  })
})

describe('a region’s list', () => {
  const poisons: Record<string, (kind: string) => Json> = {
    'that is empty': kind => ({ [kind]: [] }),
    'of nothing': kind => ({ [kind]: null }),
    'that is none': kind => ({ [kind]: { id: 'x' } }),
    'under another name': () => ({ things: [] }),
    'of numbers': kind => ({ [kind]: [1, 2, 3] }),
    'of things without ids': kind => ({ [kind]: [{}, {}] }),
    'that is a list only': () => [],
  }
  for (const [how, body] of share(Object.entries(poisons), drawn)) {
    it(`${how} takes nothing out of the model`, async () => {
      const before = await model()
      for (const kind of ['networks', 'subnets', 'ports', 'routers', 'floatingips', 'security-groups']) {
        const poisoned = body(kind.replaceAll('-', '_'))
        const path = `/v2.0/${kind}`
        const fault = { kind: 'garbage', body: poisoned, method: 'GET', path, service: 'neutron' } as const
        const { hits } = await whileThereIs(fault, async () => {
          // It may say so, or find out one by one that all is there.
          const sightings = await look(w).catch(() => [])
          expect(sightings.map(({ gone }) => gone)).toEqual(sightings.map(() => 0))
        })
        expect(hits, `lists of ${kind} that were asked for`).toBeGreaterThan(0)
      }
      expect(changes(before, await model())).toEqual([])
    })
  }

  async function whileThereIs(spec: FaultSpec, work: () => Promise<void>) {
    const fault = w.cloud.faults.add(spec)
    await work()
    w.cloud.faults.clear()
    return fault
  }

  it('of an endless number of pages takes nothing out of the model', async () => {
    const before = await model()
    w.cloud.faults.add({ kind: 'endless', service: 'neutron', region: 'Pod1' })
    await look(w).catch(() => [])
    w.cloud.faults.clear()
    expect(changes(before, await model())).toEqual([])
  })
})

describe('what is removed in a region by hand', () => {
  it('is drift where it is a copy of what is elsewhere too', async () => {
    await make('network', 'drifting', {})
    await make('subnet', 'drifting-sub', subnetOf('drifting', '10.7.0.0/24'))
    for (const region of ['Pod1', 'Pod2']) {
      const port = { network_id: ids.drifting, 'binding:profile': { region } }
      await w.demo.remove(`/ports/${(await w.demo.make('port', port)).id}`)
    }
    const places = (await w.demo.read(`/networks/${ids.drifting}`))['atoll:regions']
    expect(places).toHaveLength(2)
    const before = await model()
    await w.region('Pod2').remove('network', places[1].id)
    const sightings = await look(w)
    expect(sightings.flatMap(({ drift }) => drift)).toContainEqual(
      expect.stringContaining(`network ${ids.drifting} is gone in Pod2`),
    )
    expect(changes(before, await model())).toEqual([])
  })

  it('is gone where it is a port, with its address', async () => {
    const port = await w.demo.make('port', { network_id: ids.n1 })
    await w.region('Pod1').remove('port', port.id)
    await look(w)
    expect((await w.demo.get(`/ports/${port.id}`)).status).toBe(404)
    const again = { network_id: ids.n1, fixed_ips: port.fixed_ips }
    const second = await w.demo.make('port', again)
    expect(second.fixed_ips).toEqual(port.fixed_ips)
    await w.demo.remove(`/ports/${second.id}`)
  })
})
