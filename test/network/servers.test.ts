// Servers on networks of several regions, booted through each region's own Nova on what Atoll has placed there: they are
// known centrally, their ports go from region to region between them, and what they leave is nothing.

import { describe, expect, it } from 'vitest'
import { parseAddress, parsePool, poolContains } from '../../src/core/network/addresses/address.ts'
import { askForAll } from '../../src/core/network/watch/ask.ts'
import type { Sighting } from '../../src/core/network/watch/watch.ts'
import type { Server } from '../../src/openstack/nova.ts'
import { answered, serversOf } from '../world/servers.ts'
import { fileWorld, type Json } from '../world.ts'
import { look, markedIn } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true })
await w.startWork()
const opened = await serversOf(w)
const servers = opened!
const [one, two] = w.regions as [string, string]

/** By name. */
const networks: Record<string, Json> = {}
const subnets: Record<string, Json> = {}
const ports: Record<string, Json> = {}
const floatingIps: Record<string, Json> = {}
/** By the name of the port. */
const running: Record<string, { region: string; server: Server }> = {}
let external: Json
let router: Json

const settle = () => w.settle()
/** A sweep was a moment ago. */
const notDueMs = 3_600_000

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const result = await work()
  console.log(`${w.kind}: ${what}: ${Math.round(performance.now() - startedAt)} ms`)
  return result
}

const show = (id: string): Promise<Json> => w.admin.read(`/ports/${id}`)
const idIn = (row: Json, region: string): string | undefined =>
  row['atoll:regions'].find((place: Json) => place.region === region)?.id
const addressOf = (port: Json): string => port.fixed_ips[0].ip_address
const put = (id: string, region: string) =>
  w.demo.put(`/ports/${id}`, { port: { 'binding:profile': { region } } })

/** Looks until a port is ACTIVE; it becomes so a moment after its server in a real region. */
async function seen(id: string): Promise<Json> {
  let sightings: Sighting[] = []
  const port = await answered(
    async () => {
      sightings = await look(w, notDueMs)
      return (await w.admin.get(`/ports/${id}`)).json.port
    },
    found => found?.status === 'ACTIVE',
  )
  expect(sightings.flatMap(({ drift }) => drift)).toEqual([])
  return port
}

/** A server in a region on a port that is placed there. */
async function bootOn(name: string, region: string): Promise<Server> {
  const port = idIn(await show(ports[name].id), region)!
  const server = await servers.boot(region, [{ port }])
  running[name] = { region, server }
  return server
}

async function removeServerOf(name: string): Promise<void> {
  const { region, server } = running[name]!
  await timed(`the server on ${name} in ${region} is gone`, () => servers.remove(region, server.id))
  delete running[name]
}

/** What the central port is like while a server is on it: all that it was, and what its region says. */
async function expectOn(name: string, region: string, server: Server): Promise<void> {
  const port = await timed(`${name} is seen as ACTIVE`, () => seen(ports[name].id))
  expect(port).toMatchObject({
    id: ports[name].id,
    name,
    mac_address: ports[name].mac_address,
    fixed_ips: ports[name].fixed_ips,
    security_groups: ports[name].security_groups,
    device_id: server.id,
    device_owner: 'compute:nova',
    'binding:host_id': server.host,
    'binding:vif_type': 'ovs',
    status: 'ACTIVE',
  })
  expect(port['atoll:regions'].map((place: Json) => place.region)).toEqual([region])
}

/** The floating IP as its own region has it, with the port that it leads to there. */
async function floating(name: string) {
  const there = (await w.region(two).get('floatingip', floatingIps[name].id))!
  return { ...there, port: there.portId === null ? null : await w.region(two).get('port', there.portId) }
}

const copyOf = async (region: string) => {
  const id = idIn(await w.demo.read(`/routers/${router.id}`), region)!
  const copy = await w.region(region).get('router', id)
  const legs = await w.region(region).list('port', { where: { deviceId: id } })
  return {
    addresses: legs.flatMap(leg => leg.fixedIps.map(({ ipAddress }) => ipAddress)).sort(),
    routes: copy!.routes.map(({ destination, nextHop }) => `${destination} via ${nextHop}`).sort(),
  }
}

