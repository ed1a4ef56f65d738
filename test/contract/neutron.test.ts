// What src/openstack asks of Neutron, against the simulator or a real one.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import * as neutron from '../../src/openstack/neutron.ts'
import {
  addressGroups,
  agents,
  availabilityZones,
  extensions,
  floatingIps,
  type Identified,
  networks,
  ports,
  type Row,
  routers,
  type Spec,
  securityGroupRules,
  securityGroups,
  subnets,
} from '../../src/openstack/neutron-tables.ts'
import { probe } from '../../src/openstack/probe.ts'
import { until } from '../wait.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const pod1 = w.services()
const isThere = await w.has(['network'])

const after = (undo: () => Promise<unknown>) => w.after(() => undo().catch(() => undefined))
const name = (text: string): string => `${w.prefix}-${text}`
const nobody = '11111111-2222-4333-8444-555555555555'
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Creates a thing that is removed at the end. */
async function create<R extends Identified>(resource: R, spec: Spec<R>, region = pod1): Promise<Row<R>> {
  const row = await neutron.create(region, resource, spec)
  after(() => neutron.remove(region, resource, (row as { id: string }).id))
  return row
}

/** The refusal of a call that must be refused. */
const refusal = (status: number, reason?: string) =>
  expect.objectContaining({
    code: 'upstream',
    detail: expect.objectContaining({
      region: 'Pod1',
      service: 'Neutron',
      status,
      ...(reason ? { reason } : {}),
    }),
  })

/** A network with a subnet 10.x.y.0/24, and the next free CIDR each time. */
let lastCidr = 0
const nextCidr = (): string => `10.77.${lastCidr++}.0/24`
async function networkWithSubnet(text: string) {
  const network = await create(networks, { name: name(text) })
  const subnet = await create(subnets, {
    name: name(text),
    networkId: network.id,
    ipVersion: 4,
    cidr: nextCidr(),
  })
  return { network, subnet }
}

describe.skipIf(!isThere)('any resource', () => {
  test('is created, got, updated, listed and removed', async () => {
    const network = await neutron.create(pod1, networks, { name: name('life'), description: 'first' })
    expect(network.id).toMatch(uuid)
    expect(network).toMatchObject({
      name: name('life'),
      description: 'first',
      status: 'ACTIVE',
      subnetIds: [],
    })
    expect(network.createdAt).toBeInstanceOf(Date)
    expect(await neutron.get(pod1, networks, network.id)).toEqual(network)
    const updated = await neutron.update(pod1, networks, network.id, { description: 'second' })
    expect(updated).toMatchObject({ id: network.id, description: 'second' })
    expect(updated.revisionNumber).toBeGreaterThan(network.revisionNumber!)
    expect(await neutron.list(pod1, networks, { where: { name: name('life') } })).toEqual([updated])
    expect(await neutron.remove(pod1, networks, network.id)).toBe(true)
    expect(await neutron.get(pod1, networks, network.id)).toBeNull()
    expect(await neutron.remove(pod1, networks, network.id)).toBe(false)
  })

  test.each([
    networks,
    subnets,
    ports,
    routers,
    floatingIps,
    securityGroups,
    securityGroupRules,
    addressGroups,
    agents,
  ])('that is not there is null, and gone already: $many', async resource => {
    expect(await neutron.get(pod1, resource, nobody)).toBeNull()
    expect(await neutron.remove(pod1, resource, nobody)).toBe(false)
    await expect(neutron.update(pod1, resource, nobody, { description: 'x' })).rejects.toEqual(refusal(404))
  })

  test('is listed whole, without a filter, and every row can be read', async () => {
    for (const resource of [
      networks,
      subnets,
      ports,
      routers,
      floatingIps,
      securityGroups,
      addressGroups,
      agents,
    ]) {
      expect(Array.isArray(await neutron.list(pod1, resource))).toBe(true)
    }
    expect((await neutron.list(pod1, securityGroupRules)).length).toBeGreaterThanOrEqual(0)
  })

  test('with a stale revision is refused with 412, with the right one changed', async () => {
    const network = await create(networks, { name: name('revision') })
    const ifRevision = network.revisionNumber!
    const changed = await neutron.update(pod1, networks, network.id, { description: 'a' }, { ifRevision })
    expect(changed.description).toBe('a')
    await expect(
      neutron.update(pod1, networks, network.id, { description: 'b' }, { ifRevision }),
    ).rejects.toEqual(refusal(412, 'RevisionNumberConstraintFailed'))
  })

  test('that is refused says why, in Neutron’s own words', async () => {
    const missing = neutron.create(pod1, subnets, { networkId: nobody, ipVersion: 4, cidr: '10.0.0.0/24' })
    await expect(missing).rejects.toEqual(refusal(404, 'NetworkNotFound'))
    await expect(missing).rejects.toThrow(
      `Pod1's Neutron answered 404 to POST /v2.0/subnets: Network ${nobody} could not be found.`,
    )
    const strange = neutron.create(pod1, networks, { name: 'x'.repeat(300) })
    await expect(strange).rejects.toEqual(refusal(400))
  })

  test('of another project belongs to that project', async () => {
    const projectId = randomUUID().replaceAll('-', '')
    const network = await create(networks, { name: name('other'), projectId })
    expect(network.projectId).toBe(projectId)
    const quota = await neutron.getQuota(pod1, projectId)
    expect(quota.network).toEqual({ limit: expect.any(Number), used: 1 })
    expect(quota.port.used).toBe(0)
    // A project that makes its first thing gets its default group with it.
    for (const { id } of await neutron.list(pod1, securityGroups, { where: { projectId }, fields: ['id'] })) {
      expect(await neutron.remove(pod1, securityGroups, id)).toBe(true)
    }
  })
})

