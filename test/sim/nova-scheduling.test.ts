// Where servers go in a simulated region: what was tried on a real Nova 26 with Placement 8, row by row.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  addHost,
  childOf,
  classOf,
  done,
  enrol,
  lease,
  lookAt,
  makeAggregate,
  makeFlavor,
  makePool,
  type Person,
  removeHost,
  rootOf,
  setPlaces,
  setTraits,
  specsOf,
  startRegion,
  type TestRegion,
  trait,
} from './nova-region.ts'

let r: TestRegion
let pool: number
beforeEach(async () => {
  r = await startRegion()
  pool = await makePool(r.admin)
})
afterEach(() => r[Symbol.asyncDispose]())

const noHost = { status: 'ERROR', host: null, fault: expect.stringContaining('No valid host was found.') }
const on = (host: string) => ({ status: 'ACTIVE', host })

/** Boots so many, one after another; returns their hosts, sorted, and ERROR for those without. */
async function hostsOf(count: number, who: Person, flavor: string): Promise<string[]> {
  const hosts: string[] = []
  for (let at = 0; at < count; at++) {
    const { status, host } = await who.boot({ flavor })
    hosts.push(status === 'ACTIVE' ? host! : status)
  }
  return hosts.sort()
}

const act = (id: string, action: object) => done(r.admin.nova('POST', `/servers/${id}/action`, action))
const remove = (id: string) => done(r.admin.nova('DELETE', `/servers/${id}`))

describe('plain servers keep off enrolled hosts', () => {
  beforeEach(async () => {
    await enrol(r.admin, pool, 'H1')
    await enrol(r.admin, pool, 'H2')
  })

  test('1. whoever boots them, and also in the zone of all', async () => {
    expect(await hostsOf(3, r.demo, 'plain')).toEqual(['H3', 'H3', 'H3'])
    expect(await hostsOf(2, r.alt, 'plain')).toEqual(['H3', 'H3'])
    expect(await r.demo.boot({ zone: 'nova' })).toMatchObject(on('H3'))
  })

  test('2. even when an admin forces them there', async () => {
    expect(await r.admin.boot({ zone: 'nova:H1' })).toMatchObject(noHost)
    expect(await r.admin.boot({ host: 'H1' })).toMatchObject(noHost)
    expect(await r.admin.boot({ zone: 'nova:H3' })).toMatchObject(on('H3'))
    await expect(r.demo.boot({ zone: 'nova:H3' })).rejects.toThrow('servers:create:forced_host')
  })

  test('7. until the hosts are let go', async () => {
    expect((await removeHost(r.admin, pool, 'H1')).status).toBe(200)
    r.nova.disableHost('H3')
    expect(await r.demo.boot()).toMatchObject(on('H1'))
  })

  test('8. a reservation hint alone does nothing', async () => {
    expect(await r.demo.boot({ hint: { reservation: 'any' } })).toMatchObject(on('H3'))
  })

  test('13. or until the option is off; on again, it holds again', async () => {
    r.nova.setIsolation(false)
    expect(new Set(await hostsOf(3, r.demo, 'plain'))).toEqual(new Set(['H1', 'H2', 'H3']))
    r.nova.setIsolation(true)
    expect(await hostsOf(2, r.demo, 'plain')).toEqual(['H3', 'H3'])
  })

  test("12. isolation is what Placement's copy of the aggregate says, and only Placement repairs it", async () => {
    const path = `/resource_providers/${await rootOf(r.admin, 'H1')}/aggregates`
    const { aggregates } = await done(r.admin.placement('GET', path))
    const put = async (uuids: string[]) => {
      const { resource_provider_generation } = await done(r.admin.placement('GET', path))
      await done(r.admin.placement('PUT', path, { aggregates: uuids, resource_provider_generation }))
    }
    await put([])
    r.nova.disableHost('H3')
    expect(await r.demo.boot()).toMatchObject(on('H1'))
    expect((await addHost(r.admin, pool, 'H1')).status).toBe(409)
    expect(await r.demo.boot()).toMatchObject(on('H1'))
    await put(aggregates)
    expect(await r.demo.boot()).toMatchObject(noHost)
  })
})