describe.skipIf(!opened)('servers on networks of several regions', () => {
  it('ports are reserved, with floating IPs, before it is known where they go', async () => {
    external = await w.admin.make('network', {
      name: 'sv-ext',
      'router:external': true,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'extern',
      'provider:segmentation_id': 158,
      availability_zone_hints: [two],
    })
    const outside = { network_id: external.id, ip_version: 4, cidr: '163.3.128.0/24', enable_dhcp: false }
    await w.admin.make('subnet', { name: 'sv-ext', ...outside })
    router = await w.demo.make('router', {
      name: 'sv-router',
      external_gateway_info: { network_id: external.id },
    })
    for (const [name, cidr] of [
      ['sv-span', '10.9.128.0/17'],
      ['sv-one', '10.9.1.0/24'],
      ['sv-two', '10.9.2.0/24'],
    ] as const) {
      networks[name] = await w.demo.make('network', { name })
      const subnet = { name, network_id: networks[name].id, ip_version: 4, cidr }
      subnets[name] = await w.demo.make('subnet', subnet)
      const joining = { subnet_id: subnets[name].id }
      await w.demo.change(`/routers/${router.id}/add_router_interface`, joining)
    }
    for (const [name, network] of [
      ['a', 'sv-span'],
      ['b', 'sv-span'],
      ['in-one', 'sv-one'],
      ['in-two', 'sv-two'],
    ] as const)
      ports[name] = await w.demo.make('port', { name, network_id: networks[network].id })
    for (const name of ['a', 'b', 'in-one'])
      floatingIps[name] = await w.demo.make('floatingip', {
        floating_network_id: external.id,
        port_id: ports[name].id,
      })
    expect(Object.values(ports).map(port => port['atoll:regions'])).toEqual([[], [], [], []])
  })

  it('a member places them, and servers are booted on the ids that they have in their regions', async () => {
    for (const [name, region] of [
      ['a', one],
      ['b', two],
      ['in-one', one],
      ['in-two', two],
    ] as const) {
      const { status, json } = await timed(`${name} is placed in ${region}`, () =>
        put(ports[name].id, region),
      )
      expect([status, json.port?.id]).toEqual([200, ports[name].id])
      const server = await bootOn(name, region)
      await expectOn(name, region, server)
    }
    await settle()
  })

  it('their groups are the regions’ own default groups', async () => {
    const [group] = await w.demo.read('/security-groups?name=default')
    for (const [name, { region }] of Object.entries(running)) {
      const there = await w.region(region).get('port', idIn(await show(ports[name].id), region)!)
      const [id] = there!.securityGroupIds
      expect(ports[name].security_groups).toEqual([group.id])
      expect(idIn(await w.demo.read(`/security-groups/${group.id}`), region)).toBe(id)
      expect((await w.region(region).get('security_group', id!))?.name).toBe('default')
    }
  })

  it('a server that is given a network only appears centrally, with an address of its region’s block', async () => {
    const span = await w.demo.read(`/networks/${networks['sv-span'].id}`)
    const server = await timed(`a server on sv-span in ${one} is ACTIVE`, () =>
      servers.boot(one, [{ uuid: idIn(span, one)! }]),
    )
    const [made] = await w.region(one).list('port', { where: { deviceId: server.id } })
    running.made = { region: one, server }
    ports.made = await timed('its port is seen as ACTIVE', () => seen(made!.id))
    expect(ports.made).toMatchObject({
      name: '',
      project_id: w.demo.projectId,
      network_id: span.id,
      mac_address: made!.macAddress,
      fixed_ips: [{ subnet_id: subnets['sv-span'].id, ip_address: made!.fixedIps[0]!.ipAddress }],
      device_id: server.id,
      device_owner: 'compute:nova',
      'binding:host_id': server.host,
      security_groups: ports.a.security_groups,
      'atoll:regions': [{ region: one, id: made!.id }],
    })
    const subnet = await w.demo.read(`/subnets/${subnets['sv-span'].id}`)
    const isIn = async (region: string) => {
      const copy = await w.region(region).get('subnet', idIn(subnet, region)!)
      const pools = copy!.allocationPools.map(pool => parsePool(pool)!)
      return poolContains(pools, parseAddress(addressOf(ports.made))!)
    }
    expect([await isIn(one), await isIn(two)]).toEqual([true, false])
  })

  it('the router is on the networks of each region, and its routes lead to those of the other, and out', async () => {
    await settle()
    const [inOne, inTwo] = [await copyOf(one), await copyOf(two)]
    expect(inOne.addresses).toEqual([
      expect.stringMatching(/^10\.9\.1\./),
      expect.stringMatching(/^10\.9\.(?:12[89]|1[3-9]\d|2\d\d)\./),
      expect.stringMatching(/^100\.0\.0\./),
    ])
    const bridgeOfOne = inOne.addresses.find(address => address.startsWith('100.'))
    expect(inOne.routes).toEqual(['0.0.0.0/0 via 100.0.0.1', '10.9.2.0/24 via 100.0.0.1'])
    expect(inTwo.routes).toEqual([`10.9.1.0/25 via ${bridgeOfOne}`, `10.9.1.128/25 via ${bridgeOfOne}`])
  })

  it('its interfaces are ACTIVE', async () => {
    await answered(
      async () => {
        await look(w, notDueMs)
        const legs = await w.demo.read(`/ports?device_id=${router.id}`)
        return legs.map((leg: Json) => leg.status)
      },
      found => found.length === 3 && found.every((status: string) => status === 'ACTIVE'),
    )
  })

  // As stock Neutron leaves it where two add it at once.
  it('a leg whose port has lost its device is the router’s again after the next look at it', async () => {
    const id = idIn(await w.demo.read(`/routers/${router.id}`), two)!
    const subnetId = idIn(await w.demo.read(`/subnets/${subnets['sv-two'].id}`), two)!
    const legs = await w.region(two).list('port', { where: { deviceId: id } })
    const leg = legs.find(({ fixedIps }) => fixedIps.some(fixed => fixed.subnetId === subnetId))!
    await w.region(two).update('port', leg.id, { deviceId: '', deviceOwner: '' })
    await askForAll(w.app, (await w.app.store.regions.list()).find(({ name }) => name === two)!)
    await settle()
    expect(await w.region(two).get('port', leg.id)).toMatchObject({
      deviceId: id,
      deviceOwner: 'network:router_interface',
      fixedIps: leg.fixedIps,
    })
  })

  it('each floating IP leads to its port’s address, wherever the port is', async () => {
    for (const name of ['a', 'b', 'in-one']) {
      const { fixedIpAddress, port } = await floating(name)
      expect(fixedIpAddress).toBe(addressOf(ports[name]))
      expect(port).toMatchObject({
        macAddress: ports[name].mac_address,
        fixedIps: [{ ipAddress: fixedIpAddress }],
      })
    }
    expect((await floating('b')).portId).toBe(idIn(await show(ports.b.id), two))
  })

  it('bringing it all once more to what it should be writes nothing', async () => {
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
    await settle()
    expect(writes()).toBe(before)
  })
})

