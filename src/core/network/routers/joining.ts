// Whose subnets a router may join: a subnet that is shown to a project is not therefore its to route.

import { type Caller, isAtLeast } from '../../caller.ts'
import { invalid } from '../../error.ts'
import { parseAddress, parsePool, poolContains } from '../addresses/address.ts'
import type { Port, Subnet } from '../model/model.ts'

const isOwn = (caller: Caller, { projectId }: Subnet): boolean =>
  projectId === caller.projectId || isAtLeast(caller, 'admin')

/**
 * An interface by subnet takes the subnet's gateway address, which is its owner's alone to give. Throws `invalid`
 * (`subnet_owner`).
 */
export function checkSubnetOwner(caller: Caller, subnet: Subnet): void {
  if (isOwn(caller, subnet)) return
  throw invalid(
    `Cannot add interface to router because subnet ${subnet.id} is not owned by project making the request`,
    'subnet_owner',
  )
}

/** An interface by port on another project's subnet has an address that the subnet gives. Throws `invalid` (`subnet_owner`). */
export function checkInPools(caller: Caller, { id, fixedIps }: Port, subnet: Subnet): void {
  const pools = subnet.allocationPools.flatMap(pool => parsePool(pool) ?? [])
  const isGiven = fixedIps.every(({ ipAddress }) => poolContains(pools, parseAddress(ipAddress)!))
  if (isOwn(caller, subnet) || isGiven) return
  throw invalid(
    `Cannot add interface to router because specified port ${id} has an IP address out of the allocation pool of subnet ${subnet.id}, which is not owned by the project making the request`,
    'subnet_owner',
  )
}
