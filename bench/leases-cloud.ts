// A simulated cloud of many hosts in a process of its own, its hosts closed to all but reservations.

import { randomUUID } from 'node:crypto'
import { startCloud } from '../sim/cloud.ts'
import type { Nova } from '../sim/nova/nova.ts'
import type { HostFacts } from '../src/core/hosts/host.ts'
import { childOf, poolName, reservedTrait } from '../src/openstack/isolation.ts'

const [regions = 10, hosts = 100] = process.argv.slice(2).map(Number)

function closed(nova: Nova): HostFacts[] {
  const { placement } = nova.region
  placement.traits.add(reservedTrait)
  const pool = {
    id: nova.region.nextNumber(),
    uuid: randomUUID(),
    name: poolName,
    hosts: new Set(nova.hosts().map(host => host.name)),
    metadata: new Map([[`trait:${reservedTrait}`, 'required']]),
    createdAt: nova.region.now(),
    updatedAt: null,
  }
  nova.region.aggregates.set(pool.id, pool)
  return nova.hosts().map(host => {
    const root = nova.region.rootOf(host)!
    const place = {
      hypervisorHostname: host.hypervisorHostname,
      serviceName: host.name,
      providerId: host.uuid,
    }
    const child = placement.addProvider({
      uuid: childOf(place),
      name: `atoll:${host.hypervisorHostname}`,
      parent: root,
    })
    placement.setTraits(child, [reservedTrait])
    root.aggregates.add(pool.uuid)
    return {
      ...place,
      hypervisorId: host.uuid,
      hypervisorType: 'QEMU',
      hypervisorVersion: 1,
      cpuInfo: '{}',
      vcpus: host.vcpus,
      memoryMb: host.memoryMb,
      localGb: host.diskGb,
      availabilityZone: 'nova',
      inventory: {
        VCPU: { total: host.vcpus, reserved: 0, allocationRatio: 16 },
        MEMORY_MB: { total: host.memoryMb, reserved: 0, allocationRatio: 1.5 },
        DISK_GB: { total: host.diskGb, reserved: 0, allocationRatio: 1 },
      },
    }
  })
}

const names = Array.from({ length: regions }, (_, at) => `Pod${at + 1}`)
const cloud = await startCloud({ regions: ['CentralRegion', ...names], hosts: { count: hosts } })
const facts = Object.fromEntries(names.map(name => [name, closed(cloud.novas.get(name)!)]))

process.on('message', () => {
  const flavors = [...cloud.novas.values()].flatMap(nova => nova.flavors())
  process.send!(flavors.filter(flavor => flavor.name.startsWith('reservation:')).length)
})
process.on('disconnect', () => process.exit(0))
process.send!({ authUrl: cloud.authUrl, projectId: cloud.keystone.projectId('demo'), facts })
