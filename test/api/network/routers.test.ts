// Routers, their interfaces and floating IPs: what they look like, what may be said of them and by whom.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
const alt = w.person('alt', ['member'])
let outside: string
let outsideSubnet: string
let subnet_id: string
let network_id: string
beforeAll(async () => {
  const external = { 'router:external': true, availability_zone_hints: ['Pod1'] }
  outside = (await w.admin.make('network', { name: 'outside', ...external })).id
  const asked = { network_id: outside, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false }
  outsideSubnet = (await w.admin.make('subnet', asked)).id
  network_id = (await w.demo.make('network')).id
  subnet_id = (await w.demo.make('subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24' })).id
})

const own = () => w.cloud.keystone.projectId('demo')

describe('a router', () => {
  it('is made with defaults, and shows a member no more than is theirs to know', async () => {
    const made = await w.demo.make('router')
    expect(made).toEqual({
      id: expect.any(String),
      name: '',
      description: '',
      project_id: own(),
      tenant_id: own(),
      admin_state_up: true,
      status: 'ACTIVE',
      external_gateway_info: null,
      routes: [],
      flavor_id: null,
      availability_zones: [],
      availability_zone_hints: [],
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [],
    })
    const { json } = await w.admin.get(`/routers/${made.id}`)
    expect(json.router).toEqual({ ...made, ha: false, distributed: false })
  })

  it('gets a gateway, and gives it up', async () => {
    const { id } = await w.demo.make('router', { name: 'r' })
    const set = (gateway: unknown) =>
      w.demo.put(`/routers/${id}`, { router: { external_gateway_info: gateway } })
    const { json } = await set({ network_id: outside })
    expect(json.router.external_gateway_info).toEqual({
      network_id: outside,
      enable_snat: true,
      external_fixed_ips: expect.any(Array),
    })
    expect((await set(null)).json.router.external_gateway_info).toBeNull()
    expect((await set({ network_id: outside })).status).toBe(200)
    expect((await set({})).json.router.external_gateway_info).toBeNull()
    expect(errorOf(await set({ network_id })).slice(0, 2)).toEqual([400, 'BadRequest'])
    expect(errorOf(await set({ network_id: randomUUID() })).slice(0, 2)).toEqual([404, 'NetworkNotFound'])
    expect((await w.demo.del(`/routers/${id}`)).status).toBe(204)
  })

  it('has interfaces', async () => {
    const router = await w.demo.make('router')
    const ask = (action: string, body: object, who = w.demo) =>
      who.put(`/routers/${router.id}/${action}`, body)
    const added = await ask('add_router_interface', { subnet_id })
    expect([added.status, added.json]).toEqual([
      200,
      {
        id: router.id,
        project_id: own(),
        tenant_id: own(),
        port_id: expect.any(String),
        network_id,
        subnet_id,
        subnet_ids: [subnet_id],
      },
    ])
    expect(errorOf(await w.demo.del(`/routers/${router.id}`)).slice(0, 2)).toEqual([409, 'RouterInUse'])
    const removed = await ask('remove_router_interface', { subnet_id })
    expect([removed.status, removed.json]).toEqual([200, added.json])
    expect((await w.demo.del(`/routers/${router.id}`)).status).toBe(204)
  })

  it.each([
    ['add_router_interface', {}, 'Bad router request: Either subnet_id or port_id must be specified.'],
    ['add_router_interface', { subnet_id: 'x' }, "Bad router request: 'x' is not a valid UUID."],
    [
      'add_router_interface',
      { subnet_id: randomUUID(), port_id: randomUUID() },
      'Bad router request: Cannot specify both subnet-id and port-id.',
    ],
    ['remove_router_interface', {}, 'Bad router request: Either subnet_id or port_id must be specified.'],
  ])('takes by %s one subnet or one port: not %j', async (action, body, message) => {
    const { id } = await w.demo.make('router')
    expect(errorOf(await w.demo.put(`/routers/${id}/${action}`, body))).toEqual([400, 'BadRequest', message])
    await w.demo.del(`/routers/${id}`)
  })

  it('takes no interface of what is not there', async () => {
    const { id } = await w.demo.make('router')
    const add = async (body: object, who = w.demo) =>
      errorOf(await who.put(`/routers/${id}/add_router_interface`, body)).slice(0, 2)
    expect(await add({ subnet_id: randomUUID() })).toEqual([404, 'SubnetNotFound'])
    expect(await add({ port_id: randomUUID() })).toEqual([404, 'PortNotFound'])
    expect(await add({ subnet_id }, alt)).toEqual([404, 'RouterNotFound'])
    await w.demo.del(`/routers/${id}`)
  })
})