describe.skipIf(!opened)('a port that is used in one region after the other', () => {
  /** What stays. */
  const lasting = ({ id, mac_address, fixed_ips }: Json) => ({ id, mac_address, fixed_ips })

  async function expectMove(name: string, region: string): Promise<void> {
    const before = await show(ports[name].id)
    const [{ region: from, id: oldId }] = before['atoll:regions']
    const { status, json } = await timed(`${name} goes from ${from} to ${region}`, () =>
      put(ports[name].id, region),
    )
    expect([status, json.NeutronError]).toEqual([200, undefined])
    expect(lasting(json.port)).toEqual(lasting(ports[name]))
    expect(json.port).toMatchObject({ device_id: '', status: 'DOWN' })
    const id = idIn(json.port, region)!
    expect(json.port['atoll:regions']).toEqual([{ region, id }])
    expect(await w.region(from).get('port', oldId)).toBeNull()
    expect(await w.region(region).get('port', id)).toMatchObject({
      macAddress: ports[name].mac_address,
      fixedIps: [{ ipAddress: addressOf(ports[name]) }],
      deviceId: '',
    })
  }

  it('does not move while a server is on it', async () => {
    const before = await show(ports.a.id)
    const { status, json } = await put(ports.a.id, two)
    const { id } = running.a!.server
    expect([status, json.NeutronError]).toEqual([
      409,
      {
        type: 'PortInUse',
        message: `Unable to complete operation on port ${ports.a.id} for network ${ports.a.network_id}. Port already has an attached device ${id}.`,
        detail: '',
      },
    ])
    expect(await show(ports.a.id)).toEqual(before)
    expect(await w.region(one).get('port', idIn(before, one)!)).toMatchObject({ deviceId: id })
  })

  it('moves when its server is gone, before that was seen, and takes its floating IP with it', async () => {
    await removeServerOf('a')
    await expectMove('a', two)
    const server = await bootOn('a', two)
    await expectOn('a', two, server)
    await settle()
    expect(await floating('a')).toMatchObject({
      fixedIpAddress: addressOf(ports.a),
      portId: idIn(await show(ports.a.id), two),
    })
  })

  it('moves back, after that was seen', async () => {
    await removeServerOf('a')
    await look(w, notDueMs)
    expect(await show(ports.a.id)).toMatchObject({ device_id: '', device_owner: '', 'binding:host_id': '' })
    await expectMove('a', one)
    const server = await bootOn('a', one)
    await expectOn('a', one, server)
    await settle()
    const { fixedIpAddress, portId, port } = await floating('a')
    expect(fixedIpAddress).toBe(addressOf(ports.a))
    expect(port!.macAddress).toBe(ports.a.mac_address)
    expect(portId).not.toBe(idIn(await show(ports.a.id), one))
  })

  it('moves with an address of the block of the region that it was made in, and back', async () => {
    const placed = { network_id: networks['sv-span'].id, 'binding:profile': { region: one } }
    ports.c = await w.demo.make('port', { name: 'c', ...placed })
    expect(ports.c['atoll:regions']).toEqual([{ region: one, id: ports.c.id }])
    await expectMove('c', two)
    const server = await bootOn('c', two)
    await expectOn('c', two, server)
    await removeServerOf('c')
    await expectMove('c', one)
    const again = { network_id: networks['sv-span'].id, fixed_ips: [{ ip_address: addressOf(ports.c) }] }
    expect((await w.demo.post('/ports', { port: again })).status).toBe(409)
  })
})

