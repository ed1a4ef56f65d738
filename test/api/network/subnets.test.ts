// Subnets: what they look like, and what may be said of them.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true, settings: { ATOLL_REGIONS: '{Pod1: {host_routes: 2}}' } })
let network_id: string
beforeAll(async () => {
  network_id = (await w.demo.make('network')).id
})

let nets = 0
const cidr = (): string => `10.0.${nets++}.0/24`
const fields = (more: object = {}) => ({ network_id, ip_version: 4, cidr: cidr(), ...more })

describe('a subnet', () => {
  it('is made with defaults, and shows who sees it all of it but its segment', async () => {
    const network = (await w.demo.make('network')).id
    const made = await w.demo.make('subnet', { network_id: network, ip_version: '4', cidr: '10.1.2.3/24' })
    const project_id = w.cloud.keystone.projectId('demo')
    expect(made).toEqual({
      id: expect.any(String),
      name: '',
      description: '',
      project_id,
      tenant_id: project_id,
      network_id: network,
      ip_version: 4,
      cidr: '10.1.2.0/24',
      gateway_ip: '10.1.2.1',
      allocation_pools: [{ start: '10.1.2.2', end: '10.1.2.254' }],
      dns_nameservers: [],
      host_routes: [],
      enable_dhcp: true,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      service_types: [],
      subnetpool_id: null,
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [],
    })
    expect((await w.demo.get(`/subnets/${made.id}`)).json.subnet).toEqual(made)
    expect((await w.admin.get(`/subnets/${made.id}`)).json.subnet).toEqual({ ...made, segment_id: null })
    expect((await w.demo.get(`/networks/${network}`)).json.network.subnets).toEqual([made.id])
  })

  it('is as it was asked for', async () => {
    const asked = {
      name: 's',
      cidr: '10.77.0.0/24',
      gateway_ip: null,
      enable_dhcp: false,
      allocation_pools: [{ start: '10.77.0.10', end: '10.77.0.20' }],
      dns_nameservers: ['8.8.8.8', '9.9.9.9'],
      host_routes: [{ destination: '192.168.0.0/16', nexthop: '10.77.0.9' }],
    }
    const { id, ...made } = await w.demo.make('subnet', fields(asked))
    expect(made).toMatchObject(asked)
    const change = {
      gateway_ip: '10.77.0.254',
      dns_nameservers: null,
      host_routes: [],
      name: 't',
      enable_dhcp: true,
    }
    const { status, json } = await w.demo.put(`/subnets/${id}`, { subnet: change })
    expect(status).toBe(200)
    expect(json.subnet).toMatchObject({ ...change, dns_nameservers: [], revision_number: 2 })
    expect((await w.demo.del(`/subnets/${id}`)).status).toBe(204)
  })

  it('of IPv6 says how hosts get their addresses', async () => {
    const slaac = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }
    const made = await w.demo.make('subnet', fields({ ip_version: 6, cidr: '2001:DB8:0::/64', ...slaac }))
    expect(made).toMatchObject({ cidr: '2001:db8::/64', ...slaac })
  })

  it('is made with others or not at all', async () => {
    const subnets = [fields({ name: 'b1' }), fields({ name: 'b2' })]
    const { status, json } = await w.demo.post('/subnets', { subnets })
    expect([status, json.subnets.map(({ name }: { name: string }) => name)]).toEqual([201, ['b1', 'b2']])
  })
})

