// What a stock Neutron takes of subnets, ports, groups and descriptions, and how it refuses the rest.
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RegionPort, ThingSpec } from '../../src/core/network/copies/region-rows.ts'
import { until } from '../wait.ts'
import { fileWorld } from '../world.ts'
import { anySegment, placesOf, refused } from './network.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const isThere = await w.has(['network'])
const { pod1, ours, tenant } = await placesOf(w)

const at = (subnet: { readonly id: string }, ipAddress: string) => [{ subnetId: subnet.id, ipAddress }]

async function networkOf(projectId: string, cidr = '10.0.1.0/24') {
  const network = await pod1.make('network', { projectId })
  const subnet = await pod1.make('subnet', { projectId, networkId: network.id, ipVersion: 4, cidr })
  return { network, subnet }
}

describe.skipIf(!isThere)('names and descriptions', () => {
  test('a description of 255 characters is kept, and found as a whole', async () => {
    const projectId = tenant()
    const description = `${'x'.repeat(208)} atoll:${'0'.repeat(8)}-${'0'.repeat(27)}${Math.random()}`.slice(
      0,
      255,
    )
    const { network } = await networkOf(projectId)
    const marked = { projectId, description }
    const made = [
      ['network', await pod1.make('network', marked)],
      [
        'subnet',
        await pod1.make('subnet', { ...marked, networkId: network.id, ipVersion: 4, cidr: '10.0.2.0/24' }),
      ],
      ['port', await pod1.make('port', { ...marked, networkId: network.id })],
      ['router', await pod1.make('router', marked)],
      ['security_group', await pod1.make('security_group', { ...marked, name: 'g' })],
      ['address_group', await pod1.make('address_group', { ...marked, name: 'g', addresses: [] })],
    ] as const
    for (const [kind, { id }] of made) {
      const found = await pod1.list(kind, { where: { description } as object, fields: ['id'] })
      expect(found, kind).toEqual([{ id }])
      const part = { description: description.slice(0, 250) } as object
      expect(await pod1.list(kind, { where: part, fields: ['id'] }), kind).toEqual([])
    }
    const longer = pod1.make('network', { projectId, description: 'x'.repeat(256) })
    expect(await refused(longer)).toBe('400 HTTPBadRequest')
  })

  test('are found whatever their letters’ case', async () => {
    const projectId = tenant()
    await pod1.make('network', { projectId, name: 'One' })
    expect(await pod1.list('network', { where: { projectId, name: 'oNE' } })).toHaveLength(1)
  })

  test('two things of one name get along', async () => {
    const named = { projectId: tenant(), name: 'the same' }
    for (const kind of ['network', 'router', 'security_group'] as const) {
      await pod1.make(kind, named)
      await pod1.make(kind, named)
    }
  })
})

