import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AddressRange,
  mergeRanges,
  parseAddress,
  parseCidr,
  rangeOf,
  single,
} from '../addresses/address.ts'
import type { RegionRule } from '../copies/region-rows.ts'
import type { Port, SecurityGroup, SecurityGroupRule } from '../model/model.ts'
import {
  addressDifference,
  addressesElsewhere,
  mostRulesInRegion,
  type Named,
  ruleDifference,
  wantedRules,
} from './group-rules.ts'

const groupId = '11111111-1111-4111-8111-111111111111'
const remoteId = '22222222-2222-4222-8222-222222222222'
const at = new Date(0)

const centralRule = (given: Partial<SecurityGroupRule> = {}): SecurityGroupRule => ({
  id: 'r1',
  projectId: 'p1',
  description: '',
  revision: 1,
  createdAt: at,
  updatedAt: at,
  places: [],
  securityGroupId: groupId,
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  ...given,
})

const group = (...rules: SecurityGroupRule[]): SecurityGroup => ({
  id: groupId,
  projectId: 'p1',
  name: 'web',
  description: '',
  revision: 1,
  createdAt: at,
  updatedAt: at,
  places: [],
  stateful: true,
  isDefault: false,
  rules,
})

const regionRule = (given: Partial<RegionRule> = {}): RegionRule => ({
  id: 'x1',
  projectId: 'p1',
  description: `atoll:${groupId}`,
  revisionNumber: 0,
  createdAt: at,
  updatedAt: at,
  securityGroupId: 'regional',
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  remoteAddressGroupId: null,
  ...given,
})

const ranges = (...cidrs: string[]): AddressRange[] =>
  mergeRanges(cidrs.map(cidr => rangeOf(parseCidr(cidr)!)))

const named = (elsewhere: Named['elsewhere'] = new Map()): Named => ({
  groups: new Map([
    [groupId, 'regional'],
    [remoteId, 'remote-there'],
  ]),
  elsewhere,
})

describe('the rules that a region is to have', () => {
  test('a plain rule as it is, with its words and the mark of its group', () => {
    const rule = centralRule({ protocol: 'tcp', portRangeMin: 80, portRangeMax: 80, description: 'the web' })
    const [wanted, ...more] = wantedRules(group(rule), named())
    expect(more).toEqual([])
    expect(wanted).toMatchObject({ protocol: 'tcp', portRangeMin: 80, remoteGroupId: null })
    expect(wanted!.description).toBe(`the web atoll:${groupId}`)
  })

  test('one that names a group names the region’s own, and those elsewhere only when there are any', () => {
    const rule = centralRule({ remoteGroupId: remoteId })
    expect(wantedRules(group(rule), named())).toMatchObject([{ remoteGroupId: 'remote-there' }])
    const elsewhere = new Map([[remoteId, { id: 'away', ranges: ranges('10.0.0.4/32') }]])
    expect(wantedRules(group(rule), named(elsewhere))).toMatchObject([
      { remoteGroupId: 'remote-there' },
      { remoteGroupId: null, remoteAddressGroupId: 'away' },
    ])
  })

  test('members elsewhere matter to rules of their version', () => {
    const rule = centralRule({ remoteGroupId: remoteId, ethertype: 'IPv6' })
    const elsewhere = new Map([[remoteId, { id: 'away', ranges: ranges('10.0.0.4/32') }]])
    expect(wantedRules(group(rule), named(elsewhere))).toHaveLength(1)
  })

  test('there are never more than were counted beforehand', () => {
    const rules = [centralRule(), centralRule({ remoteGroupId: remoteId })]
    const elsewhere = new Map([[remoteId, { id: 'away', ranges: ranges('10.0.0.4/32') }]])
    expect(mostRulesInRegion(rules)).toBe(3)
    expect(wantedRules(group(...rules), named(elsewhere))).toHaveLength(3)
  })
})