describe.skipIf(!opened)('what goes with its server', () => {
  it('the port that Nova made goes at the next look, without a comparison of all ids', async () => {
    // Whose looks would otherwise come first, now and then.
    await w.stopWork()
    await look(w)
    await removeServerOf('made')
    const sightings = await timed('the look that finds it', () => look(w, notDueMs))
    expect(sightings.map(({ gone }) => gone)).toEqual([1, 0])
    expect((await w.demo.get(`/ports/${ports.made.id}`)).status).toBe(404)
    const again = { network_id: networks['sv-span'].id, fixed_ips: [{ ip_address: addressOf(ports.made) }] }
    const port = await w.demo.make('port', again)
    await w.demo.remove(`/ports/${port.id}`)
    await w.startWork()
  })

  it('once all is removed no region holds anything of Atoll’s', async () => {
    for (const name of Object.keys(running)) await removeServerOf(name)
    const { made: _gone, ...left } = ports
    // Its floating IP stays, and leads nowhere.
    await w.demo.remove(`/ports/${left['in-one'].id}`)
    expect(await w.demo.read(`/floatingips/${floatingIps['in-one'].id}`)).toMatchObject({
      port_id: null,
      fixed_ip_address: null,
      status: 'DOWN',
    })
    await settle()
    expect((await floating('in-one')).portId).toBeNull()
    for (const { id } of Object.values(floatingIps)) await w.demo.remove(`/floatingips/${id}`)
    for (const name of ['a', 'b', 'c', 'in-two']) await w.demo.remove(`/ports/${left[name].id}`)
    for (const { id } of Object.values(subnets))
      await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: id })
    await settle()
    await w.demo.remove(`/routers/${router.id}`)
    for (const { id } of Object.values(networks)) await w.demo.remove(`/networks/${id}`)
    await w.admin.remove(`/networks/${external.id}`)
    await settle()
    for (const region of w.regions) expect(await markedIn(w, region)).toEqual([])
  })
})