describe('the routes of a router', () => {
  const routes = (...nets: number[]) =>
    nets.map(net => ({ destination: `192.168.${net}.0/24`, nexthop: '10.0.0.9' }))
  const destinations = (of: { destination: string }[]) => of.map(({ destination }) => destination).sort()

  it('are set, added to and taken from', async () => {
    const { id } = await w.demo.make('router')
    await w.demo.put(`/routers/${id}/add_router_interface`, { subnet_id })
    const set = await w.demo.put(`/routers/${id}`, { router: { routes: routes(1) } })
    expect([set.status, set.json.router.routes]).toEqual([200, routes(1)])
    const act = (action: string, ...nets: number[]) =>
      w.demo.put(`/routers/${id}/${action}`, { router: { routes: routes(...nets) } })
    // At once: none of them undoes another.
    const added = await Promise.all([act('add_extraroutes', 1, 2), act('add_extraroutes', 3)])
    expect(added.map(({ status }) => status)).toEqual([200, 200])
    const removed = await act('remove_extraroutes', 2, 9)
    expect(destinations(removed.json.router.routes)).toEqual(['192.168.1.0/24', '192.168.3.0/24'])
    expect((await w.demo.put(`/routers/${id}`, { router: { routes: null } })).json.router.routes).toEqual([])
    await w.demo.put(`/routers/${id}/remove_router_interface`, { subnet_id })
    await w.demo.del(`/routers/${id}`)
  })
})

describe('what may be said of a router', () => {
  const bad = 'HTTPBadRequest'
  const gateway = (external_gateway_info: unknown) => ({ external_gateway_info })
  it.each([
    [{ routes: [] }, bad, "Attribute 'routes' not allowed in POST"],
    [{ bogus: 1 }, bad, "Unrecognized attribute(s) 'bogus'"],
    [gateway('x'), bad, "Invalid input for external_gateway_info. Reason: 'x' is not a dictionary."],
    [
      gateway({ network_id: 'x' }),
      bad,
      "Invalid input for external_gateway_info. Reason: 'x' is not a valid UUID.",
    ],
    [
      gateway({ network_id: randomUUID(), bogus: 'x' }),
      bad,
      'Invalid input for external_gateway_info. Reason: Unexpected keys supplied: bogus.',
    ],
    [
      gateway({ enable_snat: true }),
      bad,
      "Invalid input for external_gateway_info. Reason: Validation of dictionary's keys failed. Expected keys: {'network_id'} Provided keys: {'enable_snat'}.",
    ],
    [{ flavor_id: randomUUID() }, 'BadRequest', 'flavor_id is not offered here: leave it out'],
    [
      { availability_zone_hints: 'x' },
      bad,
      "Invalid input for availability_zone_hints. Reason: 'x' is not a list.",
    ],
  ])('is not %j', async (fields, type, message) => {
    expect(errorOf(await w.demo.post('/routers', { router: fields }))).toEqual([400, type, message])
  })

  it('of its kind and of its gateway’s details is said by admins only', async () => {
    const { id } = await w.demo.make('router')
    const change = async (fields: object) => errorOf(await w.demo.put(`/routers/${id}`, { router: fields }))
    const rule = 'rule:update_router'
    expect(await change({ ha: true })).toEqual([
      403,
      'PolicyNotAuthorized',
      `(${rule} and ${rule}:ha) is disallowed by policy`,
    ])
    expect(await change(gateway({ network_id: outside, enable_snat: true }))).toEqual([
      403,
      'PolicyNotAuthorized',
      `(${rule} and ${rule}:external_gateway_info:enable_snat) is disallowed by policy`,
    ])
    expect((await change(gateway({ network_id: outside, external_fixed_ips: [] })))[0]).toBe(403)
    const { json } = await w.admin.put(`/routers/${id}`, {
      router: gateway({
        network_id: outside,
        enable_snat: false,
        external_fixed_ips: [{ subnet_id: outsideSubnet, ip_address: '203.0.113.77' }],
      }),
    })
    expect(json.router.external_gateway_info).toMatchObject({ network_id: outside, enable_snat: false })
    await w.demo.del(`/routers/${id}`)
  })
})

