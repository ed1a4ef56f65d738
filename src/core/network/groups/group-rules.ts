// The rules that a region must have of security groups, in the region's own terms, and the members elsewhere
// of groups.
//
// A rule that names a group becomes one that names the region's copy of it, which lets its members in this region
// pass, and, where it has members in other regions, one more that names an address group with their addresses.

import { type AppError, conflict } from '../../error.ts'
import {
  type AddressRange,
  cidrsOf,
  encloses,
  formatCidr,
  mergeRanges,
  parseAddress,
  parseCidr,
  rangeOf,
  single,
  subtractRanges,
} from '../addresses/address.ts'
import { intentOf, marked } from '../copies/intent.ts'
import type { RegionNetworking, RegionRule } from '../copies/region-rows.ts'
import type { Port, SecurityGroup } from '../model/model.ts'
import { type RuleSense, senseOf, stockRules } from './security-rules.ts'

/** A project's groups, and a region that has some of them. */
export interface ProjectInRegion {
  readonly region: string
  readonly regionId: string
  readonly networking: RegionNetworking
  readonly projectId: string
  /** All groups of the project. */
  readonly groups: readonly SecurityGroup[]
  /** The ports in those of them that rules name. */
  readonly members: readonly Member[]
}

/** A port, as far as groups elsewhere know of it; one that is absent stays a member until it is forgotten. */
export type Member = Pick<Port, 'securityGroupIds' | 'places' | 'fixedIps'>

/** What the rules of groups name in a region, by the central ids of the groups. */
export interface Named {
  /** The region's own ids of the groups. */
  readonly groups: ReadonlyMap<string, string>
  /** The address groups of members elsewhere. */
  readonly elsewhere: ReadonlyMap<string, AddressGroup>
}

export interface AddressGroup {
  readonly id: string
  readonly ranges: readonly AddressRange[]
}

/** A rule that a region is to have; its description tells that it is Atoll's. */
export type WantedRule = RuleSense & Pick<RegionRule, 'description'>

/** The rules of a group as a region is to have them. */
export function wantedRules(group: SecurityGroup, { groups, elsewhere }: Named): WantedRule[] {
  return group.rules.flatMap((rule): WantedRule[] => {
    const { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix, remoteGroupId } = rule
    const description = marked(rule.description, group.id)
    const plain = { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix, description }
    if (remoteGroupId === null) return [{ ...plain, remoteGroupId }]
    const local = groups.get(remoteGroupId)
    const away = elsewhere.get(remoteGroupId)
    const isMet = away?.ranges.some(({ version }) => ethertype === `IPv${version}`)
    return [
      ...(local === undefined ? [] : [{ ...plain, remoteGroupId: local }]),
      ...(isMet ? [{ ...plain, remoteGroupId: null, remoteAddressGroupId: away!.id }] : []),
    ]
  })
}

/**
 * How many rules a region needs at most for these rules: a rule that names a group needs two where the group
 * has members elsewhere.
 */
export const mostRulesInRegion = (rules: readonly Pick<RuleSense, 'remoteGroupId'>[]): number =>
  rules.reduce((sum, { remoteGroupId }) => sum + (remoteGroupId === null ? 1 : 2), 0)

export const rulesRefusal = (
  { id }: Pick<SecurityGroup, 'id'>,
  { region, most, count }: { region: string; most: number; count: number },
): AppError =>
  conflict(
    `Region ${region} takes ${most} rules in a security group, and ${id} would have ${count} there: a rule that names a group may need two`,
    'too_many_rules',
  )

export interface RuleDifference {
  readonly add: readonly WantedRule[]
  readonly remove: readonly RegionRule[]
}

/**
 * The rules to add to and remove from a group of a region. Of the rules that are not wanted only Atoll's own
 * are removed: those that bear the group's mark, and those that stock Neutron puts into a new group (with no
 * description).
 */
export function ruleDifference(
  group: Pick<SecurityGroup, 'id' | 'isDefault'>,
  wanted: readonly WantedRule[],
  there: { readonly id: string; readonly rules: readonly RegionRule[] },
): RuleDifference {
  const stock = new Set(stockRules(group.isDefault ? there.id : null).map(senseOf))
  const isOurs = (rule: RegionRule): boolean =>
    rule.description ? intentOf(rule.description) === group.id : stock.has(senseOf(rule))
  const senses = new Map(wanted.map(rule => [senseOf(rule), rule]))
  const present = new Set(there.rules.map(senseOf))
  return {
    add: [...senses].flatMap(([sense, rule]) => (present.has(sense) ? [] : [rule])),
    remove: there.rules.filter(rule => !senses.has(senseOf(rule)) && isOurs(rule)),
  }
}

/** The ids of the groups that the rules of these groups name. */
export const namedBy = (groups: readonly Pick<SecurityGroup, 'rules'>[]): Set<string> =>
  new Set(groups.flatMap(({ rules }) => rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? [])))

/** The addresses of a group's members in other regions. A port that is reserved is a member nowhere. */
export function addressesElsewhere(
  groupId: string,
  region: string,
  ports: readonly Member[],
): AddressRange[] {
  const away = ports.filter(
    port => port.securityGroupIds.includes(groupId) && port.places.some(place => place.region !== region),
  )
  return mergeRanges(
    away.flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => single(parseAddress(ipAddress)!))),
  )
}

export interface AddressDifference {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/**
 * The CIDRs to add to and remove from an address group. They are compared by their addresses, however those
 * are cut: one member more is one CIDR more, and no other CIDR is cut anew. CIDRs are added before others are
 * removed, so that no member who stays is ever out.
 */
export function addressDifference(
  wanted: readonly AddressRange[],
  present: readonly string[],
): AddressDifference {
  const isWanted = (cidr: string): boolean => wanted.some(range => encloses(range, rangeOf(parseCidr(cidr)!)))
  const kept = present.filter(isWanted).map(cidr => rangeOf(parseCidr(cidr)!))
  return {
    add: subtractRanges(wanted, kept).flatMap(cidrsOf).map(formatCidr),
    remove: present.filter(cidr => !isWanted(cidr)),
  }
}
