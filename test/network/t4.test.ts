// Topology T4: one way out for networks of several regions. The assertions are those of the original's single-gateway
// scenario, but that routes name CIDRs and not every server, and that the router in the region of the way out is one
// router and not two.

import { beforeAll, describe, expect, it } from 'vitest'
import { askForAll } from '../../src/core/network/watch/ask.ts'
import { fileWorld, type Json } from '../world.ts'
import { look, markedIn, plug, plugInto } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true })
let one: string
let two: string
let external: Json
let router: Json
const networks: Json[] = []
const subnets: Json[] = []
const ports: Json[] = []
const floatingIps: Json[] = []

beforeAll(async () => {
  await w.startWork()
  ;[one, two] = w.regions as [string, string]
})

/** The router's copy in a region, with the addresses of its legs and its gateway, and its routes. */
async function copyIn(region: string) {
  const places = (await w.demo.read(`/routers/${router.id}`))['atoll:regions']
  const id = places.find((place: Json) => place.region === region)?.id
  if (!id) return null
  const copy = await w.region(region).get('router', id)
  const legs = await w.region(region).list('port', { where: { deviceId: id } })
  return {
    name: copy!.name,
    gateway: copy!.externalGateway,
    addresses: legs.flatMap(leg => leg.fixedIps.map(({ ipAddress }) => ipAddress)).sort(),
    routes: copy!.routes.map(({ destination, nextHop }) => `${destination} via ${nextHop}`).sort(),
  }
}

/** The CIDRs of what is of this test in a region. */
const subnetsIn = async (region: string) =>
  (await w.region(region).list('subnet'))
    .filter(({ name }) => /t4|bridge|mirror/.test(name))
    .map(({ cidr }) => cidr)
    .sort()

const regionalId = async (kind: string, id: string, region: string): Promise<string> =>
  (await w.demo.read(`/${kind}s/${id}`))['atoll:regions'].find((place: Json) => place.region === region).id

