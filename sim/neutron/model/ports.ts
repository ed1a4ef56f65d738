// Ports made, changed and removed, whether the API asks for it or another resource does.

import { networkNotFound, refusal } from '../errors.ts'
import { type Region, standard, touch } from '../region.ts'
import type { AddressPair, DhcpOption, FixedIp, Network, Port } from '../rows.ts'
import {
  changeAddresses,
  giveAddresses,
  releaseAddresses,
  renewAutoAddresses,
  type WantedIp,
} from './addressing.ts'
import type { Fields } from './attributes.ts'
import { bind } from './binding.ts'
import { ensureDefaultGroup, findGroups } from './groups.ts'
import { makeMac, refuseTaken } from './macs.ts'
import { readMac } from './network-kinds.ts'
import { type Caller, isAllowed } from './rules.ts'

/** Neutron itself as a caller, for whom no policy is checked. */
export const itself: Caller = { projectId: null, isAdmin: true }

export function makePort(fields: Fields, region: Region, caller: Caller): Port {
  const project = String(fields.project_id)
  ensureDefaultGroup(project, region, caller)
  const network = region.networks.get(String(fields.network_id))
  if (network === undefined) throw networkNotFound(String(fields.network_id))
  const device_owner = String(fields.device_owner ?? '')
  refuseForeignRouter(device_owner, String(fields.device_id ?? ''), project, region, caller)
  const mac_address = fields.mac_address ? String(fields.mac_address) : makeMac(network.id, region)
  refuseTaken(mac_address, network.id, region)

  const security = securityOf({ ...fields, device_owner }, network, region, caller)
  const { id, project_id, description, tags, revision_number, created_at, updated_at, serial } = standard(
    region,
    fields,
  )
  const holder = { id, network_id: network.id, device_owner, mac_address }
  const fixed_ips = giveAddresses(holder, fields.fixed_ips as WantedIp[] | undefined, region)
  // The object is written out in full: one made with spread takes four times the memory, and there may be a
  // million ports.
  const port: Port = {
    id,
    project_id,
    description,
    tags,
    revision_number,
    created_at,
    updated_at,
    serial,
    network_id: network.id,
    device_owner,
    mac_address,
    port_security_enabled: security.port_security_enabled,
    security_groups: security.security_groups,
    fixed_ips,
    name: String(fields.name ?? ''),
    admin_state_up: fields.admin_state_up !== false,
    device_id: String(fields.device_id ?? ''),
    status: String(fields.status ?? 'DOWN'),
    allowed_address_pairs: pairsOf(fields.allowed_address_pairs, mac_address),
    extra_dhcp_opts: mergeOptions([], fields.extra_dhcp_opts),
    dns_name: String(fields.dns_name ?? ''),
    dns_domain: String(fields.dns_domain ?? ''),
    ip_allocation: Array.isArray(fields.fixed_ips) && fields.fixed_ips.length === 0 ? 'none' : 'immediate',
    host: String(fields['binding:host_id'] ?? ''),
    profile: (fields['binding:profile'] ?? nothing) as Port['profile'],
    vnic_type: String(fields['binding:vnic_type'] ?? 'normal'),
    vif_type: 'unbound',
  }
  if (port.host !== '') bind(port, region)
  return region.ports.add(port)
}

/** An empty profile that all ports without one share, to save memory. */
const nothing: Port['profile'] = Object.freeze({})
const noPairs: readonly AddressPair[] = Object.freeze([])
const noOptions: readonly DhcpOption[] = Object.freeze([])

function securityOf(fields: Fields, network: Network, region: Region, caller: Caller) {
  const project = String(fields.project_id)
  const isTrusted = String(fields.device_owner).startsWith('network:')
  const isSecure =
    !isTrusted && ((fields.port_security_enabled as boolean | undefined) ?? network.port_security_enabled)
  const asked = fields.security_groups as string[] | undefined
  refuseOpenPairs(isSecure, fields.allowed_address_pairs)
  if (!isSecure) {
    if (asked !== undefined && asked.length > 0) throw securityRequired()
    return { port_security_enabled: false, security_groups: [] }
  }
  if (asked !== undefined) {
    return { port_security_enabled: true, security_groups: findGroups(asked, project, region, caller) }
  }
  const standardGroup = ensureDefaultGroup(project, region, caller)
  return { port_security_enabled: true, security_groups: standardGroup === null ? [] : [standardGroup] }
}

const securityRequired = () =>
  refusal(
    400,
    'PortSecurityAndIPRequiredForSecurityGroups',
    'Port security must be enabled and port must have an IP address in order to use security groups.',
  )

function refuseOpenPairs(isSecure: boolean, pairs: unknown): void {
  if (isSecure || !Array.isArray(pairs) || pairs.length === 0) return
  const message = 'Port Security must be enabled in order to have allowed address pairs on a port.'
  throw refusal(409, 'AddressPairAndPortSecurityRequired', message)
}

/** Refuses a member's port that claims to be an interface of another project's router. */
function refuseForeignRouter(
  owner: string,
  device: string,
  project: string,
  region: Region,
  caller: Caller,
): void {
  const router = owner.startsWith('network:router_interface') ? region.routers.get(device) : undefined
  if (caller.isAdmin || router === undefined || router.project_id === project) return
  const message = `The following device_id ${device} is not owned by your tenant or matches another tenants router.`
  throw refusal(409, 'DeviceIDNotOwnedByTenant', message)
}

