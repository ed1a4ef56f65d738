// The rules that stock Neutron accepts in a security group, and when two rules say the same.

import { type AppError, invalid } from '../../error.ts'
import { formatCidr, parseAddress, parseCidr, widthOf } from '../addresses/address.ts'
import type { RegionRule } from '../copies/region-rows.ts'
import type { SecurityGroupRule } from '../model/model.ts'
import type { RuleSpec } from '../model/specs.ts'

/** The fields of a rule that say which packets it lets pass. */
export type RuleSense = Pick<
  SecurityGroupRule,
  | 'direction'
  | 'ethertype'
  | 'protocol'
  | 'portRangeMin'
  | 'portRangeMax'
  | 'remoteIpPrefix'
  | 'remoteGroupId'
> &
  Partial<Pick<RegionRule, 'remoteAddressGroupId'>>

const numbers: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  icmpv6: 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
}
const withPorts = ['dccp', 'sctp', 'tcp', 'udp', 'udplite']
const isIcmp = (number: number): boolean => number === 1 || number === 58

const numberOf = (protocol: string): number => numbers[protocol] ?? Number(protocol)

/**
 * The rule as it is kept: protocols in lower case, the old names and numbers of ICMP over IPv6 as today's, all ports
 * as none, a prefix with its length. Throws `invalid`; the reason is Neutron's name for it (`SecurityGroupInUse` as
 * `security_group_in_use`).
 */
export function checkedRule(spec: RuleSpec): RuleSpec {
  const rule = { ...spec, protocol: protocolOf(spec), ...portsOf(spec), remoteIpPrefix: prefixOf(spec) }
  checkPorts(rule)
  checkVersions(rule)
  if (rule.remoteIpPrefix !== null && rule.remoteGroupId !== null) {
    throw invalid(
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
      'security_group_multiple_remote_entites',
    )
  }
  return rule
}

function protocolOf({ protocol, ethertype }: RuleSpec): string | null {
  if (protocol === null) return null
  const name = protocol.toLowerCase()
  if (!Object.hasOwn(numbers, name) && !(/^\d{1,3}$/.test(name) && Number(name) <= 255)) {
    throw invalid(
      `Security group rule protocol ${protocol} not supported. Only protocol values ${Object.keys(numbers).join(', ')} and integer representations [0 to 255] are supported.`,
      'security_group_rule_invalid_protocol',
    )
  }
  const canonical = /^\d/.test(name) ? String(Number(name)) : name
  if (ethertype === 'IPv4') return canonical
  if (canonical === 'icmp' || canonical === 'icmpv6') return 'ipv6-icmp'
  return canonical === '1' ? '58' : canonical
}

/** The port range of a rule; all ports are no range, as regions have it. */
const portsOf = ({ portRangeMin, portRangeMax }: RuleSpec) =>
  portRangeMin === 1 && portRangeMax === 65_535
    ? { portRangeMin: null, portRangeMax: null }
    : { portRangeMin, portRangeMax }

/** The prefix with its length; host bits stay as they were given. */
function prefixOf({ remoteIpPrefix }: RuleSpec): string | null {
  if (remoteIpPrefix === null || remoteIpPrefix === '') return null
  const address = parseAddress(remoteIpPrefix)
  const cidr = address ? { ...address, bits: widthOf(address.version) } : parseCidr(remoteIpPrefix)
  if (cidr) return formatCidr(cidr)
  throw invalid(`Invalid CIDR ${remoteIpPrefix} given as IP prefix.`, 'invalid_cidr')
}

function checkPorts({ protocol, portRangeMin: lowest, portRangeMax: highest }: RuleSpec): void {
  if (lowest === null && highest === null) return
  if (protocol === null) {
    throw invalid(
      'Must also specify protocol if port range is given.',
      'security_group_protocol_required_with_ports',
    )
  }
  const number = numberOf(protocol)
  if (withPorts.some(name => numbers[name] === number)) checkRange(lowest, highest)
  else if (isIcmp(number)) checkIcmp(lowest, highest)
  else {
    throw invalid(
      `Ports cannot be specified for protocol ${number}. Ports are only supported for ${withPorts.join(', ').toUpperCase()}.`,
      'security_group_invalid_protocol_for_port',
    )
  }
}

function checkRange(lowest: number | null, highest: number | null): void {
  const wrong = [lowest, highest].find(port => port !== null && !(port >= 1 && port <= 65_535))
  if (wrong !== undefined)
    throw invalid(`Invalid value for port ${wrong}`, 'security_group_invalid_port_value')
  if (lowest !== null && highest !== null && lowest <= highest) return
  throw invalid(
    'For TCP/UDP protocols, port_range_min must be <= port_range_max',
    'security_group_invalid_port_range',
  )
}

function checkIcmp(type: number | null, code: number | null): void {
  checkIcmpValue('type (port_range_min)', type)
  checkIcmpValue('code (port_range_max)', code)
  if (type !== null || code === null) return
  throw invalid(
    `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`,
    'security_group_missing_icmp_type',
  )
}

function checkIcmpValue(name: string, value: number | null): void {
  if (value === null || (value >= 0 && value <= 255)) return
  throw invalid(
    `Invalid value for ICMP ${name} ${value}. It must be 0 to 255.`,
    'security_group_invalid_icmp_value',
  )
}

function checkVersions({ ethertype, protocol, remoteIpPrefix }: RuleSpec): void {
  const version = remoteIpPrefix === null ? null : parseCidr(remoteIpPrefix)!.version
  if (version !== null && ethertype !== `IPv${version}`) throw otherVersion(ethertype, remoteIpPrefix)
  const name = Object.keys(numbers).find(known => protocol !== null && numbers[known] === numberOf(protocol))
  if (ethertype !== 'IPv4' || !name?.startsWith('ipv6-')) return
  throw invalid(
    `Invalid ethertype ${ethertype} for protocol ${protocol}.`,
    'security_group_ethertype_conflict_with_protocol',
  )
}

const otherVersion = (ethertype: string, prefix: string | null): AppError =>
  invalid(
    `Conflicting value ethertype ${ethertype} for CIDR ${prefix}`,
    'security_group_rule_parameter_conflict',
  )

const anywhere: readonly (string | null)[] = ['0.0.0.0/0', '::/0', null]

/**
 * A text that is equal for rules that say the same, however they are written: a region refuses the second of
 * them.
 */
export const senseOf = (rule: RuleSense): string =>
  JSON.stringify([
    rule.direction,
    rule.ethertype,
    rule.protocol === null ? null : numberOf(rule.protocol),
    rule.portRangeMin,
    rule.portRangeMax,
    anywhere.includes(rule.remoteIpPrefix) ? null : rule.remoteIpPrefix,
    rule.remoteGroupId,
    rule.remoteAddressGroupId ?? null,
  ])

/**
 * The rules that stock Neutron gives every new group: all egress; a default group (by its id) also lets its
 * own members in.
 */
export function stockRules(defaultGroupId: string | null): RuleSense[] {
  const rules = (['IPv4', 'IPv6'] as const).flatMap(ethertype => {
    const any = { ethertype, protocol: null, portRangeMin: null, portRangeMax: null, remoteIpPrefix: null }
    const leave: RuleSense = { ...any, direction: 'egress', remoteGroupId: null }
    const enter: RuleSense = { ...any, direction: 'ingress', remoteGroupId: defaultGroupId }
    return defaultGroupId === null ? [leave] : [enter, leave]
  })
  return rules
}