describe('A. the trait on the root of the host', () => {
  beforeEach(async () => {
    await setTraits(r.admin, await rootOf(r.admin, 'H1'), [trait])
    await done(addHost(r.admin, pool, 'H1'))
    const tagged = await makeAggregate(r.admin, 'tagged', { reservation: 'R' })
    await done(addHost(r.admin, tagged, 'H1'))
  })

  test("the reservation's flavor lands there, and a plain one does not", async () => {
    const specs = { [`trait:${trait}`]: 'required', 'aggregate_instance_extra_specs:reservation': 'R' }
    const flavor = await makeFlavor(r.admin, { specs, lentTo: [r.demo.projectId] })
    expect(await hostsOf(4, r.demo, flavor)).toEqual(['H1', 'H1', 'H1', 'H1'])
    expect(new Set(await hostsOf(3, r.demo, 'plain'))).toEqual(new Set(['H2', 'H3']))
  })

  test('the hole: an image that asks for the trait lands there with a plain flavor', async () => {
    const image = r.nova.addImage({
      name: 'sly',
      owner: r.alt.projectId,
      properties: { [`trait:${trait}`]: 'required' },
    })
    expect(await r.alt.boot({ image: image.id })).toMatchObject(on('H1'))
  })
})

describe('B. a trait and an isolating aggregate for each lease', () => {
  test('a host in two of them is for nobody', async () => {
    const names = ['CUSTOM_LEASE_1', 'CUSTOM_LEASE_2']
    const root = await rootOf(r.admin, 'H1')
    for (const name of names) {
      await done(r.admin.placement('PUT', `/traits/${name}`))
      await setTraits(r.admin, root, [name])
      await done(
        addHost(r.admin, await makeAggregate(r.admin, name, { [`trait:${name}`]: 'required' }), 'H1'),
      )
      if (name === names[0]) {
        const first = await makeFlavor(r.admin, { id: 'first', specs: { [`trait:${name}`]: 'required' } })
        expect(await r.demo.boot({ flavor: first })).toMatchObject(on('H1'))
      }
    }
    expect(await r.demo.boot({ flavor: 'first' })).toMatchObject(noHost)
  })
})

