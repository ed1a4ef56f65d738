// Floating IPs: an address of an external network, for a port behind a router that reaches it.

import { type Resource, standardAttributes } from '../api/resource.ts'
import { badRequest, networkNotFound, portNotFound, refusal } from '../errors.ts'
import { readAddress } from '../model/addresses.ts'
import { type Attributes, type Fields, isGiven, owner } from '../model/attributes.ts'
import { dropFloatingIp } from '../model/floating.ts'
import { orNull, uuid } from '../model/kinds.ts'
import { address, dnsDomain, dnsName } from '../model/network-kinds.ts'
import { changePort, dropPort, itself, makePort } from '../model/ports.ts'
import { qualityPolicy } from '../model/quality.ts'
import { gatewayOf } from '../model/routing.ts'
import { type Caller, isAllowed } from '../model/rules.ts'
import { type Region, standard, touch } from '../region.ts'
import type { FloatingIp, Network, Port, Row } from '../rows.ts'

function viewPort(row: Row, region: Region): object | null {
  const port = region.ports.get((row as FloatingIp).port_id ?? '')
  if (port === undefined) return null
  const { name, network_id, mac_address, admin_state_up, status, device_id, device_owner } = port
  return { name, network_id, mac_address, admin_state_up, status, device_id, device_owner }
}

const attributes: Attributes = {
  id: { filter: true, sort: true },
  floating_ip_address: {
    kind: orNull(address),
    set: 'create',
    default: null,
    setBy: 'projectManager',
    filter: true,
    sort: true,
  },
  subnet_id: { kind: orNull(uuid), set: 'create', default: null, seenBy: 'nobody' },
  floating_network_id: { kind: uuid, set: 'create', filter: true, sort: true },
  router_id: { filter: true, sort: true },
  port_id: { kind: orNull(uuid), set: 'always', default: null, filter: true },
  fixed_ip_address: { kind: orNull(address), set: 'always', default: null, filter: true, sort: true },
  ...owner,
  status: { filter: true, sort: true },
  port_details: { show: viewPort },
  port_forwardings: { show: () => [] },
  dns_name: { kind: dnsName, set: 'create', default: '' },
  dns_domain: { kind: dnsDomain, set: 'create', default: '' },
  qos_policy_id: qualityPolicy,
  ...standardAttributes,
}

export const floatingips: Resource<FloatingIp> = {
  name: 'floatingip',
  path: 'floatingips',
  attributes,
  table: region => region.floatingips,
  missing: id => refusal(404, 'FloatingIPNotFound', `Floating IP ${id} could not be found`),
  seenBy: 'owner',
  createdBy: 'anybody',
  changedBy: 'owner',
  removedBy: 'owner',
  isStandard: true,
  create: (fields, region, caller) => {
    const network = externalNetwork(String(fields.floating_network_id), region, caller)
    const holder = makeHolder(fields, network, region)
    try {
      const ip = holder.fixed_ips.find(ip => readAddress(ip.ip_address)?.version === 4)
      const floating: FloatingIp = {
        ...standard(region, fields),
        floating_network_id: network.id,
        floating_ip_address: ip?.ip_address ?? '',
        floating_port_id: holder.id,
        port_id: null,
        fixed_ip_address: null,
        router_id: null,
        status: 'DOWN',
        dns_name: String(fields.dns_name),
        dns_domain: String(fields.dns_domain),
      }
      Object.assign(floating, associate(floating, fields, region, caller))
      region.floatingips.add(floating)
      changePort(holder, { device_id: floating.id }, region)
      report(floating, region)
      return floating
    } catch (error) {
      dropPort(holder, region)
      throw error
    }
  },
  update: (floating, fields, region, caller) => {
    const associated = associate(floating, fields, region, caller)
    region.floatingips.change(floating, () => {
      Object.assign(floating, associated)
      if (fields.description !== undefined) floating.description = String(fields.description)
    })
    touch(region, floating)
    report(floating, region)
  },
  remove: dropFloatingIp,
}

function externalNetwork(id: string, region: Region, caller: Caller): Network {
  const network = region.networks.get(id)
  if (network === undefined || !isAllowed('ownerOrPublic', caller, { ...network }, region))
    throw networkNotFound(id)
  if (!network.external) throw badRequest('floatingip', `Network ${id} is not a valid external network`)
  const hasFour = [...region.subnets.by('network_id', id)].some(({ ip_version }) => ip_version === 4)
  if (!hasFour) throw badRequest('floatingip', `Network ${id} does not contain any IPv4 subnet`)
  return network
}

