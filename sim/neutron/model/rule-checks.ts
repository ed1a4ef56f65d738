// Checks of security group rules: protocols and ports, and whether two rules are equal.

import { printed, represented } from '../../python.ts'
import { refusal } from '../errors.ts'
import { readCidr } from './addresses.ts'
import type { Fields } from './attributes.ts'
import type { Kind } from './kinds.ts'

const numbers: Record<string, number> = {
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
const onlySix = ['ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route']

const numberOf = (protocol: unknown) => numbers[String(protocol)] ?? Number(protocol)

export const protocol: Kind = {
  convert: value => {
    if (value === null) return null
    const name = printed(value).toLowerCase()
    if (name in numbers) return name
    if (/^\d+$/.test(name) && Number(name) <= 255) return name
    const known = represented([null, ...Object.keys(numbers)])
    const message = `Security group rule protocol ${printed(value)} not supported. Only protocol values ${known} and integer representations [0 to 255] are supported.`
    throw refusal(400, 'SecurityGroupRuleInvalidProtocol', message)
  },
}

export const portNumber: Kind = {
  convert: value => {
    if (value === null) return null
    const isNumber = /^\d+$/.test(printed(value)) && Number(value) <= 65535
    if (isNumber) return Number(value)
    throw refusal(400, 'SecurityGroupInvalidPortValue', `Invalid value for port ${printed(value)}`)
  },
}

/** The rule as it is stored; refuses combinations that make no sense. */
export function checkRule(given: Fields): Fields {
  const rule = { ...given }
  const isSix = rule.ethertype === 'IPv6'
  if (isSix && ['icmp', 'icmpv6'].includes(String(rule.protocol))) rule.protocol = 'ipv6-icmp'
  if (isSix && rule.protocol === '1') rule.protocol = '58'
  if (rule.port_range_min === 1 && rule.port_range_max === 65535) {
    rule.port_range_min = rule.port_range_max = null
  }
  checkPorts(rule)
  checkVersions(rule)
  const remotes = [rule.remote_ip_prefix, rule.remote_group_id, rule.remote_address_group_id]
  if (remotes.filter(remote => remote).length > 1) {
    const message =
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.'
    throw refusal(400, 'SecurityGroupMultipleRemoteEntites', message)
  }
  return rule
}

function checkPorts({ protocol, port_range_min: lowest, port_range_max: highest }: Fields): void {
  if (lowest === null && highest === null) return
  if (protocol === null) {
    const message = 'Must also specify protocol if port range is given.'
    throw refusal(400, 'SecurityGroupProtocolRequiredWithPorts', message)
  }
  const number = numberOf(protocol)
  if (withPorts.some(name => numbers[name] === number)) {
    checkRange(lowest as number | null, highest as number | null)
  } else if (number === 1 || number === 58) {
    checkIcmp(lowest as number | null, highest as number | null)
  } else {
    const known = withPorts.map(name => name.toUpperCase()).join(', ')
    const message = `Ports cannot be specified for protocol ${number}. Ports are only supported for ${known}.`
    throw refusal(400, 'SecurityGroupInvalidProtocolForPort', message)
  }
}

function checkRange(lowest: number | null, highest: number | null): void {
  if (lowest === 0 || highest === 0) {
    throw refusal(400, 'SecurityGroupInvalidPortValue', 'Invalid value for port 0')
  }
  if (lowest !== null && highest !== null && lowest <= highest) return
  const message = 'For TCP/UDP protocols, port_range_min must be <= port_range_max'
  throw refusal(400, 'SecurityGroupInvalidPortRange', message)
}

function checkIcmp(type: number | null, code: number | null): void {
  const values = [
    { field: 'type', name: 'port_range_min', value: type },
    { field: 'code', name: 'port_range_max', value: code },
  ]
  for (const { field, name, value } of values) {
    if (value === null || value <= 255) continue
    const message = `Invalid value for ICMP ${field} (${name}) ${value}. It must be 0 to 255.`
    throw refusal(400, 'SecurityGroupInvalidIcmpValue', message)
  }
  if (type === null && code !== null) {
    const message = `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`
    throw refusal(400, 'SecurityGroupMissingIcmpType', message)
  }
}

function checkVersions({ ethertype, protocol, remote_ip_prefix }: Fields): void {
  const cidr = readCidr(remote_ip_prefix)
  if (cidr !== null && ethertype !== `IPv${cidr.version}`) {
    const message = `Conflicting value ethertype ${ethertype} for CIDR ${remote_ip_prefix}`
    throw refusal(400, 'SecurityGroupRuleParameterConflict', message)
  }
  const isSix = onlySix.some(name => protocol === name || protocol === String(numbers[name]))
  if (isSix && ethertype === 'IPv4') {
    const message = `Invalid ethertype ${ethertype} for protocol ${protocol}.`
    throw refusal(400, 'SecurityGroupEthertypeConflictWithProtocol', message)
  }
}

/**
 * A key that is equal for equal rules: a protocol may be a name or a number, and any address has three forms.
 */
export function sameness(rule: Fields): string {
  const anywhere = ['0.0.0.0/0', '::/0']
  const prefix = anywhere.includes(String(rule.remote_ip_prefix)) ? null : rule.remote_ip_prefix
  return JSON.stringify([
    rule.direction,
    rule.ethertype,
    rule.port_range_max,
    rule.port_range_min,
    rule.protocol === null ? null : numberOf(rule.protocol),
    rule.remote_group_id,
    rule.remote_address_group_id,
    prefix,
    rule.security_group_id,
  ])
}
