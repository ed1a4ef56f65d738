// What a region's hosts have and what its servers take, against the simulator or a real Nova and Placement.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { capacityOf } from '../../src/openstack/capacity.ts'
import { listHypervisors } from '../../src/openstack/nova.ts'
import { createFlavor, removeFlavor } from '../../src/openstack/nova-flavors.ts'
import { getInventories, getUsages } from '../../src/openstack/placement.ts'
import { type Booter, openBooter } from './nova-servers.ts'
import { openTarget } from './target.ts'

const target = await openTarget()
const pod1 = target.region()
const isThere = target.has('compute') && target.has('placement')
if (!isThere) console.warn(`NOT RUN: the ${target.kind} has no Nova or no Placement in its first region`)

const flavorId = randomUUID()
const large = randomUUID()
let booter: Booter

beforeAll(async () => {
  if (!isThere) return
  booter = await openBooter(target)
  const flavor = { name: `${target.prefix}-capacity`, vcpus: 2, memoryMb: 128, diskGb: 3, isPublic: true }
  await createFlavor(pod1, { ...flavor, id: flavorId })
  await createFlavor(pod1, { ...flavor, id: large, name: `${flavor.name}-large`, vcpus: 10_000 })
})
afterAll(async () => {
  if (isThere) {
    await booter.close()
    await removeFlavor(pod1, flavorId)
    await removeFlavor(pod1, large)
  }
  await target.close()
})

describe.skipIf(!isThere)('capacity', () => {
  test('of each host is what can be placed on it', async () => {
    const { hosts } = await capacityOf(pod1)
    const hypervisors = await listHypervisors(pod1)
    expect(hosts.map(host => host.hypervisorHostname)).toEqual(hypervisors.map(one => one.hostname))
    const { inventories } = await getInventories(pod1, hypervisors[0]!.id)
    const { total, reserved, allocationRatio } = inventories.MEMORY_MB!
    expect(hosts[0]!.amounts).toMatchObject({
      VCPU: expect.any(Number),
      MEMORY_MB: Math.floor((total - reserved) * allocationRatio),
      DISK_GB: expect.any(Number),
    })
  })

  test('that servers take is what Placement has given them; what landed nowhere takes none of a host', async () => {
    const server = await booter.boot({ name: `${target.prefix}-capacity`, flavorId })
    const nowhere = await booter.boot({ name: `${target.prefix}-nowhere`, flavorId: large })
    const { servers } = await capacityOf(pod1)
    const amounts = { VCPU: 2, MEMORY_MB: 128, DISK_GB: 3 }
    const { id, hypervisorHostname } = server
    expect(servers).toContainEqual({ id, hypervisorHostname, mark: null, amounts })
    expect(hypervisorHostname).not.toBeNull()
    expect(servers.find(one => one.id === nowhere.id)).toMatchObject({ hypervisorHostname: null })
    for (const hypervisor of await listHypervisors(pod1)) {
      const there = servers.filter(one => one.hypervisorHostname === hypervisor.hostname)
      const sum = (name: string) => there.reduce((total, one) => total + one.amounts[name]!, 0)
      const usages = await getUsages(pod1, hypervisor.id)
      for (const name of ['VCPU', 'MEMORY_MB', 'DISK_GB']) expect(sum(name)).toBe(usages[name])
    }
  })
})
