// Device owners: the one reading of the text by which Neutron says what a port is for.

/** What a port is for. A service is any of Neutron's own that is none of the others. */
export type DeviceOwner =
  | 'user'
  | 'router interface'
  | 'router gateway'
  | 'router service'
  | 'floating ip'
  | 'dhcp'
  | 'service'

/** The owner of the interfaces that Atoll makes: those of centralised routers. */
export const interfaceOwner = 'network:router_interface'

const own: ReadonlyMap<string, DeviceOwner> = new Map([
  [interfaceOwner, 'router interface'],
  ['network:router_interface_distributed', 'router interface'],
  ['network:ha_router_replicated_interface', 'router interface'],
  ['network:router_gateway', 'router gateway'],
  ['network:router_centralized_snat', 'router service'],
  ['network:router_ha_interface', 'router service'],
  ['network:floatingip', 'floating ip'],
  ['network:floatingip_agent_gateway', 'floating ip'],
  ['network:dhcp', 'dhcp'],
])

export const ownerOf = ({ deviceOwner }: { readonly deviceOwner: string }): DeviceOwner =>
  own.get(deviceOwner) ?? (deviceOwner.startsWith('network:') ? 'service' : 'user')

/** Whether a port is a router's. */
export function isRouters(port: { readonly deviceOwner: string }): boolean {
  const owner = ownerOf(port)
  return owner === 'router interface' || owner === 'router gateway' || owner === 'router service'
}

/** Whether a port comes and goes with a router or a floating IP, and not by the verbs of ports. */
export const comesWithOther = (port: { readonly deviceOwner: string }): boolean =>
  isRouters(port) || ownerOf(port) === 'floating ip'