describe('a floating IP', () => {
  it('is made with an address of the network outside, and leads nowhere', async () => {
    const made = await w.demo.make('floatingip', { floating_network_id: outside, description: 'd' })
    expect(made).toEqual({
      id: expect.any(String),
      description: 'd',
      project_id: own(),
      tenant_id: own(),
      floating_network_id: outside,
      floating_ip_address: expect.stringMatching(/^203\.0\.113\./),
      port_id: null,
      fixed_ip_address: null,
      router_id: null,
      status: 'DOWN',
      qos_policy_id: null,
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [{ region: 'Pod1', id: made.id }],
    })
    const query = `floating_ip_address=${made.floating_ip_address}&fields=id`
    expect((await w.demo.get(`/floatingips?${query}`)).json.floatingips).toEqual([{ id: made.id }])
    expect((await alt.get(`/floatingips?${query}`)).json.floatingips).toEqual([])
    expect((await w.demo.del(`/floatingips/${made.id}`)).status).toBe(204)
  })

  it('leads to a port behind a router of its network', async () => {
    const router = await w.demo.make('router', { external_gateway_info: { network_id: outside } })
    await w.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id })
    const port = await w.demo.make('port', { network_id, 'binding:profile': { region: 'Pod1' } })
    const { id } = await w.demo.make('floatingip', { floating_network_id: outside })
    const { status, json } = await w.demo.put(`/floatingips/${id}`, { floatingip: { port_id: port.id } })
    expect([status, json.floatingip]).toMatchObject([
      200,
      { port_id: port.id, fixed_ip_address: port.fixed_ips[0].ip_address, router_id: router.id },
    ])
    const gone = await w.demo.put(`/floatingips/${id}`, { floatingip: { port_id: null } })
    expect(gone.json.floatingip).toMatchObject({ port_id: null, fixed_ip_address: null, router_id: null })
  })

  it.each([
    [{}, 400, 'HTTPBadRequest'],
    [{ floating_network_id: 'x' }, 400, 'HTTPBadRequest'],
    [{ floating_network_id: randomUUID() }, 404, 'NetworkNotFound'],
    [{ floating_network_id: 'inside' }, 400, 'BadRequest'],
    [{ floating_ip_address: '203.0.113.9' }, 403, 'PolicyNotAuthorized'],
    [{ router_id: randomUUID() }, 400, 'HTTPBadRequest'],
    [{ port_id: randomUUID() }, 404, 'PortNotFound'],
    [{ floating_ip_address: 'x' }, 400, 'HTTPBadRequest'],
  ])('is none of %j', async (fields, status, type) => {
    const inside = Object.values(fields).includes('inside')
    const where =
      Object.keys(fields).length === 0 || 'floating_network_id' in fields
        ? {}
        : { floating_network_id: outside }
    const floatingip = { ...where, ...fields, ...(inside ? { floating_network_id: network_id } : {}) }
    const reply = await w.demo.post('/floatingips', { floatingip })
    expect(errorOf(reply).slice(0, 2)).toEqual([status, type])
  })
})
