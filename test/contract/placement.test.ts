// What src/openstack asks of Placement, against the simulator or a real one.
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  createProvider,
  ensureResourceClass,
  ensureTrait,
  findProvider,
  getAggregates,
  getAllocations,
  getInventories,
  getProvider,
  getTraits,
  getUsages,
  type Inventory,
  listResourceProviders,
  removeInventory,
  removeProvider,
  removeResourceClass,
  removeTrait,
  setAggregates,
  setInventories,
  setTraits,
} from '../../src/openstack/placement.ts'
import { probe } from '../../src/openstack/probe.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const pod1 = w.services()
const isThere = await w.has(['placement'])

const nobody = '11111111-2222-4333-8444-555555555555'

/** The refusal of a call that must be refused. */
const refusal = (status: number, reason?: string) =>
  expect.objectContaining({
    code: 'upstream',
    detail: expect.objectContaining({
      region: 'Pod1',
      service: 'Placement',
      status,
      ...(reason === undefined ? {} : { reason }),
    }),
  })

const customName = (): string => `CUSTOM_CONTRACT_${randomUUID().toUpperCase().replaceAll('-', '_')}`

async function newClass(): Promise<string> {
  const name = customName()
  await ensureResourceClass(pod1, name)
  w.after(() => removeResourceClass(pod1, name))
  return name
}

/** A child of the first host; returns its id. */
async function newChild(): Promise<string> {
  const root = (await listResourceProviders(pod1)).find(one => one.parentId === null)!
  const id = randomUUID()
  expect(await createProvider(pod1, { id, name: `atoll:${id}`, parentId: root.id })).toBe(true)
  w.after(() => removeProvider(pod1, id))
  return id
}

const three: Inventory = {
  total: 3,
  reserved: 0,
  minUnit: 1,
  maxUnit: 1,
  stepSize: 1,
  allocationRatio: 1,
}

test.skipIf(!isThere)('its version, with microversions', async () => {
  const { versions } = await probe(pod1, 'placement')
  expect(versions).toEqual([expect.objectContaining({ id: 'v1.0', min: '1.0' })])
  expect(Number(versions[0]?.max?.split('.')[1])).toBeGreaterThanOrEqual(26)
})

describe.skipIf(!isThere)('resource providers', () => {
  test('of the hosts, with what a host has', async () => {
    const roots = (await listResourceProviders(pod1)).filter(one => one.parentId === null)
    expect(roots.length).toBeGreaterThan(0)
    for (const one of roots) {
      expect(one).toMatchObject({ generation: expect.any(Number), rootId: one.id })
      expect(await findProvider(pod1, one.name)).toMatchObject({ id: one.id })
      const { inventories } = await getInventories(pod1, one.id)
      expect(Object.keys(inventories).sort()).toEqual(['DISK_GB', 'MEMORY_MB', 'VCPU'])
      expect(inventories.VCPU).toMatchObject({ reserved: 0, allocationRatio: 16 })
      expect(Object.keys(await getUsages(pod1, one.id)).sort()).toEqual(['DISK_GB', 'MEMORY_MB', 'VCPU'])
    }
    expect(await findProvider(pod1, 'no such name')).toBeNull()
    expect(await getProvider(pod1, nobody)).toBeNull()
  })

  test('a child is made once, and leaves its root as it was', async () => {
    const root = (await listResourceProviders(pod1)).find(one => one.parentId === null)!
    const spec = { id: randomUUID(), name: `atoll:${randomUUID()}`, parentId: root.id }
    expect(await createProvider(pod1, spec)).toBe(true)
    expect(await createProvider(pod1, spec)).toBe(false)
    expect(await createProvider(pod1, { ...spec, id: randomUUID() })).toBe(false)
    expect(await getProvider(pod1, spec.id)).toEqual({ ...spec, generation: 0, rootId: root.id })
    expect((await getProvider(pod1, root.id))?.generation).toBe(root.generation)
    await expect(
      createProvider(pod1, { ...spec, id: randomUUID(), name: 'x', parentId: nobody }),
    ).rejects.toEqual(refusal(400))
    await expect(removeProvider(pod1, root.id)).rejects.toEqual(refusal(409))
    expect(await removeProvider(pod1, spec.id)).toBe(true)
    expect(await removeProvider(pod1, spec.id)).toBe(false)
  })
})