describe.skipIf(!isThere)('a list', () => {
  test('has all pages, each row once', async () => {
    const created: string[] = []
    for (const n of [1, 2, 3, 4, 5]) {
      created.push((await create(networks, { name: name('page'), description: String(n) })).id)
    }
    const listed = await neutron.list(pod1, networks, { where: { name: name('page') } })
    expect(listed.map(network => network.id)).toEqual(created.sort())
    const four = await neutron.list(pod1, networks, {
      where: { name: name('page'), description: ['1', '2', '3', '4'] },
    })
    expect(four).toHaveLength(4)
  })

  test('has just the fields that were asked for', async () => {
    await create(networks, { name: name('fields') })
    const where = { name: name('fields') }
    const listed = await neutron.list(pod1, networks, { where, fields: ['name', 'networkType'] })
    expect(listed).toEqual([{ name: name('fields'), networkType: expect.any(String) }])
  })

  test('of no values is empty without a question, and of an unknown value too', async () => {
    expect(await neutron.list(pod1, networks, { where: { id: [] } })).toEqual([])
    expect(await neutron.list(pod1, networks, { where: { id: nobody } })).toEqual([])
    expect(await neutron.list(pod1, networks, { where: { name: '', id: nobody } })).toEqual([])
  })

  test('by several ids has those', async () => {
    const both = [
      await create(networks, { name: name('ids') }),
      await create(networks, { name: name('ids') }),
    ]
    const ids = both.map(network => network.id)
    const listed = await neutron.list(pod1, networks, { where: { id: [...ids, nobody] }, fields: ['id'] })
    expect(listed.map(network => network.id)).toEqual(ids.sort())
  })

  test('by flags, numbers, descriptions and inner fields', async () => {
    const { network, subnet } = await networkWithSubnet('inner')
    const port = await create(ports, { name: name('inner'), networkId: network.id, description: 'mark:1' })
    const ipAddress = port.fixedIps[0]!.ipAddress
    const where = { fixedIps: { subnetId: subnet.id, ipAddress } }
    expect(await neutron.list(pod1, ports, { where, fields: ['id'] })).toEqual([{ id: port.id }])
    expect(
      await neutron.list(pod1, ports, { where: { description: 'mark:1', networkId: network.id } }),
    ).toHaveLength(1)
    expect(await neutron.list(pod1, ports, { where: { fixedIps: { ipAddress: '203.0.113.9' } } })).toEqual([])
    const external = { external: true, name: name('inner') }
    expect(await neutron.list(pod1, networks, { where: external })).toEqual([])
    const six = { ipVersion: 6, networkId: network.id }
    expect(await neutron.list(pod1, subnets, { where: six })).toEqual([])
    expect(await neutron.list(pod1, subnets, { where: { ...six, ipVersion: 4 } })).toHaveLength(1)
  })

  test('of changes has what changed since, by the region’s clock', async () => {
    const network = await create(networks, { name: name('since') })
    const at = network.updatedAt!
    const changed = async (offsetMs: number): Promise<number> => {
      const changedSince = new Date(at.getTime() + offsetMs)
      return (await neutron.list(pod1, networks, { where: { name: name('since') }, changedSince })).length
    }
    expect(await changed(-1000)).toBe(1)
    expect(await changed(0)).toBe(1)
    expect(await changed(60_000)).toBe(0)
    // Its clock tells whole seconds.
    let changes = 0
    const change = async (): Promise<boolean> => {
      changes += 1
      const updated = await neutron.update(pod1, networks, network.id, { description: `new ${changes}` })
      return updated.updatedAt!.getTime() > at.getTime()
    }
    await until(change, { what: 'a change in a later second', seen: () => changes })
    expect(await changed(1000)).toBe(1)
    await neutron.remove(pod1, networks, network.id)
    expect(await changed(-1000)).toBe(0)
  })
})

