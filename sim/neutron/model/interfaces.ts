// The interfaces of a router: added and removed by subnet or by port.

import { badRequest, portNotFound, refusal, subnetNotFound } from '../errors.ts'
import { type Region, touch } from '../region.ts'
import type { Port, Router, Subnet } from '../rows.ts'
import { isWithin, readAddress } from './addresses.ts'
import { isDictionary, isUuid } from './kinds.ts'
import { readPool } from './leases.ts'
import { changePort, dropPort, makePort } from './ports.ts'
import { host, interfaceOwner, interfacesOf, refuseMeeting, refuseNeeded } from './routing.ts'
import { type Caller, isAllowed } from './rules.ts'

interface Asked {
  port_id?: string
  subnet_id?: string
}

export function addInterface(router: Router, body: unknown, region: Region, caller: Caller): object {
  const asked = readAsked(body)
  if (asked.port_id !== undefined && asked.subnet_id !== undefined) {
    throw badRequest('router', 'Cannot specify both subnet-id and port-id')
  }
  const { port, subnets } =
    asked.port_id === undefined
      ? addSubnet(router, String(asked.subnet_id), region, caller)
      : addPort(router, asked.port_id, region, caller)
  if (!router.interface_ids.includes(port.id)) router.interface_ids = [...router.interface_ids, port.id]
  touch(region, router)
  host(router, region)
  return viewInterface(router, port, subnets.at(-1), subnets)
}

function readAsked(body: unknown): Asked {
  const asked: Asked = isDictionary(body) ? body : {}
  if (asked.port_id === undefined && asked.subnet_id === undefined) {
    throw badRequest('router', 'Either subnet_id or port_id must be specified')
  }
  for (const id of [asked.port_id, asked.subnet_id]) {
    if (id !== undefined && !isUuid(id)) throw badRequest('router', `'${String(id)}' is not a valid UUID`)
  }
  return asked
}

function viewInterface(
  router: Router,
  port: Port,
  first: Subnet | undefined,
  subnets: readonly Subnet[],
): object {
  return {
    id: router.id,
    tenant_id: port.project_id,
    port_id: port.id,
    network_id: port.network_id,
    subnet_id: first?.id,
    subnet_ids: subnets.map(({ id }) => id),
  }
}

/**
 * Of two calls at once for one port the later one ends with a conflict, after Neutron's retries; its roll-back takes
 * the device off the port of the one that won.
 */
function rolledBack(port: Port): Error {
  Object.assign(port, { device_id: '', device_owner: '' })
  return refusal(409, 'PortInUse', `Unable to complete operation on port ${port.id}: it is being attached.`)
}

function addPort(
  router: Router,
  id: string,
  region: Region,
  caller: Caller,
): { port: Port; subnets: Subnet[] } {
  const port = region.ports.get(id)
  if (port === undefined || !isAllowed('ownerOrNetworkOwner', caller, { ...port }, region))
    throw portNotFound(id)
  if (region.joining.has(id)) throw rolledBack(port)
  if (port.device_id !== '') {
    const message = `Unable to complete operation on port ${id} for network ${port.network_id}. Port already has an attached device ${port.device_id}.`
    throw refusal(409, 'PortInUse', message)
  }
  if (port.fixed_ips.length === 0) throw badRequest('router', 'Router port must have at least one fixed IP')
  const subnets = port.fixed_ips.map(ip => visibleSubnet(ip.subnet_id, region, caller))
  for (const subnet of subnets) refuseForeignRouter(subnet)
  if (subnets.some(({ ip_version }) => ip_version === 6)) refuseSecondSix(router, port, region)
  refuseMeeting(router, subnets, region)
  if (subnets.filter(({ ip_version }) => ip_version === 4).length > 1) {
    throw badRequest('router', 'Cannot have multiple IPv4 subnets on router port')
  }
  if (!caller.isAdmin) refuseForeignAddress(port, region, caller)
  changePort(port, { device_id: router.id, device_owner: interfaceOwner(router) }, region)
  touch(region, port)
  return { port, subnets }
}

function visibleSubnet(id: string, region: Region, caller: Caller): Subnet {
  const subnet = region.subnets.get(id)
  if (subnet !== undefined && isAllowed('ownerOrSharedNetwork', caller, { ...subnet }, region)) return subnet
  throw subnetNotFound(id)
}

/** Refuses a subnet whose IPv6 router advertisements come from a router outside of Neutron. */
function refuseForeignRouter({ id, ip_version, ipv6_ra_mode, ipv6_address_mode }: Subnet): void {
  if (ip_version === 4 || ipv6_ra_mode !== null || ipv6_address_mode === null) return
  const reason = `IPv6 subnet ${id} configured to receive RAs from an external router cannot be added to Neutron Router.`
  throw badRequest('router', reason)
}

