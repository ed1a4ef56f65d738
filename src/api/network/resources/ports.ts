// Ports, as the API has them.

import type { Port } from '../../../core/network/model/model.ts'
import type { FieldCondition } from '../../../core/network/model/network-store.ts'
import type { PortChange, PortSpec } from '../../../core/network/model/specs.ts'
import { createPort, removePort, updatePort } from '../../../core/network/ports/ports.ts'
import { isObject } from '../../request.ts'
import { address, addressPairs, fixedIps, mac } from '../address-kinds.ts'
import { fixedAt, name, type Resource, standard, untagged } from '../attributes.ts'
import {
  type AttributeKind,
  dictionary,
  listOf,
  oneOf,
  only,
  orEmpty,
  orNone,
  text,
  truth,
  uuid,
} from '../kinds.ts'
import { invalidInput, shown } from '../refusals.ts'

const vnicType = oneOf(
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
)

/** The port's host (`binding:host_id`); null unbinds the port, as in Neutron. */
const hostId: AttributeKind<string> = {
  ...text(),
  read: (value, name) => (value === null ? '' : text().read(value, name)),
}

const parts = {
  ip_address: 'ipAddress',
  ip_address_substr: 'ipAddressSubstr',
  subnet_id: 'subnetId',
} as const

/** Filters like `fixed_ips=ip_address=10.0.0.1`: a port matches one value of each key that is given. */
function whereFixedIps(texts: readonly string[]): FieldCondition[] {
  const wanted = new Map<keyof typeof parts, string[]>()
  for (const text of texts) {
    const [key = '', ...rest] = text.split('=')
    if (rest.length === 0) throw invalidInput(`'${shown(text)}' is not of the form <key>=[value]`)
    if (!Object.hasOwn(parts, key)) throw invalidInput(`'${shown(key)}' is not supported for filtering`)
    const part = key as keyof typeof parts
    const value = rest.join('=')
    const plain = part === 'ip_address' ? String(address.filter!(value)) : value
    wanted.set(part, [...(wanted.get(part) ?? []), plain])
  }
  return [...wanted].map(([part, values]) => ({ fixedIp: parts[part], in: values }))
}

/** The region in `binding:profile`, where the port is to be placed, is everybody's to give; all else has a rule. */
const setsMoreThanRegion = (value: unknown): readonly string[] =>
  isObject(value) && Object.keys(value).join() === 'region' && typeof value.region === 'string' ? [] : ['']

/** The binding profile. Members see the region in it, which they may set themselves. */
const viewProfile = ({ profile }: Port, isAdmin: boolean) => {
  if (isAdmin) return profile
  return profile.region === undefined ? {} : { region: profile.region }
}

/** Only device owners `network:*` have a rule, as in Neutron: other ports trust such ports. */
const isOfNetwork = (value: unknown): readonly string[] =>
  typeof value === 'string' && value.startsWith('network:') ? [''] : []

/** A list of dictionaries touches the rule of every key in it. */
const keysIn = (value: unknown): readonly string[] => {
  const items = Array.isArray(value) ? value.filter(isObject) : []
  return ['', ...new Set(items.flatMap(item => Object.keys(item).map(key => `:${key}`)))]
}

/** Allowed address pairs; one without a MAC address is shown with the port's. */
const viewPairs = ({ allowedAddressPairs, macAddress }: Port) =>
  addressPairs.view!(
    allowedAddressPairs.map(pair => ({ ...pair, macAddress: pair.macAddress ?? macAddress })),
  )

export const ports: Resource<'port', PortSpec, PortChange> = {
  kind: 'port',
  path: 'ports',
  attributes: {
    ...standard,
    ...untagged,
    name,
    network_id: { kind: uuid, field: 'networkId', set: 'create', filter: true, sort: true },
    admin_state_up: {
      kind: truth,
      field: 'adminStateUp',
      set: 'always',
      default: true,
      filter: true,
      sort: true,
    },
    mac_address: {
      kind: orNone(mac),
      field: 'macAddress',
      set: 'always',
      default: undefined,
      filter: true,
      sort: true,
    },
    fixed_ips: {
      kind: fixedIps,
      field: 'fixedIps',
      set: 'always',
      default: undefined,
      touches: keysIn,
      filter: whereFixedIps,
    },
    device_id: { kind: text(), field: 'deviceId', set: 'always', default: '', filter: true, sort: true },
    device_owner: {
      kind: text(),
      field: 'deviceOwner',
      set: 'always',
      default: '',
      touches: isOfNetwork,
      filter: true,
      sort: true,
    },
    status: { kind: text(), field: 'status', filter: true, sort: true },
    allowed_address_pairs: {
      kind: addressPairs,
      field: 'allowedAddressPairs',
      set: 'always',
      default: [],
      touches: keysIn,
      show: viewPairs,
    },
    security_groups: {
      kind: orEmpty(listOf(uuid)),
      field: 'securityGroupIds',
      set: 'always',
      default: undefined,
      filter: 'has',
    },
    port_security_enabled: {
      kind: truth,
      field: 'portSecurityEnabled',
      set: 'always',
      default: undefined,
      filter: true,
    },
    extra_dhcp_opts: fixedAt([]),
    ip_allocation: {
      kind: oneOf('immediate', 'none'),
      show: ({ fixedIps }: Port) => (fixedIps.length > 0 ? 'immediate' : 'none'),
    },
    'binding:vnic_type': { kind: vnicType, field: 'vnicType', set: 'always', default: 'normal' },
    'binding:host_id': {
      kind: hostId,
      field: 'hostId',
      set: 'always',
      default: '',
      filter: true,
    },
    'binding:profile': {
      kind: dictionary,
      field: 'profile',
      set: 'always',
      default: {},
      touches: setsMoreThanRegion,
      show: viewProfile,
    },
    'binding:vif_type': { kind: text(), field: 'vifType' },
    'binding:vif_details': { kind: only({}), show: () => ({}) },
    qos_policy_id: fixedAt(null),
    resource_request: { kind: only(null), show: () => null },
  },
  create: createPort,
  update: updatePort,
  remove: removePort,
}
