// The topology: the tree of what there is in all regions, as the central model has it, for whoever may see it.

import { beforeAll, describe, expect, it } from 'vitest'
import { viewTopology } from '../../src/api/native/topology.ts'
import { printTopology } from '../../src/cli/topology.ts'
import type { Caller } from '../../src/core/caller.ts'
import { createJob } from '../../src/core/jobs/jobs.ts'
import { type TopologyAsk, topology } from '../../src/core/network/topology/topology.ts'
import { until } from '../wait.ts'
import { fileWorld, type Json } from '../world.ts'
import { look } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true })
let one: string
let two: string
let external: Json
let router: Json
const networks: Json[] = []
const subnets: Json[] = []
const ports: Json[] = []

// Topology T4: two networks of two regions, one way out, and a floating IP of the port that is not in its region. Beside
// them a port that is reserved, on a network that is nowhere.
beforeAll(async () => {
  await w.startWork()
  ;[one, two] = w.regions as [string, string]
  external = await w.admin.make('network', {
    name: 'ext',
    'router:external': true,
    availability_zone_hints: [two],
  })
  const outside = { network_id: external.id, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
  await w.admin.make('subnet', { name: 'ext-sub', ...outside })
  router = await w.demo.make('router', { name: 'r', external_gateway_info: { network_id: external.id } })
  for (const [index, cidr] of ['10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24'].entries()) {
    networks.push(await w.demo.make('network', { name: `net${index + 1}` }))
    const subnet = { name: `sub${index + 1}`, network_id: networks[index].id, ip_version: 4, cidr }
    subnets.push(await w.demo.make('subnet', subnet))
    const region = [one, two][index]
    const profile = region === undefined ? {} : { 'binding:profile': { region } }
    const port = { name: `port${index + 1}`, network_id: networks[index].id, ...profile }
    ports.push(await w.demo.make('port', port))
  }
  for (const subnet of subnets.slice(0, 2))
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  await w.demo.make('floatingip', { floating_network_id: external.id, port_id: ports[0].id })
  await w.settle()
  await until(allSeen, { what: 'the interfaces are seen to be ACTIVE', seen: interfaces })
})

/** The regions' own statuses, which come to the model by looking there. */
const interfaces = async (): Promise<Json[]> => {
  const legs = await w.demo.read('/ports?device_owner=network:router_interface')
  return legs.map(({ status }: Json) => status)
}
async function allSeen(): Promise<boolean> {
  await look(w)
  const statuses = await interfaces()
  return statuses.length === 2 && statuses.every(status => status === 'ACTIVE')
}

const everything: TopologyAsk = { region: null, network: null, project: null, ports: null }
const see = async (caller: Caller, ask: Partial<TopologyAsk> = {}) =>
  viewTopology(await topology(w.app, caller, { ...everything, ...ask }))

/** The copy of the router in a region, and the gateway of a subnet there, as its own Neutron has them. */
const copyIn = async (region: string) =>
  (await w.region(region).list('router')).find(({ name }) => name === 'r')!
const gatewayIn = async (region: string, cidr: string) =>
  (await w.region(region).list('subnet')).find(subnet => subnet.cidr === cidr)!.gatewayIp
const bridgeOf = async (region: string) =>
  (await copyIn(region)).externalGateway!.externalFixedIps![0]!.ipAddress

describe('everything, to its tenant', () => {
  it('is a tree to people', async () => {
    const text = printTopology(await see(w.demo, { ports: true }))
    const floatingIp = (await w.demo.read('/floatingips'))[0]
    const [gateway1, gateway2] = [await gatewayIn(one, '10.0.1.0/24'), await gatewayIn(two, '10.0.2.0/24')]
    const [bridge1, reserved] = [await bridgeOf(one), ports[2].fixed_ips[0].ip_address]
    const [ip1, ip2] = ports.map(port => port.fixed_ips[0].ip_address)
    expect(text.replaceAll(/ <[0-9a-f-]{36}>/g, '').replaceAll(' here', '')).toBe(
      `
${one} (az1)
├─ network net1
│  └─ subnet 10.0.1.0/24  sub1  gateway ${gateway1}
│     ├─ port  10.0.1.1  network:router_interface  ACTIVE
│     └─ port port1  ${ip1}  DOWN
└─ router r
   ├─ bridge ${bridge1}
   ├─ interface ${gateway1} in 10.0.1.0/24
   ├─ route 0.0.0.0/0 via 100.0.0.1
   └─ route 10.0.2.0/24 via 100.0.0.1
${two} (az2)
├─ external network ext
│  └─ subnet 163.3.124.0/24  ext-sub  gateway 163.3.124.1
├─ network net2
│  └─ subnet 10.0.2.0/24  sub2  gateway ${gateway2}
│     ├─ port  10.0.2.1  network:router_interface  ACTIVE
│     └─ port port2  ${ip2}  DOWN
├─ router r
│  ├─ gateway ${router.external_gateway_info.external_fixed_ips[0].ip_address} on ext
│  ├─ bridge 100.0.0.1
│  ├─ interface ${gateway2} in 10.0.2.0/24
│  ├─ route 10.0.1.0/25 via ${bridge1}
│  └─ route 10.0.1.128/25 via ${bridge1}
└─ floating IP ${floatingIp.floating_ip_address}  to ${ip1}  ${floatingIp.status}
Links
└─ router r  ${one} ${bridge1} (10.0.1.0/24) <-> ${two} 100.0.0.1 (10.0.2.0/24, 0.0.0.0/0)
Nowhere yet
├─ network net3
│  └─ subnet 10.0.3.0/24  sub3  gateway 10.0.3.1
└─ port port3  of network  ${reserved}  DOWN`.trim(),
    )
  })

  it('is JSON to programs', async () => {
    const { regions, links, nowhere, jobs } = await see(w.demo)
    const ok = { state: 'ok', error: null, job_id: null }
    const copy = await copyIn(one)
    expect(regions[0]).toEqual({
      name: one,
      availability_zone: 'az1',
      ...ok,
      suspicions: [],
      networks: [
        {
          id: networks[0].id,
          regional_id: expect.not.stringContaining(networks[0].id),
          project_id: w.demo.projectId,
          name: 'net1',
          external: false,
          ...ok,
          subnets: [expect.objectContaining({ id: subnets[0].id, name: 'sub1', cidr: '10.0.1.0/24' })],
          port_count: 2,
          ports: null,
        },
      ],
      routers: [
        {
          id: router.id,
          regional_id: copy.id,
          project_id: w.demo.projectId,
          name: 'r',
          ...ok,
          gateway: null,
          bridge_address: await bridgeOf(one),
          interfaces: [expect.objectContaining({ subnet_id: subnets[0].id, cidr: '10.0.1.0/24' })],
          routes: expect.any(Array),
        },
      ],
      floating_ips: [],
    })
    expect(links).toEqual([
      {
        router_id: router.id,
        router_name: 'r',
        bridge: '100.0.0.0/24',
        ...ok,
        ends: [
          { region: one, ip_address: await bridgeOf(one), cidrs: ['10.0.1.0/24'] },
          { region: two, ip_address: '100.0.0.1', cidrs: ['10.0.2.0/24', '0.0.0.0/0'] },
        ],
      },
    ])
    expect(nowhere).toMatchObject({
      networks: [{ id: networks[2].id }],
      routers: [],
      port_count: 1,
      ports: null,
    })
    expect(jobs).toEqual([])
  })

  it('has the routes that the regions have', async () => {
    for (const { name, routers } of (await see(w.demo)).regions) {
      const there = (await copyIn(name)).routes.map(route => `${route.destination} ${route.nextHop}`)
      const wanted = routers[0]!.routes.map(route => `${route.destination} ${route.next_hop}`)
      expect(wanted.toSorted(), name).toEqual(there.toSorted())
    }
  })

  it('counts the ports where nobody asks for each', async () => {
    const text = printTopology(await see(w.demo))
    expect(text).toMatch(/network net1 .* {2}2 ports\n/)
    expect(text).toMatch(/└─ 1 reserved port$/)
    expect(text).not.toContain('port1')
  })
})

describe('a part of it', () => {
  it('is a region, with its ports and its links', async () => {
    const { regions, links, nowhere } = await see(w.demo, { region: one })
    expect(regions.map(({ name }) => name)).toEqual([one])
    expect(regions[0]!.networks[0]!.ports!.map(({ id }) => id)).toContain(ports[0].id)
    expect(links).toHaveLength(1)
    expect(nowhere).toEqual({ networks: [], routers: [], port_count: 0, ports: [] })
    expect((await see(w.demo, { region: one, ports: false })).regions[0]!.networks[0]).toMatchObject({
      port_count: 2,
      ports: null,
    })
  })

  it('is a network, with its ports, its routers and the floating IPs that lead to it', async () => {
    const { regions, nowhere } = await see(w.demo, { network: networks[0].id })
    expect(regions.flatMap(region => region.networks.map(({ name }) => name))).toEqual(['net1'])
    expect(regions[0]!.networks[0]!.ports).toHaveLength(2)
    expect(regions.map(({ routers }) => routers.length)).toEqual([1, 1])
    expect(regions[1]!.floating_ips).toHaveLength(1)
    expect(nowhere.networks).toEqual([])
    const other = await see(w.demo, { network: networks[2].id })
    expect(other.regions.flatMap(({ routers, floating_ips }) => [...routers, ...floating_ips])).toEqual([])
    expect(other.nowhere).toMatchObject({ networks: [{ name: 'net3' }], ports: [{ name: 'port3' }] })
  })

  it('is nothing that there is not', async () => {
    await expect(see(w.demo, { region: 'Pod9' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(see(w.demo, { network: router.id })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is no more than anyone could read', async () => {
    const list = async () => Array(10_001).fill({})
    const store = { ...w.app.store, networks: { ...w.app.store.networks, list: list as never } }
    await expect(topology({ ...w.app, store }, w.admin, everything)).rejects.toMatchObject({
      code: 'invalid',
      detail: { reason: 'too_many' },
      message: expect.stringMatching(/^There are more than 10000 networks to show: name a network or/),
    })
  })
})

describe('what is another project’s', () => {
  let shared: Json
  let secret: Json
  beforeAll(async () => {
    const post = (kind: string, fields: object) => w.admin.make(kind, fields)
    const there = { 'binding:profile': { region: one } }
    shared = await post('network', { name: 'for-all', shared: true })
    await post('subnet', { network_id: shared.id, ip_version: 4, cidr: '10.9.0.0/24' })
    await post('port', { name: 'secret', network_id: shared.id, ...there })
    secret = await post('network', { name: 'secret' })
    await post('subnet', { name: 'secret', network_id: secret.id, ip_version: 4, cidr: '10.8.0.0/24' })
    await post('port', { name: 'secret', network_id: secret.id })
    await post('router', { name: 'secret' })
    await w.settle()
  })

  it('is neither shown nor counted', async () => {
    const seen = await see(w.demo, { ports: true })
    expect(JSON.stringify(seen)).not.toContain('secret')
    expect(seen.nowhere.port_count).toBe(1)
    const counted = await see(w.demo)
    const sizes = (view: typeof seen) =>
      view.regions[0]!.networks.map(({ name, port_count }) => `${name} ${port_count}`)
    expect(sizes(seen)).toEqual(['for-all 0', 'net1 2'])
    expect(sizes(counted)).toEqual(['for-all 0', 'net1 2'])
    expect(counted.nowhere.port_count).toBe(1)
    await expect(see(w.demo, { network: secret.id })).rejects.toMatchObject({ code: 'not_found' })
    await expect(see(w.demo, { project: w.admin.projectId })).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('is shown to an admin, or one project as that sees it', async () => {
    const all = await see(w.admin)
    expect(all.regions[0]!.networks.map(({ name, port_count }) => `${name} ${port_count}`)).toEqual([
      'for-all 1',
      'net1 2',
    ])
    expect(all.nowhere.networks.map(({ name }) => name)).toEqual(['net3', 'secret'])
    expect(all.nowhere.routers.map(({ name }) => name)).toEqual(['secret'])
    expect(all.nowhere.port_count).toBe(2)
    expect(await see(w.admin, { project: w.demo.projectId })).toEqual(await see(w.demo))
  })
})

describe('the state', () => {
  const networkThere = async () => {
    const [region] = (await see(w.demo)).regions
    return { region: region!, network: region!.networks.find(({ name }) => name.startsWith('net1'))! }
  }
  const rename = (name: string) =>
    w.demo.change(`/networks/${networks[0].id}`, { network: { description: name } })

  it('is pending while a job waits', async () => {
    await w.stopWork()
    await rename('waits')
    const { region, network } = await networkThere()
    expect([region.state, network.state, network.error]).toEqual(['pending', 'pending', null])
    expect(await w.app.store.jobs.get(network.job_id!)).toMatchObject({ type: 'update_network' })
    await w.startWork()
    await w.settle()
    expect((await networkThere()).network.state).toBe('ok')
  })

  it('is failed, with the error, while a job has failed', async () => {
    w.cloud.faults.add({ kind: 'status', status: 503, region: one, method: 'PUT', path: '/v2.0/networks/*' })
    await rename('fails')
    const state = async () => (await networkThere()).network.state
    await until(async () => (await state()) === 'failed', { what: 'it is failed', seen: state })
    const { region, network } = await networkThere()
    expect(region.state).toBe('failed')
    expect(network.error).toContain('503')
    const text = printTopology(await see(w.demo))
    expect(text).toContain(`${one} (az1)  [failed]\n`)
    expect(text).toContain(`[failed: ${network.error}; job ${network.job_id}]\n`)
    w.cloud.faults.clear()
    await w.settle()
    expect((await networkThere()).network.state).toBe('ok')
  })

  it('of a router that may have fewer routes than it needs is failed', async () => {
    const limits = { routes: 0, hostRoutes: 20, rules: 100 }
    const rules = { ...w.app.networkRules, limitsOf: () => limits }
    const { regions, links } = await topology({ ...w.app, networkRules: rules }, w.demo, everything)
    expect(regions[0]!.routers[0]).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('may have 0'),
      routes: [],
    })
    expect(links[0]!.state).toBe('failed')
  })

  it('of a job that is about nothing of the tree is told beside it', async () => {
    await w.stopWork()
    const projectId = w.demo.projectId!
    await createJob(w.app, w.demo, {
      projectId,
      type: 'seg_rule_setup',
      resource: { project_id: projectId },
    })
    const { jobs } = await see(w.demo)
    expect(jobs.map(({ type, status }) => [type, status])).toEqual([['seg_rule_setup', 'NEW']])
    expect((await see(w.demo, { network: networks[0].id })).jobs).toEqual([])
    await w.startWork()
    await w.settle()
  })
})

it('has a router that lives in one region as its user has it', async () => {
  const here = { availability_zone_hints: [one] }
  const network = await w.demo.make('network', { name: 'home', ...here })
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.7.0.0/24' }
  const { id: subnet_id } = await w.demo.make('subnet', subnet)
  const { id } = await w.demo.make('router', { name: 'home', ...here })
  await w.demo.change(`/routers/${id}/add_router_interface`, { subnet_id })
  const routes = [{ destination: '172.16.0.0/16', nexthop: '10.7.0.9' }]
  await w.demo.change(`/routers/${id}`, { router: { routes } })
  await w.settle()
  const { regions, links } = await see(w.demo, { network: network.id })
  expect(regions.map(region => region.routers.length)).toEqual([1, 0])
  expect(regions[0]!.routers[0]).toMatchObject({
    id,
    regional_id: id,
    state: 'ok',
    bridge_address: null,
    interfaces: [{ cidr: '10.7.0.0/24', ip_address: '10.7.0.1' }],
    routes: [{ destination: '172.16.0.0/16', next_hop: '10.7.0.9' }],
  })
  expect(links).toEqual([])
})

it('prints nothing that would move a cursor', async () => {
  await w.demo.change(`/routers/${router.id}`, { router: { name: 'r\u001b[2J\u202e' } })
  const text = printTopology(await see(w.demo))
  expect(text).toContain('router r\ufffd[2J\ufffd')
  expect(text).not.toContain('\u001b')
})