describe('north-south by one external network', () => {
  it('the network outside is in its region, the router and the networks are nowhere yet', async () => {
    external = await w.admin.make('network', {
      name: 't4-ext',
      'router:external': true,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'extern',
      'provider:segmentation_id': 154,
      availability_zone_hints: [two],
    })
    const outside = {
      name: 't4-ext',
      network_id: external.id,
      ip_version: 4,
      cidr: '163.3.124.0/24',
      enable_dhcp: false,
    }
    await w.admin.make('subnet', outside)
    router = await w.demo.make('router', { name: 't4-router' })
    for (const [index, spec] of [
      { cidr: '10.0.1.0/24', allocation_pools: [{ start: '10.0.1.10', end: '10.0.1.90' }] },
      { cidr: '10.0.2.0/24', allocation_pools: [{ start: '10.0.2.10', end: '10.0.2.90' }] },
      { cidr: '10.0.2.0/24', allocation_pools: [{ start: '10.0.2.110', end: '10.0.2.190' }] },
      { cidr: '10.0.4.0/24', gateway_ip: null },
    ].entries()) {
      const network = await w.demo.make('network', { name: `t4-net${index + 1}` })
      const subnet = { name: `t4-sub${index + 1}`, network_id: network.id, ip_version: 4, ...spec }
      networks.push(network)
      subnets.push(await w.demo.make('subnet', subnet))
    }
    expect(networks.map(network => network['atoll:regions'])).toEqual([[], [], [], []])
    expect(router['atoll:regions']).toEqual([])
  })

  it('once its gateway is set a router is in the region of the network outside', async () => {
    router = await w.demo.change(`/routers/${router.id}`, {
      router: { external_gateway_info: { network_id: external.id } },
    })
    expect(router.external_gateway_info).toMatchObject({ network_id: external.id, enable_snat: true })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnets[0].id })
    await w.settle()
    expect(await copyIn(one)).toBeNull()
    expect(await copyIn(two)).toMatchObject({ name: 't4-router', gateway: { networkId: external.id } })
  })

  it('a port is reserved until it is known where it goes, and may have a floating IP before that', async () => {
    ports[0] = await w.demo.make('port', { name: 't4-p1', network_id: networks[0].id })
    ports[1] = await w.demo.make('port', { name: 't4-p2', network_id: networks[1].id })
    expect(ports.map(port => port['atoll:regions'])).toEqual([[], []])
    floatingIps[0] = await w.demo.make('floatingip', {
      floating_network_id: external.id,
      port_id: ports[0].id,
    })
    expect(floatingIps[0]).toMatchObject({ status: 'DOWN', port_id: ports[0].id })
  })

  it('a server comes to a reserved port in one region: network, router and floating IP follow', async () => {
    const placed = await w.demo.change(`/ports/${ports[0].id}`, {
      port: { 'binding:profile': { region: one } },
    })
    expect(placed).toMatchObject({
      id: ports[0].id,
      fixed_ips: ports[0].fixed_ips,
      mac_address: ports[0].mac_address,
    })
    await plug(w, one, placed['atoll:regions'][0].id)
    await w.settle()
    const floating = await w.region(two).get('floatingip', floatingIps[0].id)
    expect(floating?.fixedIpAddress).toBe(ports[0].fixed_ips[0].ip_address)
  })

  it('a server comes to the other port in the other region, and gets its way and its floating IP afterwards', async () => {
    const placed = await w.demo.change(`/ports/${ports[1].id}`, {
      port: { 'binding:profile': { region: two } },
    })
    await plug(w, two, placed['atoll:regions'][0].id)
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnets[1].id })
    await w.settle()
    floatingIps[1] = await w.demo.make('floatingip', {
      floating_network_id: external.id,
      port_id: ports[1].id,
    })
    await w.settle()
    const there = await w.region(two).get('floatingip', floatingIps[1].id)
    expect(there).toMatchObject({ portId: placed['atoll:regions'][0].id })
  })

  it('a server that is booted by its network’s id in a region appears centrally, with its address', async () => {
    const warm = { network_id: networks[3].id, 'binding:profile': { region: one } }
    ports[2] = await w.demo.make('port', { name: 't4-p4', ...warm })
    const there = await regionalId('network', networks[3].id, one)
    const booted = await plugInto(w, one, there, w.demo.projectId!)
    await look(w)
    ports[3] = await w.demo.read(`/ports/${booted.id}`)
    expect(ports[3]).toMatchObject({
      device_id: booted.deviceId,
      device_owner: 'compute:nova',
      mac_address: booted.macAddress,
      network_id: networks[3].id,
      'atoll:regions': [{ region: one, id: booted.id }],
    })
    expect(ports[3].fixed_ips).toEqual([
      { subnet_id: subnets[3].id, ip_address: booted.fixedIps[0]!.ipAddress },
    ])
    await w.settle()
  })

  it('each region’s router is on its networks and on the bridge', async () => {
    const [inOne, inTwo] = [await copyIn(one), await copyIn(two)]
    expect(inOne!.addresses).toEqual([
      expect.stringMatching(/^10\.0\.1\./),
      expect.stringMatching(/^100\.0\.0\./),
    ])
    expect(inOne!.gateway!.enableSnat).toBe(false)
    expect(inTwo!.addresses).toEqual(
      expect.arrayContaining([expect.stringMatching(/^10\.0\.2\./), '100.0.0.1']),
    )
  })

  it('the routes of the regions’ routers lead to each other’s networks, and out', async () => {
    const [inOne, inTwo] = [await copyIn(one), await copyIn(two)]
    const bridgeOfOne = inOne!.addresses.find(address => address.startsWith('100.'))
    expect(inOne!.routes).toEqual(['0.0.0.0/0 via 100.0.0.1', '10.0.2.0/24 via 100.0.0.1'])
    // The one region's network is mirrored here for the floating IP, so the routes to it are more exact than that.
    expect(inTwo!.routes).toEqual([`10.0.1.0/25 via ${bridgeOfOne}`, `10.0.1.128/25 via ${bridgeOfOne}`])
  })

  it('each region has the networks that it needs, and no other', async () => {
    expect(await subnetsIn(one)).toEqual(['10.0.1.0/24', '10.0.4.0/24', '100.0.0.0/24'])
    expect(await subnetsIn(two)).toEqual(['10.0.1.0/24', '10.0.2.0/24', '100.0.0.0/24', '163.3.124.0/24'])
  })

  it('both floating IPs are in the region of the network outside', async () => {
    const ids = (await w.region(two).list('floatingip')).map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(floatingIps.map(({ id }) => id)))
  })

  it('bringing a topology once more to what it should be writes nothing', async () => {
    const writes = () =>
      [...(w.cloud?.neutrons.values() ?? [])].reduce(
        (sum, neutron) => sum + ['POST', 'PUT', 'DELETE'].reduce((n, method) => n + neutron.calls(method), 0),
        0,
      )
    const before = writes()
    for (const name of w.regions) {
      const region = (await w.app.store.regions.list()).find(known => known.name === name)!
      await askForAll(w.app, region)
    }
    await w.settle()
    expect(writes()).toBe(before)
  })

  it('once all is removed no region holds anything of Atoll’s', async () => {
    for (const { id } of floatingIps) await w.demo.remove(`/floatingips/${id}`)
    for (const subnet of [subnets[0], subnets[1]])
      await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id })
    // As Nova does when it removes a server.
    await w.region(one).remove('port', ports[3].id)
    for (const { id } of ports.slice(0, 3)) await w.demo.remove(`/ports/${id}`)
    await look(w)
    expect((await w.demo.get(`/ports/${ports[3].id}`)).status).toBe(404)
    await w.settle()
    await w.demo.remove(`/routers/${router.id}`)
    for (const { id } of networks) await w.demo.remove(`/networks/${id}`)
    await w.admin.remove(`/networks/${external.id}`)
    await w.settle()
    for (const region of w.regions) expect(await markedIn(w, region)).toEqual([])
  })
})