describe.skipIf(!isThere)('pools and gateways', () => {
  test('pools may be anything inside the CIDR that does not overlap, whatever is in use', async () => {
    const projectId = tenant()
    const { network, subnet } = await networkOf(projectId)
    await pod1.make('port', { projectId, networkId: network.id, fixedIps: at(subnet, '10.0.1.200') })
    const pool = (start: number, end: number) => ({ start: `10.0.1.${start}`, end: `10.0.1.${end}` })
    const set = (...allocationPools: ReturnType<typeof pool>[]) =>
      pod1.update('subnet', subnet.id, { allocationPools })
    for (const pools of [
      [pool(10, 20)],
      [pool(10, 20), pool(100, 110)],
      [pool(10, 20), pool(21, 30)],
      [pool(200, 200)],
      [],
    ]) {
      const { allocationPools } = await set(...pools)
      expect(allocationPools).toHaveLength(pools.length)
      expect(allocationPools).toEqual(expect.arrayContaining(pools))
    }
    const port = pod1.make('port', { projectId, networkId: network.id })
    expect(await refused(port)).toBe('409 IpAddressGenerationFailure')
    expect(await refused(set(pool(10, 20), pool(15, 30)))).toBe('409 OverlappingAllocationPools')
    expect(await refused(set(pool(1, 20)))).toBe('409 GatewayConflictWithAllocationPools')
    expect(await refused(set(pool(20, 10)))).toBe('400 InvalidAllocationPool')
    expect(await refused(set(pool(0, 20)))).toBe('400 OutOfBoundsAllocationPool')
    // At its creation, no pools are the stock ones.
    const ip = { projectId, networkId: network.id, ipVersion: 4, cidr: '10.0.2.0/24' } as const
    const plain = await pod1.make('subnet', { ...ip, gatewayIp: null, allocationPools: [] })
    expect(plain.allocationPools).toEqual([{ start: '10.0.2.1', end: '10.0.2.254' }])
  })

  test('a gateway stays while a router has it, unless it goes altogether', async () => {
    const projectId = tenant()
    const { subnet } = await networkOf(projectId)
    const move = (gatewayIp: string | null) => pod1.update('subnet', subnet.id, { gatewayIp })
    expect(await refused(move('10.0.1.254'))).toBe('409 GatewayConflictWithAllocationPools')
    const allocationPools = [{ start: '10.0.1.10', end: '10.0.1.20' }]
    await pod1.update('subnet', subnet.id, { gatewayIp: '10.0.1.254', allocationPools })
    const router = await pod1.make('router', { projectId })
    const portId = await pod1.addLeg(router, { subnetId: subnet.id })
    expect(await refused(move('10.0.1.1'))).toBe('409 GatewayIpInUse')
    expect((await move('10.0.1.254')).gatewayIp).toBe('10.0.1.254')
    expect((await move(null)).gatewayIp).toBeNull()
    expect((await move('10.0.1.1')).gatewayIp).toBe('10.0.1.1')
    expect((await pod1.get('port', portId))?.fixedIps).toEqual(at(subnet, '10.0.1.254'))
  })

  test('lists of a subnet have an end', async () => {
    const { network, subnet } = await networkOf(tenant())
    const hostRoutes = Array.from({ length: 21 }, (_, n) => ({
      destination: `10.7.${n}.0/24`,
      nextHop: '10.9.9.9',
    }))
    expect(await refused(pod1.update('subnet', subnet.id, { hostRoutes }))).toBe('400 HostRoutesExhausted')
    const twenty = await pod1.update('subnet', subnet.id, { hostRoutes: hostRoutes.slice(1) })
    expect(twenty.hostRoutes).toHaveLength(20)
    const dnsNameservers = Array.from({ length: 6 }, (_, n) => `192.0.2.${n + 1}`)
    const six = pod1.update('subnet', subnet.id, { dnsNameservers })
    expect(await refused(six)).toBe('400 DNSNameServersExhausted')
    const inside = { networkId: network.id, ipVersion: 4, cidr: '10.0.1.128/25' } as const
    expect(await refused(pod1.make('subnet', inside))).toBe('400 InvalidInput')
  })
})

