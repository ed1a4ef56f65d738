// What routers that span regions need of a stock Neutron: bridges, legs, routes, and floating IPs that lead elsewhere.
import { describe, expect, test } from 'vitest'
import { until } from '../wait.ts'
import { fileWorld } from '../world.ts'
import { anySegment, placesOf, refused } from './network.ts'
import {
  bridgeIn,
  gatewayOn,
  mirrorOf,
  networkOf,
  outerRouter,
  routerOn,
  setRoutes,
  via,
} from './topology.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const isThere = await w.has(['network'])
const { pod1, pod2, ours, tenant } = await placesOf(w)

describe.skipIf(!isThere)('a bridge', () => {
  test('has one segment in all regions, where nothing else has it', async () => {
    const segmentationId = anySegment()
    for (const place of [pod1, pod2]) {
      const { network, subnet } = await bridgeIn(place, ours, segmentationId)
      expect(network).toMatchObject({ projectId: ours, segmentationId, external: true, shared: false })
      expect(subnet).toMatchObject({ gatewayIp: null, enableDhcp: false })
    }
    const again = { networkType: 'vlan', physicalNetwork: 'bridge', segmentationId }
    expect(await refused(pod1.make('network', again))).toBe('409 VlanIdInUse')
    const nowhere = pod1.make('network', { ...again, physicalNetwork: 'nowhere' })
    expect(await refused(nowhere)).toBe('400 InvalidInput')
    expect(await refused(pod1.make('network', { ...again, segmentationId: 4095 }))).toBe('400 InvalidInput')
  })

  test('is the gateway of routers, each with the address that was chosen', async () => {
    const projectId = tenant()
    const bridge = await bridgeIn(pod1, ours, anySegment())
    const router = await routerOn(pod1, projectId, bridge, '100.0.0.2')
    expect(router).toMatchObject({ projectId, externalGateway: gatewayOn(bridge, '100.0.0.2') })
    expect(await refused(routerOn(pod1, projectId, bridge, '100.0.0.2'))).toBe(
      '409 IpAddressAlreadyAllocated',
    )
    expect(await pod1.list('router', { where: { projectId }, fields: ['id'] })).toHaveLength(1)
    const [port] = await pod1.list('port', { where: { deviceId: router.id } })
    // Whoever lists a project's ports does not see it.
    expect(port).toMatchObject({ deviceOwner: 'network:router_gateway', projectId: null, description: '' })

    const moved = await pod1.update('router', router.id, { externalGateway: gatewayOn(bridge, '100.0.0.20') })
    expect(moved.externalGateway?.externalFixedIps).toMatchObject([{ ipAddress: '100.0.0.20' }])
    expect(await refused(pod1.remove('port', port!.id))).toBe('409 ServicePortInUse')
    expect(await refused(pod1.remove('subnet', bridge.subnet.id))).toBe('409 SubnetInUse')
    expect(await refused(pod1.remove('network', bridge.network.id))).toBe('409 NetworkInUse')
    const inside = pod1.update('network', bridge.network.id, { external: false })
    expect(await refused(inside)).toBe('409 ExternalNetworkInUse')
    const { network, subnet } = await networkOf(pod1, projectId, '10.0.1.0/24')
    const externalGateway = { ...gatewayOn(bridge, '100.0.0.3'), networkId: network.id }
    expect(await refused(pod1.make('router', { externalGateway }))).toBe('400 BadRequest')
    // A router may not have one CIDR twice, so tenants' subnets stay clear of the bridge's.
    const { subnet: twin } = await networkOf(pod1, projectId, '100.0.0.128/25')
    expect(await refused(pod1.addLeg(router, { subnetId: twin.id }))).toBe('400 BadRequest')
    await pod1.addLeg(router, { subnetId: subnet.id })
  })
})