describe.skipIf(!isThere)('networks and subnets', () => {
  test('a provider network on the bridge, external, with a subnet without gateway and DHCP', async () => {
    const spec = {
      networkType: 'vlan',
      physicalNetwork: 'bridge',
      segmentationId: 2900 + Math.floor(Math.random() * 90),
    }
    const network = await create(networks, { name: name('bridge'), external: true, ...spec })
    expect(network).toMatchObject({
      ...spec,
      external: true,
      shared: false,
      adminStateUp: true,
      mtu: expect.any(Number),
    })
    const subnet = await create(subnets, {
      name: name('bridge'),
      networkId: network.id,
      ipVersion: 4,
      cidr: '100.64.8.0/24',
      gatewayIp: null,
      enableDhcp: false,
      allocationPools: [{ start: '100.64.8.10', end: '100.64.8.20' }],
    })
    expect(subnet).toMatchObject({
      gatewayIp: null,
      enableDhcp: false,
      allocationPools: [{ start: '100.64.8.10', end: '100.64.8.20' }],
      hostRoutes: [],
      dnsNameservers: [],
      ipv6AddressMode: null,
    })
    expect((await neutron.get(pod1, networks, network.id))?.subnetIds).toEqual([subnet.id])
    const again = neutron.create(pod1, networks, { name: name('bridge2'), ...spec })
    await expect(again).rejects.toEqual(refusal(409, 'VlanIdInUse'))
  })

  test('pools grow by an update, a second subnet of a CIDR is refused', async () => {
    const { network, subnet } = await networkWithSubnet('pools')
    expect(subnet.allocationPools).toHaveLength(1)
    const base = subnet.cidr.replace('.0/24', '')
    const allocationPools = [
      { start: `${base}.10`, end: `${base}.19` },
      { start: `${base}.30`, end: `${base}.39` },
    ]
    const updated = await neutron.update(pod1, subnets, subnet.id, { allocationPools })
    expect(updated.allocationPools).toEqual(expect.arrayContaining(allocationPools))
    const again = neutron.create(pod1, subnets, { networkId: network.id, ipVersion: 4, cidr: subnet.cidr })
    await expect(again).rejects.toEqual(refusal(400))
  })

  test('host routes and name servers come back as given', async () => {
    const network = await create(networks, { name: name('routes') })
    const hostRoutes = [{ destination: '192.0.2.0/24', nextHop: '10.70.0.9' }]
    const subnet = await create(subnets, {
      networkId: network.id,
      ipVersion: 4,
      cidr: '10.70.0.0/24',
      hostRoutes,
      dnsNameservers: ['192.0.2.53'],
    })
    expect(subnet).toMatchObject({ hostRoutes, dnsNameservers: ['192.0.2.53'], gatewayIp: '10.70.0.1' })
  })

  test('IPv6 with SLAAC', async () => {
    const network = await create(networks, { name: name('six') })
    const modes = { ipv6AddressMode: 'slaac', ipv6RaMode: 'slaac' }
    const subnet = await create(subnets, {
      networkId: network.id,
      ipVersion: 6,
      cidr: 'fd00:77:1::/64',
      ...modes,
    })
    expect(subnet).toMatchObject({
      ipVersion: 6,
      ...modes,
      cidr: 'fd00:77:1::/64',
      gatewayIp: 'fd00:77:1::',
    })
  })
})