describe('C. the trait and the places on a child of the host', () => {
  beforeEach(async () => {
    await enrol(r.admin, pool, 'H1')
    await enrol(r.admin, pool, 'H2')
  })

  test('as many servers as there are places, and no more; plain ones elsewhere', async () => {
    const id = await lease(r.admin, r.demo, { H1: 2, H2: 1 })
    expect(await hostsOf(3, r.demo, id)).toEqual(['H1', 'H1', 'H2'])
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
    expect(await hostsOf(2, r.demo, 'plain')).toEqual(['H3', 'H3'])
    expect(await hostsOf(2, r.alt, 'plain')).toEqual(['H3', 'H3'])
    const usages = await done(
      r.admin.placement('GET', `/resource_providers/${await childOf(r.admin, 'H1')}/usages`),
    )
    expect(usages.usages).toEqual({ [classOf(id)]: 2 })
  })

  test("C'. the same with keys without a number", async () => {
    const id = await lease(r.admin, r.demo, { H1: 2, H2: 1 })
    const specs = { [`resources:${classOf(id)}`]: '1', [`trait:${trait}`]: 'required' }
    const flavor = await makeFlavor(r.admin, { specs })
    expect(await hostsOf(4, r.demo, flavor)).toEqual(['ERROR', 'H1', 'H1', 'H2'])
  })

  test('an image that asks for the trait lands nowhere', async () => {
    await lease(r.admin, r.demo, { H1: 2 })
    const image = r.nova.addImage({
      name: 'sly',
      owner: r.alt.projectId,
      properties: { [`trait:${trait}`]: 'required' },
    })
    expect(await r.alt.boot({ image: image.id })).toMatchObject(noHost)
  })

  test('two reservations on one host are counted each by itself', async () => {
    const one = await lease(r.admin, r.demo, { H1: 2 })
    const other = await lease(r.admin, r.alt, { H1: 1 })
    expect(await hostsOf(2, r.alt, other)).toEqual(['ERROR', 'H1'])
    expect(await hostsOf(3, r.demo, one)).toEqual(['ERROR', 'H1', 'H1'])
  })

  test('the resource without the trait, and the trait without the resource, land nowhere', async () => {
    const id = await lease(r.admin, r.demo, { H1: 2 })
    const [resource, mark] = Object.entries(specsOf(id))
    for (const [key, value] of [resource!, mark!]) {
      const flavor = await makeFlavor(r.admin, { specs: { [key]: value } })
      expect(await r.demo.boot({ flavor })).toMatchObject(noHost)
    }
  })

  test("another project does not find the reservation's flavor; an admin does", async () => {
    const id = await lease(r.admin, r.demo, { H1: 2 })
    await expect(r.alt.boot({ flavor: id })).rejects.toThrow(`Flavor ${id} could not be found.`)
    expect(await r.admin.boot({ flavor: id, host: 'H1' })).toMatchObject(on('H1'))
  })

  test('a place that is left is taken again', async () => {
    const id = await lease(r.admin, r.demo, { H1: 1 })
    const { id: first } = await r.demo.boot({ flavor: id })
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
    await remove(first)
    expect(await r.demo.boot({ flavor: id })).toMatchObject(on('H1'))
  })

  test("a resize moves a server in and out, and a migration to the lease's other host", async () => {
    const id = await lease(r.admin, r.demo, { H1: 1, H2: 1 })
    const server = await r.demo.boot()
    expect(server).toMatchObject(on('H3'))
    await act(server.id, { resize: { flavorRef: id } })
    expect(lookAt(r.nova, server.id)).toMatchObject({
      status: 'resized',
      host: expect.stringMatching(/H[12]/),
    })
    await act(server.id, { confirmResize: null })
    const { host } = lookAt(r.nova, server.id)
    await act(server.id, { migrate: null })
    await act(server.id, { confirmResize: null })
    expect(lookAt(r.nova, server.id)).toMatchObject(on(host === 'H1' ? 'H2' : 'H1'))
    await act(server.id, { resize: { flavorRef: 'plain' } })
    await act(server.id, { confirmResize: null })
    expect(lookAt(r.nova, server.id)).toMatchObject(on('H3'))
    const usages = await done(
      r.admin.placement('GET', `/resource_providers/${await childOf(r.admin, 'H1')}/usages`),
    )
    expect(usages.usages).toEqual({ [classOf(id)]: 0 })
  })

  test('a resize that is taken back gives back what it took', async () => {
    const id = await lease(r.admin, r.demo, { H1: 1 })
    const server = await r.demo.boot()
    await act(server.id, { resize: { flavorRef: id } })
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
    await act(server.id, { revertResize: null })
    expect(lookAt(r.nova, server.id)).toMatchObject(on('H3'))
    expect(await r.demo.boot({ flavor: id })).toMatchObject(on('H1'))
  })

  test('of a whole host what the host has is the limit, whatever the flavor', async () => {
    const id = await lease(r.admin, r.demo, { H1: 1000 })
    await makeFlavor(r.admin, {
      id: `${id}-large`,
      name: `reservation:${id}-large`,
      vcpus: 16,
      specs: specsOf(id),
    })
    const hosts = await hostsOf(17, r.demo, `${id}-large`)
    expect(hosts.filter(host => host === 'H1')).toHaveLength(16)
    expect(hosts[0]).toBe('ERROR')
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
  })

  test('a zone and a reservation go together', async () => {
    const id = await lease(r.admin, r.demo, { H1: 1, H2: 1 })
    await done(addHost(r.admin, await makeAggregate(r.admin, 'az1', { availability_zone: 'az1' }), 'H1'))
    expect(await r.demo.boot({ flavor: id, zone: 'az1' })).toMatchObject(on('H1'))
    expect(await r.demo.boot({ flavor: id, zone: 'az1' })).toMatchObject(noHost)
    expect(await r.demo.boot({ zone: 'az1' })).toMatchObject(noHost)
    await expect(r.demo.boot({ zone: 'az2' })).rejects.toThrow(
      'The requested availability zone is not available',
    )
  })

  test('at the end nothing new fits, also what comes back from the shelf', async () => {
    const id = await lease(r.admin, r.demo, { H1: 2 })
    const shelved = await r.demo.boot({ flavor: id })
    const running = await r.demo.boot({ flavor: id })
    await act(shelved.id, { shelve: null })
    await setPlaces(r.admin, id, 'H1', 2, 2)
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
    await act(shelved.id, { unshelve: null })
    expect(lookAt(r.nova, shelved.id)).toMatchObject({ status: 'shelved_offloaded' })
    expect(lookAt(r.nova, running.id)).toMatchObject(on('H1'))

    const path = `/resource_providers/${await childOf(r.admin, 'H1')}/inventories/${classOf(id)}`
    expect((await r.admin.placement('DELETE', path)).status).toBe(409)
    await remove(running.id)
    expect((await r.admin.placement('DELETE', path)).status).toBe(204)
    expect((await r.admin.placement('DELETE', path)).status).toBe(404)
    expect((await r.admin.placement('DELETE', `/resource_classes/${classOf(id)}`)).status).toBe(204)
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
  })

  test('fewer places than are taken: the servers stay', async () => {
    const id = await lease(r.admin, r.demo, { H1: 2 })
    const servers = [await r.demo.boot({ flavor: id }), await r.demo.boot({ flavor: id })]
    await setPlaces(r.admin, id, 'H1', 1)
    for (const server of servers) expect(lookAt(r.nova, server.id)).toMatchObject(on('H1'))
    await remove(servers[0]!.id)
    expect(await r.demo.boot({ flavor: id })).toMatchObject(noHost)
  })

  test('15. places asked for at the same moment are not given twice (a real one needs a setting for that)', async () => {
    const id = await lease(r.admin, r.demo, { H1: 2, H2: 1 })
    const booted = await Promise.all(Array.from({ length: 7 }, () => r.demo.boot({ flavor: id })))
    expect(booted.filter(one => one.status === 'ACTIVE')).toHaveLength(3)
  })
})