describe.skipIf(!isThere)('a leg', () => {
  test('is a subnet’s own gateway address, or a port that was made for it', async () => {
    const projectId = tenant()
    const router = await pod1.make('router', { projectId })
    const one = await networkOf(pod1, projectId, '10.0.1.0/24')
    const portId = await pod1.addLeg(router, { subnetId: one.subnet.id })
    expect(await pod1.get('port', portId)).toMatchObject({ projectId, description: '', securityGroupIds: [] })
    expect(await refused(pod1.addLeg(router, { subnetId: one.subnet.id }))).toBe('400 leg_exists')

    const two = await networkOf(pod1, projectId, '10.0.2.0/24')
    const port = await pod1.make('port', {
      projectId,
      networkId: two.network.id,
      macAddress: 'fa:16:3e:00:00:01',
      fixedIps: [{ subnetId: two.subnet.id, ipAddress: '10.0.2.1' }],
      description: 'a leg',
      securityGroupIds: [],
    })
    const leg = { portId: port.id }
    expect(await pod1.addLeg(router, leg)).toBe(port.id)
    expect(await pod1.get('port', port.id)).toMatchObject({
      macAddress: 'fa:16:3e:00:00:01',
      deviceId: router.id,
      deviceOwner: 'network:router_interface',
      description: 'a leg',
      securityGroupIds: [],
    })
    expect(await refused(pod1.addLeg(router, leg))).toBe('409 PortInUse')
    expect(await refused(pod1.addLeg(router, { subnetId: two.subnet.id }))).toBe('400 leg_exists')

    expect(await refused(pod1.remove('port', port.id))).toBe('409 ServicePortInUse')
    expect(await refused(pod1.remove('subnet', two.subnet.id))).toBe('409 SubnetInUse')
    expect(await refused(pod1.remove('network', two.network.id))).toBe('409 NetworkInUse')
    expect(await refused(pod1.remove('router', router.id))).toBe('409 RouterInUse')
    expect(await pod1.removeLeg(router, leg)).toBe(true)
    expect(await pod1.removeLeg(router, leg)).toBe(false)
    expect(await pod1.get('port', port.id)).toBeNull()
    expect(await pod1.removeLeg(router, { subnetId: one.subnet.id })).toBe(true)
    expect(await pod1.removeLeg(router, { subnetId: one.subnet.id })).toBe(false)
    expect(await pod1.remove('router', router.id)).toBe(true)
    expect(await pod1.removeLeg(router, { subnetId: one.subnet.id })).toBe(false)
  })

  test('by a subnet is refused where its gateway address is somebody’s, or it has none', async () => {
    const projectId = tenant()
    const router = await pod1.make('router', { projectId })
    const { network, subnet } = await networkOf(pod1, projectId, '10.0.1.0/24')
    const leg = { subnetId: subnet.id }
    const fixedIps = [{ subnetId: subnet.id, ipAddress: '10.0.1.1' }]
    await pod1.make('port', { projectId, networkId: network.id, fixedIps })
    expect(await refused(pod1.addLeg(router, leg))).toBe('409 IpAddressAlreadyAllocated')
    await pod1.update('subnet', subnet.id, { gatewayIp: null })
    expect(await refused(pod1.addLeg(router, leg))).toBe('400 BadRequest')
    expect(await refused(pod1.addLeg(router, { subnetId: router.id }))).toBe('404 SubnetNotFound')
    expect(await refused(pod1.addLeg(router, { portId: router.id }))).toBe('404 PortNotFound')
    expect(await refused(pod1.addLeg(subnet, leg))).toBe('404 RouterNotFound')
  })
})

