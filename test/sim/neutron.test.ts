// What the simulated Neutron means, beyond what is compared with a real one: allocation, time, faults, limits, counts.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startRegion, type TestRegion } from './neutron-region.ts'

let region: TestRegion

beforeEach(async () => {
  region = await startRegion()
})
afterEach(() => region.close())

/** A network of demo's with one subnet. */
async function makeNetwork(cidr = '10.0.0.0/24', subnet: object = {}) {
  const network = await region.demo.make('network', { name: 'net' })
  return {
    network,
    subnet: await region.demo.make('subnet', { network_id: network.id, ip_version: 4, cidr, ...subnet }),
  }
}

const addressOf = (port: { fixed_ips: { ip_address: string }[] }) => port.fixed_ips[0]?.ip_address

describe('addresses', () => {
  it('are given in order, none twice, until the pools are empty', async () => {
    const allocation_pools = [
      { start: '10.0.0.10', end: '10.0.0.11' },
      { start: '10.0.0.20', end: '10.0.0.20' },
    ]
    const { network } = await makeNetwork('10.0.0.0/24', { allocation_pools })
    const ports = []
    for (let count = 0; count < 3; count++) {
      ports.push(await region.demo.make('port', { network_id: network.id }))
    }
    expect(ports.map(addressOf)).toEqual(['10.0.0.10', '10.0.0.11', '10.0.0.20'])
    const refused = await region.demo.post('/ports', { port: { network_id: network.id } })
    expect(refused).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'IpAddressGenerationFailure' } },
    })
  })

  it('are free again when their port is gone', async () => {
    const { network } = await makeNetwork('10.0.0.0/29')
    const first = await region.demo.make('port', { network_id: network.id })
    await region.demo.make('port', { network_id: network.id })
    await region.demo.delete(`/ports/${first.id}`)
    expect(addressOf(await region.demo.make('port', { network_id: network.id }))).toBe(addressOf(first))
  })

  it('come from pools that were moved under living ports', async () => {
    const { network, subnet } = await makeNetwork()
    const before = await region.demo.make('port', { network_id: network.id })
    const pools = [{ start: '10.0.0.200', end: '10.0.0.210' }]
    await region.demo.put(`/subnets/${subnet.id}`, { subnet: { allocation_pools: pools } })
    expect(addressOf(await region.demo.make('port', { network_id: network.id }))).toBe('10.0.0.200')
    expect(addressOf((await region.demo.get(`/ports/${before.id}`)).body.port)).toBe('10.0.0.2')
  })

  it('are given back when something else about the port is refused', async () => {
    const { network } = await makeNetwork('10.0.0.0/29')
    const wrong = {
      network_id: network.id,
      fixed_ips: [{ ip_address: '10.0.0.5' }, { ip_address: '10.9.9.9' }],
    }
    expect((await region.demo.post('/ports', { port: wrong })).status).toBe(400)
    await region.demo.make('port', { network_id: network.id, fixed_ips: [{ ip_address: '10.0.0.5' }] })
  })
})

describe('MACs', () => {
  it('begin with the bytes of the region', async () => {
    const { network } = await makeNetwork()
    const port = await region.demo.make('port', { network_id: network.id })
    expect(port.mac_address).toMatch(/^fa:16:3e(:[0-9a-f]{2}){3}$/)
  })

  it('can be of a range of its own', async () => {
    const other = await startRegion({ region: 'Pod2', baseMac: 'fa:16:4f:07:00:00' })
    const network = await other.demo.make('network', {})
    const port = await other.demo.make('port', { network_id: network.id })
    expect(port.mac_address).toMatch(/^fa:16:4f:07(:[0-9a-f]{2}){2}$/)
    await other.close()
  })
})