describe.skipIf(!isThere)('names', () => {
  test('a custom trait is made, borne and removed', async () => {
    const child = await newChild()
    const trait = customName()
    await ensureTrait(pod1, trait)
    await ensureTrait(pod1, trait)
    const before = await getTraits(pod1, child)
    expect(before).toEqual({ generation: 0, names: [] })
    const after = await setTraits(pod1, child, { ...before, names: [trait] })
    expect(after).toEqual({ generation: 1, names: [trait] })
    expect(await getTraits(pod1, child)).toEqual(after)
    await expect(setTraits(pod1, child, before)).rejects.toEqual(refusal(409, 'placement.concurrent_update'))
    await expect(setTraits(pod1, child, { ...after, names: [customName()] })).rejects.toEqual(refusal(400))
    await expect(removeTrait(pod1, trait)).rejects.toEqual(refusal(409))
    await setTraits(pod1, child, { ...after, names: [] })
    expect(await removeTrait(pod1, trait)).toBe(true)
    expect(await removeTrait(pod1, trait)).toBe(false)
    await expect(ensureTrait(pod1, 'NOT_CUSTOM')).rejects.toEqual(refusal(400))
  })

  test('aggregates of a provider are set by generation', async () => {
    const child = await newChild()
    const uuid = randomUUID()
    const before = await getAggregates(pod1, child)
    expect(before).toEqual({ generation: 0, names: [] })
    expect(await setAggregates(pod1, child, { ...before, names: [uuid] })).toEqual({
      generation: 1,
      names: [uuid],
    })
    await expect(setAggregates(pod1, child, before)).rejects.toEqual(
      refusal(409, 'placement.concurrent_update'),
    )
    expect((await getAggregates(pod1, child)).names).toEqual([uuid])
  })

  test('a resource class is made, and removed when nothing is of it', async () => {
    const name = customName()
    await ensureResourceClass(pod1, name)
    await ensureResourceClass(pod1, name)
    expect(await removeResourceClass(pod1, name)).toBe(true)
    expect(await removeResourceClass(pod1, name)).toBe(false)
    await expect(ensureResourceClass(pod1, 'NOT_CUSTOM')).rejects.toEqual(refusal(400))
    await expect(removeResourceClass(pod1, 'VCPU')).rejects.toEqual(refusal(400))
  })
})

describe.skipIf(!isThere)('inventories', () => {
  let name: string
  let child: string
  beforeEach(async () => {
    name = await newClass()
    child = await newChild()
  })

  /** What is there takes up so much of the class, as a server would. */
  async function occupy(amount: number): Promise<string> {
    const consumer = randomUUID()
    const json = {
      allocations: { [child]: { resources: { [name]: amount } } },
      project_id: 'contract',
      user_id: 'contract',
    }
    const headers = { 'openstack-api-version': 'placement 1.26' }
    await pod1.call('placement', { method: 'PUT', path: `/allocations/${consumer}`, json, headers })
    w.after(() => release(consumer))
    return consumer
  }
  const release = (consumer: string) =>
    pod1.call('placement', {
      method: 'DELETE',
      path: `/allocations/${consumer}`,
      accept: reply => reply.status === 404,
    })

  test('are set whole, by generation, as often as one likes', async () => {
    const before = await getInventories(pod1, child)
    expect(before).toEqual({ generation: 0, inventories: {} })
    const after = await setInventories(pod1, child, { ...before, inventories: { [name]: three } })
    expect(after).toEqual({ generation: 1, inventories: { [name]: three } })
    expect(await setInventories(pod1, child, after)).toEqual({ ...after, generation: 2 })
    await expect(setInventories(pod1, child, after)).rejects.toEqual(
      refusal(409, 'placement.concurrent_update'),
    )
    const unknown = { generation: 2, inventories: { [customName()]: three } }
    await expect(setInventories(pod1, child, unknown)).rejects.toEqual(refusal(400))
    await expect(removeResourceClass(pod1, name)).rejects.toEqual(refusal(409))
    expect(await removeInventory(pod1, child, name)).toBe(true)
    expect(await removeInventory(pod1, child, name)).toBe(false)
    expect((await getInventories(pod1, child)).generation).toBe(3)
  })

  test('may be reserved whole, and no further', async () => {
    const reserved = (amount: number) => ({ [name]: { ...three, reserved: amount } })
    const closed = await setInventories(pod1, child, { generation: 0, inventories: reserved(3) })
    expect(closed.inventories[name]?.reserved).toBe(3)
    await expect(
      setInventories(pod1, child, { generation: closed.generation, inventories: reserved(4) }),
    ).rejects.toEqual(refusal(400))
    await expect(occupy(1)).rejects.toEqual(refusal(409))
  })

  test('what is taken of them is counted, and keeps them from going', async () => {
    const set = await setInventories(pod1, child, {
      generation: 0,
      inventories: { [name]: { ...three, maxUnit: 3 } },
    })
    expect(await getUsages(pod1, child)).toEqual({ [name]: 0 })
    const consumer = await occupy(2)
    await expect(occupy(2)).rejects.toEqual(refusal(409))
    expect(await getUsages(pod1, child)).toEqual({ [name]: 2 })
    expect(await getAllocations(pod1, child)).toEqual(new Map([[consumer, { [name]: 2 }]]))
    // The taking counts as a change, and both refusals say so by the same word.
    await expect(setInventories(pod1, child, set)).rejects.toEqual(
      refusal(409, 'placement.concurrent_update'),
    )
    await expect(removeInventory(pod1, child, name)).rejects.toEqual(
      refusal(409, 'placement.concurrent_update'),
    )
    const { generation } = await getInventories(pod1, child)
    await expect(setInventories(pod1, child, { generation, inventories: {} })).rejects.toEqual(
      refusal(409, 'placement.inventory.inuse'),
    )
    await expect(removeProvider(pod1, child)).rejects.toEqual(refusal(409))

    const less = await setInventories(pod1, child, {
      generation,
      inventories: { [name]: { ...three, total: 1 } },
    })
    expect(less.inventories[name]?.total).toBe(1)
    expect(await getUsages(pod1, child)).toEqual({ [name]: 2 })
    await release(consumer)
    expect(await getAllocations(pod1, child)).toEqual(new Map())
    expect(await removeInventory(pod1, child, name)).toBe(true)
  })
})