describe.skipIf(!isThere)('ports', () => {
  test('take any free address of the subnet and any free MAC of the network', async () => {
    const projectId = tenant()
    const { network, subnet } = await networkOf(projectId)
    const { network: other } = await networkOf(projectId)
    const allocationPools = [{ start: '10.0.1.10', end: '10.0.1.20' }]
    await pod1.update('subnet', subnet.id, { allocationPools })
    const port = (spec: ThingSpec<'port'>) => pod1.make('port', { projectId, networkId: network.id, ...spec })
    await port({ fixedIps: at(subnet, '10.0.1.1') })
    const macAddress = 'fa:16:3e:aa:bb:01'
    await port({ fixedIps: at(subnet, '10.0.1.99'), macAddress })
    await port({ networkId: other.id, macAddress })
    expect(await refused(port({ fixedIps: at(subnet, '10.0.1.99') }))).toBe('409 IpAddressAlreadyAllocated')
    expect(await refused(port({ macAddress: macAddress.toUpperCase() }))).toBe('409 MacAddressInUse')
    for (const ipAddress of ['10.0.1.0', '10.0.1.255', '10.0.2.5']) {
      expect(await refused(port({ fixedIps: at(subnet, ipAddress) }))).toBe('400 InvalidIpForSubnet')
    }
    const elsewhere = port({ networkId: other.id, fixedIps: at(subnet, '10.0.1.98') })
    expect(await refused(elsewhere)).toBe('400 InvalidInput')
    expect(await refused(port({ securityGroupIds: [network.id] }))).toBe('404 SecurityGroupNotFound')
  })

  test('change address and device at any time, and their MAC until they are bound', async () => {
    const projectId = tenant()
    const { network, subnet } = await networkOf(projectId)
    const taken = await pod1.make('port', {
      projectId,
      networkId: network.id,
      fixedIps: at(subnet, '10.0.1.7'),
    })
    const { id } = await pod1.make('port', {
      projectId,
      networkId: network.id,
      fixedIps: at(subnet, '10.0.1.8'),
    })
    const set = (spec: ThingSpec<'port'>) => pod1.update('port', id, spec)
    expect((await set({ fixedIps: [] })).fixedIps).toEqual([])
    expect((await set({ fixedIps: at(subnet, '10.0.1.9') })).fixedIps).toEqual(at(subnet, '10.0.1.9'))
    expect(await refused(set({ fixedIps: taken.fixedIps }))).toBe('409 IpAddressAlreadyAllocated')
    expect(await refused(set({ macAddress: taken.macAddress }))).toBe('409 MacAddressInUse')
    const macAddress = 'fa:16:3e:aa:bb:02'
    expect((await set({ macAddress })).macAddress).toBe(macAddress)

    const hosts = await pod1.list('agent', { where: { agentType: 'Open vSwitch agent', alive: true } })
    const hostId = hosts.find(({ host }) => /compute/.test(host))!.host
    expect(await set({ hostId })).toMatchObject({ hostId, vifType: 'ovs' })
    const read = (): Promise<RegionPort | null> => pod1.get('port', id)
    await until(async () => (await read())?.status === 'ACTIVE', { what: 'it is ACTIVE', seen: read })
    expect(await refused(set({ macAddress: 'fa:16:3e:aa:bb:03' }))).toBe('409 PortBound')
    expect((await set({ fixedIps: at(subnet, '10.0.1.10') })).fixedIps).toEqual(at(subnet, '10.0.1.10'))
    expect(await set({ hostId: 'nowhere' })).toMatchObject({ vifType: 'binding_failed' })
    await until(async () => (await read())?.status === 'DOWN', { what: 'it is DOWN', seen: read })
    expect(await set({ hostId: '' })).toMatchObject({ hostId: '', vifType: 'unbound', status: 'DOWN' })
    const server = { deviceId: taken.id, deviceOwner: 'compute:nova', profile: { region: 'Pod1' } }
    expect(await set({ ...server, securityGroupIds: [] })).toMatchObject({ ...server, securityGroupIds: [] })
    expect(await pod1.remove('port', id)).toBe(true)
  })

  test('that changed since a moment of the region’s clock are told, that second included', async () => {
    const projectId = tenant()
    const { network } = await networkOf(projectId)
    const { id, updatedAt } = await pod1.make('port', { projectId, networkId: network.id })
    const changed = (changedSince: Date) =>
      pod1.list('port', { where: { projectId }, fields: ['id'], changedSince })
    expect(await changed(updatedAt!)).toEqual([{ id }])
    const later = new Date(updatedAt!.getTime() + 2000)
    expect(await changed(later)).toEqual([])
    let changes = 0
    const isTold = async (): Promise<boolean> => {
      changes += 1
      const { updatedAt: at } = await pod1.update('port', id, { name: `changed ${changes}` })
      const told = await changed(later)
      expect(told).toEqual(at! >= later ? [{ id }] : [])
      return told.length > 0
    }
    await until(isTold, { what: 'a change after that moment', seen: () => changes })
  })
})

describe.skipIf(!isThere)('a quota', () => {
  test('counts what is its project’s, whoever makes it', async () => {
    const projectId = tenant()
    const json = { quota: { network: 1, router: 0, security_group_rule: 5 } }
    const path = `/quotas/${projectId}`
    await w.services().call('network', { method: 'PUT', path, json })
    onTestFinished(async () => void (await w.services().call('network', { method: 'DELETE', path })))
    await pod1.make('network', { projectId })
    expect(await refused(pod1.make('network', { projectId }))).toBe('409 OverQuota')
    expect(await refused(pod1.make('router', { projectId }))).toBe('409 OverQuota')
    // The default group has four rules, and a new one would have two.
    expect(await refused(pod1.make('security_group', { projectId, name: 'g' }))).toBe('409 OverQuota')
    const [group] = await pod1.list('security_group', { where: { projectId } })
    const rule = { securityGroupId: group!.id, direction: 'ingress', protocol: 'tcp' } as const
    await pod1.make('security_group_rule', { ...rule, projectId })
    const sixth = { ...rule, portRangeMin: 1, portRangeMax: 1 }
    const paid = pod1.make('security_group_rule', { ...sixth, projectId })
    expect(await refused(paid)).toBe('409 OverQuota')
    expect((await pod1.make('security_group_rule', sixth)).projectId).toBe(ours)
  })
})

describe.skipIf(!isThere)('segments', () => {
  test('are refused where they are taken', async () => {
    const projectId = tenant()
    const network = await pod1.make('network', { projectId })
    const { networkType, segmentationId } = network
    expect(networkType).toBe('vxlan')
    expect(await refused(pod1.make('network', { networkType, segmentationId }))).toBe('409 TunnelIdInUse')
    const flat = { networkType: 'flat', physicalNetwork: `flat${anySegment()}` }
    await pod1.make('network', flat)
    expect(await refused(pod1.make('network', flat))).toBe('409 FlatNetworkInUse')
  })
})

