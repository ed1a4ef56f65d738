// Ports, as the API has them.

import { represented } from '../../python.ts'
import { type Resource, standardAttributes } from '../api/resource.ts'
import { invalidInput, portNotFound, refusal } from '../errors.ts'
import { type Attributes, owner } from '../model/attributes.ts'
import { viewVifDetails } from '../model/binding.ts'
import {
  dictionary,
  isDictionary,
  type Kind,
  listOf,
  oneOf,
  orEmpty,
  orNull,
  text,
  truth,
  uuid,
} from '../model/kinds.ts'
import {
  addressPairs,
  dnsDomain,
  dnsName,
  fixedIps,
  mac,
  readMac,
  shortAddress,
} from '../model/network-kinds.ts'
import { changePort, dropPort, makePort } from '../model/ports.ts'
import { qualityPolicy } from '../model/quality.ts'
import type { Region } from '../region.ts'
import type { Port, Row } from '../rows.ts'

const vnicTypes = [
  'normal',
  'direct',
  'macvtap',
  'baremetal',
  'direct-physical',
  'virtio-forwarder',
  'smart-nic',
  'vdpa',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
]

const dhcpOptions: Kind = {
  check: value => {
    if (value === null) return undefined
    if (!Array.isArray(value)) throw invalidInput(`${represented(value)} is not a list`)
    for (const option of value) {
      const isRight =
        isDictionary(option) &&
        typeof option.opt_name === 'string' &&
        option.opt_name.trim() !== '' &&
        (option.opt_value === null || typeof option.opt_value === 'string') &&
        [undefined, 4, 6, '4', '6'].includes(option.ip_version as number)
      if (!isRight) throw invalidInput(`No valid key specs matched for: ${represented(option)}`)
    }
    return undefined
  },
}

/** Filters like `fixed_ips=ip_address=10.0.0.1`: a port matches one value of each key that is given. */
function hasFixedIp(row: Row, wanted: readonly string[]): boolean {
  const asked = wanted.map(value => {
    const [key = '', ...rest] = value.split('=')
    if (rest.length === 0) throw invalidInput(`'${value}' is not of the form <key>=[value]`)
    return { key, value: rest.join('=') }
  })
  const { fixed_ips } = row as Port
  const isMet = (
    key: string,
    isEqual: (actual: string, value: string) => boolean,
    of: 'ip_address' | 'subnet_id',
  ) => {
    const values = asked.filter(one => one.key === key).map(one => one.value)
    return values.length === 0 || fixed_ips.some(ip => values.some(value => isEqual(ip[of], value)))
  }
  return (
    isMet('ip_address', (actual, value) => actual === shortAddress(value), 'ip_address') &&
    isMet('ip_address_substr', (actual, value) => actual.includes(value), 'ip_address') &&
    isMet('subnet_id', (actual, value) => actual === value, 'subnet_id')
  )
}

function viewNames(row: Row, region: Region): object[] {
  const { fixed_ips, dns_name } = row as Port
  return fixed_ips.map(({ ip_address }) => {
    const hostname = dns_name === '' ? `host-${ip_address.replaceAll(/[.:]/g, '-')}` : dns_name
    return { ip_address, hostname, fqdn: `${hostname}.${region.settings.dnsDomain}` }
  })
}

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  network_id: { kind: uuid, set: 'create', filter: true, sort: true },
  admin_state_up: { kind: truth, set: 'always', default: true, filter: true, sort: true },
  mac_address: {
    kind: { check: value => (value === null ? undefined : mac.check?.(value)) },
    set: 'always',
    default: undefined,
    setBy: { create: 'networkOwner', update: 'networkManager' },
    filter: (row, wanted) => wanted.some(value => readMac(value) === readMac((row as Port).mac_address)),
    sort: true,
  },
  fixed_ips: {
    kind: fixedIps,
    set: 'always',
    default: undefined,
    setBy: { create: 'sharedNetwork', update: 'networkOwner' },
    partsSetBy: { ip_address: 'networkOwner', subnet_id: 'sharedNetwork' },
    filter: hasFixedIp,
  },
  device_id: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  device_owner: { kind: text(), set: 'always', default: '', setBy: 'plainDevice', filter: true, sort: true },
  ...owner,
  status: { filter: true, sort: true },
  allowed_address_pairs: {
    kind: addressPairs,
    set: 'always',
    default: undefined,
    setBy: 'networkOwner',
    partsSetBy: { mac_address: 'networkOwner', ip_address: 'networkOwner' },
  },
  security_groups: {
    kind: orEmpty(listOf(uuid)),
    set: 'always',
    default: undefined,
    filter: (row, wanted) => wanted.some(id => (row as Port).security_groups.includes(id)),
  },
  extra_dhcp_opts: { kind: dhcpOptions, set: 'always', default: null },
  dns_name: { kind: dnsName, set: 'always', default: '' },
  dns_domain: { kind: dnsDomain, set: 'always', default: '' },
  dns_assignment: { show: viewNames },
  ip_allocation: { filter: true, sort: true },
  device_profile: { kind: orNull(text()), set: 'create', default: null, seenBy: 'nobody' },
  numa_affinity_policy: {
    kind: oneOf('required', 'preferred', 'legacy', null),
    set: 'always',
    default: null,
    seenBy: 'nobody',
  },
  resource_request: { show: () => null, seenBy: 'admin' },
  'binding:vif_type': { show: row => (row as Port).vif_type, seenBy: 'admin' },
  'binding:vif_details': {
    show: (row, _region, moment) => viewVifDetails(row as Port, moment),
    seenBy: 'admin',
  },
  'binding:vnic_type': {
    kind: oneOf(...vnicTypes),
    set: 'always',
    default: 'normal',
    setBy: { create: 'anybody', update: 'owner' },
    show: row => (row as Port).vnic_type,
  },
  'binding:host_id': {
    set: 'always',
    default: undefined,
    setBy: 'adminOrService',
    seenBy: 'admin',
    show: row => (row as Port).host,
    filter: (row, wanted) => wanted.includes((row as Port).host),
  },
  'binding:profile': {
    kind: dictionary,
    set: 'always',
    default: undefined,
    setBy: 'service',
    seenBy: 'admin',
    show: row => (row as Port).profile,
  },
  port_security_enabled: { kind: truth, set: 'always', default: undefined, setBy: 'networkOwner' },
  qos_policy_id: qualityPolicy,
  qos_network_policy_id: { show: () => null },
  ...standardAttributes,
  // Tags are accepted at create and ignored: they are set by a call of their own.
  tags: { ...standardAttributes.tags, kind: listOf(text()), set: 'create', default: [] },
}

const protectedOwners = [
  'network:ha_router_replicated_interface',
  'network:router_interface',
  'network:router_gateway',
  'network:floatingip',
]

export const ports: Resource<Port> = {
  name: 'port',
  path: 'ports',
  attributes,
  table: region => region.ports,
  missing: portNotFound,
  seenBy: 'ownerOrNetworkOwner',
  createdBy: 'anybody',
  changedBy: 'owner',
  removedBy: 'ownerOrNetworkOwner',
  isStandard: true,
  isMarkerChecked: true,
  create: makePort,
  update: changePort,
  remove: (port, region) => {
    const holder = region.routers.get(port.device_id) ?? region.floatingips.get(port.device_id)
    if (protectedOwners.includes(port.device_owner) && port.fixed_ips.length > 0 && holder !== undefined) {
      const message = `Port ${port.id} cannot be deleted directly via the port API: has device owner ${port.device_owner}.`
      throw refusal(409, 'ServicePortInUse', message)
    }
    dropPort(port, region)
  },
}