describe('flavors and hosts', () => {
  test('3. a flavor is found by the id that it was given, and shown by its name', async () => {
    const id = await makeFlavor(r.admin, { name: 'reservation:3', lentTo: [] })
    await makeFlavor(r.admin, { id: `${id}-small` })
    const { flavors } = await done(r.admin.nova('GET', '/flavors?is_public=None'))
    expect(flavors).toContainEqual(expect.objectContaining({ id, name: 'reservation:3' }))
    expect((await done(r.demo.nova('GET', `/flavors/${id}-small`))).flavor.id).toBe(`${id}-small`)
    expect((await r.demo.nova('GET', `/flavors/${id}`)).status).toBe(404)
  })

  test('4. a server goes on without its flavor', async () => {
    const id = await makeFlavor(r.admin, { specs: { 'a:b': 'c' } })
    const server = await r.demo.boot({ flavor: id })
    expect((await r.admin.nova('DELETE', `/flavors/${id}`)).status).toBe(202)
    await act(server.id, { 'os-stop': null })
    expect(lookAt(r.nova, server.id).status).toBe('SHUTOFF')
    await act(server.id, { 'os-start': null })
    await act(server.id, { reboot: { type: 'HARD' } })
    const { server: shown } = await done(r.demo.nova('GET', `/servers/${server.id}`))
    expect(shown).toMatchObject({
      status: 'ACTIVE',
      flavor: { original_name: id, extra_specs: { 'a:b': 'c' } },
    })
  })

  test('5. a host is in one zone only', async () => {
    await done(addHost(r.admin, await makeAggregate(r.admin, 'one', { availability_zone: 'az1' }), 'H1'))
    const other = await makeAggregate(r.admin, 'other', { availability_zone: 'az2' })
    expect(await addHost(r.admin, other, 'H1')).toMatchObject({
      status: 409,
      body: {
        conflictingRequest: {
          message: expect.stringContaining("One or more hosts already in availability zone(s) ['az1']"),
        },
      },
    })
    await done(addHost(r.admin, pool, 'H1'))
  })

  test('6. a plain server stays on a host that is enrolled, and leaves when it is resized', async () => {
    const server = await r.admin.boot({ zone: 'nova:H1' })
    await enrol(r.admin, pool, 'H1')
    await enrol(r.admin, pool, 'H2')
    const { servers } = await done(r.admin.nova('GET', '/servers?all_tenants=1&host=H1'))
    expect(servers).toMatchObject([{ id: server.id }])
    await act(server.id, { reboot: { type: 'HARD' } })
    expect(lookAt(r.nova, server.id)).toMatchObject(on('H1'))
    await act(server.id, { resize: { flavorRef: await makeFlavor(r.admin, {}) } })
    expect(lookAt(r.nova, server.id)).toMatchObject({ host: 'H3' })
  })

  test('9. a child survives what compute services do now and then', async () => {
    await enrol(r.admin, pool, 'H1')
    const id = await lease(r.admin, r.demo, { H1: 1 })
    r.nova.refreshHosts()
    expect(await r.demo.boot({ flavor: id })).toMatchObject(on('H1'))
  })

  test('10. an inventory on the root does not', async () => {
    await done(r.admin.placement('PUT', '/resource_classes/CUSTOM_THING'))
    const path = `/resource_providers/${await rootOf(r.admin, 'H1')}/inventories`
    await done(r.admin.placement('POST', path, { resource_class: 'CUSTOM_THING', total: 1 }))
    r.nova.refreshHosts()
    const { inventories } = await done(r.admin.placement('GET', path))
    expect(Object.keys(inventories)).toEqual(['VCPU', 'MEMORY_MB', 'DISK_GB'])
  })

  test('11. a host that lost its child builds nothing for a while, or until it is back', async () => {
    r.nova.disableHost('H2')
    r.nova.disableHost('H3')
    await enrol(r.admin, pool, 'H1')
    await done(removeHost(r.admin, pool, 'H1'))
    r.nova.refreshHosts()
    const child = await childOf(r.admin, 'H1')
    const exhausted = { status: 'ERROR', fault: expect.stringContaining('Exhausted all hosts available') }
    await done(r.admin.placement('DELETE', `/resource_providers/${child}`))
    expect(await r.demo.boot()).toMatchObject(exhausted)
    const again = { uuid: child, name: 'again', parent_provider_uuid: await rootOf(r.admin, 'H1') }
    await done(r.admin.placement('POST', '/resource_providers', again))
    expect(await r.demo.boot()).toMatchObject(on('H1'))
    await done(r.admin.placement('DELETE', `/resource_providers/${child}`))
    expect(await r.demo.boot()).toMatchObject(exhausted)
    r.cloud.clock.advance(300_000)
    expect(await r.demo.boot()).toMatchObject(on('H1'))
  })

  test('14. with its service a host and its providers go; it comes back as another one, not enrolled', async () => {
    await enrol(r.admin, pool, 'H1')
    const root = await rootOf(r.admin, 'H1')
    const { services } = await done(r.admin.nova('GET', '/os-services?host=H1&binary=nova-compute'))
    expect((await r.admin.nova('DELETE', `/os-services/${services[0].id}`)).status).toBe(204)
    expect(
      (await r.admin.placement('GET', `/resource_providers?in_tree=${root}`)).body.resource_providers,
    ).toEqual([])
    expect(r.nova.aggregate('freepool')!.hosts.size).toBe(0)
    r.nova.addHost({ name: 'H1' })
    expect(await rootOf(r.admin, 'H1')).not.toBe(root)
    expect(await r.admin.boot({ zone: 'nova:H1' })).toMatchObject(on('H1'))
  })

  test('a host that is down or disabled takes nothing', async () => {
    r.nova.breakHost('H1')
    r.nova.disableHost('H2')
    expect(await hostsOf(3, r.demo, 'plain')).toEqual(['H3', 'H3', 'H3'])
    expect(await r.admin.boot({ host: 'H1' })).toMatchObject(noHost)
    r.nova.mendHost('H1')
    r.nova.enableHost('H2')
    expect(await hostsOf(2, r.demo, 'plain')).toEqual(['H1', 'H2'])
  })

  test('a project of its own aggregate boots there, and others elsewhere', async () => {
    const own = await makeAggregate(r.admin, 'own', { filter_tenant_id: r.demo.projectId })
    await done(addHost(r.admin, own, 'H1'))
    expect(await hostsOf(2, r.demo, 'plain')).toEqual(['H1', 'H1'])
    expect(new Set(await hostsOf(4, r.alt, 'plain'))).toEqual(new Set(['H2', 'H3']))
  })
})