describe.skipIf(!isThere)('the default group of a project', () => {
  test('is there whenever it is looked for, with four rules that may go', async () => {
    const projectId = tenant()
    const find = () => pod1.list('security_group', { where: { projectId, name: 'default' } })
    const [group] = await find()
    expect(group?.rules.map(rule => [rule.direction, rule.ethertype, rule.remoteGroupId]).sort()).toEqual([
      ['egress', 'IPv4', null],
      ['egress', 'IPv6', null],
      ['ingress', 'IPv4', group?.id],
      ['ingress', 'IPv6', group?.id],
    ])
    for (const { id } of group!.rules) expect(await pod1.remove('security_group_rule', id)).toBe(true)
    expect((await find())[0]).toMatchObject({ id: group!.id, rules: [] })
    const rename = pod1.update('security_group', group!.id, { name: 'other' })
    expect(await refused(rename)).toBe('409 SecurityGroupCannotUpdateDefault')
    const second = pod1.make('security_group', { projectId, name: 'default' })
    expect(await refused(second)).toBe('409 SecurityGroupDefaultAlreadyExists')
    expect((await pod1.update('security_group', group!.id, { description: 'x' })).description).toBe('x')
    // It cannot be gone: the next question finds another.
    expect(await pod1.remove('security_group', group!.id)).toBe(true)
    const [anew] = await find()
    expect(anew?.id).not.toBe(group!.id)
    expect(anew?.rules).toHaveLength(4)
  })
})

describe.skipIf(!isThere)('rules', () => {
  test('may be another project’s than their group, and name anybody’s address group', async () => {
    const projectId = tenant()
    const group = await pod1.make('security_group', { projectId, name: 'g' })
    const rule = { securityGroupId: group.id, direction: 'ingress', ethertype: 'IPv4' } as const
    const tcp = { ...rule, protocol: 'tcp', portRangeMin: 1, portRangeMax: 9 }
    expect(await pod1.make('security_group_rule', tcp)).toMatchObject({ projectId: ours })
    for (const same of [{ projectId }, { description: 'x' }, { remoteIpPrefix: '0.0.0.0/0' }]) {
      const again = pod1.make('security_group_rule', { ...tcp, ...same })
      expect(await refused(again)).toBe('409 SecurityGroupRuleExists')
    }
    const members = await pod1.make('address_group', { projectId: ours, name: 'members', addresses: [] })
    const named = { ...rule, projectId, remoteAddressGroupId: members.id }
    expect(await pod1.make('security_group_rule', named)).toMatchObject(named)
    const both = pod1.make('security_group_rule', { ...named, remoteIpPrefix: '10.0.0.0/8' })
    expect(await refused(both)).toBe('400 SecurityGroupMultipleRemoteEntites')
    const nobody = pod1.make('security_group_rule', { ...named, remoteAddressGroupId: group.id })
    expect(await refused(nobody)).toBe('404 AddressGroupNotFound')
    expect(await refused(pod1.remove('address_group', members.id))).toBe('409 AddressGroupInUse')
    expect(await pod1.remove('security_group', group.id)).toBe(true)
    expect(await pod1.remove('address_group', members.id)).toBe(true)
  })

  test('name address groups whose addresses come and go', async () => {
    const group = await pod1.make('address_group', { projectId: ours, name: 'g', addresses: ['10.0.0.1/32'] })
    const { addAddresses, removeAddresses } = pod1.all
    const five = Array.from({ length: 500 }, (_, n) => `10.7.${n >> 8}.${n & 255}/32`)
    expect((await addAddresses(group.id, five)).addresses).toHaveLength(501)
    expect(await refused(addAddresses(group.id, ['10.0.0.1/32', '10.0.0.2/32']))).toBe(
      '400 AddressesAlreadyExist',
    )
    const kept = await addAddresses(group.id, ['10.1.0.3', '10.2.0.3/24', '2001:db8::1/128'])
    expect(kept.addresses).toEqual(expect.arrayContaining(['10.1.0.3/32', '10.2.0.0/24', '2001:db8::1/128']))
    expect((await removeAddresses(group.id, five)).addresses).toHaveLength(4)
    expect(await refused(removeAddresses(group.id, ['10.0.0.1/32', '10.9.0.0/24']))).toBe(
      '404 AddressesNotFound',
    )
    const whole = pod1.update('address_group', group.id, { addresses: [] })
    expect(await refused(whole)).toBe('400 HTTPBadRequest')
  })

  test('a group stays while a port is in it', async () => {
    const projectId = tenant()
    const { network } = await networkOf(projectId)
    const group = await pod1.make('security_group', { projectId, name: 'g' })
    await pod1.make('port', { projectId, networkId: network.id, securityGroupIds: [group.id] })
    expect(await refused(pod1.remove('security_group', group.id))).toBe('409 SecurityGroupInUse')
  })
})
