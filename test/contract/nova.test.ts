// What src/openstack asks of Nova, against the simulator or a real one.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createImage,
  findHypervisors,
  getHypervisor,
  getServer,
  listComputeServices,
  listHypervisors,
  listServers,
  listZones,
  removeServer,
} from '../../src/openstack/nova.ts'
import {
  addHost,
  createAggregate,
  listAggregates,
  removeAggregate,
  removeHost,
  setAggregateMetadata,
} from '../../src/openstack/nova-aggregates.ts'
import {
  addFlavorAccess,
  createFlavor,
  type Flavor,
  getExtraSpecs,
  getFlavor,
  listFlavorAccess,
  listFlavors,
  removeFlavor,
  removeFlavorAccess,
  setExtraSpecs,
} from '../../src/openstack/nova-flavors.ts'
import { findProvider, getAggregates } from '../../src/openstack/placement.ts'
import { probe } from '../../src/openstack/probe.ts'
import { type Booter, booterOf, gone } from '../world/servers.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const pod1 = w.services()
const isThere = await w.has(['compute'])

const name = (text: string): string => `${w.prefix}-${text}`
const nobody = '11111111-2222-4333-8444-555555555555'

/** The refusal of a call that must be refused. */
const refusal = (status: number, reason: string) =>
  expect.objectContaining({
    code: 'upstream',
    detail: expect.objectContaining({ region: 'Pod1', service: 'Nova', status, reason }),
  })

async function newFlavor(spec: Partial<Flavor> = {}): Promise<Flavor> {
  const id = randomUUID()
  const stock = { id, name: name(id), vcpus: 1, memoryMb: 64, diskGb: 1, isPublic: true }
  const flavor = { ...stock, ...spec }
  expect(await createFlavor(pod1, flavor)).toBe(true)
  w.after(() => removeFlavor(pod1, flavor.id))
  return flavor
}

async function newAggregate(text: string) {
  const aggregate = await createAggregate(pod1, name(text))
  w.after(() => removeAggregate(pod1, aggregate.id))
  return aggregate
}

test.skipIf(!isThere)('its version, with microversions', async () => {
  const { versions } = await probe(pod1, 'compute')
  const current = versions.find(version => version.id === 'v2.1')
  expect(current).toMatchObject({ status: 'CURRENT', min: '2.1' })
  expect(Number(current?.max?.split('.')[1])).toBeGreaterThanOrEqual(53)
})

describe.skipIf(!isThere)('hosts', () => {
  test('hypervisors, page by page', async () => {
    const hypervisors = await listHypervisors(pod1)
    expect(hypervisors.length).toBeGreaterThan(0)
    for (const one of hypervisors) {
      expect(one).toMatchObject({ state: expect.stringMatching(/^(up|down)$/), vcpus: expect.any(Number) })
      expect(one.memoryMb).toBeGreaterThan(0)
      expect(one).toMatchObject({ type: expect.any(String), version: expect.any(Number), status: 'enabled' })
      expect(one.cpuInfo).toMatchObject({ arch: 'x86_64', topology: { cores: 1 } })
    }
  })

  test('one hypervisor, by its id or a part of its name; its provider has the same id', async () => {
    const [first] = await listHypervisors(pod1)
    expect(await getHypervisor(pod1, first!.id)).toEqual(first)
    expect(await getHypervisor(pod1, nobody)).toBeNull()
    expect(await findHypervisors(pod1, first!.hostname)).toContainEqual(first)
    expect((await findHypervisors(pod1, 'pod1')).length).toBe((await listHypervisors(pod1)).length)
    expect(await findHypervisors(pod1, 'no-such-name')).toEqual([])
    expect(await findProvider(pod1, first!.hostname)).toMatchObject({ id: first!.id, parentId: null })
  })

  test('their compute services, and the zones', async () => {
    const services = await listComputeServices(pod1)
    const hypervisors = await listHypervisors(pod1)
    expect(services.map(one => one.host).sort()).toEqual(hypervisors.map(one => one.service.host).sort())
    for (const one of services) {
      expect(one).toMatchObject({
        binary: 'nova-compute',
        status: 'enabled',
        state: 'up',
        isForcedDown: false,
      })
    }
    expect(await listZones(pod1)).toContainEqual({ name: 'nova', isAvailable: true })
  })
})