describe("with Blazar's filter in the scheduler", () => {
  beforeEach(async () => {
    r.nova.region.settings.hasBlazarFilter = true
    r.nova.setIsolation(false)
    await done(addHost(r.admin, pool, 'H1'))
    const metadata = { 'blazar:owner': r.demo.projectId, availability_zone: 'blazar_R' }
    await done(addHost(r.admin, await makeAggregate(r.admin, 'R', metadata), 'H2'))
  })

  test('a pool is for the reservation that is hinted at, and for its project', async () => {
    expect(await hostsOf(2, r.demo, 'plain')).toEqual(['H3', 'H3'])
    expect(await r.demo.boot({ hint: { reservation: 'R' } })).toMatchObject(on('H2'))
    expect(await r.alt.boot({ hint: { reservation: 'R' } })).toMatchObject(noHost)
    expect(await r.demo.boot({ hint: { reservation: 'another' } })).toMatchObject(noHost)
  })

  test('a flavor of instance reservations passes; the rest is decided elsewhere', async () => {
    const specs = { 'aggregate_instance_extra_specs:reservation': 'I' }
    const flavor = await makeFlavor(r.admin, { specs })
    await done(addHost(r.admin, await makeAggregate(r.admin, 'I', { reservation: 'I' }), 'H1'))
    expect(await r.demo.boot({ flavor })).toMatchObject(on('H1'))
  })
})