const hasSix = (port: Port) => port.fixed_ips.some(ip => readAddress(ip.ip_address)?.version === 6)

function refuseSecondSix(router: Router, port: Port, region: Region): void {
  const other = interfacesOf(router, region).find(old => old.network_id === port.network_id && hasSix(old))
  if (other === undefined) return
  const reason = `Cannot have multiple router ports with the same network id if both contain IPv6 subnets. Existing port ${other.id} has IPv6 subnet(s) and network id ${other.network_id}`
  throw badRequest('router', reason)
}

function refuseForeignAddress(port: Port, region: Region, caller: Caller): void {
  for (const { subnet_id, ip_address } of port.fixed_ips) {
    const subnet = region.subnets.get(subnet_id)
    const address = readAddress(ip_address)
    if (subnet === undefined || address === null || subnet.project_id === caller.projectId) continue
    if (subnet.allocation_pools.some(pool => isWithin(address, readPool(pool)))) continue
    const reason = `Cannot add interface to router because specified port ${port.id} has an IP address out of the allocation pool of subnet ${subnet_id}, which is not owned by the project making the request`
    throw badRequest('router', reason)
  }
}

function addSubnet(
  router: Router,
  id: string,
  region: Region,
  caller: Caller,
): { port: Port; subnets: Subnet[] } {
  const subnet = visibleSubnet(id, region, caller)
  if (subnet.gateway_ip === null)
    throw badRequest('router', 'Subnet for router interface must have a gateway IP')
  if (!caller.isAdmin && subnet.project_id !== caller.projectId) {
    const reason = `Cannot add interface to router because subnet ${id} is not owned by project making the request`
    throw badRequest('router', reason)
  }
  refuseForeignRouter(subnet)
  refuseMeeting(router, [subnet], region)
  const fixedIp = { ip_address: subnet.gateway_ip, subnet_id: id }
  const six = interfacesOf(router, region).find(port => port.network_id === subnet.network_id && hasSix(port))
  if (subnet.ip_version === 6 && six !== undefined) {
    changePort(six, { fixed_ips: [...six.fixed_ips, fixedIp] }, region)
    return { port: six, subnets: [subnet] }
  }
  const fields = {
    project_id: router.project_id,
    network_id: subnet.network_id,
    fixed_ips: [fixedIp],
    device_id: router.id,
    device_owner: interfaceOwner(router),
  }
  return { port: makePort(fields, region, caller), subnets: [subnet] }
}

export function removeInterface(router: Router, body: unknown, region: Region): object {
  const asked = readAsked(body)
  const { port, subnets } =
    asked.port_id === undefined
      ? removeSubnet(router, String(asked.subnet_id), region)
      : removePort(router, asked.port_id, asked.subnet_id, region)
  touch(region, router)
  return viewInterface(router, port, subnets[0], subnets)
}

function removePort(router: Router, id: string, subnetId: string | undefined, region: Region) {
  const port = interfacesOf(router, region).find(port => port.id === id)
  if (port === undefined) {
    const message = `Router ${router.id} does not have an interface with id ${id}`
    throw refusal(404, 'RouterInterfaceNotFound', message)
  }
  const subnets = port.fixed_ips.flatMap(ip => region.subnets.get(ip.subnet_id) ?? [])
  if (subnetId !== undefined && !subnets.some(subnet => subnet.id === subnetId)) {
    const message = `Subnet on port ${id} does not match the requested subnet ${subnetId}.`
    throw refusal(400, 'SubnetMismatchForPort', message)
  }
  for (const subnet of subnets) refuseNeeded(router, subnet, region)
  dropPort(port, region)
  return { port, subnets }
}

function removeSubnet(router: Router, id: string, region: Region) {
  const subnet = region.subnets.get(id)
  if (subnet === undefined) throw subnetNotFound(id)
  const isOn = (port: Port) => port.fixed_ips.some(ip => ip.subnet_id === id)
  const port = interfacesOf(router, region).find(isOn)
  if (port === undefined) {
    const message = `Router ${router.id} has no interface on subnet ${id}`
    throw refusal(404, 'RouterInterfaceNotFoundForSubnet', message)
  }
  refuseNeeded(router, subnet, region)
  const others = port.fixed_ips.filter(ip => ip.subnet_id !== id)
  if (others.length > 0) changePort(port, { fixed_ips: others }, region)
  else dropPort(port, region)
  return { port, subnets: [subnet] }
}