export function changePort(port: Port, fields: Fields, region: Region, caller: Caller = itself): void {
  const device = String(fields.device_id ?? port.device_id)
  const owner = String(fields.device_owner ?? port.device_owner)
  refuseForeignRouter(owner, device, port.project_id, region, caller)
  refuseForeignNetwork(port, region, caller)
  const mac = macFor(port, fields, region)
  const security = changedSecurity(port, fields, region, caller)
  const wanted = fields.fixed_ips as WantedIp[] | undefined
  const addressed = wanted === undefined ? port.fixed_ips : changeAddresses(port, wanted, region)
  const fixed_ips =
    mac === port.mac_address ? addressed : renewAutoAddresses({ ...port, fixed_ips: addressed }, mac, region)
  const binding = bindingOf(port, fields)
  const isMoved = Object.entries(binding).some(([key, value]) => !isSame(port[key as 'host'], value))

  region.ports.change(port, () => {
    for (const name of plainNames)
      if (fields[name] !== undefined) Object.assign(port, { [name]: fields[name] })
    Object.assign(port, security, binding, { mac_address: mac, fixed_ips })
    if (fields.extra_dhcp_opts !== undefined) {
      port.extra_dhcp_opts = mergeOptions(port.extra_dhcp_opts, fields.extra_dhcp_opts)
    }
  })
  if (Object.keys(fields).some(name => !name.startsWith('binding:'))) touch(region, port)
  else if (isMoved) region.later(() => touch(region, port))
  if (isMoved) bind(port, region)
}

const plainNames = [
  'name',
  'description',
  'admin_state_up',
  'device_id',
  'device_owner',
  'dns_name',
  'dns_domain',
  'status',
]

/** Refuses changes of a port on a network that the caller cannot see: such a port can only be read. */
function refuseForeignNetwork({ network_id }: Port, region: Region, caller: Caller): void {
  const network = region.networks.get(network_id)
  if (network !== undefined && isAllowed('ownerOrPublic', caller, { ...network }, region)) return
  throw networkNotFound(network_id)
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function macFor(port: Port, { mac_address }: Fields, region: Region): string {
  if (mac_address === undefined) return port.mac_address
  if (mac_address === null) return makeMac(port.network_id, region)
  const mac = String(mac_address)
  if (readMac(mac) === readMac(port.mac_address)) return port.mac_address
  if (port.device_owner.startsWith('network:')) {
    const message = `Operation mac address update is not supported for device_owner ${port.device_owner} on port ${port.id}.`
    throw refusal(409, 'UnsupportedPortDeviceOwner', message)
  }
  if (port.host !== '' && port.vif_type !== 'unbound' && port.vif_type !== 'binding_failed') {
    const message = `Unable to complete operation on port ${port.id}, port is already bound, port type: ${port.vif_type}, old_mac ${port.mac_address}, new_mac ${mac}.`
    throw refusal(409, 'PortBound', message)
  }
  refuseTaken(mac, port.network_id, region)
  return mac
}

function changedSecurity(port: Port, fields: Fields, region: Region, caller: Caller) {
  const isSecure = (fields.port_security_enabled as boolean | undefined) ?? port.port_security_enabled
  const asked = fields.security_groups as string[] | undefined
  const pairs =
    fields.allowed_address_pairs === undefined
      ? port.allowed_address_pairs
      : pairsOf(fields.allowed_address_pairs, port.mac_address)
  refuseOpenPairs(isSecure, pairs)
  const groups = asked ?? port.security_groups
  if (!isSecure && groups.length > 0) {
    if (asked !== undefined) throw securityRequired()
    const message =
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.'
    throw refusal(409, 'PortSecurityPortHasSecurityGroup', message)
  }
  return {
    port_security_enabled: isSecure,
    allowed_address_pairs: pairs,
    security_groups:
      asked === undefined ? port.security_groups : findGroups(asked, port.project_id, region, caller),
  }
}

function bindingOf(port: Port, fields: Fields): Pick<Port, 'host' | 'profile' | 'vnic_type'> {
  const { 'binding:host_id': host, 'binding:profile': profile, 'binding:vnic_type': vnic_type } = fields
  return {
    host: host === undefined ? port.host : String(host ?? ''),
    profile: profile === undefined ? port.profile : ((profile ?? nothing) as Port['profile']),
    vnic_type: String(vnic_type ?? port.vnic_type),
  }
}

function pairsOf(given: unknown, mac: string): readonly AddressPair[] {
  if (!Array.isArray(given) || given.length === 0) return noPairs
  return given.map((pair: Partial<AddressPair>) => ({
    ip_address: String(pair.ip_address),
    mac_address: pair.mac_address ?? mac,
  }))
}

/** Merges DHCP options: one without a value is removed, and one that is named again gets the new value. */
function mergeOptions(old: readonly DhcpOption[], given: unknown): readonly DhcpOption[] {
  const options = new Map(old.map(option => [`${option.opt_name} ${option.ip_version}`, option]))
  for (const { opt_name, opt_value, ip_version } of (given ?? []) as Partial<DhcpOption>[]) {
    const key = `${opt_name} ${ip_version ?? 4}`
    if (opt_value === null || opt_value === undefined || opt_value === '') options.delete(key)
    else options.set(key, { opt_name: String(opt_name), opt_value, ip_version: Number(ip_version ?? 4) })
  }
  return options.size === 0 ? noOptions : [...options.values()]
}

export function dropPort(port: Port, region: Region): void {
  region.ports.remove(port)
  releaseAddresses(port.fixed_ips, region)
  for (const floating of [...region.floatingips.by('port_id', port.id)]) {
    region.floatingips.change(floating, () => {
      floating.port_id = floating.fixed_ip_address = floating.router_id = null
    })
    touch(region, floating)
    region.later(() => {
      if (floating.port_id === null) floating.status = 'DOWN'
    })
  }
}

/** Sets the addresses of a port. */
export function setAddresses(port: Port, fixed_ips: readonly FixedIp[], region: Region): void {
  port.fixed_ips = fixed_ips
  touch(region, port)
}