describe.skipIf(!isThere)('ports', () => {
  test('with a fixed address outside the pools, a chosen MAC and a profile', async () => {
    const { network, subnet } = await networkWithSubnet('port')
    const base = subnet.cidr.replace('.0/24', '')
    await neutron.update(pod1, subnets, subnet.id, {
      allocationPools: [{ start: `${base}.10`, end: `${base}.19` }],
    })
    const macAddress = `fa:16:3e:${['', '', ''].map(() => (Math.floor(Math.random() * 240) + 16).toString(16)).join(':')}`
    const port = await create(ports, {
      name: name('port'),
      networkId: network.id,
      macAddress,
      fixedIps: [{ subnetId: subnet.id, ipAddress: `${base}.200` }],
      profile: { region: 'Pod1' },
      deviceId: nobody,
      deviceOwner: 'compute:shadow',
      allowedAddressPairs: [{ ipAddress: '192.0.2.7', macAddress }],
      extraDhcpOptions: [{ name: 'bootfile-name', value: 'x', ipVersion: 4 }],
    })
    expect(port).toMatchObject({
      macAddress,
      fixedIps: [{ subnetId: subnet.id, ipAddress: `${base}.200` }],
      profile: { region: 'Pod1' },
      hostId: '',
      vifType: 'unbound',
      vnicType: 'normal',
      status: 'DOWN',
      deviceId: nobody,
      deviceOwner: 'compute:shadow',
      allowedAddressPairs: [{ ipAddress: '192.0.2.7', macAddress }],
      extraDhcpOptions: [{ name: 'bootfile-name', value: 'x', ipVersion: 4 }],
    })
    expect(port.securityGroupIds).toHaveLength(1)
    const sameMac = neutron.create(pod1, ports, { networkId: network.id, macAddress })
    await expect(sameMac).rejects.toEqual(refusal(409, 'MacAddressInUse'))
    const fixedIps = [{ subnetId: subnet.id, ipAddress: `${base}.200` }]
    const sameIp = neutron.create(pod1, ports, { networkId: network.id, fixedIps })
    await expect(sameIp).rejects.toEqual(refusal(409, 'IpAddressAlreadyAllocated'))
    await expect(neutron.remove(pod1, networks, network.id)).rejects.toEqual(refusal(409, 'NetworkInUse'))
  })

  test('a full subnet says so', async () => {
    const { network, subnet } = await networkWithSubnet('full')
    const one = subnet.cidr.replace('.0/24', '.9')
    await neutron.update(pod1, subnets, subnet.id, { allocationPools: [{ start: one, end: one }] })
    await create(ports, { networkId: network.id })
    const second = neutron.create(pod1, ports, { networkId: network.id })
    await expect(second).rejects.toEqual(refusal(409, 'IpAddressGenerationFailure'))
  })

  test('a port is updated and bound', async () => {
    const { network } = await networkWithSubnet('bind')
    const port = await create(ports, { networkId: network.id })
    const host = (await neutron.list(pod1, agents)).find(
      agent => agent.alive && /compute/.test(agent.host),
    )?.host
    const updated = await neutron.update(pod1, ports, port.id, {
      name: name('bound'),
      hostId: host ?? 'somewhere',
    })
    expect(updated).toMatchObject({ name: name('bound'), hostId: host ?? 'somewhere' })
    if (host) expect(updated.vifType).toBe('ovs')
  })
})