describe('segments', () => {
  const vlan = (id: number) => ({
    'provider:network_type': 'vlan',
    'provider:physical_network': 'bridge',
    'provider:segmentation_id': id,
  })

  it('are free again when their network is gone', async () => {
    const network = await region.admin.make('network', vlan(2000))
    expect((await region.admin.post('/networks', { network: vlan(2000) })).status).toBe(409)
    await region.admin.delete(`/networks/${network.id}`)
    await region.admin.make('network', vlan(2000))
  })

  it('are given back when the network is refused', async () => {
    expect((await region.admin.post('/networks', { network: { ...vlan(2000), mtu: 9000 } })).status).toBe(400)
    await region.admin.make('network', vlan(2000))
  })

  it('of tenants are tunnels of the range of the region, all different', async () => {
    const small = await startRegion({ vnis: [1, 3], vlans: { bridge: [7, 7] } })
    const ids: unknown[] = []
    for (let count = 0; count < 4; count++) {
      const { id } = await small.demo.make('network', {})
      const { network } = (await small.admin.get(`/networks/${id}`)).body
      ids.push([network['provider:network_type'], network['provider:segmentation_id']])
    }
    expect(ids.toSorted()).toEqual([
      ['vlan', 7],
      ['vxlan', 1],
      ['vxlan', 2],
      ['vxlan', 3],
    ])
    expect(await small.demo.post('/networks', { network: {} })).toMatchObject({
      status: 503,
      body: { NeutronError: { type: 'NoNetworkAvailable' } },
    })
    await small.close()
  })
})

describe('time', () => {
  it('is that of the clock, to the second', async () => {
    region.clock.set(new Date('2030-01-01T10:00:00.900Z'))
    const network = await region.demo.make('network', {})
    expect(network.created_at).toBe('2030-01-01T10:00:00Z')
  })

  it('is off by the skew of the region', async () => {
    region.clock.set(new Date('2030-01-01T10:00:00Z'))
    region.faults.add({ kind: 'skew', region: 'Pod1', service: 'neutron', ms: -90_000 })
    const { body, headers } = await region.demo.post('/networks', { network: {} })
    expect(body.network.created_at).toBe('2030-01-01T09:58:30Z')
    expect(headers.get('date')).toContain('09:58:30')
  })

  it('tells what has changed since an instant, that second included, and never what is gone', async () => {
    region.clock.set(new Date('2030-01-01T10:00:00Z'))
    const old = await region.demo.make('network', { name: 'old' })
    const changed = await region.demo.make('network', { name: 'changed' })
    const gone = await region.demo.make('network', { name: 'gone' })
    region.clock.set(new Date('2030-01-01T10:00:10.700Z'))
    await region.demo.put(`/networks/${changed.id}`, { network: { description: 'x' } })
    await region.demo.put(`/networks/${gone.id}`, { network: { description: 'x' } })
    await region.demo.delete(`/networks/${gone.id}`)
    const since = async (time: string) => {
      const { body } = await region.demo.get(`/networks?changed_since=${time}`)
      return body.networks.map((network: { name: string }) => network.name)
    }
    expect(await since('2030-01-01T10:00:10Z')).toEqual(['changed'])
    expect(await since('2030-01-01T10:00:11Z')).toEqual([])
    expect(await since('2030-01-01T10:00:00Z')).toEqual([old.name, changed.name])
  })

  it('moves the revision with each change', async () => {
    const network = await region.demo.make('network', {})
    const { body } = await region.demo.put(`/networks/${network.id}`, { network: { name: 'b' } })
    expect(body.network.revision_number).toBe(network.revision_number + 1)
    const stale = { 'if-match': `revision_number=${network.revision_number}` }
    expect((await region.demo.put(`/networks/${network.id}`, { network: { name: 'c' } }, stale)).status).toBe(
      412,
    )
    expect(region.neutron.networks()[0]?.name).toBe('b')
  })
})

