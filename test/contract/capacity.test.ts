import { beforeAll, describe, expect, test } from 'vitest'
import { capacityOf } from '../../src/openstack/capacity.ts'
import { listHypervisors } from '../../src/openstack/nova.ts'
import { getInventories, getUsages } from '../../src/openstack/placement.ts'
import { type Booter, booterOf, flavorOf } from '../world/servers.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const pod1 = w.services()
const isThere = await w.has(['compute', 'placement'])

let flavorId: string
let large: string
let booter: Booter

beforeAll(async () => {
  if (!isThere) return
  const shape = { prefix: w.prefix, vcpus: 2, memoryMb: 128, diskGb: 3 }
  flavorId = (await flavorOf(w, shape)).id
  large = (await flavorOf(w, { ...shape, vcpus: 10_000 })).id
  booter = await booterOf(w)
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
    const server = await booter.boot({ name: `${w.prefix}-capacity`, flavorId })
    const nowhere = await booter.boot({ name: `${w.prefix}-nowhere`, flavorId: large })
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
