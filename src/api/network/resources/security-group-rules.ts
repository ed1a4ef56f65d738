// The rules of security groups, as the API has them. Core checks which attributes of a rule go together.

import { invalid } from '../../../core/error.ts'
import { formatCidr, networkOf, parseCidr } from '../../../core/network/addresses/address.ts'
import { createRule, removeRule } from '../../../core/network/groups/security-groups.ts'
import type { SecurityGroupRule } from '../../../core/network/model/model.ts'
import type { RuleSpec } from '../../../core/network/model/specs.ts'
import { fixedAt, type Resource, standard } from '../attributes.ts'
import { type AttributeKind, oneOf, orNull, text, uuid } from '../kinds.ts'
import { shown } from '../refusals.ts'

/** A protocol, by name or by number. */
const protocol: AttributeKind<string> = {
  read: (value, name) => text(40).read(typeof value === 'number' ? String(value) : value, name),
  filter: text => text.toLowerCase(),
  schema: { type: ['string', 'integer'] },
}

const portNumber: AttributeKind<number> = {
  read(value) {
    const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535)
      return number
    throw invalid(`Invalid value for port ${shown(value)}`, 'security_group_invalid_port_value')
  },
  filter: text => (/^\d{1,5}$/.test(text) ? Number(text) : -1),
  schema: { type: 'integer', minimum: 0, maximum: 65_535 },
}

const ethertypes = ['IPv4', 'IPv6'] as const

const ethertype: AttributeKind<(typeof ethertypes)[number]> = {
  read(value) {
    const known = ethertypes.find(type => type.toLowerCase() === shown(value).toLowerCase())
    if (known) return known
    throw invalid(
      `Security group rule for ethertype ${shown(value)} not supported. Allowed values are ${ethertypes.join(', ')}.`,
      'security_group_rule_invalid_ether_type',
    )
  },
  schema: { enum: ethertypes },
}

const said = { set: 'create', filter: true, sort: true } as const
const saidOrNot = { ...said, default: null } as const

function viewNormalized({ remoteIpPrefix }: SecurityGroupRule): string | null {
  const cidr = remoteIpPrefix === null ? null : parseCidr(remoteIpPrefix)
  return cidr && formatCidr(networkOf(cidr))
}

export const securityGroupRules: Resource<'security_group_rule', RuleSpec, object> = {
  kind: 'security_group_rule',
  path: 'security-group-rules',
  attributes: {
    ...standard,
    description: { ...standard.description, set: 'create' },
    security_group_id: { ...said, kind: uuid, field: 'securityGroupId' },
    direction: { ...said, kind: oneOf('ingress', 'egress'), field: 'direction' },
    ethertype: { ...said, kind: ethertype, field: 'ethertype', default: 'IPv4' },
    protocol: { ...saidOrNot, kind: orNull(protocol), field: 'protocol' },
    port_range_min: { ...saidOrNot, kind: orNull(portNumber), field: 'portRangeMin' },
    port_range_max: { ...saidOrNot, kind: orNull(portNumber), field: 'portRangeMax' },
    remote_ip_prefix: { ...saidOrNot, kind: orNull(text(64)), field: 'remoteIpPrefix' },
    normalized_cidr: { kind: orNull(text(64)), show: viewNormalized },
    remote_group_id: { ...saidOrNot, kind: orNull(uuid), field: 'remoteGroupId' },
    remote_address_group_id: fixedAt(null, 'create'),
  },
  create: createRule,
  update: null,
  remove: removeRule,
}
