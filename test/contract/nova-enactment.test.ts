// A reservation enacted step by step as src/openstack asks for it, against the simulator or a real Nova and Placement.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hypervisor, listHypervisors, listServers, removeServer } from '../../src/openstack/nova.ts'
import {
  type Aggregate,
  addHost,
  createAggregate,
  removeAggregate,
  removeHost,
  setAggregateMetadata,
} from '../../src/openstack/nova-aggregates.ts'
import {
  addFlavorAccess,
  createFlavor,
  removeFlavor,
  setExtraSpecs,
} from '../../src/openstack/nova-flavors.ts'
import {
  createProvider,
  ensureResourceClass,
  ensureTrait,
  getAggregates,
  getAllocations,
  getInventories,
  getTraits,
  getUsages,
  removeInventory,
  removeProvider,
  removeResourceClass,
  removeTrait,
  setInventories,
  setTraits,
} from '../../src/openstack/placement.ts'
import { type Booter, booterOf, gone } from '../world/servers.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const pod1 = w.services()
const isThere = await w.has(['compute', 'placement'])

const mark = randomUUID().slice(0, 8).toUpperCase()
const trait = `CUSTOM_CONTRACT_${mark}`
const reservation = randomUUID()
const resourceClass = `CUSTOM_RESERVATION_${reservation.toUpperCase().replaceAll('-', '_')}`
const child = randomUUID()
const plain = randomUUID()

describe.skipIf(!isThere)('a reservation of two places on one host', () => {
  let booter: Booter
  let pool: Aggregate
  let host: Hypervisor
  beforeAll(async () => {
    host = (await listHypervisors(pod1))[0]!
    await ensureTrait(pod1, trait)
    pool = await createAggregate(pod1, `contract-${mark}`)
    await setAggregateMetadata(pod1, pool.id, { [`trait:${trait}`]: 'required' })
    const shape = { vcpus: 1, memoryMb: 64, diskGb: 1 }
    await createFlavor(pod1, { id: plain, name: `contract-${plain}`, ...shape, isPublic: true })
    booter = await booterOf(w)
  })
  afterAll(async () => {
    await booter.clear()
    await removeHost(pod1, pool.id, host.service.host)
    await removeInventory(pod1, child, resourceClass)
    await removeProvider(pod1, child)
    await removeResourceClass(pod1, resourceClass)
    await removeAggregate(pod1, pool.id)
    await removeTrait(pod1, trait)
    await removeFlavor(pod1, plain)
    await removeFlavor(pod1, reservation)
  })

  const setPlaces = async (total: number, reserved = 0): Promise<void> => {
    const { generation, inventories } = await getInventories(pod1, child)
    const places = { total, reserved, minUnit: 1, maxUnit: 1, stepSize: 1, allocationRatio: 1 }
    await setInventories(pod1, child, {
      generation,
      inventories: { ...inventories, [resourceClass]: places },
    })
  }
  const boot = (flavorId: string) => booter.boot({ name: `contract-${mark}`, flavorId })
  const failed = {
    status: 'ERROR',
    host: null,
    fault: { message: expect.stringContaining('No valid host was found.') },
  }

  test('the host is enrolled: plain servers keep off it', async () => {
    expect(await createProvider(pod1, { id: child, name: `atoll:${child}`, parentId: host.id })).toBe(true)
    const { generation } = await getTraits(pod1, child)
    await setTraits(pod1, child, { generation, names: [trait] })
    await addHost(pod1, pool.id, host.service.host)
    expect((await getAggregates(pod1, host.id)).names).toContain(pool.uuid)
    expect(await listServers(pod1, { host: host.service.host })).toEqual([])
    for (let at = 0; at < 3; at++) {
      const server = await boot(plain)
      expect(server.status).toBe('ACTIVE')
      expect(server.host).not.toBe(host.service.host)
    }
  })

  test('the reservation begins: two servers of its flavor land there, and no third', async () => {
    await ensureResourceClass(pod1, resourceClass)
    await setPlaces(2)
    const shape = { vcpus: 1, memoryMb: 64, diskGb: 1 }
    await createFlavor(pod1, {
      id: reservation,
      name: `reservation:${reservation}`,
      ...shape,
      isPublic: false,
    })
    await setExtraSpecs(pod1, reservation, {
      [`resources_ATOLL:${resourceClass}`]: '1',
      [`trait_ATOLL:${trait}`]: 'required',
    })
    expect(await addFlavorAccess(pod1, reservation, booter.projectId)).toBe(true)
    const servers = [await boot(reservation), await boot(reservation)]
    for (const server of servers) {
      expect(server).toMatchObject({
        status: 'ACTIVE',
        host: host.service.host,
        hypervisorHostname: host.hostname,
      })
      expect(server.flavor.extraSpecs).toHaveProperty(`resources_ATOLL:${resourceClass}`, '1')
    }
    expect(await boot(reservation)).toMatchObject(failed)
    expect(await getUsages(pod1, child)).toEqual({ [resourceClass]: 2 })
    expect([...(await getAllocations(pod1, child)).keys()].sort()).toEqual(servers.map(({ id }) => id).sort())
    expect((await listServers(pod1, { host: host.service.host })).map(({ id }) => id).sort()).toEqual(
      servers.map(({ id }) => id).sort(),
    )
  })

  test('it ends: nothing new fits, its servers go, and nothing of it is left', async () => {
    await setPlaces(2, 2)
    const [first, second] = await listServers(pod1, { host: host.service.host })
    await removeServer(pod1, first!.id)
    await gone(pod1, first!.id)
    expect(await boot(reservation)).toMatchObject(failed)
    expect(await removeFlavor(pod1, reservation)).toBe(true)
    await expect(removeInventory(pod1, child, resourceClass)).rejects.toThrow('in use')
    await removeServer(pod1, second!.id)
    await gone(pod1, second!.id)
    expect(await removeInventory(pod1, child, resourceClass)).toBe(true)
    expect(await removeResourceClass(pod1, resourceClass)).toBe(true)
    expect((await getInventories(pod1, child)).inventories).toEqual({})
  })

  test('the host is let go', async () => {
    expect(await removeHost(pod1, pool.id, host.service.host)).toBe(true)
    expect((await getAggregates(pod1, host.id)).names).not.toContain(pool.uuid)
  })
})