describe.skipIf(!isThere)('routers', () => {
  test('legs come and go, twice is refused, gone is false', async () => {
    const { network, subnet } = await networkWithSubnet('leg')
    const router = await create(routers, { name: name('leg') })
    expect(router).toMatchObject({ externalGateway: null, routes: [], adminStateUp: true })
    const leg = { subnetId: subnet.id }
    after(() => neutron.removeRouterInterface(pod1, router.id, leg))
    const added = await neutron.addRouterInterface(pod1, router.id, leg)
    expect(added).toMatchObject({
      subnetId: subnet.id,
      networkId: network.id,
      portId: expect.stringMatching(uuid),
    })
    expect(await neutron.get(pod1, ports, added.portId)).toMatchObject({
      deviceId: router.id,
      deviceOwner: 'network:router_interface',
      fixedIps: [{ subnetId: subnet.id, ipAddress: subnet.gatewayIp }],
    })
    await expect(neutron.addRouterInterface(pod1, router.id, leg)).rejects.toEqual(refusal(400, 'BadRequest'))
    await expect(neutron.remove(pod1, routers, router.id)).rejects.toEqual(refusal(409, 'RouterInUse'))
    expect(await neutron.removeRouterInterface(pod1, router.id, leg)).toBe(true)
    expect(await neutron.removeRouterInterface(pod1, router.id, leg)).toBe(false)
    expect(await neutron.removeRouterInterface(pod1, nobody, leg)).toBe(false)
  })

  test('a leg by a port', async () => {
    const { network, subnet } = await networkWithSubnet('portleg')
    const ipAddress = subnet.cidr.replace('.0/24', '.77')
    const port = await create(ports, {
      networkId: network.id,
      fixedIps: [{ subnetId: subnet.id, ipAddress }],
    })
    const router = await create(routers, { name: name('portleg') })
    const added = await neutron.addRouterInterface(pod1, router.id, { portId: port.id })
    expect(added).toMatchObject({ portId: port.id, subnetId: subnet.id })
    expect(await neutron.removeRouterInterface(pod1, router.id, { portId: port.id })).toBe(true)
    expect(await neutron.get(pod1, ports, port.id)).toBeNull()
  })

  test('a gateway without SNAT and with a chosen address, routes, a floating IP, and all of it away again', async () => {
    const outside = await create(networks, { name: name('outside'), external: true })
    const cidr = nextCidr()
    const at = (host: number): string => cidr.replace('.0/24', `.${host}`)
    const outer = await create(subnets, {
      networkId: outside.id,
      ipVersion: 4,
      cidr,
      gatewayIp: at(1),
      enableDhcp: false,
    })
    const { network, subnet } = await networkWithSubnet('inside')
    const router = await create(routers, { name: name('gateway') })
    const leg = { subnetId: subnet.id }
    await neutron.addRouterInterface(pod1, router.id, leg)
    after(() => neutron.removeRouterInterface(pod1, router.id, leg))
    after(() => neutron.update(pod1, routers, router.id, { routes: [] }))
    const externalGateway = {
      networkId: outside.id,
      enableSnat: false,
      externalFixedIps: [{ subnetId: outer.id, ipAddress: at(50) }],
    }
    const routes = [{ destination: '0.0.0.0/0', nextHop: at(60) }]
    expect((await neutron.update(pod1, routers, router.id, { externalGateway })).externalGateway).toEqual(
      externalGateway,
    )
    expect((await neutron.update(pod1, routers, router.id, { routes })).routes).toEqual(routes)

    const port = await create(ports, { networkId: network.id })
    const spec = { floatingNetworkId: outside.id, floatingIpAddress: at(70), portId: port.id }
    const floating = await create(floatingIps, { ...spec, description: name('fip') })
    expect(floating).toMatchObject({
      ...spec,
      fixedIpAddress: port.fixedIps[0]!.ipAddress,
      routerId: router.id,
      description: name('fip'),
    })
    const where = { floatingIpAddress: at(70), floatingNetworkId: outside.id }
    expect(await neutron.list(pod1, floatingIps, { where, fields: ['id'] })).toEqual([{ id: floating.id }])
    const loose = await neutron.update(pod1, floatingIps, floating.id, { portId: null })
    expect(loose).toMatchObject({ portId: null, fixedIpAddress: null })
    expect(await neutron.remove(pod1, floatingIps, floating.id)).toBe(true)
    await neutron.update(pod1, routers, router.id, { routes: [] })
    expect(
      (await neutron.update(pod1, routers, router.id, { externalGateway: null })).externalGateway,
    ).toBeNull()
  })

  test('more than 30 routes are refused', async () => {
    const { subnet } = await networkWithSubnet('many')
    const router = await create(routers, { name: name('many') })
    await neutron.addRouterInterface(pod1, router.id, { subnetId: subnet.id })
    after(() => neutron.removeRouterInterface(pod1, router.id, { subnetId: subnet.id }))
    after(() => neutron.update(pod1, routers, router.id, { routes: [] }))
    const nextHop = subnet.cidr.replace('.0/24', '.9')
    const route = (_: unknown, n: number) => ({ destination: `198.51.${n}.0/24`, nextHop })
    const thirty = await neutron.update(pod1, routers, router.id, {
      routes: Array.from({ length: 30 }, route),
    })
    expect(thirty.routes).toHaveLength(30)
    const more = neutron.update(pod1, routers, router.id, { routes: Array.from({ length: 31 }, route) })
    await expect(more).rejects.toEqual(refusal(400, 'RoutesExhausted'))
  })
})

