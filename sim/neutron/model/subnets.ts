// Changes of ports that follow when a subnet is made or removed.

import { subnetInUse } from '../errors.ts'
import { type Region, touch } from '../region.ts'
import type { Network, Port, Subnet } from '../rows.ts'
import { addAutoAddress, isAutoSubnet } from './addressing.ts'
import { holders } from './leases.ts'
import { changePort, setAddresses } from './ports.ts'

/** Whether a port is removed together with its network. */
export const isServicePort = ({ device_owner }: Port) =>
  device_owner === 'network:dhcp' || device_owner === 'network:distributed'

/**
 * Gives ports addresses of a new subnet: SLAAC ones, and to gateways one of a version that they do not have
 * yet.
 */
export function addToPorts(subnet: Subnet, network: Network, region: Region): void {
  const isAuto = isAutoSubnet(subnet)
  for (const port of [...region.ports.by('network_id', network.id)]) {
    if (isAuto) {
      const added = addAutoAddress(port, subnet, region)
      if (added.length === 0) continue
      setAddresses(port, [...port.fixed_ips, ...added], region)
      // The port's revision is raised once by the new address and once more by the update about it, as in
      // Neutron.
      touch(region, port)
    }
    if (port.device_owner === 'network:router_gateway') addToGateway(port, subnet, region)
  }
}

function addToGateway(port: Port, subnet: Subnet, region: Region): void {
  const versions = port.fixed_ips.map(ip => region.subnets.get(ip.subnet_id)?.ip_version)
  if (versions.includes(subnet.ip_version) || isAutoSubnet(subnet)) return
  changePort(port, { fixed_ips: [...port.fixed_ips, { subnet_id: subnet.id }] }, region)
}

/** Refuses while a router or anybody's port has an address of the subnet. */
export function refuseUsed(subnet: Subnet, region: Region): void {
  for (const portId of holders(subnet.id, region).values()) {
    const port = region.ports.get(portId)
    if (port === undefined || isServicePort(port)) continue
    if (!isAutoSubnet(subnet) || port.device_owner.startsWith('network:router_interface')) {
      throw subnetInUse(subnet.id)
    }
  }
}

export function dropSubnet(subnet: Subnet, region: Region): void {
  for (const portId of new Set(holders(subnet.id, region).values())) {
    const port = region.ports.get(portId)
    if (port === undefined) continue
    setAddresses(
      port,
      port.fixed_ips.filter(ip => ip.subnet_id !== subnet.id),
      region,
    )
  }
  region.subnets.remove(subnet)
  region.leases.delete(subnet.id)
}
