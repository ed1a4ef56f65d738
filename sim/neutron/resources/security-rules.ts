// The rules of security groups.

import { represented } from '../../python.ts'
import type { Table } from '../../table.ts'
import { historyAttributes, type Resource } from '../api/resource.ts'
import { addressGroupNotFound, groupNotFound, internalError, refusal, unknownPath } from '../errors.ts'
import { readCidr, writeAddress, writeCidr } from '../model/addresses.ts'
import { type Attributes, type Fields, owner } from '../model/attributes.ts'
import { addRule, ensureDefaultGroup, removeRule } from '../model/groups.ts'
import { type Kind, oneOf, text } from '../model/kinds.ts'
import { checkRule, portNumber, protocol, sameness } from '../model/rule-checks.ts'
import type { Caller } from '../model/rules.ts'
import { type Region, touch } from '../region.ts'
import type { SecurityRule, Standard } from '../rows.ts'

const ethertypes = ['IPv4', 'IPv6']

const ethertype: Kind = {
  convert: value => {
    const known = ethertypes.find(type => type.toLowerCase() === String(value).toLowerCase())
    if (known !== undefined) return known
    const message = `Security group rule for ethertype ${represented(value)} not supported. Allowed values are ${represented(ethertypes)}.`
    throw refusal(400, 'SecurityGroupRuleInvalidEtherType', message)
  },
}

/** A CIDR with its prefix length, whose host bits stay as they were given. */
const prefix: Kind = {
  convert: value => {
    if (value === null || value === '') return null
    const cidr = readCidr(value)
    if (cidr !== null) return `${writeAddress({ version: cidr.version, value: cidr.address })}/${cidr.prefix}`
    throw refusal(400, 'InvalidCIDR', `Invalid CIDR ${String(value)} given as IP prefix.`)
  },
}

const attributes: Attributes = {
  id: { filter: true, sort: true },
  security_group_id: { kind: text(36), set: 'create', filter: true, sort: true },
  remote_group_id: { set: 'create', default: null, filter: true, sort: true },
  direction: { kind: oneOf('ingress', 'egress'), set: 'create', filter: true, sort: true },
  protocol: { kind: protocol, set: 'create', default: null, filter: true, sort: true },
  port_range_min: { kind: portNumber, set: 'create', default: null, filter: true, sort: true },
  port_range_max: { kind: portNumber, set: 'create', default: null, filter: true, sort: true },
  ethertype: { kind: ethertype, set: 'create', default: 'IPv4', filter: true, sort: true },
  remote_ip_prefix: { kind: prefix, set: 'create', default: null, filter: true, sort: true },
  remote_address_group_id: { set: 'create', default: null, filter: true, sort: true },
  normalized_cidr: {
    show: row => {
      const cidr = readCidr((row as SecurityRule).remote_ip_prefix)
      return cidr === null ? null : writeCidr(cidr)
    },
    filter: true,
  },
  ...owner,
  ...historyAttributes,
}

export const securityRules: Resource<SecurityRule> = {
  name: 'security_group_rule',
  path: 'security-group-rules',
  attributes,
  table: region => region.rules,
  missing: id => refusal(404, 'SecurityGroupRuleNotFound', `Security group rule ${id} does not exist`),
  hidden: unknownPath,
  seenBy: 'ownerOrGroupOwner',
  createdBy: 'groupOwner',
  changedBy: 'groupOwner',
  removedBy: 'groupOwner',
  isStandard: true,
  prepare: (wanted, region, caller) => {
    const project = wanted.get('project_id') ?? wanted.get('tenant_id') ?? caller.projectId
    if (project !== null) ensureDefaultGroup(project, region, caller)
  },
  createAll: (items, region, caller) => {
    refuseMixed(items)
    const rules = items.map(fields => checked(fields, region, caller))
    refuseTwice(rules, region)
    const group = region.groups.get(String(rules[0]?.security_group_id))
    if (group !== undefined) touch(region, group)
    return rules.map(fields => addRule(fields, region))
  },
  update: () => {
    throw internalError()
  },
  remove: removeRule,
}

/** Checks a rule's groups; an admin may name groups of any project. */
function checked(fields: Fields, region: Region, { isAdmin }: Caller): Fields {
  const rule = checkRule(fields)
  const { remote_group_id, remote_address_group_id, security_group_id, project_id } = rule
  const isThere = (table: Table<Standard>, id: unknown): boolean => {
    const found = table.get(String(id))
    return found !== undefined && (isAdmin || found.project_id === project_id)
  }
  if (remote_group_id && !isThere(region.groups, remote_group_id)) {
    throw groupNotFound(String(remote_group_id))
  }
  if (remote_address_group_id && !isThere(region.addressGroups, remote_address_group_id)) {
    throw addressGroupNotFound(String(remote_address_group_id))
  }
  if (!isThere(region.groups, security_group_id)) throw groupNotFound(String(security_group_id))
  return rule
}

function refuseMixed(items: readonly Fields[]): void {
  if (new Set(items.map(item => item.security_group_id)).size > 1) {
    const message = 'Only allowed to update rules for one security profile at a time'
    throw refusal(400, 'SecurityGroupNotSingleGroupRules', message)
  }
  if (new Set(items.map(item => item.project_id)).size > 1) {
    const message = 'Multiple tenant_ids in bulk security group rule create not allowed'
    throw refusal(400, 'SecurityGroupRulesNotSingleTenant', message)
  }
}

function refuseTwice(rules: readonly Fields[], region: Region): void {
  const asked = new Set(rules.map(sameness))
  if (asked.size < rules.length) {
    const message = 'Duplicate Security Group Rule in POST.'
    throw refusal(409, 'DuplicateSecurityGroupRuleInPost', message)
  }
  const group = String(rules[0]?.security_group_id)
  for (const rule of region.rules.by('security_group_id', group)) {
    if (!asked.has(sameness({ ...rule }))) continue
    const message = `Security group rule already exists. Rule id is ${rule.id}.`
    throw refusal(409, 'SecurityGroupRuleExists', message)
  }
}