describe.skipIf(!isThere)('aggregates', () => {
  test('are made once, with metadata, and removed', async () => {
    const aggregate = await newAggregate('life')
    expect(aggregate).toMatchObject({ name: name('life'), hosts: [], metadata: {}, availabilityZone: null })
    await expect(createAggregate(pod1, name('life'))).rejects.toEqual(refusal(409, 'conflictingRequest'))
    const marked = await setAggregateMetadata(pod1, aggregate.id, { 'trait:CUSTOM_X': 'required', a: 'b' })
    expect(marked.metadata).toEqual({ 'trait:CUSTOM_X': 'required', a: 'b' })
    const unmarked = await setAggregateMetadata(pod1, aggregate.id, { 'trait:CUSTOM_X': null })
    expect(unmarked).toEqual({ ...aggregate, metadata: { a: 'b' } })
    expect(await listAggregates(pod1)).toContainEqual(unmarked)
    expect(await removeAggregate(pod1, aggregate.id)).toBe(true)
    expect(await removeAggregate(pod1, aggregate.id)).toBe(false)
  })

  test('take hosts and let them go, and Placement knows of it', async () => {
    const aggregate = await newAggregate('hosts')
    const [hypervisor] = await listHypervisors(pod1)
    const { host } = hypervisor!.service
    expect((await addHost(pod1, aggregate.id, host)).hosts).toEqual([host])
    expect((await getAggregates(pod1, hypervisor!.id)).names).toContain(aggregate.uuid)
    await expect(addHost(pod1, aggregate.id, host)).rejects.toEqual(refusal(409, 'conflictingRequest'))
    await expect(addHost(pod1, aggregate.id, 'nowhere')).rejects.toEqual(refusal(404, 'itemNotFound'))
    await expect(removeAggregate(pod1, aggregate.id)).rejects.toEqual(refusal(400, 'badRequest'))
    expect(await removeHost(pod1, aggregate.id, host)).toBe(true)
    expect(await removeHost(pod1, aggregate.id, host)).toBe(false)
    expect((await getAggregates(pod1, hypervisor!.id)).names).not.toContain(aggregate.uuid)
  })

  test('never put a host into two zones', async () => {
    const one = await newAggregate('zone-1')
    const other = await newAggregate('zone-2')
    const [hypervisor] = await listHypervisors(pod1)
    const { host } = hypervisor!.service
    await setAggregateMetadata(pod1, one.id, { availability_zone: name('az1') })
    await setAggregateMetadata(pod1, other.id, { availability_zone: name('az2') })
    await addHost(pod1, one.id, host)
    await expect(addHost(pod1, other.id, host)).rejects.toEqual(refusal(409, 'conflictingRequest'))
    expect(await listZones(pod1)).toContainEqual({ name: name('az1'), isAvailable: true })
    expect(await removeHost(pod1, one.id, host)).toBe(true)
  })
})

describe.skipIf(!isThere)('flavors', () => {
  test('are made once, found, and removed', async () => {
    const flavor = await newFlavor()
    expect(await getFlavor(pod1, flavor.id)).toEqual(flavor)
    expect(await listFlavors(pod1)).toContainEqual(flavor)
    expect(await createFlavor(pod1, flavor)).toBe(false)
    expect(await createFlavor(pod1, { ...flavor, id: randomUUID() })).toBe(false)
    await expect(createFlavor(pod1, { ...flavor, id: randomUUID(), vcpus: 0 })).rejects.toEqual(
      refusal(400, 'badRequest'),
    )
    expect(await removeFlavor(pod1, flavor.id)).toBe(true)
    expect(await removeFlavor(pod1, flavor.id)).toBe(false)
    expect(await getFlavor(pod1, flavor.id)).toBeNull()
  })

  test('have extra specs, which are added to', async () => {
    const { id } = await newFlavor()
    expect(await getExtraSpecs(pod1, id)).toEqual({})
    await setExtraSpecs(pod1, id, { 'resources_ATOLL:CUSTOM_X': '1' })
    await setExtraSpecs(pod1, id, { 'trait_ATOLL:CUSTOM_Y': 'required' })
    expect(await getExtraSpecs(pod1, id)).toEqual({
      'resources_ATOLL:CUSTOM_X': '1',
      'trait_ATOLL:CUSTOM_Y': 'required',
    })
    expect(await getExtraSpecs(pod1, nobody)).toBeNull()
  })

  test('are private until a project may use them', async () => {
    const flavor = await newFlavor({ isPublic: false, name: `reservation:${randomUUID()}` })
    const projectId = (await w.openstack.session.projectId())!
    expect(await listFlavorAccess(pod1, flavor.id)).toEqual([])
    expect(await addFlavorAccess(pod1, flavor.id, projectId)).toBe(true)
    expect(await addFlavorAccess(pod1, flavor.id, projectId)).toBe(false)
    expect(await listFlavorAccess(pod1, flavor.id)).toEqual([projectId])
    expect(await removeFlavorAccess(pod1, flavor.id, projectId)).toBe(true)
    expect(await removeFlavorAccess(pod1, flavor.id, projectId)).toBe(false)
    await expect(addFlavorAccess(pod1, flavor.id, 'nobody')).rejects.toEqual(refusal(400, 'badRequest'))
    expect(await listFlavorAccess(pod1, (await newFlavor()).id)).toBeNull()
    expect(await listFlavors(pod1)).toContainEqual(flavor)
  })
})