describe.skipIf(!isThere)('security and address groups', () => {
  test('a group begins with its two rules; rules come and go; a rule twice is refused', async () => {
    const group = await create(securityGroups, { name: name('group'), description: 'd' })
    expect(group).toMatchObject({ name: name('group'), description: 'd' })
    expect(group.rules.map(rule => [rule.direction, rule.ethertype]).sort()).toEqual([
      ['egress', 'IPv4'],
      ['egress', 'IPv6'],
    ])
    const spec = {
      securityGroupId: group.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 'tcp',
      portRangeMin: 22,
      portRangeMax: 22,
      remoteIpPrefix: '10.0.0.0/8',
    } as const
    const rule = await neutron.create(pod1, securityGroupRules, spec)
    expect(rule).toMatchObject({ ...spec, remoteGroupId: null, remoteAddressGroupId: null })
    const twice = neutron.create(pod1, securityGroupRules, spec)
    await expect(twice).rejects.toEqual(refusal(409, 'SecurityGroupRuleExists'))
    expect((await neutron.get(pod1, securityGroups, group.id))?.rules).toHaveLength(3)
    const where = { securityGroupId: group.id, direction: 'ingress' }
    expect(await neutron.list(pod1, securityGroupRules, { where, fields: ['id'] })).toEqual([{ id: rule.id }])
    expect(await neutron.remove(pod1, securityGroupRules, rule.id)).toBe(true)
    expect(await neutron.remove(pod1, securityGroupRules, rule.id)).toBe(false)
    const renamed = await neutron.update(pod1, securityGroups, group.id, { name: name('renamed') })
    expect(renamed.name).toBe(name('renamed'))
  })

  test('rules name a remote group or an address group, which is then in use', async () => {
    const group = await create(securityGroups, { name: name('remote') })
    const members = await create(addressGroups, { name: name('members'), addresses: ['10.0.0.0/24'] })
    const common = { securityGroupId: group.id, direction: 'ingress', ethertype: 'IPv4' } as const
    const one = await create(securityGroupRules, { ...common, remoteGroupId: group.id })
    const two = await create(securityGroupRules, { ...common, remoteAddressGroupId: members.id })
    expect([one.remoteGroupId, two.remoteAddressGroupId]).toEqual([group.id, members.id])
    await expect(neutron.remove(pod1, addressGroups, members.id)).rejects.toEqual(
      refusal(409, 'AddressGroupInUse'),
    )
  })

  test('addresses are added and removed; adding one twice and removing none are refused', async () => {
    const group = await create(addressGroups, { name: name('addresses'), addresses: ['10.0.0.0/24'] })
    expect(group.addresses).toEqual(['10.0.0.0/24'])
    const more = await neutron.addAddresses(pod1, group.id, ['10.1.0.0/24', '10.2.0.1/32'])
    expect([...more.addresses].sort()).toEqual(['10.0.0.0/24', '10.1.0.0/24', '10.2.0.1/32'])
    const again = neutron.addAddresses(pod1, group.id, ['10.1.0.0/24', '10.3.0.0/24'])
    await expect(again).rejects.toEqual(refusal(400, 'AddressesAlreadyExist'))
    const less = await neutron.removeAddresses(pod1, group.id, ['10.0.0.0/24', '10.2.0.1/32'])
    expect(less.addresses).toEqual(['10.1.0.0/24'])
    const missing = neutron.removeAddresses(pod1, group.id, ['10.1.0.0/24', '10.9.0.0/24'])
    await expect(missing).rejects.toEqual(refusal(404, 'AddressesNotFound'))
    expect((await neutron.get(pod1, addressGroups, group.id))?.addresses).toEqual(['10.1.0.0/24'])
    await expect(neutron.addAddresses(pod1, nobody, ['10.0.0.0/24'])).rejects.toEqual(refusal(404))
  })
})

