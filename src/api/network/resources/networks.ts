// Networks, as the API has them.

import type { Network } from '../../../core/network/model/model.ts'
import type { NetworkChange, NetworkSpec } from '../../../core/network/model/specs.ts'
import { createNetwork, removeNetwork, updateNetwork } from '../../../core/network/networks/networks.ts'
import { dnsDomain } from '../address-kinds.ts'
import { always, fixedAt, name, type Resource, standard, untagged } from '../attributes.ts'
import { type AttributeKind, integer, listOf, only, text, truth, uuid } from '../kinds.ts'

/** The MTU; 0 counts as not given, as in Neutron. */
const mtu: AttributeKind<number> = {
  ...integer,
  read: (value, name) => integer.read(value, name) || undefined,
}

const zones = listOf(text())

/** Attributes of the network's segment. */
const provider = { set: 'always', default: undefined, filter: true } as const

export const networks: Resource<'network', NetworkSpec, NetworkChange> = {
  kind: 'network',
  path: 'networks',
  attributes: {
    ...standard,
    ...untagged,
    name,
    subnets: { kind: listOf(uuid), field: 'subnetIds' },
    admin_state_up: {
      kind: truth,
      field: 'adminStateUp',
      set: 'always',
      default: true,
      filter: true,
      sort: true,
    },
    status: { ...always('ACTIVE'), kind: text(), sort: true },
    shared: { kind: truth, field: 'shared', set: 'always', default: false, filter: true },
    'router:external': {
      kind: truth,
      field: 'external',
      set: 'always',
      default: false,
      filter: true,
    },
    is_default: fixedAt(false),
    ipv4_address_scope: always(null),
    ipv6_address_scope: always(null),
    l2_adjacency: { kind: only(true), show: () => true },
    dns_domain: { kind: dnsDomain, field: 'dnsDomain', set: 'always', default: '' },
    mtu: { kind: mtu, field: 'mtu', set: 'always', default: undefined, filter: true, sort: true },
    availability_zones: { kind: zones, show: ({ places }: Network) => places.map(({ region }) => region) },
    availability_zone_hints: { kind: zones, field: 'zoneHints', set: 'create', default: [], filter: 'has' },
    port_security_enabled: { kind: truth, field: 'portSecurityEnabled', set: 'always', default: true },
    'provider:network_type': { ...provider, kind: text(32), field: 'networkType' },
    'provider:physical_network': { ...provider, kind: text(64), field: 'physicalNetwork' },
    'provider:segmentation_id': { ...provider, kind: integer, field: 'segmentationId' },
    qos_policy_id: fixedAt(null),
    vlan_transparent: fixedAt(null, 'create'),
  },
  create: createNetwork,
  update: updateNetwork,
  remove: removeNetwork,
}
