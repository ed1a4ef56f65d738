// The inventories of a region's hosts, and what its servers take of them.

import type { RegionCapacity } from '../core/cloud.ts'
import { ignoring } from './again.ts'
import { listHypervisors, listServers, type Server } from './nova.ts'
import { getInventories, type Inventory, listResourceProviders } from './placement.ts'
import { markKey } from './provider-calls.ts'
import type { RegionClient } from './region.ts'

type ResourceAmounts = Readonly<Record<string, number>>

/** How many hosts' inventories are asked for at once: Placement has no call for several. */
const atOnce = 6

/** Throws as `RegionClient.call`. */
export async function capacityOf(region: RegionClient): Promise<RegionCapacity> {
  const [hypervisors, providers, servers] = await Promise.all([
    listHypervisors(region),
    listResourceProviders(region),
    listServers(region),
  ])
  // A host that has not reported to Placement yet has nothing that a server could be placed on.
  const known = new Set(providers.map(provider => provider.id))
  const amounts = await eachOf(hypervisors, async ({ id }) => (known.has(id) ? supplyOf(region, id) : {}))
  return {
    hosts: hypervisors.flatMap(({ hostname }, at) => {
      const supply = amounts[at]
      return supply ? [{ hypervisorHostname: hostname, amounts: supply }] : []
    }),
    servers: servers.map(server => ({
      id: server.id,
      hypervisorHostname: server.hypervisorHostname,
      mark: server.metadata[markKey] ?? null,
      amounts: takenBy(server),
    })),
  }
}

/** The supply of a host; null for one that Placement no longer knows. */
async function supplyOf(region: RegionClient, providerId: string): Promise<ResourceAmounts | null> {
  const found = await getInventories(region, providerId).catch(ignoring(404))
  if (!found) return null
  return Object.fromEntries(
    Object.entries(found.inventories).map(([name, inventory]) => [name, placeable(inventory)]),
  )
}

const placeable = ({ total, reserved, allocationRatio }: Inventory): number =>
  Math.max(0, Math.floor((total - reserved) * allocationRatio))

/** What a server takes of its host, computed as Nova asks Placement for it. */
const takenBy = ({ flavor, isOnVolume }: Server): ResourceAmounts => ({
  VCPU: flavor.vcpus,
  MEMORY_MB: flavor.memoryMb,
  DISK_GB: (isOnVolume ? 0 : flavor.diskGb) + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024),
})

/** Works on so many items at once; returns the results in the order of `items`. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [at, item] of queue) results[at] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