describe('agents', () => {
  it('bring up a port on their host once the answer is given', async () => {
    const { network } = await makeNetwork()
    const port = await region.admin.make('port', {
      network_id: network.id,
      'binding:host_id': 'pod1-compute1',
    })
    expect(port).toMatchObject({ status: 'DOWN', 'binding:vif_type': 'ovs' })
    expect((await region.admin.get(`/ports/${port.id}`)).body.port.status).toBe('ACTIVE')
  })

  it('that are dead bind nothing', async () => {
    for (const agent of region.neutron.agents()) agent.isAlive = false
    const { network } = await makeNetwork()
    const port = await region.admin.make('port', {
      network_id: network.id,
      'binding:host_id': 'pod1-compute1',
    })
    expect(port['binding:vif_type']).toBe('binding_failed')
    expect((await region.admin.get(`/ports/${port.id}`)).body.port.status).toBe('DOWN')
  })

  it('bind only what their bridges reach', async () => {
    const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'elsewhere' }
    const network = await region.admin.make('network', flat)
    const port = await region.admin.make('port', {
      network_id: network.id,
      'binding:host_id': 'pod1-compute1',
    })
    expect(port['binding:vif_type']).toBe('binding_failed')
  })

  it('host routers, and bind their interfaces to the network host', async () => {
    const { subnet } = await makeNetwork()
    const router = await region.demo.make('router', {})
    await region.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const { body } = await region.admin.get(`/ports?device_id=${router.id}`)
    expect(body.ports[0]).toMatchObject({ 'binding:host_id': 'pod1-net1', status: 'ACTIVE' })
    expect((await region.demo.get(`/routers/${router.id}`)).body.router.availability_zones).toEqual(['nova'])
  })

  it('serve DHCP where there is one, with a port of its own', async () => {
    const served = await startRegion({ hasDhcp: true })
    const network = await served.demo.make('network', { availability_zone_hints: ['nova'] })
    const subnet = { network_id: network.id, ip_version: 4 }
    await served.demo.make('subnet', { ...subnet, cidr: '10.0.0.0/24' })
    const other = await served.demo.make('subnet', { ...subnet, cidr: '10.0.1.0/24' })
    const addresses = () => served.neutron.ports().map(port => port.fixed_ips.map(ip => ip.ip_address))
    const { body } = await served.demo.get(`/ports?network_id=${network.id}`)
    expect(body.ports).toMatchObject([{ device_owner: 'network:dhcp', status: 'ACTIVE' }])
    expect(addresses()).toEqual([['10.0.0.2', '10.0.1.2']])
    await served.demo.put(`/subnets/${other.id}`, { subnet: { enable_dhcp: false } })
    expect(addresses()).toEqual([['10.0.0.2']])
    expect((await served.demo.delete(`/networks/${network.id}`)).status).toBe(204)
    expect(served.neutron.ports()).toEqual([])
    await served.close()
  })
})

describe('limits', () => {
  it('are those of a stock Neutron', async () => {
    expect((await region.demo.get('/quotas/demo')).body.quota).toMatchObject({
      network: 100,
      subnet: 100,
      port: 500,
      router: 10,
      floatingip: 50,
      security_group: 10,
      security_group_rule: 100,
    })
  })

  it('of routes and host routes are settings of the region', async () => {
    const strict = await startRegion({ mostRoutes: 1, mostHostRoutes: 1 })
    const network = await strict.demo.make('network', {})
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }
    const two = ['1.0.0.0/24', '2.0.0.0/24'].map(destination => ({ destination, nexthop: '10.0.0.9' }))
    expect((await strict.demo.post('/subnets', { subnet: { ...subnet, host_routes: two } })).status).toBe(400)
    const { id } = await strict.demo.make('subnet', { ...subnet, host_routes: two.slice(1) })
    const router = await strict.demo.make('router', {})
    await strict.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id: id })
    const answer = await strict.demo.put(`/routers/${router.id}`, { router: { routes: two } })
    expect(answer.body.NeutronError.type).toBe('RoutesExhausted')
    await strict.close()
  })

  it('hold for a hundred rules in a project', async () => {
    const group = await region.demo.make('security_group', { name: 'web' })
    const rules = Array.from({ length: 100 }, (_, n) => ({
      security_group_id: group.id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: n + 1,
      port_range_max: n + 1,
    }))
    const tooMany = await region.demo.post('/security-group-rules', { security_group_rules: rules })
    expect(tooMany.body.NeutronError.message).toBe("Quota exceeded for resources: ['security_group_rule'].")
    const known = region.neutron.securityRules().length
    const room = rules.slice(0, 100 - known)
    expect((await region.demo.post('/security-group-rules', { security_group_rules: room })).status).toBe(201)
  })

  it('refuse a request line that the server cannot read', async () => {
    const ids = Array.from({ length: 250 }, () => `id=${crypto.randomUUID()}`).join('&')
    expect((await region.demo.get(`/ports?${ids}`)).status).toBe(414)
  })
})