describe.skipIf(!isThere)('routes', () => {
  test('lead through any neighbour, and keep in place what they need', async () => {
    const projectId = tenant()
    const bridge = await bridgeIn(pod1, ours, anySegment())
    const router = await routerOn(pod1, projectId, bridge, '100.0.0.2')
    const { subnet } = await networkOf(pod1, projectId, '10.0.1.0/24')
    await pod1.addLeg(router, { subnetId: subnet.id })
    const routes = [...via('100.0.0.3', '10.0.5.0/24'), ...via('100.0.0.1', '0.0.0.0/0')]
    expect((await setRoutes(pod1, router, routes)).routes).toEqual(expect.arrayContaining(routes))
    const others = via('10.0.1.9', '10.9.0.0/24')
    expect((await setRoutes(pod1, router, others)).routes).toEqual(others)

    expect(await refused(setRoutes(pod1, router, via('99.0.0.3', '10.0.6.0/24')))).toBe('400 InvalidRoutes')
    expect(await refused(setRoutes(pod1, router, via('100.0.0.2', '10.0.6.0/24')))).toBe('400 InvalidRoutes')
    const hostBits = setRoutes(pod1, router, via('100.0.0.3', '10.0.6.5/24'))
    expect(await refused(hostBits)).toBe('400 HTTPBadRequest')
    const tooMany = Array.from({ length: 31 }, (_, n) => ({
      destination: `10.8.${n}.0/24`,
      nextHop: '100.0.0.3',
    }))
    expect(await refused(setRoutes(pod1, router, tooMany))).toBe('400 RoutesExhausted')
    expect((await setRoutes(pod1, router, tooMany.slice(1))).routes).toHaveLength(30)

    await setRoutes(pod1, router, [...others, ...via('100.0.0.3', '10.0.6.0/24')])
    const leg = { subnetId: subnet.id }
    expect(await refused(pod1.removeLeg(router, leg))).toBe('409 RouterInterfaceInUseByRoute')
    const bare = pod1.update('router', router.id, { externalGateway: null })
    expect(await refused(bare)).toBe('400 InvalidRoutes')
    const both = await pod1.update('router', router.id, { routes: [], externalGateway: null })
    expect(both).toMatchObject({ routes: [], externalGateway: null })
    // The other way round they do not go together.
    const externalGateway = gatewayOn(bridge, '100.0.0.2')
    const [route] = via('100.0.0.3', '10.0.6.0/24')
    const together = pod1.update('router', router.id, { externalGateway, routes: [route!] })
    expect(await refused(together)).toBe('400 InvalidRoutes')
    expect(await refused(pod1.make('router', { projectId, routes: [] }))).toBe('400 HTTPBadRequest')
  })

  test('and a gateway do not keep a router', async () => {
    const bridge = await bridgeIn(pod1, ours, anySegment())
    const router = await routerOn(pod1, tenant(), bridge, '100.0.0.2')
    await setRoutes(pod1, router, via('100.0.0.1', '0.0.0.0/0'))
    expect(await pod1.remove('router', router.id)).toBe(true)
    expect(await pod1.remove('network', bridge.network.id)).toBe(true)
  })
})

describe.skipIf(!isThere)('a router with a way out', () => {
  test('has a leg on the bridge, though that is an external network', async () => {
    const projectId = tenant()
    const { bridge, router, bridgeLeg } = await outerRouter(pod1, { projectId, ours }, anySegment())
    expect(router.externalGateway).toMatchObject({ enableSnat: true, externalFixedIps: [{}] })
    const second = await pod1.make('router', { projectId })
    expect(await refused(pod1.addLeg(second, { subnetId: bridge.subnet.id }))).toBe('400 BadRequest')
    const routes = via('100.0.0.3', '10.0.5.0/24')
    expect((await setRoutes(pod1, router, routes)).routes).toEqual(routes)
    await routerOn(pod1, projectId, bridge, '100.0.0.9')
    expect(await refused(pod1.removeLeg(router, bridgeLeg))).toBe('409 RouterInterfaceInUseByRoute')
  })

  test('gives floating IPs to ports of its own region', async () => {
    const projectId = tenant()
    const { outside, router } = await outerRouter(pod1, { projectId, ours }, anySegment())
    const { network, subnet } = await networkOf(pod1, projectId, '10.0.8.0/24')
    const leg = { subnetId: subnet.id }
    await pod1.addLeg(router, leg)
    const port = await pod1.make('port', { projectId, networkId: network.id })
    const floatingNetworkId = outside.network.id
    const given = { projectId, floatingNetworkId, floatingIpAddress: '203.0.113.77' }
    const floating = await pod1.make('floatingip', { ...given, portId: port.id })
    expect(floating).toMatchObject({ ...given, portId: port.id, routerId: router.id })
    const read = () => pod1.get('floatingip', floating.id)
    await until(async () => (await read())?.status === 'ACTIVE', { what: 'it is ACTIVE', seen: read })
    expect(await refused(pod1.make('floatingip', given))).toBe('409 IpAddressAlreadyAllocated')
    const inside = pod1.make('floatingip', { projectId, floatingNetworkId: network.id })
    expect(await refused(inside)).toBe('400 BadRequest')
    expect(await refused(pod1.removeLeg(router, leg))).toBe('409 RouterInterfaceInUseByFloatingIP')
    const bare = pod1.update('router', router.id, { externalGateway: null })
    expect(await refused(bare)).toBe('409 RouterExternalGatewayInUseByFloatingIp')
  })
})

