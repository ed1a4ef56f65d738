// Ports: what they look like, what may be said of them and by whom, and how they are found by their addresses.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
let network_id: string
let subnet_id: string
beforeAll(async () => {
  network_id = (await w.demo.make('network')).id
  // What is picked at random is apart from the addresses that tests name.
  const pools = { allocation_pools: [{ start: '10.0.0.110', end: '10.0.0.190' }] }
  subnet_id = (await w.demo.make('subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24', ...pools })).id
})

const make = (fields: object = {}, who = w.demo) => who.make('port', { network_id, ...fields })
const refused = async (fields: object, who = w.demo) =>
  errorOf(await who.post('/ports', { port: { network_id, ...fields } }))

describe('a port', () => {
  it('is made with defaults, and shows a member nothing of its host', async () => {
    const made = await make()
    const project_id = w.cloud.keystone.projectId('demo')
    expect(made).toEqual({
      id: expect.any(String),
      name: '',
      description: '',
      project_id,
      tenant_id: project_id,
      network_id,
      admin_state_up: true,
      mac_address: expect.stringMatching(/^fa:16:3e:/),
      fixed_ips: [{ subnet_id, ip_address: expect.stringMatching(/^10\.0\.0\.\d+$/) }],
      device_id: '',
      device_owner: '',
      status: 'DOWN',
      allowed_address_pairs: [],
      security_groups: [expect.any(String)],
      port_security_enabled: true,
      extra_dhcp_opts: [],
      ip_allocation: 'immediate',
      'binding:vnic_type': 'normal',
      'binding:profile': {},
      qos_policy_id: null,
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [],
    })
    expect((await w.admin.get(`/ports/${made.id}`)).json.port).toEqual({
      ...made,
      'binding:host_id': '',
      'binding:vif_type': 'unbound',
      'binding:vif_details': {},
      resource_request: null,
    })
  })

  it('is as it was asked for', async () => {
    const [group] = (await w.demo.get('/security-groups?name=default')).json.security_groups
    const asked = {
      name: 'p',
      fixed_ips: [{ ip_address: '10.0.0.50' }],
      device_id: 'server',
      device_owner: 'compute:nova',
      admin_state_up: false,
      'binding:vnic_type': 'direct',
    }
    const made = await make({
      ...asked,
      mac_address: '02-AA-00-00-00-01',
      security_groups: [group.id],
      allowed_address_pairs: [
        { ip_address: '10.0.0.99' },
        { ip_address: '1.2.3.0/24', mac_address: '02:00:00:00:00:09' },
      ],
    })
    expect(made).toMatchObject({
      ...asked,
      fixed_ips: [{ ip_address: '10.0.0.50', subnet_id }],
      mac_address: '02:aa:00:00:00:01',
      security_groups: [group.id],
      allowed_address_pairs: [
        { ip_address: '10.0.0.99', mac_address: '02:aa:00:00:00:01' },
        { ip_address: '1.2.3.0/24', mac_address: '02:00:00:00:00:09' },
      ],
    })
  })

  it('may have no address at all', async () => {
    expect(await make({ fixed_ips: [] })).toMatchObject({ fixed_ips: [], ip_allocation: 'none' })
  })

  it('is placed in the region that its member names, and shows where it is', async () => {
    const made = await make({
      'binding:profile': { region: 'Pod1' },
      allowed_address_pairs: [{ ip_address: '10.0.0.0/28' }],
    })
    expect(made['atoll:regions']).toEqual([{ region: 'Pod1', id: made.id }])
    expect(made['binding:profile']).toEqual({ region: 'Pod1' })
    expect(
      w.cloud.neutrons
        .get('Pod1')!
        .ports()
        .map(({ id }) => id),
    ).toContain(made.id)
    const { json } = await w.demo.get('/ports?atoll:regions=Pod1&fields=id')
    expect(json.ports).toEqual([{ id: made.id }])
  })

  it('is placed where its host is, whatever region its profile names', async () => {
    const { host } = w.neutron('Pod2').agents()[0]!
    const made = await make({ 'binding:host_id': host, 'binding:profile': { region: 'Pod1' } }, w.admin)
    expect(made['atoll:regions']).toEqual([{ region: 'Pod2', id: made.id }])
  })

  it('shows its member the region of its profile, and its admin all of it', async () => {
    const { id } = await make({})
    const profile = { region: 'Pod1', trusted: 'yes' }
    expect((await w.admin.put(`/ports/${id}`, { port: { 'binding:profile': profile } })).status).toBe(200)
    const seen = async (by: typeof w.demo) => (await by.get(`/ports/${id}`)).json.port['binding:profile']
    expect([await seen(w.demo), await seen(w.admin)]).toEqual([{ region: 'Pod1' }, profile])
  })

  it('that has a floating IP is placed where the way out is', async () => {
    const zone = { availability_zone_hints: ['Pod1'] }
    const outside = await w.admin.make('network', { 'router:external': true, ...zone })
    const range = { network_id: outside.id, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false }
    await w.admin.make('subnet', range)
    const router = await w.demo.make('router', { external_gateway_info: { network_id: outside.id } })
    const network = await w.demo.make('network')
    const spec = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' }
    const subnet = await w.demo.make('subnet', spec)
    await w.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const { id } = await make({ network_id: network.id })
    await w.demo.make('floatingip', { floating_network_id: outside.id, port_id: id })
    const { status, json } = await w.demo.put(`/ports/${id}`, {
      port: { 'binding:profile': { region: 'Pod1' } },
    })
    expect([status, json.port['atoll:regions']]).toEqual([200, [{ region: 'Pod1', id: expect.any(String) }]])
  })

  it('is changed, and removed', async () => {
    const { id } = await make({ name: 'before' })
    const change = { name: 'after', device_id: 'd', allowed_address_pairs: [], security_groups: [] }
    const { json } = await w.demo.put(`/ports/${id}`, { port: change })
    expect(json.port).toMatchObject({ ...change, revision_number: 2 })
    expect((await w.demo.del(`/ports/${id}`)).status).toBe(204)
    expect(errorOf(await w.demo.get(`/ports/${id}`))[1]).toBe('PortNotFound')
  })
})

