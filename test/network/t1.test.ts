// Topology T1: everything of a tenant in one region, with a way out of it. No other region learns anything of it.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Json } from '../world.ts'
import { markedIn } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true })
let here: string
let elsewhere: string
let external: Json
let router: Json
let network: Json
let port: Json
let floatingIp: Json

beforeAll(async () => {
  await w.startWork()
  ;[here, elsewhere] = w.regions as [string, string]
})

describe('local networking', () => {
  it('an external network is made in its region, and has its id', async () => {
    external = await w.admin.make('network', {
      name: 't1-ext',
      'router:external': true,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'extern',
      'provider:segmentation_id': 151,
      availability_zone_hints: [here],
    })
    const subnet = { network_id: external.id, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
    await w.admin.make('subnet', subnet)
    expect(external['atoll:regions']).toEqual([{ region: here, id: external.id }])
    expect((await w.region(here).get('network', external.id))?.external).toBe(true)
    expect(await w.region(elsewhere).get('network', external.id)).toBeNull()
  })

  it('a tenant’s router with its gateway, its network and its subnet are made in the region that they name', async () => {
    router = await w.demo.make('router', {
      name: 't1-r1',
      availability_zone_hints: [here],
      external_gateway_info: { network_id: external.id },
    })
    expect(router.external_gateway_info.external_fixed_ips).toHaveLength(1)
    network = await w.demo.make('network', { name: 't1-net1', availability_zone_hints: [here] })
    const subnet = await w.demo.make('subnet', {
      name: 't1-sub1',
      network_id: network.id,
      ip_version: 4,
      cidr: '10.0.1.0/24',
    })
    expect([subnet.gateway_ip, subnet.allocation_pools]).toEqual([
      '10.0.1.1',
      [{ start: '10.0.1.2', end: '10.0.1.254' }],
    ])
    const joined = await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const [leg] = await w
      .region(here)
      .list('port', { where: { deviceId: router.id, deviceOwner: 'network:router_interface' } })
    expect(joined.port_id).toBe(leg!.id)
  })

  it('a port of a network of one region is placed there at once, with an address of the region', async () => {
    port = await w.demo.make('port', { name: 't1-p1', network_id: network.id })
    const there = await w.region(here).get('port', port.id)
    expect(there).toMatchObject({ macAddress: port.mac_address, name: 't1-p1' })
    expect(port.fixed_ips[0].ip_address).toBe(there!.fixedIps[0]!.ipAddress)
    expect(port['atoll:regions']).toEqual([{ region: here, id: port.id }])
  })

  it('a floating IP leads to a port of one region, there and centrally', async () => {
    floatingIp = await w.demo.make('floatingip', { floating_network_id: external.id, port_id: port.id })
    const there = await w.region(here).get('floatingip', floatingIp.id)
    expect(there).toMatchObject({ portId: port.id, floatingIpAddress: floatingIp.floating_ip_address })
    expect(floatingIp.router_id).toBe(router.id)
  })

  it('what is in one region has no bridge, and the other region has nothing of it', async () => {
    await w.settle()
    expect((await w.region(here).list('network')).filter(({ name }) => name.startsWith('bridge'))).toEqual([])
    expect(await markedIn(w, elsewhere)).toEqual([])
  })

  it('once all is removed no region holds anything of Atoll’s', async () => {
    const [subnetId] = (await w.demo.read(`/networks/${network.id}`)).subnets
    await w.demo.remove(`/floatingips/${floatingIp.id}`)
    await w.demo.remove(`/ports/${port.id}`)
    await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: subnetId })
    await w.demo.remove(`/routers/${router.id}`)
    await w.demo.remove(`/networks/${network.id}`)
    await w.admin.remove(`/networks/${external.id}`)
    await w.settle()
    for (const region of w.regions) expect(await markedIn(w, region)).toEqual([])
  })
})