describe('what may be said of a subnet', () => {
  const bad = 'HTTPBadRequest'
  const pool = (start: unknown, end: unknown) => ({ allocation_pools: [{ start, end }] })
  const route = (destination: unknown, nexthop: unknown = '1.1.1.1') => ({
    host_routes: [{ destination, nexthop }],
  })
  it.each([
    [{ cidr: 'bogus' }, 'InvalidInput', 'Invalid input for operation: bogus is not in a CIDR format.'],
    [{ cidr: '10.0.0.0/33' }, 'InvalidInput', /10.0.0.0\/33 is not in a CIDR format/],
    [{ cidr: null }, 'InvalidInput', /None is not in a CIDR format/],
    [{ cidr: undefined }, bad, "Failed to parse request. Required attribute 'cidr' not specified"],
    [
      { network_id: undefined },
      bad,
      "Failed to parse request. Required attribute 'network_id' not specified",
    ],
    [{ network_id: 'x' }, bad, "Invalid input for network_id. Reason: 'x' is not a valid UUID."],
    [
      { ip_version: undefined },
      bad,
      "Failed to parse request. Required attribute 'ip_version' not specified",
    ],
    [{ ip_version: 5 }, bad, 'Invalid input for ip_version. Reason: 5 is not in valid_values.'],
    [{ ip_version: 'x' }, 'InvalidInput', "Invalid input for operation: 'x' is not an integer."],
    [{ gateway_ip: 'x' }, bad, "Invalid input for gateway_ip. Reason: 'x' is not a valid IP address."],
    [{ gateway_ip: '10.0.0.01' }, bad, /^Invalid input for gateway_ip/],
    [
      pool('10.0.0.1', 'zz'),
      bad,
      "Invalid input for allocation_pools. Reason: 'zz' is not a valid IP address.",
    ],
    [
      { allocation_pools: {} },
      bad,
      "Invalid input for allocation_pools. Reason: Invalid data format for IP pool: '{}'.",
    ],
    [
      { allocation_pools: [{ start: '10.0.0.1' }] },
      bad,
      /Validation of dictionary's keys failed. Expected keys/,
    ],
    [
      { dns_nameservers: ['8.8.8.8', '8.8.8.8'] },
      bad,
      "Invalid input for dns_nameservers. Reason: Duplicate nameserver '8.8.8.8'.",
    ],
    [
      { dns_nameservers: ['x'] },
      bad,
      "Invalid input for dns_nameservers. Reason: 'x' is not a valid nameserver. 'x' is not a valid IP address.",
    ],
    [
      { host_routes: 'x' },
      bad,
      "Invalid input for host_routes. Reason: Invalid data format for hostroute: 'x'.",
    ],
    [
      route('1.2.3.4/24'),
      bad,
      "Invalid input for host_routes. Reason: '1.2.3.4/24' is not a recognized CIDR, '1.2.3.0/24' is recommended.",
    ],
    [route('x'), bad, "Invalid input for host_routes. Reason: 'x' is not a valid CIDR."],
    [route('1.2.3.0/24', 'x'), bad, "Invalid input for host_routes. Reason: 'x' is not a valid IP address."],
    [{ host_routes: [1] }, bad, /'1' must be a dictionary with keys: \['destination', 'nexthop'\]/],
    [{ ipv6_ra_mode: 'x' }, bad, 'Invalid input for ipv6_ra_mode. Reason: x is not in valid_values.'],
    [{ enable_dhcp: 'x' }, 'InvalidInput', /cannot be converted to boolean/],
    [{ subnetpool_id: randomUUID() }, 'BadRequest', 'subnetpool_id is not offered here: leave it out'],
    [{ segment_id: randomUUID() }, 'BadRequest', 'segment_id is not offered here: leave it out'],
    [{ prefixlen: 26 }, 'BadRequest', 'prefixlen is not offered here: leave it out'],
    [
      { use_default_subnetpool: true },
      'BadRequest',
      'use_default_subnetpool is not offered here: leave it out',
    ],
    [{ service_types: ['compute:'] }, 'BadRequest', 'service_types is not offered here: leave it out'],
    [{ shared: true }, bad, "Attribute 'shared' not allowed in POST"],
    [{ bogus: 1 }, bad, "Unrecognized attribute(s) 'bogus'"],
  ] as const)('is not %j', async (more, type, message) => {
    const reply = await w.demo.post('/subnets', { subnet: fields(more) })
    const sentence = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(errorOf(reply)).toEqual([400, type, sentence])
  })

  it.each([
    [{ cidr: '10.200.0.0/24', ip_version: 6 }, 400, 'InvalidInput'],
    [{ cidr: '10.200.0.0/24', gateway_ip: '10.201.0.1' }, 400, 'InvalidInput'],
    [
      { cidr: '10.200.0.0/24', ...pool('10.200.0.1', '10.200.0.9') },
      409,
      'GatewayConflictWithAllocationPools',
    ],
    [{ cidr: '10.200.0.0/24', ...pool('10.201.0.1', '10.201.0.9') }, 400, 'InvalidAllocationPool'],
    [
      { cidr: '10.200.0.0/24', dns_nameservers: [1, 2, 3, 4, 5, 6].map(i => `1.1.1.${i}`) },
      400,
      'DNSNameServersExhausted',
    ],
    [{ cidr: '10.77.0.0/16', network_id: randomUUID() }, 404, 'NetworkNotFound'],
  ])('goes together: not %j', async (more, status, type) => {
    const reply = await w.demo.post('/subnets', { subnet: fields(more) })
    expect(errorOf(reply).slice(0, 2)).toEqual([status, type])
  })

  it('has no more host routes than every region takes where its network may be', async () => {
    const host_routes = [1, 2, 3].map(i => ({ destination: `10.${i}.0.0/16`, nexthop: '10.200.0.9' }))
    const asked = async (hints: string[], routes: typeof host_routes) => {
      const network = await w.demo.make('network', { availability_zone_hints: hints })
      const subnet = fields({ network_id: network.id, cidr: '10.200.0.0/24', host_routes: routes })
      const { status, json } = await w.demo.post('/subnets', { subnet })
      return json.NeutronError?.type ?? status
    }
    const refused = 'HostRoutesExhausted'
    expect(await asked([], host_routes)).toBe(refused)
    expect(await asked(['Pod1', 'Pod2'], host_routes)).toBe(refused)
    expect(await asked(['Pod1'], host_routes)).toBe(refused)
    expect(await asked(['Pod2'], host_routes)).toBe(201)
    expect(await asked([], host_routes.slice(1))).toBe(201)
  })

  it('is no CIDR that meets another one of the network', async () => {
    const { cidr } = await w.demo.make('subnet', fields())
    const reply = await w.demo.post('/subnets', { subnet: fields({ cidr }) })
    expect(errorOf(reply).slice(0, 2)).toEqual([400, 'InvalidInput'])
  })

  it('never changes in its network, its CIDR and its version', async () => {
    const { id } = await w.demo.make('subnet', fields())
    for (const [name, value] of Object.entries({ network_id, cidr: '10.0.0.0/24', ip_version: 4 })) {
      const reply = await w.demo.put(`/subnets/${id}`, { subnet: { [name]: value } })
      expect(errorOf(reply)).toEqual([400, 'HTTPBadRequest', `Cannot update read-only attribute ${name}`])
    }
  })
})

describe('a list of subnets', () => {
  it.each([
    ['gateway_ip=10.55.0.1', 1],
    ['gateway_ip=10.55.0.2', 0],
    ['cidr=10.55.0.0/24', 1],
    ['cidr=10.55.0.7/24', 1],
    ['ip_version=4&name=listed', 1],
    ['ip_version=6&name=listed', 0],
    ['enable_dhcp=true&name=listed', 1],
    ['ipv6_ra_mode=slaac&name=listed', 0],
  ])('is filtered by what subnets are: %s', async (query, count) => {
    if ((await w.demo.get('/subnets?name=listed')).json.subnets.length === 0)
      await w.demo.make('subnet', fields({ name: 'listed', cidr: '10.55.0.0/24' }))
    expect((await w.demo.get(`/subnets?${query}`)).json.subnets).toHaveLength(count)
  })

  it('is not filtered by what their networks are', async () => {
    expect(errorOf(await w.demo.get('/subnets?shared=true'))).toEqual([
      400,
      'InvalidInput',
      "Invalid input for operation: 'shared' is not supported for filtering.",
    ])
  })
})
