// The properties of a host that filters may ask for.

import type { PropertyValue } from '../filter/filter.ts'
import type { builtInProperties, Host } from './host.ts'

type BuiltIn = (typeof builtInProperties)[number]

/** The built-in properties; `src/store/filter.ts` says the same in SQL. */
const builtIns: Readonly<Record<BuiltIn, (host: Host) => string | number | null>> = {
  id: host => host.id,
  vcpus: host => host.vcpus,
  cpu_info: host => host.cpuInfo,
  hypervisor_type: host => host.hypervisorType,
  hypervisor_version: host => host.hypervisorVersion,
  hypervisor_hostname: host => host.hypervisorHostname,
  service_name: host => host.serviceName,
  memory_mb: host => host.memoryMb,
  local_gb: host => host.localGb,
  status: () => null,
  availability_zone: host => host.availabilityZone,
  trust_id: () => null,
  // A number, so that true, false, 1 and 0 can all be asked for.
  reservable: host => (host.reservable ? 1 : 0),
  created_at: host => instant(host.createdAt),
  updated_at: host => host.updatedAt && instant(host.updatedAt),
  region: host => host.regionName,
}

const instant = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ')

/** A built-in property, else the capability of that name; undefined when the host has neither. */
export function hostValue(host: Host, property: string): PropertyValue {
  if (Object.hasOwn(builtIns, property)) return builtIns[property as BuiltIn](host)
  return Object.hasOwn(host.capabilities, property) ? host.capabilities[property] : undefined
}