describe('what may be said of a port', () => {
  const bad = 'HTTPBadRequest'
  const ips = (...fixed_ips: unknown[]) => ({ fixed_ips })
  const pairs = (...allowed_address_pairs: unknown[]) => ({ allowed_address_pairs })
  it.each([
    [{ mac_address: 'x' }, bad, "Invalid input for mac_address. Reason: 'x' is not a valid MAC address."],
    [{ mac_address: '00:00:00:00:00:00' }, bad, /is not a valid MAC address/],
    [{ mac_address: 5 }, bad, /^Invalid input for mac_address/],
    [{ fixed_ips: 'x' }, bad, "Invalid input for fixed_ips. Reason: Invalid data format for fixed IP: 'x'."],
    [
      { fixed_ips: null },
      bad,
      "Invalid input for fixed_ips. Reason: Invalid data format for fixed IP: 'None'.",
    ],
    [ips('x'), bad, /^Invalid input for fixed_ips/],
    [ips({}), 'InvalidInput', 'Invalid input for operation: IP allocation requires subnet_id or ip_address.'],
    [ips({ ip_address: 'x' }), bad, "Invalid input for fixed_ips. Reason: 'x' is not a valid IP address."],
    [ips({ subnet_id: 'x' }), bad, "Invalid input for fixed_ips. Reason: 'x' is not a valid UUID."],
    [ips({ subnet_id: randomUUID(), more: 1 }), bad, /Unexpected keys supplied: more/],
    [
      ips({ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.9' }),
      bad,
      "Invalid input for fixed_ips. Reason: Duplicate IP address '10.0.0.9'.",
    ],
    [{ security_groups: 'x' }, bad, "Invalid input for security_groups. Reason: 'x' is not a list."],
    [{ security_groups: ['x'] }, bad, "Invalid input for security_groups. Reason: 'x' is not a valid UUID."],
    [{ allowed_address_pairs: 'x' }, bad, 'Allowed address pairs must be a list.'],
    [pairs(1), bad, "Invalid input for allowed_address_pairs. Reason: '1' is not a dictionary."],
    [pairs({}), 'AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address'],
    [pairs({ ip_address: 'x' }), bad, /'x' is not a valid IP address/],
    [pairs({ ip_address: '1.1.1.1', more: 1 }), bad, "Unrecognized attribute(s) 'more'"],
    [
      pairs({ ip_address: '1.1.1.1' }, { ip_address: '1.1.1.1' }),
      'DuplicateAddressPairInRequest',
      'Request contains duplicate address pair: mac_address None ip_address 1.1.1.1.',
    ],
    [
      pairs(...Array.from({ length: 11 }, (_, i) => ({ ip_address: `1.1.1.${i}` }))),
      'AllowedAddressPairExhausted',
      'The number of allowed address pair exceeds the maximum 10.',
    ],
    [
      { 'binding:vnic_type': 'x' },
      bad,
      'Invalid input for binding:vnic_type. Reason: x is not in valid_values.',
    ],
    [{ extra_dhcp_opts: [{}] }, 'BadRequest', 'extra_dhcp_opts is not offered here: leave it out'],
    [{ qos_policy_id: randomUUID() }, 'BadRequest', 'qos_policy_id is not offered here: leave it out'],
    [{ device_id: 'x'.repeat(256) }, bad, /exceeds maximum length of 255/],
    [{ status: 'ACTIVE' }, bad, "Attribute 'status' not allowed in POST"],
    [{ 'binding:vif_type': 'ovs' }, bad, "Attribute 'binding:vif_type' not allowed in POST"],
    [
      { network_id: undefined },
      bad,
      "Failed to parse request. Required attribute 'network_id' not specified",
    ],
  ] as const)('is not %j', async (fields, type, message) => {
    const sentence = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(await refused(fields)).toEqual([400, type, sentence])
  })

  it('fits its network', async () => {
    await make(ips({ ip_address: '10.0.0.200' }))
    expect((await refused(ips({ ip_address: '10.0.0.200' }))).slice(0, 2)).toEqual([
      409,
      'IpAddressAlreadyAllocated',
    ])
    expect((await refused(ips({ ip_address: '10.9.0.1' }))).slice(0, 2)).toEqual([400, 'InvalidIpForNetwork'])
    expect((await refused(ips({ ip_address: '10.9.0.1', subnet_id }))).slice(0, 2)).toEqual([
      400,
      'InvalidIpForSubnet',
    ])
    expect((await refused({ network_id: randomUUID() })).slice(0, 2)).toEqual([404, 'NetworkNotFound'])
    expect((await refused({ security_groups: [randomUUID()] })).slice(0, 2)).toEqual([
      404,
      'SecurityGroupNotFound',
    ])
    await make({ mac_address: '02:00:00:00:00:77' })
    expect((await refused({ mac_address: '02:00:00:00:00:77' })).slice(0, 2)).toEqual([
      409,
      'MacAddressInUse',
    ])
  })

  it.each([
    [{ 'binding:host_id': 'h' }],
    [{ 'binding:profile': { region: 'Pod1', more: 1 } }],
    [{ 'binding:profile': { other: 'x' } }],
    [{ 'binding:profile': { region: 5 } }],
    [{ device_owner: 'network:router_interface' }],
    [{ device_owner: 'network:dhcp' }],
  ])('is said by admins only: %j', async fields => {
    const [name] = Object.keys(fields)
    const message = `(rule:create_port and rule:create_port:${name}) is disallowed by policy`
    expect(await refused(fields)).toEqual([403, 'PolicyNotAuthorized', message])
    const { id } = await make()
    const reply = await w.demo.put(`/ports/${id}`, { port: fields })
    expect(errorOf(reply)).toEqual([403, 'PolicyNotAuthorized', message.replaceAll('create', 'update')])
  })

  it('by a member of where it is bound is the region, and that it is what it is anyway', async () => {
    const usual = { 'binding:profile': {}, 'binding:host_id': '', 'binding:vnic_type': 'normal' }
    expect((await make(usual)).id).toBeTypeOf('string')
    expect((await refused({ 'binding:profile': { region: 'Nowhere' } })).slice(0, 2)).toEqual([
      400,
      'BadRequest',
    ])
  })
})

describe('a port on another project’s shared network', () => {
  it('is as the network gives it: to choose is its owner’s', async () => {
    const shared = await w.admin.make('network', { name: 'for-all', shared: true })
    const subnet = { network_id: shared.id, ip_version: 4, cidr: '10.44.0.0/24' }
    const pools = { allocation_pools: [{ start: '10.44.0.100', end: '10.44.0.200' }] }
    await w.admin.make('subnet', { ...subnet, ...pools })
    const port = await w.demo.make('port', { network_id: shared.id })
    for (const [field, value] of [
      ['mac_address', 'fa:16:3e:00:00:01'],
      ['fixed_ips', [{ ip_address: '10.44.0.77' }]],
      ['allowed_address_pairs', [{ ip_address: '10.44.0.78' }]],
      ['port_security_enabled', false],
    ] as const) {
      const made = await w.demo.post('/ports', { port: { network_id: shared.id, [field]: value } })
      const changed = await w.demo.put(`/ports/${port.id}`, { port: { [field]: value } })
      expect([field, made.status, changed.status]).toEqual([field, 403, 403])
      expect(made.json.NeutronError.type).toBe('PolicyNotAuthorized')
    }
    const put = await w.demo.put(`/networks/${shared.id}`, { network: { name: 'mine now' } })
    expect(put.status).toBe(403)
    const extra = { subnet: { ...subnet, cidr: '10.45.0.0/24' } }
    expect((await w.demo.post('/subnets', extra)).status).toBe(403)
    const owners = { network_id: shared.id, fixed_ips: [{ ip_address: '10.44.0.77' }] }
    expect((await w.admin.post('/ports', { port: owners })).status).toBe(201)
  })
})

describe('a list of ports', () => {
  it('is filtered by their addresses: any value of a key, and all keys', async () => {
    const [one, two] = [
      await make({ name: 'x', fixed_ips: [{ ip_address: '10.0.0.100' }] }),
      await make({ name: 'x', fixed_ips: [{ ip_address: '10.0.0.101' }] }),
    ]
    const found = async (query: string): Promise<string[]> => {
      const { json } = await w.demo.get(`/ports?name=x&${query}`)
      return json.ports.map(({ id }: { id: string }) => id).sort()
    }
    const both = [one.id, two.id].sort()
    expect(await found('fixed_ips=ip_address=10.0.0.100')).toEqual([one.id])
    expect(await found('fixed_ips=ip_address=10.0.0.100&fixed_ips=ip_address%3D10.0.0.101')).toEqual(both)
    expect(await found('fixed_ips=ip_address_substr=0.0.10')).toEqual(both)
    expect(await found(`fixed_ips=subnet_id=${subnet_id}`)).toEqual(both)
    expect(await found(`fixed_ips=subnet_id=${subnet_id}&fixed_ips=ip_address=10.0.0.101`)).toEqual([two.id])
    expect(await found(`fixed_ips=subnet_id=${randomUUID()}`)).toEqual([])
    expect(errorOf(await w.demo.get('/ports?fixed_ips=bogus'))).toEqual([
      400,
      'InvalidInput',
      "Invalid input for operation: 'bogus' is not of the form <key>=[value].",
    ])
  })

  it('is filtered by MAC, device and groups', async () => {
    const made = await make({ mac_address: '02:00:00:00:00:42', device_id: 'box' })
    for (const query of [
      'mac_address=02-00-00-00-00-42',
      'device_id=box&device_owner=',
      `security_groups=${made.security_groups[0]}&device_id=box`,
      'port_security_enabled=true&device_id=box',
    ])
      expect((await w.demo.get(`/ports?${query}&fields=id`)).json.ports, query).toEqual([{ id: made.id }])
    expect(errorOf(await w.demo.get('/ports?binding:host_id=h'))[0]).toBe(403)
    expect((await w.admin.get('/ports?binding:host_id=h')).json.ports).toEqual([])
  })
})
