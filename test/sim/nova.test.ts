// The simulated Nova and Placement beyond where servers go: ports, pace, faults, images, a thousand hosts.

import { afterEach, describe, expect, test } from 'vitest'
import { cpuMs } from '../cost.ts'
import { timersOf, until } from '../wait.ts'
import { done, makeFlavor, type Person, startRegion, type TestRegion } from './nova-region.ts'

let r: TestRegion
afterEach(() => r[Symbol.asyncDispose]())

const create = (who: Person, fields: object = {}) =>
  who.nova('POST', '/servers', {
    server: {
      name: 'server',
      flavorRef: 'plain',
      imageRef: r.nova.images()[0]!.id,
      networks: 'none',
      ...fields,
    },
  })

describe('ports', () => {
  const network = (fields: Record<string, unknown> = {}) => {
    const neutron = r.cloud.neutrons.get('Pod1')!
    const made = neutron.create('network', { name: 'net', project_id: r.demo.projectId, ...fields })
    neutron.create('subnet', {
      network_id: made.id,
      project_id: r.demo.projectId,
      ip_version: 4,
      cidr: '10.0.0.0/24',
    })
    return made.id
  }
  const ports = () => r.cloud.neutrons.get('Pod1')!.ports()

  test('one is made on a network, bound to the host, shown as an address, and goes with the server', async () => {
    r = await startRegion()
    const { server } = await done(create(r.demo, { networks: [{ uuid: network() }] }))
    const [port] = ports()
    expect(port).toMatchObject({
      device_id: server.id,
      device_owner: 'compute:nova',
      host: r.nova.server(server.id)!.host,
      project_id: r.demo.projectId,
    })
    const shown = (await done(r.demo.nova('GET', `/servers/${server.id}`))).server
    expect(shown.addresses).toMatchObject({
      net: [
        { addr: port!.fixed_ips[0]!.ip_address, version: 4, 'OS-EXT-IPS-MAC:mac_addr': port!.mac_address },
      ],
    })
    await done(r.demo.nova('DELETE', `/servers/${server.id}`))
    expect(ports()).toEqual([])
  })

  test("one that is there is taken, and is free again after the server's end", async () => {
    // Only the region's own hosts have an agent that takes a port up.
    r = await startRegion({ hosts: { count: 1 } })
    for (const host of ['H1', 'H2', 'H3']) r.nova.breakHost(host)
    const neutron = r.cloud.neutrons.get('Pod1')!
    const port = neutron.create('port', { network_id: network(), project_id: r.demo.projectId })
    const { server } = await done(create(r.demo, { networks: [{ port: port.id }] }))
    expect(ports()).toMatchObject([{ id: port.id, device_id: server.id, status: 'ACTIVE' }])
    expect((await create(r.demo, { networks: [{ port: port.id }] })).status).toBe(409)
    await done(r.demo.nova('DELETE', `/servers/${server.id}`))
    expect(ports()).toMatchObject([{ id: port.id, device_id: '', host: '' }])
  })

  test('a test boots without a request, on networks and in groups by their ids', async () => {
    r = await startRegion({ hosts: { count: 1 } })
    const { projectId } = r.demo
    const id = network()
    const group = r.cloud.neutrons.get('Pod1')!.create('security_group', { name: 'g', project_id: projectId })
    const networks = [{ uuid: id, fixed_ip: '10.0.0.77' }]
    const server = r.nova.boot({ projectId, networks, groups: ['g'], zone: 'nova:pod1-host1' })
    expect(server).toMatchObject({ projectId, host: 'pod1-host1', vmState: 'active' })
    expect(ports()).toMatchObject([
      { device_id: server.id, host: 'pod1-host1', status: 'ACTIVE', security_groups: [group.id] },
    ])
    expect(ports()[0]!.fixed_ips[0]!.ip_address).toBe('10.0.0.77')
    expect(() => r.nova.boot({ projectId, networks: [{ uuid: 'none' }] })).toThrow(
      'Network none could not be found.',
    )
  })

  test('without any asked for, the only network is taken; of several none', async () => {
    r = await startRegion()
    const id = network()
    await done(create(r.demo, { networks: 'auto' }))
    expect(ports()).toMatchObject([{ network_id: id }])
    network({ name: 'other' })
    expect(await create(r.demo, { networks: 'auto' })).toMatchObject({ status: 409 })
    expect(await create(r.demo, { networks: [{ uuid: 'none' }] })).toMatchObject({
      status: 400,
      body: { badRequest: { message: 'Network none could not be found.' } },
    })
  })
})

