// Subnets, as the API has them.

import type { SubnetChange, SubnetSpec } from '../../../core/network/model/specs.ts'
import { createSubnet, removeSubnet, updateSubnet } from '../../../core/network/networks/subnets.ts'
import { address, nameservers, pools, routes, subnetCidr } from '../address-kinds.ts'
import { fixedAt, name, type Resource, standard, untagged } from '../attributes.ts'
import { type AttributeKind, integer, oneOf, only, orEmpty, orNull, truth, uuid } from '../kinds.ts'
import { invalidInput, shown, wrongValue } from '../refusals.ts'

const version: AttributeKind<4 | 6> = {
  read(value, name) {
    const number = integer.read(value, name)
    if (number === 4 || number === 6) return number
    throw wrongValue(name, `${shown(value)} is not in valid_values`)
  },
  filter: text => integer.filter!(text),
  schema: { enum: [4, 6] },
}

const mode = {
  kind: orNull(oneOf('dhcpv6-stateful', 'dhcpv6-stateless', 'slaac')),
  set: 'create',
  default: null,
  filter: true,
  sort: true,
} as const

/** Refuses a filter by `shared`, which is the network's and not the subnet's. */
const unfiltered = (_texts: readonly string[], name: string): never => {
  throw invalidInput(`'${name}' is not supported for filtering`)
}

export const subnets: Resource<'subnet', SubnetSpec, SubnetChange> = {
  kind: 'subnet',
  path: 'subnets',
  attributes: {
    ...standard,
    ...untagged,
    name,
    ip_version: { kind: version, field: 'ipVersion', set: 'create', filter: true, sort: true },
    network_id: { kind: uuid, field: 'networkId', set: 'create', filter: true, sort: true },
    cidr: { kind: subnetCidr, field: 'cidr', set: 'create', filter: true, sort: true },
    gateway_ip: {
      kind: orNull(address),
      field: 'gatewayIp',
      set: 'always',
      default: undefined,
      filter: true,
      sort: true,
    },
    allocation_pools: { kind: pools, field: 'allocationPools', set: 'always', default: undefined },
    dns_nameservers: { kind: orEmpty(nameservers), field: 'dnsNameservers', set: 'always', default: [] },
    host_routes: { kind: orEmpty(routes), field: 'hostRoutes', set: 'always', default: [] },
    enable_dhcp: { kind: truth, field: 'enableDhcp', set: 'always', default: true, filter: true, sort: true },
    ipv6_ra_mode: { ...mode, field: 'ipv6RaMode' },
    ipv6_address_mode: { ...mode, field: 'ipv6AddressMode' },
    service_types: fixedAt([]),
    subnetpool_id: fixedAt(null, 'create'),
    segment_id: fixedAt(null),
    prefixlen: { ...fixedAt(null, 'create'), seenBy: 'nobody' },
    use_default_subnetpool: { ...fixedAt(false, 'create'), seenBy: 'nobody' },
    shared: { kind: only(false), seenBy: 'nobody', filter: unfiltered },
  },
  create: createSubnet,
  update: updateSubnet,
  remove: removeSubnet,
}