describe.skipIf(!isThere)('what a region is like', () => {
  test('its extensions are named by alias', async () => {
    const aliases = (await neutron.list(pod1, extensions)).map(extension => extension.alias)
    expect(aliases).toEqual(
      expect.arrayContaining([
        'address-group',
        'allowed-address-pairs',
        'availability_zone',
        'binding',
        'ext-gw-mode',
        'extraroute',
        'pagination',
        'provider',
        'quota_details',
        'revision-if-match',
        'router',
        'security-group',
        'security-groups-remote-address-group',
        'sorting',
        'standard-attr-timestamp',
      ]),
    )
  })

  test('its agents tell their hosts', async () => {
    for (const agent of await neutron.list(pod1, agents, { where: { alive: true } })) {
      expect(agent).toMatchObject({ host: expect.any(String), alive: true, heartbeatAt: expect.any(Date) })
    }
  })

  test('its availability zones', async () => {
    for (const zone of await neutron.list(pod1, availabilityZones)) {
      expect(zone).toMatchObject({
        name: expect.any(String),
        resource: expect.stringMatching(/^(network|router)$/),
      })
    }
  })

  test('its version, its clock and its distance', async () => {
    const { versions, clockSkewMs, latencyMs } = await probe(pod1, 'network')
    expect(versions).toEqual([{ id: 'v2.0', status: 'CURRENT', min: null, max: null }])
    // As far as can be told: its clock was read somewhere between question and answer, and in whole seconds.
    expect(Math.abs(clockSkewMs!)).toBeLessThanOrEqual(1000 + latencyMs / 2)
    expect(pod1.clock('network')).toEqual({ skewMs: expect.any(Number), latencyMs: expect.any(Number) })
  })

  test('regions do not know each other’s things', async () => {
    const network = await create(networks, { name: name('here') })
    const [, second] = w.regions
    expect(await neutron.get(w.services(second), networks, network.id)).toBeNull()
  })
})