describe('pace', () => {
  test('a server is scheduled, built and deleted in its time', async () => {
    // Each pace in its turn is longer than anybody waits.
    const hourMs = 3_600_000
    r = await startRegion({ nova: { scheduleMs: hourMs } })
    const pace = (settings: { scheduleMs?: number; buildMs?: number; deleteMs?: number }) =>
      Object.assign(r.nova.region.settings, { scheduleMs: 1, buildMs: 1, deleteMs: 1, ...settings })
    const seen = async (id: string) => {
      const { status, body } = await r.demo.nova('GET', `/servers/${id}`)
      if (status === 404) return 'gone'
      const { status: shown, hostId, 'OS-EXT-STS:task_state': task } = body.server
      return `${shown} ${task ?? 'at rest'}, ${hostId === '' ? 'nowhere' : 'on a host'}`
    }
    const comes = (id: string, state: string) =>
      until(async () => (await seen(id)) === state, { what: state, seen: () => seen(id) })
    const one = async (): Promise<string> => (await done(create(r.demo))).server.id
    const remove = (id: string) => done(r.demo.nova('DELETE', `/servers/${id}`))
    const waiting = await one()
    await comes(waiting, 'BUILD scheduling, nowhere')
    pace({ buildMs: hourMs })
    const building = await one()
    await comes(building, 'BUILD spawning, on a host')
    expect(await seen(waiting)).toBe('BUILD scheduling, nowhere')
    pace({ deleteMs: hourMs })
    const going = await one()
    await comes(going, 'ACTIVE at rest, on a host')
    await remove(going)
    await comes(going, 'ACTIVE deleting, on a host')
    pace({})
    const [quick, consumers] = [await one(), r.placement.region.consumers.size]
    await comes(quick, 'ACTIVE at rest, on a host')
    await remove(quick)
    await comes(quick, 'gone')
    expect(r.placement.region.consumers.size).toBeLessThanOrEqual(consumers)
  })

  test('one that is deleted before it has a host never gets one', async () => {
    r = await startRegion({ nova: { scheduleMs: 300 } })
    const { server } = await done(create(r.demo))
    await done(r.demo.nova('DELETE', `/servers/${server.id}`))
    await timersOf(400)
    expect(r.nova.servers()).toEqual([])
    expect(r.placement.region.consumers.size).toBe(0)
  })

  test('one that will not die is deleted in vain, until it may', async () => {
    r = await startRegion()
    const { id, host } = await r.demo.boot()
    r.nova.makeUndying(id)
    expect((await r.demo.nova('DELETE', `/servers/${id}`)).status).toBe(204)
    expect((await r.demo.nova('DELETE', `/servers/${id}`)).status).toBe(204)
    expect(r.nova.serversOn(host!)).toMatchObject([{ id, taskState: 'deleting' }])
    r.nova.letDie(id)
    expect(r.nova.serversOn(host!)).toEqual([])
  })
})

