// Addresses, CIDRs and ranges of both IP versions, and MACs: what texts mean, and the arithmetic of it.

import type { AllocationPool } from '../model/model.ts'

export type IpVersion = 4 | 6

export interface Address {
  readonly version: IpVersion
  readonly value: bigint
}

/** An address with the number of its leading bits that are the network's; the others need not be 0. */
export interface Cidr extends Address {
  readonly bits: number
}

/** Every address from the first to the last, both included: never empty. */
export interface AddressRange {
  readonly version: IpVersion
  readonly first: bigint
  readonly last: bigint
}

/** How many bits an address of this IP version has. */
export const widthOf = (version: IpVersion): number => (version === 4 ? 32 : 128)

// Addresses

/**
 * The address that a text is, or null. IPv4 takes four decimal numbers without leading zeros; IPv6 may end in such
 * an IPv4 address, and has no zone.
 */
export function parseAddress(text: string): Address | null {
  const version = text.includes(':') ? 6 : 4
  const value = version === 4 ? parseIpv4(text) : parseIpv6(text)
  return value === null ? null : { version, value }
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  const good =
    parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return good ? parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) : null
}

function parseIpv6(text: string): bigint | null {
  const [head = '', tail, ...more] = hexOnly(text).split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const absent = 8 - left.length - right.length
  const good = tail === undefined ? absent === 0 : absent > 0 && more.length === 0
  const groups = good ? [...left, ...Array<string>(absent).fill('0'), ...right] : []
  if (!good || !groups.every(group => /^[\da-f]{1,4}$/i.test(group))) return null
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'))

/** The text of an IPv6 address, with an IPv4 address at its end written as the two groups that it is. */
function hexOnly(text: string): string {
  const at = text.lastIndexOf(':') + 1
  const value = parseIpv4(text.slice(at))
  if (value === null) return text
  return `${text.slice(0, at)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** The one text of an address: for IPv6 that of RFC 5952, where a mapped IPv4 address shows as one. */
export function formatAddress({ version, value }: Address): string {
  if (version === 4) return formatIpv4(value)
  if (value >> 32n === 0xffffn) return `::ffff:${formatIpv4(value & 0xffff_ffffn)}`
  const groups = words(value, 8, 16).map(group => group.toString(16))
  return shortened(groups.join(':'))
}

const formatIpv4 = (value: bigint): string => words(value, 4, 8).join('.')

/** A number as `count` words of `bits` bits each, the highest first. */
const words = (value: bigint, count: number, bits: number): bigint[] =>
  Array.from({ length: count }, (_, at) => BigInt.asUintN(bits, value >> BigInt(bits * (count - 1 - at))))

/**
 * The IPv6 text with `::` for its longest run of zero groups: the first of equals, and never a single group.
 */
function shortened(text: string): string {
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)]
  const [longest] = runs.sort((a, b) => b[0].length - a[0].length)
  if (!longest) return text
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}

/** Orders addresses: IPv4 first, then by value. */
export const compareAddresses = (a: Address, b: Address): number =>
  a.version - b.version || compare(a.value, b.value)

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

// CIDRs

/** The CIDR that a text is, or null: an address, `/`, and a decimal number of bits without leading zeros. */
export function parseCidr(text: string): Cidr | null {
  const [, base = '', length = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseAddress(base)
  const bits = Number(length)
  return address && bits <= widthOf(address.version) ? { ...address, bits } : null
}

export const formatCidr = (cidr: Cidr): string => `${formatAddress(cidr)}/${cidr.bits}`

/** The same CIDR with its host bits cleared. */
export const networkOf = (cidr: Cidr): Cidr => ({ ...cidr, value: rangeOf(cidr).first })

export const isCanonicalCidr = (cidr: Cidr): boolean => rangeOf(cidr).first === cidr.value

/** The range from the first to the last address of a CIDR, network and broadcast addresses included. */
export function rangeOf({ version, value, bits }: Cidr): AddressRange {
  const hosts = (1n << BigInt(widthOf(version) - bits)) - 1n
  return { version, first: value - (value & hosts), last: value | hosts }
}

export const contains = (cidr: Cidr, address: Address): boolean => encloses(rangeOf(cidr), single(address))

/** Whether every address of the inner CIDR is in the outer one. */
export const cidrContains = (outer: Cidr, inner: Cidr): boolean => encloses(rangeOf(outer), rangeOf(inner))

/** Whether two CIDRs have an address in common. */
export const overlap = (a: Cidr, b: Cidr): boolean => meet(rangeOf(a), rangeOf(b))

/**
 * The addresses that Neutron gives out of a subnet. IPv4: without the network's own and the broadcast address, but
 * both of a /31; IPv6: without the first, which is any router's. The one address of a /32 or /128 is usable.
 */
export function hostRange(cidr: Cidr): AddressRange {
  const { version, first, last } = rangeOf(cidr)
  const all = first === last || (version === 4 && first + 1n === last)
  return all
    ? { version, first, last }
    : { version, first: first + 1n, last: version === 4 ? last - 1n : last }
}

/** The n-th (from 0) of the networks of so many bits within a CIDR; null when there is none. */
export function nthSubnet(cidr: Cidr, bits: number, n: bigint): Cidr | null {
  const { version, first, last } = rangeOf(cidr)
  if (bits < cidr.bits || bits > widthOf(version) || n < 0n) return null
  const value = first + (n << BigInt(widthOf(version) - bits))
  return value <= last ? { version, value, bits } : null
}

// Ranges

/** The range of one address. */
export const single = ({ version, value }: Address): AddressRange => ({ version, first: value, last: value })

/** The range that a pool is, or null: two addresses of one version, the first not after the last. */
export function parsePool({ start, end }: AllocationPool): AddressRange | null {
  const [first, last] = [parseAddress(start), parseAddress(end)]
  if (!first || !last || first.version !== last.version || first.value > last.value) return null
  return { version: first.version, first: first.value, last: last.value }
}

export const formatPool = ({ version, first, last }: AddressRange): AllocationPool => ({
  start: formatAddress({ version, value: first }),
  end: formatAddress({ version, value: last }),
})

/** Whether every address of the inner range is in the outer one. */
export const encloses = (outer: AddressRange, inner: AddressRange): boolean =>
  outer.version === inner.version && outer.first <= inner.first && inner.last <= outer.last

/** Whether two ranges have an address in common. */
export const meet = (a: AddressRange, b: AddressRange): boolean =>
  a.version === b.version && a.first <= b.last && b.first <= a.last

/** Merges ranges: the same addresses in as few ranges as there can be, in order. */
export function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: AddressRange[] = []
  for (const range of inOrder(ranges)) {
    const before = merged.at(-1)
    if (before?.version === range.version && range.first <= before.last + 1n)
      merged[merged.length - 1] = { ...before, last: range.last > before.last ? range.last : before.last }
    else merged.push(range)
  }
  return merged
}

const inOrder = (ranges: readonly AddressRange[]): AddressRange[] =>
  [...ranges].sort((a, b) => a.version - b.version || compare(a.first, b.first))

/** The addresses of the ranges that are in none of the holes, in as few ranges as there can be, in order. */
export function subtractRanges(
  ranges: readonly AddressRange[],
  holes: readonly AddressRange[],
): AddressRange[] {
  const cuts = mergeRanges(holes)
  return mergeRanges(ranges).flatMap(range => between(range, cuts))
}

export const subtractAddress = (ranges: readonly AddressRange[], address: Address): AddressRange[] =>
  subtractRanges(ranges, [single(address)])

/** The parts of a range that lie between holes; the holes are in order. */
function between({ version, first, last }: AddressRange, holes: readonly AddressRange[]): AddressRange[] {
  const left: AddressRange[] = []
  let next = first
  for (const hole of holes.filter(hole => meet(hole, { version, first, last }))) {
    if (next < hole.first) left.push({ version, first: next, last: hole.first - 1n })
    next = hole.last + 1n
  }
  return next <= last ? [...left, { version, first: next, last }] : left
}

/** Exactly the range's addresses as as few CIDRs as there can be, in order. */
export function cidrsOf({ version, first, last }: AddressRange): Cidr[] {
  const cidrs: Cidr[] = []
  for (let next = first; next <= last; next = rangeOf(cidrs.at(-1)!).last + 1n)
    cidrs.push(largestAt({ version, first: next, last }))
  return cidrs
}

/** The largest CIDR that begins where the range does and is within it. */
function largestAt({ version, first, last }: AddressRange): Cidr {
  const aligned = first === 0n ? widthOf(version) : lengthOf(first & -first) - 1
  const within = lengthOf(last - first + 1n) - 1
  return { version, value: first, bits: widthOf(version) - Math.min(aligned, within) }
}

/** How many binary digits a number has; 0 has none. */
const lengthOf = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length)

/** Merges CIDRs: the same addresses in as few CIDRs as there can be, in order. */
export const mergeCidrs = (cidrs: readonly Cidr[]): Cidr[] => mergeRanges(cidrs.map(rangeOf)).flatMap(cidrsOf)

/** The smallest CIDR that has all addresses of a range. */
export function coverOf({ version, first, last }: AddressRange): Cidr {
  return networkOf({ version, value: first, bits: widthOf(version) - lengthOf(first ^ last) })
}

// Pools of a subnet

/** The pools that stock Neutron gives a subnet which names none: all usable addresses but the gateway. */
export function defaultPools(cidr: Cidr, gateway: Address | null): AddressRange[] {
  const usable = hostRange(cidr)
  // A subnet of one address keeps it even where it is the gateway's: so Neutron does it.
  const whole = gateway === null || cidr.bits === widthOf(cidr.version)
  return whole ? [usable] : subtractAddress([usable], gateway)
}

/** Whether any two of these pools have an address in common. */
export const poolsOverlap = (pools: readonly AddressRange[]): boolean =>
  inOrder(pools).some((pool, at, all) => at > 0 && meet(all[at - 1]!, pool))

export const poolContains = (pools: readonly AddressRange[], address: Address): boolean =>
  pools.some(pool => encloses(pool, single(address)))

/** How many addresses the pools have; an address that is in several pools counts once. */
export const poolSize = (pools: readonly AddressRange[]): bigint =>
  mergeRanges(pools).reduce((sum, pool) => sum + sizeOf(pool), 0n)

const sizeOf = ({ first, last }: AddressRange): bigint => last - first + 1n

/**
 * Up to so many addresses of the pools that are in no held range, in as few ranges as there can be, in order. Where
 * there is a choice it is the end: what remains for addresses that are picked singly is then in one piece.
 */
export function takeBlocks(
  pools: readonly AddressRange[],
  held: readonly AddressRange[],
  count: bigint,
): AddressRange[] {
  const taken: AddressRange[] = []
  const free = subtractRanges(pools, held)
  for (let missing = count; missing > 0n && free.length > 0; missing = count - poolSize(taken)) {
    const enough = free.findLastIndex(range => sizeOf(range) >= missing)
    const [range] = free.splice(enough >= 0 ? enough : largest(free), 1)
    taken.push(endOf(range!, missing))
  }
  return inOrder(taken)
}

/** The index of the largest range: the last of equals. */
const largest = (ranges: readonly AddressRange[]): number =>
  ranges.reduce((best, range, at) => (sizeOf(range) >= sizeOf(ranges[best]!) ? at : best), 0)

/** The last `count` addresses of a range, or all of it. */
const endOf = (range: AddressRange, count: bigint): AddressRange =>
  sizeOf(range) <= count ? range : { ...range, first: range.last - count + 1n }

// MACs

const macForms = [
  /^[\da-f]{1,2}([:-])[\da-f]{1,2}(\1[\da-f]{1,2}){4}$/i,
  /^[\da-f]{1,4}([:.-])[\da-f]{1,4}\1[\da-f]{1,4}$/i,
  /^[\da-f]{5,6}[:-][\da-f]{5,6}$/i,
  /^[\da-f]{11,12}$/i,
]

/**
 * The MAC that a text is, in lower case with colons, or null. Takes all notations that Neutron does (`fa:16:3e:0:0:1`,
 * `FA-16-3E-00-00-01`, `fa16.3e00.0001`, `fa163e:000001`, `fa163e000001`), and not the two that it refuses: all zeros
 * and the broadcast address.
 */
export function parseMac(text: string): string | null {
  if (!macForms.some(form => form.test(text))) return null
  const groups = text.toLowerCase().split(/[:.-]/)
  const digits = groups.map(group => group.padStart(12 / groups.length, '0')).join('')
  return /^(0|f)\1*$/.test(digits) ? null : digits.match(/../g)!.join(':')
}

/** Of a MAC as `parseMac` gives it: whether it is one station's, not a group's. */
export const isUnicastMac = (mac: string): boolean => Number.parseInt(mac.slice(0, 2), 16) % 2 === 0

/** The address that a station with this MAC (as `parseMac` gives it) makes for itself; null outside IPv6 of /64. */
export function slaacAddress(prefix: Cidr, mac: string): Address | null {
  if (prefix.version !== 6 || prefix.bits !== 64) return null
  const digits = mac.replaceAll(':', '')
  const eui64 = BigInt(`0x${digits.slice(0, 6)}fffe${digits.slice(6)}`)
  return { version: 6, value: rangeOf(prefix).first + (eui64 ^ (1n << 57n)) }
}