describe('what is to change in a region’s group', () => {
  const wanted = wantedRules(group(centralRule({ protocol: 'tcp' })), named())
  const difference = (rules: readonly RegionRule[], isDefault = false) =>
    ruleDifference({ id: groupId, isDefault }, wanted, { id: 'regional', rules })

  test('what says the same is there, whoever made it', () => {
    const rule = regionRule({ protocol: '6', remoteIpPrefix: '0.0.0.0/0', description: 'mine' })
    expect(difference([rule])).toEqual({ add: [], remove: [] })
  })

  test('what is missing comes, what is ours and not wanted goes', () => {
    const old = regionRule({ protocol: 'udp' })
    expect(difference([old])).toEqual({ add: wanted, remove: [old] })
  })

  test('what others made stays', () => {
    const foreign = regionRule({ protocol: 'udp', description: 'by hand' })
    const unmarked = regionRule({ protocol: 'udp', description: '' })
    const another = regionRule({ protocol: 'udp', description: `atoll:${remoteId}` })
    expect(difference([foreign, unmarked, another]).remove).toEqual([])
  })

  test('what Neutron puts into a new group by itself counts as ours', () => {
    const egress = regionRule({ direction: 'egress', description: null })
    const ingress = regionRule({ remoteGroupId: 'regional', description: '' })
    expect(difference([egress, ingress]).remove).toEqual([egress])
    expect(difference([egress, ingress], true).remove).toEqual([egress, ingress])
  })
})

const port = (address: string, region: string | null, ...groups: string[]) =>
  ({
    securityGroupIds: groups,
    places: region === null ? [] : [{ region, id: address }],
    fixedIps: [{ subnetId: 's1', ipAddress: address }],
  }) as Pick<Port, 'securityGroupIds' | 'places' | 'fixedIps'>

test('members elsewhere are those of the group that are placed in another region', () => {
  const ports = [
    port('10.0.0.4', 'Pod1', remoteId),
    port('10.0.0.5', 'Pod2', remoteId),
    port('10.0.0.6', 'Pod3', remoteId, groupId),
    port('10.0.0.7', 'Pod2', groupId),
    port('10.0.0.8', null, remoteId),
  ]
  expect(addressesElsewhere(remoteId, 'Pod1', ports)).toEqual(
    mergeRanges([single(parseAddress('10.0.0.5')!), single(parseAddress('10.0.0.6')!)]),
  )
})

describe('what is to change in an address group', () => {
  test('one member more is one CIDR more, whatever is beside it', () => {
    expect(addressDifference(ranges('10.0.0.4/32', '10.0.0.5/32'), ['10.0.0.4/32'])).toEqual({
      add: ['10.0.0.5/32'],
      remove: [],
    })
  })

  test('many at once are as few CIDRs as there can be', () => {
    const many = Array.from({ length: 256 }, (_, n) => `10.0.1.${n}/32`)
    expect(addressDifference(ranges(...many), [])).toEqual({ add: ['10.0.1.0/24'], remove: [] })
  })

  test('one member less cuts the CIDR that it was in', () => {
    expect(addressDifference(ranges('10.0.0.4/32', '10.0.0.6/31'), ['10.0.0.4/30'])).toEqual({
      add: ['10.0.0.4/32', '10.0.0.6/31'],
      remove: ['10.0.0.4/30'],
    })
  })

  test('afterwards it has exactly the wanted ones, nothing is added that it has, nothing removed that it lacks', () => {
    const cidr = fc
      .record({ last: fc.integer({ min: 0, max: 63 }), bits: fc.integer({ min: 27, max: 32 }) })
      .map(({ last, bits }) => `10.0.0.${last - (last % 2 ** (32 - bits))}/${bits}`)
    const addresses = fc.array(fc.integer({ min: 0, max: 63 }).map(last => `10.0.0.${last}/32`))
    fc.assert(
      fc.property(addresses, fc.uniqueArray(cidr), (members, present) => {
        const wanted = ranges(...members)
        const { add, remove } = addressDifference(wanted, present)
        const after = [...present.filter(one => !remove.includes(one)), ...add]
        expect(mergeRanges(after.map(one => rangeOf(parseCidr(one)!)))).toEqual(wanted)
        expect(add.filter(one => present.includes(one))).toEqual([])
        expect(remove.filter(one => !present.includes(one))).toEqual([])
      }),
    )
  })
})
