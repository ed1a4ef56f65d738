import { describe, expect, test } from 'vitest'
import { AppError } from '../../error.ts'
import type { RuleSpec } from '../model/specs.ts'
import { checkedRule, senseOf, stockRules } from './security-rules.ts'

const rule = (given: Partial<RuleSpec> = {}): RuleSpec => ({
  projectId: 'p1',
  description: '',
  securityGroupId: 'g1',
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  ...given,
})

const refused = (given: Partial<RuleSpec>): { reason: string | undefined; message: string } => {
  try {
    checkedRule(rule(given))
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid')
      return { reason: error.detail.reason, message: error.message }
    throw error
  }
  throw new Error('it was taken')
}

describe('what a rule may say', () => {
  test.each([
    { protocol: 'carrier-pigeon' },
    { protocol: '256' },
    { protocol: '-1' },
    { protocol: 'constructor' },
  ])('$protocol is no protocol', given => {
    expect(refused(given).reason).toBe('security_group_rule_invalid_protocol')
  })

  test('protocols are kept in lower case, numbers as they were given', () => {
    expect(checkedRule(rule({ protocol: 'TCP' })).protocol).toBe('tcp')
    expect(checkedRule(rule({ protocol: '6' })).protocol).toBe('6')
  })

  test.each([
    ['icmp', 'ipv6-icmp'],
    ['icmpv6', 'ipv6-icmp'],
    ['1', '58'],
    ['tcp', 'tcp'],
  ])('%s over IPv6 is %s', (protocol, kept) => {
    expect(checkedRule(rule({ ethertype: 'IPv6', protocol })).protocol).toBe(kept)
  })

  test.each(['ipv6-icmp', 'icmpv6', '58', 'ipv6-frag', '44'])('%s is nothing that IPv4 has', protocol => {
    expect(refused({ protocol }).reason).toBe('security_group_ethertype_conflict_with_protocol')
  })

  test('ports are for protocols that have them', () => {
    const ports = { portRangeMin: 80, portRangeMax: 80 }
    expect(refused(ports).reason).toBe('security_group_protocol_required_with_ports')
    expect(refused({ ...ports, protocol: 'gre' })).toEqual({
      reason: 'security_group_invalid_protocol_for_port',
      message:
        'Ports cannot be specified for protocol 47. Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE.',
    })
    for (const protocol of ['tcp', 'udp', 'sctp', 'dccp', 'udplite', '6', '136'])
      expect(checkedRule(rule({ ...ports, protocol })).portRangeMin).toBe(80)
  })

  test('a range of ports has two ends in order, and no port 0', () => {
    const tcp = (portRangeMin: number | null, portRangeMax: number | null) =>
      refused({ protocol: 'tcp', portRangeMin, portRangeMax }).reason
    expect(tcp(90, 80)).toBe('security_group_invalid_port_range')
    expect(tcp(90, null)).toBe('security_group_invalid_port_range')
    expect(tcp(null, 90)).toBe('security_group_invalid_port_range')
    expect(tcp(0, 80)).toBe('security_group_invalid_port_value')
    expect(tcp(80, 65_536)).toBe('security_group_invalid_port_value')
  })

  test('all ports are no range', () => {
    const kept = checkedRule(rule({ protocol: 'tcp', portRangeMin: 1, portRangeMax: 65_535 }))
    expect([kept.portRangeMin, kept.portRangeMax]).toEqual([null, null])
  })

  test('of ICMP the range is a type and a code', () => {
    const icmp = { protocol: 'icmp', portRangeMin: 8, portRangeMax: null }
    expect(checkedRule(rule(icmp)).portRangeMin).toBe(8)
    expect(checkedRule(rule({ ...icmp, portRangeMin: 0, portRangeMax: 0 })).portRangeMax).toBe(0)
    expect(refused({ ...icmp, portRangeMin: 256 }).reason).toBe('security_group_invalid_icmp_value')
    expect(refused({ ...icmp, portRangeMin: null, portRangeMax: 3 }).reason).toBe(
      'security_group_missing_icmp_type',
    )
  })

  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.2.3/24', '10.1.2.3/24'],
    ['', null],
  ])('the prefix %j is kept as %j', (remoteIpPrefix, kept) => {
    expect(checkedRule(rule({ remoteIpPrefix })).remoteIpPrefix).toBe(kept)
  })

  test('an IPv6 prefix is written in one way', () => {
    const kept = checkedRule(rule({ ethertype: 'IPv6', remoteIpPrefix: '2001:DB8:0::/48' }))
    expect(kept.remoteIpPrefix).toBe('2001:db8::/48')
  })

  test('a prefix is one, of the rule’s version, and not beside a group', () => {
    expect(refused({ remoteIpPrefix: '10.0.0.0/33' }).reason).toBe('invalid_cidr')
    expect(refused({ remoteIpPrefix: '::/0' })).toEqual({
      reason: 'security_group_rule_parameter_conflict',
      message: 'Conflicting value ethertype IPv4 for CIDR ::/0',
    })
    expect(refused({ remoteIpPrefix: '10.0.0.0/8', remoteGroupId: 'g2' }).reason).toBe(
      'security_group_multiple_remote_entites',
    )
  })
})

describe('rules that say the same', () => {
  test('a protocol by name or by number, anywhere in two ways', () => {
    const one = rule({ protocol: 'tcp', portRangeMin: 80, portRangeMax: 80 })
    expect(senseOf({ ...one, protocol: '6' })).toBe(senseOf(one))
    expect(senseOf({ ...one, remoteIpPrefix: '0.0.0.0/0' })).toBe(senseOf(one))
    expect(senseOf({ ...one, remoteIpPrefix: '10.0.0.0/8' })).not.toBe(senseOf(one))
    expect(senseOf({ ...one, remoteGroupId: 'g2' })).not.toBe(senseOf(one))
    expect(senseOf({ ...one, remoteAddressGroupId: 'a1' })).not.toBe(senseOf(one))
    expect(senseOf({ ...one, remoteAddressGroupId: null })).toBe(senseOf(one))
  })
})

test('a new group lets all out; a default one also its members in', () => {
  const shown = (rules: ReturnType<typeof stockRules>) =>
    rules
      .map(({ direction, ethertype, remoteGroupId }) => `${direction} ${ethertype} ${remoteGroupId}`)
      .sort()
  expect(shown(stockRules(null))).toEqual(['egress IPv4 null', 'egress IPv6 null'])
  expect(shown(stockRules('g1'))).toEqual([
    'egress IPv4 null',
    'egress IPv6 null',
    'ingress IPv4 g1',
    'ingress IPv6 g1',
  ])
})