describe.skipIf(!isThere)('servers', () => {
  let booter: Booter
  beforeAll(async () => {
    booter = await booterOf(w)
  })
  afterAll(() => booter.clear())

  test('none that changed in the future, and none of no project', async () => {
    for (const server of await listServers(pod1)) {
      expect(server).toMatchObject({
        status: expect.stringMatching(/^[A-Z_]+$/),
        createdAt: expect.any(Date),
      })
    }
    expect(await listServers(pod1, { changedSince: new Date(Date.now() + 3_600_000) })).toEqual([])
    expect(await listServers(pod1, { projectId: '0123456789abcdef0123456789abcdef' })).toEqual([])
  })

  test('are listed by their host with what their flavor was, and removed', async () => {
    const flavor = await newFlavor()
    await setExtraSpecs(pod1, flavor.id, { 'atoll:note': 'here' })
    const server = await booter.boot({ name: name('life'), flavorId: flavor.id })
    expect(server).toMatchObject({
      status: 'ACTIVE',
      taskState: null,
      projectId: booter.projectId,
      flavor: { name: flavor.name, vcpus: 1, memoryMb: 64, diskGb: 1, extraSpecs: { 'atoll:note': 'here' } },
      fault: null,
      availabilityZone: 'nova',
    })
    await removeFlavor(pod1, flavor.id)
    expect(await getServer(pod1, server.id)).toEqual(server)
    expect(await listServers(pod1, { host: server.host! })).toContainEqual(server)
    expect(await listServers(pod1, { host: 'nowhere' })).toEqual([])
    const imageId = await createImage(pod1, server.id, name('image'))
    expect(imageId).toMatch(/^[0-9a-f-]{36}$/)

    const startedAt = new Date(server.createdAt.getTime() - 1000)
    expect(await removeServer(pod1, server.id)).toBe(true)
    await gone(pod1, server.id)
    expect(await removeServer(pod1, server.id)).toBe(false)
    const changed = await listServers(pod1, { changedSince: startedAt })
    expect(changed.find(one => one.id === server.id)).toMatchObject({ status: 'DELETED' })
  })

  test('a member sees neither hosts nor private flavors', async () => {
    const flavor = await newFlavor({ isPublic: false })
    await expect(listHypervisors(booter.region)).rejects.toEqual(refusal(403, 'forbidden'))
    await expect(listServers(booter.region)).rejects.toEqual(refusal(403, 'forbidden'))
    expect(await getFlavor(booter.region, flavor.id)).toBeNull()
    await expect(booter.boot({ name: name('none'), flavorId: flavor.id })).rejects.toEqual(
      refusal(400, 'badRequest'),
    )
  })

  test('one that fits nowhere is in error, and says why', async () => {
    const flavor = await newFlavor({ vcpus: 10_000 })
    const server = await booter.boot({ name: name('large'), flavorId: flavor.id })
    expect(server).toMatchObject({ status: 'ERROR', host: null })
    expect(server.fault?.message).toContain('No valid host was found.')
  })
})
