// What a region's users do there without Atoll: servers are booted by a network's id, ports change, things go.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fileWorld, type Json } from '../world.ts'
import { look, plug, plugInto } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true, settings: { ATOLL_NETWORKING_QUOTA_PORT: '-1' } })
let network: Json
let subnet: Json
let spanning: Json
let spanningSubnet: Json
let warm: Json

beforeAll(async () => {
  // Here it is the tests that look: a look of the clockwork's, begun before, would write what it saw then.
  await w.database.pool.query(`delete from turn where kind = 'watch'`)
  await w.startWork()
  network = await w.demo.make('network', { name: 'w-home', availability_zone_hints: ['Pod1'] })
  const inNetwork = { network_id: network.id, ip_version: 4, cidr: '10.7.0.0/16' }
  subnet = await w.demo.make('subnet', { name: 'w-home', ...inNetwork })
  spanning = await w.demo.make('network', { name: 'w-span' })
  const inSpanning = { network_id: spanning.id, ip_version: 4, cidr: '10.8.0.0/16' }
  spanningSubnet = await w.demo.make('subnet', { name: 'w-span', ...inSpanning })
  const placed = { network_id: spanning.id, 'binding:profile': { region: 'Pod1' } }
  warm = await w.demo.make('port', { name: 'w-warm', ...placed })
  await look(w)
})
beforeEach(() => w.settle())

const show = (id: string) => w.demo.get(`/ports/${id}`)
const last = (address: string): number => Number(address.split('.').at(-1))
const there = async (id: string, region: string): Promise<string> =>
  (await w.demo.read(`/networks/${id}`))['atoll:regions'].find((place: Json) => place.region === region).id

describe('a server booted in a region by the id that its network has there', () => {
  it('appears centrally with its address, its device and its project’s default group', async () => {
    const booted = await plugInto(w, 'Pod1', await there(spanning.id, 'Pod1'), w.demo.projectId!)
    await look(w)
    const { json } = await show(booted.id)
    const groups = await w.demo.read('/security-groups?name=default')
    expect(json.port).toMatchObject({
      network_id: spanning.id,
      fixed_ips: [{ subnet_id: spanningSubnet.id, ip_address: booted.fixedIps[0]!.ipAddress }],
      device_id: booted.deviceId,
      project_id: w.demo.projectId,
      security_groups: [groups[0].id],
      'atoll:regions': [{ region: 'Pod1', id: booted.id }],
    })
  })

  it('has an address out of the region’s own block, which nobody else gets', async () => {
    const booted = await plugInto(w, 'Pod1', await there(spanning.id, 'Pod1'), w.demo.projectId!)
    const address = booted.fixedIps[0]!.ipAddress
    const fixed = { network_id: spanning.id, fixed_ips: [{ ip_address: address }] }
    await look(w)
    const { status, json } = await w.demo.post('/ports', { port: fixed })
    expect([status, json.NeutronError.type]).toEqual([409, 'IpAddressAlreadyAllocated'])
  })

  it('never finds its region’s block full: it grows when half of it is given', async () => {
    const small = await w.demo.make('network', { name: 'w-small' })
    const subnet = { network_id: small.id, ip_version: 4, cidr: '10.9.0.0/26' }
    const { id } = await w.demo.make('subnet', { name: 'w-small', ...subnet })
    const placed = { network_id: small.id, 'binding:profile': { region: 'Pod1' } }
    await w.demo.make('port', { name: 'w-small', ...placed })
    const regional = await there(small.id, 'Pod1')
    const size = async () => {
      const [{ allocationPools }] = (await w
        .region('Pod1')
        .list('subnet', { where: { networkId: regional } })) as [Json]
      return allocationPools.reduce(
        (sum: number, { start, end }: Json) => sum + last(end) - last(start) + 1,
        0,
      )
    }
    const first = await size()
    for (let booted = 0; booted < first + 8; booted += 1) {
      await plugInto(w, 'Pod1', regional, w.demo.projectId!)
      if (booted % 4 === 3) await look(w)
    }
    await look(w)
    expect(await size()).toBeGreaterThan(first)
    const held = await w.app.store.networks.holdings(id, ['port'])
    expect(held.length).toBeGreaterThanOrEqual(first + 8)
  })

  it('brings the networks’ routers to the region', async () => {
    const router = await w.demo.make('router', { name: 'w-router' })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: spanningSubnet.id })
    await w.settle()
    const places = (await w.demo.read(`/routers/${router.id}`))['atoll:regions']
    expect(places.map(({ region }: Json) => region)).toEqual(['Pod1'])
    await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: spanningSubnet.id })
    await w.settle()
    await w.demo.remove(`/routers/${router.id}`)
  })

  it('belongs to its own project, and is shown to the network’s and to nobody else', async () => {
    const booted = await plugInto(w, 'Pod1', network.id, w.admin.projectId!)
    await look(w)
    const { status, json } = await show(booted.id)
    expect([status, json.port.project_id]).toEqual([200, w.admin.projectId])
    const stranger = w.person('stranger', ['member'])
    expect((await stranger.get(`/ports/${booted.id}`)).status).toBe(404)
    expect((await w.admin.get(`/ports/${booted.id}`)).status).toBe(200)
    await w.region('Pod1').remove('port', booted.id)
    await look(w)
  })
})