describe('faults', () => {
  test('strike Nova, Placement and images as they strike Neutron', async () => {
    r = await startRegion()
    for (const service of ['nova', 'placement']) {
      const fault = r.cloud.faults.add({ kind: 'status', status: 503, service, region: 'Pod1', times: 1 })
      const ask = service === 'nova' ? r.admin.nova('GET', '/servers') : r.admin.placement('GET', '/traits')
      expect((await ask).status).toBe(503)
      expect(fault.hits).toBe(1)
    }
    expect(r.cloud.faults.calls({ service: 'placement', method: 'GET' })).toBe(1)
  })

  test('an answer is lost after its effect', async () => {
    r = await startRegion()
    r.cloud.faults.add({
      kind: 'lost',
      service: 'nova',
      method: 'POST',
      path: '/v2.1/os-aggregates',
      times: 1,
    })
    await expect(r.admin.nova('POST', '/os-aggregates', { aggregate: { name: 'x' } })).rejects.toThrow()
    expect(r.nova.aggregate('x')).not.toBeNull()
    r.cloud.faults.add({ kind: 'reset', service: 'placement', method: 'PUT', times: 1 })
    await expect(r.admin.placement('PUT', '/traits/CUSTOM_X')).rejects.toThrow()
    expect(r.placement.region.traits.has('CUSTOM_X')).toBe(false)
  })

  test("a service's clock may be off", async () => {
    r = await startRegion()
    r.cloud.faults.add({ kind: 'skew', service: 'nova', region: 'Pod1', ms: 3_600_000 })
    const { id } = await r.demo.boot()
    expect(r.nova.server(id)!.createdAt).toBeGreaterThan(Date.now() + 3_000_000)
  })
})

describe('images', () => {
  test('are listed, and a snapshot is among them for its project only', async () => {
    r = await startRegion()
    const { id } = await r.demo.boot()
    const { image_id } = await done(
      r.demo.nova('POST', `/servers/${id}/action`, { createImage: { name: 'snap', metadata: { a: 'b' } } }),
    )
    const token = (user: string) =>
      r.cloud.keystone.issue(r.cloud.keystone.userId(user), r.cloud.keystone.projectId(user))
    const { url } = r.cloud.glances.get('Pod1')!
    const images = async (user: string, query = '') => {
      const reply = await fetch(`${url}/v2/images${query}`, { headers: { 'x-auth-token': token(user) } })
      return ((await reply.json()) as { images: { name: string }[] }).images.map(image => image.name)
    }
    expect(await images('demo')).toEqual(['snap', 'cirros'])
    expect(await images('demo', `?instance_uuid=${id}`)).toEqual(['snap'])
    expect(await images('alt')).toEqual(['cirros'])
    const reply = await fetch(`${url}/v2/images/${image_id}`, { headers: { 'x-auth-token': token('demo') } })
    expect(await reply.json()).toMatchObject({ name: 'snap', instance_uuid: id, a: 'b', status: 'active' })
    const hidden = await fetch(`${url}/v2/images/${image_id}`, { headers: { 'x-auth-token': token('alt') } })
    expect(hidden.status).toBe(404)
  })
})

describe('a large region', () => {
  test('of a thousand hosts boots servers at no more than their share of that', async () => {
    const boots = async (): Promise<void> => {
      for (let at = 0; at < 20; at++)
        expect(await r.demo.boot({ flavor: 'small' })).toMatchObject({ status: 'ACTIVE' })
    }
    const costIn = async (count: number): Promise<number> => {
      r = await startRegion({ hosts: { count } })
      await makeFlavor(r.admin, { id: 'small' })
      await boots()
      return cpuMs(boots)
    }
    const few = await costIn(10)
    await r[Symbol.asyncDispose]()
    // Of a hundred times as many hosts each is looked at once at most.
    expect((await costIn(1000)) / few).toBeLessThan(100)
    expect(r.nova.hosts()).toHaveLength(1003)
    const { hypervisors, hypervisors_links } = await done(r.admin.nova('GET', '/os-hypervisors'))
    expect(hypervisors).toHaveLength(1000)
    expect(hypervisors_links[0].href).toContain(`marker=${hypervisors[999].id}`)
  })

  test('has the same ids at every start', async () => {
    r = await startRegion({ hosts: { count: 2 } })
    const first = r.nova.host('pod1-host2')
    const flavor = r.nova.flavors().find(({ name }) => name === 'm1.tiny')!
    await r[Symbol.asyncDispose]()
    r = await startRegion({ hosts: { count: 2 } })
    expect(r.nova.host('pod1-host2')).toMatchObject({
      uuid: first.uuid,
      service: { uuid: first.service.uuid },
    })
    expect(r.nova.flavors().find(({ name }) => name === 'm1.tiny')!.id).toBe(flavor.id)
  })
})