describe('a bulk create', () => {
  it('makes all or nothing', async () => {
    const { network } = await makeNetwork()
    const ports = ['10.0.0.7', '10.0.0.8', '10.0.0.7'].map(ip_address => ({
      network_id: network.id,
      fixed_ips: [{ ip_address }],
    }))
    expect((await region.demo.post('/ports', { ports })).status).toBe(409)
    expect(region.neutron.ports()).toEqual([])
    expect((await region.demo.post('/ports', { ports: ports.slice(0, 2) })).body.ports).toHaveLength(2)
  })
})

describe('faults', () => {
  it('lose the answer after the effect', async () => {
    region.faults.add({
      kind: 'lost',
      region: 'Pod1',
      service: 'neutron',
      method: 'POST',
      path: '/v2.0/networks',
      times: 1,
    })
    await expect(region.demo.post('/networks', { network: { name: 'made' } })).rejects.toThrow()
    expect(region.neutron.networks().map(({ name }) => name)).toEqual(['made'])
  })

  it('cut the line before the effect', async () => {
    region.faults.add({ kind: 'reset', method: 'POST', times: 1 })
    await expect(region.demo.post('/networks', { network: {} })).rejects.toThrow()
    expect(region.neutron.networks()).toEqual([])
  })

  it('answer in the words of Neutron', async () => {
    region.faults.add({ kind: 'status', status: 503, message: 'Away.', times: 1 })
    expect(await region.demo.get('/networks')).toMatchObject({
      status: 503,
      body: { NeutronError: { type: 'HTTPServiceUnavailable', message: 'Away.', detail: '' } },
    })
  })

  it('make pages that never end', async () => {
    for (const name of ['a', 'b', 'c']) await region.demo.make('network', { name })
    region.faults.add({ kind: 'endless', path: '/v2.0/networks' })
    let href = `${region.neutron.url}/v2.0/networks?limit=2`
    for (let page = 0; page < 10; page++) {
      const { body } = await region.demo.get(href)
      expect(body.networks.length).toBeGreaterThan(0)
      href = body.networks_links.find((link: { rel: string }) => link.rel === 'next').href
    }
  })
})

describe('for tests', () => {
  it('counts its calls by method and resource', async () => {
    const { network, subnet } = await makeNetwork()
    const router = await region.demo.make('router', {})
    await region.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    await region.demo.get(`/networks/${network.id}`)
    await region.demo.get('/networks')
    expect(region.neutron.calls('GET', 'networks')).toBe(2)
    expect(region.neutron.calls('PUT', 'routers/add_router_interface')).toBe(1)
    expect(region.neutron.calls('POST')).toBe(3)
    expect(region.neutron.calls()).toBe(6)
  })

  it('makes resources without a request', async () => {
    const network = region.neutron.create('network', { name: 'seeded', project_id: 'demo' })
    expect((await region.demo.get(`/networks/${network.id}`)).body.network.name).toBe('seeded')
    expect(region.neutron.calls('POST')).toBe(0)
  })
})