describe('what changes in a region', () => {
  it('a port’s host, status and device are the model’s after the next look', async () => {
    const port = await w.demo.make('port', { network_id: network.id })
    const plugged = await plug(w, 'Pod1', port.id)
    await look(w)
    const { json } = await w.admin.get(`/ports/${port.id}`)
    expect(json.port).toMatchObject({
      device_id: plugged.deviceId,
      'binding:host_id': plugged.hostId,
      'binding:vif_type': 'ovs',
      status: 'ACTIVE',
    })
  })

  it('ports on networks that are not Atoll’s are nobody’s business', async () => {
    const foreign = await w
      .region('Pod2')
      .create('network', { name: 'foreign', projectId: w.demo.projectId! })
    const cidr = { networkId: foreign.id, ipVersion: 4 as const, cidr: '10.99.0.0/24' }
    await w.region('Pod2').create('subnet', { ...cidr, projectId: w.demo.projectId! })
    const booted = await plugInto(w, 'Pod2', foreign.id, w.demo.projectId!)
    const sightings = await look(w)
    expect(sightings.map(({ came }) => came)).toEqual([0, 0])
    expect((await show(booted.id)).status).toBe(404)
    expect(await w.region('Pod2').get('port', booted.id)).not.toBeNull()
  })

  it('a look at what has not changed writes nothing', async () => {
    await look(w)
    expect((await look(w)).map(({ came, changed, gone }) => came + changed + gone)).toEqual([0, 0])
  })
})

describe('what goes in a region', () => {
  it('a port that its server took with it is gone centrally, its address free again', async () => {
    const booted = await plugInto(w, 'Pod1', network.id, w.demo.projectId!)
    await look(w)
    expect((await show(booted.id)).status).toBe(200)
    await w.region('Pod1').remove('port', booted.id)
    await look(w)
    expect((await show(booted.id)).status).toBe(404)
    const again = { network_id: network.id, fixed_ips: [{ ip_address: booted.fixedIps[0]!.ipAddress }] }
    await w.demo.make('port', again)
  })

  it('an address that a region gives again before the next look is the new port’s', async () => {
    const fixed = [{ subnet_id: subnet.id, ip_address: '10.7.200.1' }]
    const first = await w.demo.make('port', { network_id: network.id, fixed_ips: fixed })
    await w.region('Pod1').remove('port', first.id)
    const second = await w.demo.make('port', { network_id: network.id, fixed_ips: fixed })
    expect(second.fixed_ips[0].ip_address).toBe('10.7.200.1')
    expect((await show(first.id)).status).toBe(404)
  })

  it('a routing that an operator wrote of what the model does not know stays', async () => {
    const region = (await w.app.store.regions.list()).find(({ name }) => name === 'Pod1')!
    const spec = { centralId: 'theirs', regionalId: 'theirs-in-pod1', projectId: w.demo.projectId! }
    const note = { caller: w.admin, at: new Date(), action: 'routing.create' }
    await w.app.store.routings.append([{ ...spec, regionId: region.id, resourceType: 'network' }], note)
    await look(w)
    const filter = { centralId: 'theirs' }
    expect(await w.app.store.routings.list(filter, { limit: 1, marker: null })).toHaveLength(1)
  })

  it('a copy that others depend on is drift, and is neither forgotten nor made again', async () => {
    const id = await there(spanning.id, 'Pod1')
    const before = await w.region('Pod1').list('network')
    for (const port of await w.region('Pod1').list('port', { where: { networkId: id } }))
      if (port.id !== warm.id) await w.region('Pod1').remove('port', port.id)
    await w.region('Pod1').remove('port', warm.id)
    await w.region('Pod1').remove('network', id)
    const [sighting] = await look(w)
    expect(sighting!.drift.join('\n')).toContain(`network ${spanning.id} is gone in Pod1`)
    expect((await w.demo.get(`/networks/${spanning.id}`)).status).toBe(200)
    expect(await w.region('Pod1').list('network')).toHaveLength(before.length - 1)
  })

  it('a network’s copy whose routings an operator has removed is made again where it is needed', async () => {
    const ids = [spanning.id, spanningSubnet.id]
    for (const centralId of ids) {
      const [routing] = await w.app.store.routings.list({ centralId }, { limit: 1, marker: null })
      const note = { caller: w.admin, at: new Date(), action: 'routing.remove' }
      await w.app.store.routings.remove(routing!.id, note)
    }
    const placed = { network_id: spanning.id, 'binding:profile': { region: 'Pod1' } }
    const port = await w.demo.make('port', placed)
    const again = await there(spanning.id, 'Pod1')
    expect((await w.region('Pod1').get('port', port.id))?.networkId).toBe(again)
  })

  it('a router’s copy whose routings an operator has removed is made again where it is needed', async () => {
    const router = await w.demo.make('router', { name: 'w-again' })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: spanningSubnet.id })
    await w.settle()
    const copyOf = async () => (await w.demo.read(`/routers/${router.id}`))['atoll:regions'][0]?.id
    const first = await copyOf()
    for (const leg of await w.region('Pod1').list('port', { where: { deviceId: first } }))
      await w.region('Pod1').removeLeg(first, { portId: leg.id })
    await w.region('Pod1').remove('router', first)
    const filter = { centralId: router.id, resourceType: 'router' }
    const [routing] = await w.app.store.routings.list(filter, { limit: 1, marker: null })
    await w.app.store.routings.remove(routing!.id, {
      caller: w.admin,
      at: new Date(),
      action: 'routing.remove',
    })
    await w.demo.change(`/routers/${router.id}`, { router: { name: 'w-again-2' } })
    await w.settle()
    const second = await copyOf()
    expect(second).toBeDefined()
    expect(second).not.toBe(first)
    const legs = await w.region('Pod1').list('port', { where: { deviceId: second } })
    expect(legs).toHaveLength(1)
    await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: spanningSubnet.id })
    await w.settle()
    await w.demo.remove(`/routers/${router.id}`)
  })
})
