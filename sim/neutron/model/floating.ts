// Removal of floating IPs that follows from other removals.

import type { Region } from '../region.ts'
import type { FloatingIp, Network } from '../rows.ts'
import { dropPort } from './ports.ts'

/** Removes a floating IP with the port that holds its address. */
export function dropFloatingIp(floating: FloatingIp, region: Region): void {
  region.floatingips.remove(floating)
  const holder = region.ports.get(floating.floating_port_id)
  if (holder !== undefined) dropPort(holder, region)
}

/** Removes the floating IPs of a network that no port uses. */
export function removeUnused(network: Network, region: Region): void {
  for (const floating of [...region.floatingips.by('floating_network_id', network.id)]) {
    if (floating.port_id === null) dropFloatingIp(floating, region)
  }
}