/** Makes the port that holds a floating IP's address: it has no project, and members do not see it. */
function makeHolder(fields: Fields, network: Network, region: Region): Port {
  const { subnet_id, floating_ip_address: ip_address } = fields
  const wanted = {
    ...(isGiven(subnet_id) ? { subnet_id } : {}),
    ...(isGiven(ip_address) ? { ip_address } : {}),
  }
  const holder = {
    project_id: '',
    network_id: network.id,
    device_id: 'PENDING',
    device_owner: 'network:floatingip',
    status: 'N/A',
    fixed_ips: Object.keys(wanted).length === 0 ? undefined : [wanted],
  }
  return makePort(holder, region, itself)
}

type Association = Pick<FloatingIp, 'port_id' | 'fixed_ip_address' | 'router_id'>

/** The association after an update: unchanged when it names no port, none when its port is null. */
function associate(floating: FloatingIp, fields: Fields, region: Region, caller: Caller): Association {
  if (isGiven(fields.fixed_ip_address) && !isGiven(fields.port_id)) {
    throw badRequest('floatingip', 'fixed_ip_address cannot be specified without a port_id')
  }
  const portId = fields.port_id === undefined ? floating.port_id : (fields.port_id as string | null)
  if (portId === null) return { port_id: null, fixed_ip_address: null, router_id: null }
  const port = region.ports.get(portId)
  if (port === undefined || !isAllowed('ownerOrNetworkOwner', caller, { ...port }, region)) {
    throw portNotFound(portId)
  }
  if (port.project_id !== floating.project_id && !caller.isAdmin) {
    const reason = `Cannot process floating IP association with Port ${portId}, since that port is owned by a different tenant`
    throw badRequest('floatingip', reason)
  }
  const { ip_address, subnet_id } = fixedIpOf(port, fields)
  const router_id = routerFor(port, subnet_id, floating, region)
  if (portId !== floating.port_id) refuseSecond(floating, portId, ip_address, region)
  return { port_id: portId, fixed_ip_address: ip_address, router_id }
}

function fixedIpOf(port: Port, { fixed_ip_address: asked }: Fields) {
  if (isGiven(asked)) {
    if (readAddress(asked)?.version !== 4) {
      const reason = `Cannot process floating IP association with ${asked}, since that is not an IPv4 address`
      throw badRequest('floatingip', reason)
    }
    const found = port.fixed_ips.find(ip => ip.ip_address === asked)
    if (found !== undefined) return found
    throw badRequest('floatingip', `Port ${port.id} does not have fixed ip ${asked}`)
  }
  const [first, second] = port.fixed_ips.filter(ip => readAddress(ip.ip_address)?.version === 4)
  if (first === undefined) {
    throw badRequest(
      'floatingip',
      `Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`,
    )
  }
  if (second === undefined) return first
  const reason = `Port ${port.id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`
  throw badRequest('floatingip', reason)
}

/**
 * The router that connects the port's subnet with the external network; of several, the one that is the
 * subnet's gateway.
 */
function routerFor(port: Port, subnetId: string, floating: FloatingIp, region: Region): string {
  const subnet = region.subnets.get(subnetId)
  const feet = [...region.ports.by('network_id', port.network_id)].flatMap(foot => {
    const ip = foot.fixed_ips.find(ip => ip.subnet_id === subnetId)
    const router =
      foot.device_owner.startsWith('network:router_interface') && region.routers.get(foot.device_id)
    if (ip === undefined || !router) return []
    const isOutside = gatewayOf(router, region)?.network_id === floating.floating_network_id
    return isOutside ? [{ id: router.id, isGateway: ip.ip_address === subnet?.gateway_ip }] : []
  })
  const found = feet.find(foot => foot.isGateway) ?? feet[0]
  if (found !== undefined) return found.id
  const message = `External network ${floating.floating_network_id} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${port.id} with a Floating IP.`
  throw refusal(404, 'ExternalGatewayForFloatingIPNotFound', message)
}

function refuseSecond(floating: FloatingIp, portId: string, fixedIp: string, region: Region): void {
  const { id, floating_ip_address, floating_network_id } = floating
  for (const other of region.floatingips.by('port_id', portId)) {
    if (other.floating_network_id !== floating_network_id || other.fixed_ip_address !== fixedIp) continue
    const message = `Cannot associate floating IP ${floating_ip_address} (${id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${floating_network_id}.`
    throw refusal(409, 'FloatingIPPortAlreadyAssociated', message)
  }
}

/** Lets the router's agent report the floating IP's status. */
function report(floating: FloatingIp, region: Region): void {
  region.later(() => {
    floating.status = floating.port_id === null ? 'DOWN' : 'ACTIVE'
  })
}