describe.skipIf(!isThere)('a floating IP for a port of another region', () => {
  test('leads through a mirror of the port, and goes again in the right order', async () => {
    const projectId = tenant()
    const segmentationId = anySegment()
    const bridge = await bridgeIn(pod2, ours, segmentationId)
    const inner = await routerOn(pod2, projectId, bridge, '100.0.0.3')
    const home = await networkOf(pod2, projectId, '10.0.5.0/24')
    await pod2.addLeg(inner, { subnetId: home.subnet.id })
    await setRoutes(pod2, inner, via('100.0.0.1', '0.0.0.0/0'))
    const ipAddress = '10.0.5.20'
    const fixedIps = [{ subnetId: home.subnet.id, ipAddress }]
    const port = await pod2.make('port', { projectId, networkId: home.network.id, fixedIps })

    const outer = await outerRouter(pod1, { projectId, ours }, segmentationId)
    const mirror = await mirrorOf(pod1, { projectId, ours }, '10.0.5.0/24', '10.0.5.254')
    const { network, subnet, leg } = mirror
    const full = pod1.make('port', { projectId, networkId: network.id })
    expect(await refused(full)).toBe('409 IpAddressGenerationFailure')
    const floating = await pod1.make('floatingip', { projectId, floatingNetworkId: outer.outside.network.id })
    const double = await pod1.make('port', {
      projectId,
      networkId: network.id,
      macAddress: port.macAddress,
      fixedIps: [{ subnetId: subnet.id, ipAddress }],
      deviceOwner: 'compute:mirror',
      securityGroupIds: [],
    })
    const associate = () => pod1.update('floatingip', floating.id, { portId: double.id })
    expect(await refused(associate())).toBe('404 ExternalGatewayForFloatingIPNotFound')
    await pod1.addLeg(outer.router, leg)
    const there = { portId: double.id, fixedIpAddress: ipAddress, routerId: outer.router.id }
    expect(await associate()).toMatchObject(there)
    expect(await associate()).toMatchObject(there)

    // More telling than the connected subnet, which leads nowhere here.
    const routes = via('100.0.0.3', `${ipAddress}/32`, '10.0.5.0/25', '10.0.5.128/25')
    expect((await setRoutes(pod1, outer.router, routes)).routes).toHaveLength(3)

    const { router, outside, bridgeLeg } = outer
    expect(await refused(pod1.removeLeg(router, leg))).toBe('409 RouterInterfaceInUseByFloatingIP')
    expect(await refused(pod1.removeLeg(router, bridgeLeg))).toBe('409 RouterInterfaceInUseByRoute')
    expect(await refused(pod1.remove('router', router.id))).toBe('409 RouterInUse')
    expect(await refused(pod1.remove('network', network.id))).toBe('409 NetworkInUse')
    expect(await refused(pod1.remove('network', outside.network.id))).toBe('409 NetworkInUse')
    // A port that goes leaves its floating IP behind, without a word.
    expect(await pod1.remove('port', double.id)).toBe(true)
    expect(await pod1.get('floatingip', floating.id)).toMatchObject({ portId: null, routerId: null })

    expect(await pod1.remove('floatingip', floating.id)).toBe(true)
    await setRoutes(pod1, router, [])
    expect(await pod1.removeLeg(router, leg)).toBe(true)
    expect(await pod1.remove('network', network.id)).toBe(true)
    expect(await pod1.removeLeg(router, bridgeLeg)).toBe(true)
    expect(await pod1.remove('router', router.id)).toBe(true)
    expect(await pod1.remove('network', outer.bridge.network.id)).toBe(true)
  })
})
