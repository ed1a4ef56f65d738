// What Nova and Placement say of the hosts of a region.

import { AppError } from '../core/error.ts'
import type { HostFacts } from '../core/hosts/host.ts'
import { findHypervisors, getHypervisor, type Hypervisor, listComputeServices } from './nova.ts'
import { findProvider, getInventories } from './placement.ts'
import type { RegionClient } from './region.ts'

/** Hosts with exactly this hypervisor name or id: Nova itself also finds names that contain the text. */
export async function findHosts(region: RegionClient, nameOrId: string): Promise<HostFacts[]> {
  if (!/^[\w.:-]+$/.test(nameOrId)) return []
  const found = await findHypervisors(region, nameOrId)
  const exact = found.filter(one => one.hostname === nameOrId)
  const meant = exact.length === 0 && uuid.test(nameOrId) ? await byId(region, nameOrId) : exact
  return Promise.all(meant.map(one => factsOf(region, one)))
}

/** Nova's ids of hypervisors, since 2.53. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

async function byId(region: RegionClient, id: string): Promise<readonly Hypervisor[]> {
  const found = await getHypervisor(region, id)
  return found ? [found] : []
}

async function factsOf(region: RegionClient, hypervisor: Hypervisor): Promise<HostFacts> {
  const [provider, services] = await Promise.all([
    findProvider(region, hypervisor.hostname),
    listComputeServices(region),
  ])
  if (!provider) {
    throw new AppError(
      'upstream',
      `${region.name}: Placement has no resource provider ${hypervisor.hostname}: its nova-compute has not reported yet`,
      { region: region.name, service: 'placement', reason: 'no_provider' },
    )
  }
  const { inventories } = await getInventories(region, provider.id)
  const service = services.find(one => one.host === hypervisor.service.host)
  return {
    hypervisorId: hypervisor.id,
    hypervisorHostname: hypervisor.hostname,
    hypervisorType: hypervisor.type ?? '',
    hypervisorVersion: hypervisor.version ?? 0,
    cpuInfo:
      typeof hypervisor.cpuInfo === 'string' ? hypervisor.cpuInfo : JSON.stringify(hypervisor.cpuInfo ?? {}),
    serviceName: hypervisor.service.host,
    vcpus: hypervisor.vcpus,
    memoryMb: hypervisor.memoryMb,
    localGb: hypervisor.diskGb,
    availabilityZone: service?.zone ?? '',
    providerId: provider.id,
    inventory: Object.fromEntries(
      Object.entries(inventories).map(([name, { total, reserved, allocationRatio }]) => [
        name,
        { total, reserved, allocationRatio },
      ]),
    ),
  }
}
