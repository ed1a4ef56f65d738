// What texts of addresses mean, and the arithmetic of ranges against slow models of it.

import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Address,
  type AddressRange,
  type Cidr,
  cidrContains,
  cidrsOf,
  compareAddresses,
  contains,
  coverOf,
  defaultPools,
  encloses,
  formatAddress,
  formatCidr,
  formatPool,
  hostRange,
  type IpVersion,
  isCanonicalCidr,
  isUnicastMac,
  meet,
  mergeRanges,
  networkOf,
  nthSubnet,
  overlap,
  parseAddress,
  parseCidr,
  parseMac,
  parsePool,
  poolContains,
  poolSize,
  poolsOverlap,
  rangeOf,
  slaacAddress,
  subtractAddress,
  subtractRanges,
  takeBlocks,
  widthOf,
} from './address.ts'

const version = fc.constantFrom<IpVersion>(4, 6)
const address = version.chain(version =>
  fc.record<Address>({
    version: fc.constant(version),
    value: fc.oneof(
      fc.bigInt(0n, (1n << BigInt(widthOf(version))) - 1n),
      // Mostly zeros, as addresses of people are.
      fc.bigInt(0n, 0xffffn).map(value => value << BigInt(widthOf(version) / 2)),
      fc.bigInt(0n, 0xffffn),
    ),
  }),
)
const cidr = address.chain(address =>
  fc.record<Cidr>({
    version: fc.constant(address.version),
    value: fc.constant(address.value),
    bits: fc.integer({ min: 0, max: widthOf(address.version) }),
  }),
)

/** Ranges within so few addresses that a model may count them all. */
const few = 40
const smallRange = fc
  .record({ version, a: fc.nat(few - 1), b: fc.nat(few - 1) })
  .map(({ version, a, b }): AddressRange => {
    const [first, last] = a < b ? [a, b] : [b, a]
    return { version, first: BigInt(first), last: BigInt(last) }
  })
const smallRanges = fc.array(smallRange, { maxLength: 8 })

/** Every address of ranges, singly: the slow model. */
const members = (ranges: readonly AddressRange[]): Set<string> =>
  new Set(
    ranges.flatMap(({ version, first, last }) =>
      Array.from({ length: Number(last - first) + 1 }, (_, at) => `${version}:${first + BigInt(at)}`),
    ),
  )

const without = (a: Set<string>, b: Set<string>): Set<string> => new Set([...a].filter(one => !b.has(one)))
const isWithin = (a: Set<string>, b: Set<string>): boolean => without(a, b).size === 0

/** In order, none touching the next. */
const isTidy = (ranges: readonly AddressRange[]): boolean =>
  ranges.every((range, at) => {
    const next = ranges[at + 1]
    return (
      range.first <= range.last && (!next || next.version > range.version || next.first > range.last + 1n)
    )
  })

const at = (text: string): Address => parseAddress(text)!
const net = (text: string): Cidr => parseCidr(text)!
const endsOf = (cidr: Cidr): Address[] => {
  const { version, first, last } = rangeOf(cidr)
  return [first, last].map(value => ({ version, value }))
}
const range = (start: string, end = start): AddressRange => parsePool({ start, end })!
const shown = (ranges: readonly AddressRange[]): string[] =>
  ranges.map(formatPool).map(({ start, end }) => `${start}-${end}`)

describe('an address', () => {
  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['FD00::A', 'fd00::a'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0000', '2001:db8:0:0:1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['10:0:0:0:0:0:0:10', '10::10'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ])('%s is shown as %s', (text, canonical) => {
    expect(formatAddress(at(text))).toBe(canonical)
  })

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.04',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '0x1.2.3.4',
    '1.2.3.',
    ':',
    ':::',
    '1:::2',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    '::1%eth0',
    ':1:2:3:4:5:6:7',
    '::1.2.3',
    '::1.2.3.04',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
  ])('%j is none', text => {
    expect(parseAddress(text)).toBeNull()
  })

  it('is the same again when its text is read', () => {
    fc.assert(
      fc.property(address, address => {
        expect(at(formatAddress(address))).toEqual(address)
      }),
    )
  })

  it('is read as the platform reads it', () => {
    const like = fc.oneof(
      fc.string({ unit: fc.constantFrom('0', '1', '9', 'f', ':', '.', '::'), maxLength: 20 }),
      fc.ipV4(),
      fc.ipV6(),
    )
    fc.assert(
      fc.property(like, text => {
        expect(parseAddress(text)?.version ?? 0).toBe(isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0)
      }),
      { numRuns: 2000 },
    )
  })

  it('is shown as the platform shows it', () => {
    const plain = address.filter(({ version, value }) => version === 6 && value >> 32n !== 0xffffn)
    fc.assert(
      fc.property(plain, address => {
        const text = formatAddress(address)
        expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`)
      }),
    )
  })

  it('comes before another by version, then by value', () => {
    const sorted = ['fd00::1', '10.0.0.10', '::', '10.0.0.9'].map(at).sort(compareAddresses)
    expect(sorted.map(formatAddress)).toEqual(['10.0.0.9', '10.0.0.10', '::', 'fd00::1'])
  })
})

describe('a CIDR', () => {
  it.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/024',
    '10.0.0.0/+8',
    '10/8',
    '::/129',
    '/24',
    '::/0/0',
  ])('%j is none', text => {
    expect(parseCidr(text)).toBeNull()
  })

  it('is the same again when its text is read', () => {
    fc.assert(
      fc.property(cidr, cidr => {
        expect(net(formatCidr(cidr))).toEqual(cidr)
      }),
    )
  })

  it('is canonical without host bits', () => {
    expect(isCanonicalCidr(net('10.0.0.1/24'))).toBe(false)
    expect(formatCidr(networkOf(net('10.0.0.1/24')))).toBe('10.0.0.0/24')
    fc.assert(
      fc.property(cidr, cidr => {
        expect(isCanonicalCidr(networkOf(cidr))).toBe(true)
        expect(isCanonicalCidr(cidr)).toBe(networkOf(cidr).value === cidr.value)
      }),
    )
  })

  it('has the addresses with its leading bits', () => {
    const leading = ({ version, value }: Address, bits: number) =>
      value.toString(2).padStart(widthOf(version), '0').slice(0, bits)
    fc.assert(
      fc.property(cidr, address, (cidr, other) => {
        const same = other.version === cidr.version && leading(other, cidr.bits) === leading(cidr, cidr.bits)
        expect(contains(cidr, other)).toBe(same)
        expect([...endsOf(cidr), cidr].every(one => contains(cidr, one))).toBe(true)
      }),
    )
  })

  it('contains or overlaps another by their ends', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(cidrContains(a, b)).toBe(endsOf(b).every(end => contains(a, end)))
        expect(overlap(a, b)).toBe(cidrContains(a, b) || cidrContains(b, a))
      }),
    )
    expect(overlap(net('0.0.0.0/0'), net('::/0'))).toBe(false)
  })

  // Each as generate_pools of Neutron 21 says.
  it.each([
    ['10.0.0.0/24', '10.0.0.1-10.0.0.254'],
    ['10.0.0.0/30', '10.0.0.1-10.0.0.2'],
    ['10.0.0.0/31', '10.0.0.0-10.0.0.1'],
    ['10.0.0.0/32', '10.0.0.0-10.0.0.0'],
    ['fd00::/64', 'fd00::1-fd00::ffff:ffff:ffff:ffff'],
    ['fd00::/127', 'fd00::1-fd00::1'],
    ['fd00::/128', 'fd00::-fd00::'],
  ])('%s has the usable addresses %s', (cidr, usable) => {
    expect(shown([hostRange(net(cidr))])).toEqual([usable])
  })

  it('is divided into equal networks', () => {
    expect(formatCidr(nthSubnet(net('100.0.0.0/9'), 24, 257n)!)).toBe('100.1.1.0/24')
    expect(nthSubnet(net('100.0.0.0/9'), 24, 1n << 15n)).toBeNull()
    expect(nthSubnet(net('100.0.0.0/9'), 8, 0n)).toBeNull()
    expect(nthSubnet(net('100.0.0.0/9'), 33, 0n)).toBeNull()
    expect(nthSubnet(net('100.0.0.0/9'), 24, -1n)).toBeNull()
    fc.assert(
      fc.property(cidr, fc.nat(4), (cidr, more) => {
        const bits = Math.min(cidr.bits + more, widthOf(cidr.version))
        const parts = Array.from(
          { length: 1 << (bits - cidr.bits) },
          (_, n) => nthSubnet(cidr, bits, BigInt(n))!,
        )
        expect(mergeRanges(parts.map(rangeOf))).toEqual([rangeOf(cidr)])
        expect(poolsOverlap(parts.map(rangeOf))).toBe(false)
        expect(nthSubnet(cidr, bits, BigInt(parts.length))).toBeNull()
      }),
    )
  })
})

describe('ranges', () => {
  it('are read from pools, and shown as such', () => {
    expect(shown([range('10.0.0.2', '10.0.0.9')])).toEqual(['10.0.0.2-10.0.0.9'])
    expect(parsePool({ start: '10.0.0.9', end: '10.0.0.2' })).toBeNull()
    expect(parsePool({ start: '10.0.0.9', end: 'fd00::' })).toBeNull()
    expect(parsePool({ start: '10.0.0.9', end: 'x' })).toBeNull()
  })

  it('merge to the same addresses in as few as there can be', () => {
    fc.assert(
      fc.property(smallRanges, ranges => {
        const merged = mergeRanges(ranges)
        expect(isTidy(merged)).toBe(true)
        expect(members(merged)).toEqual(members(ranges))
        expect(poolSize(ranges)).toBe(BigInt(members(ranges).size))
      }),
    )
  })

  it('have what remains when others are taken away', () => {
    fc.assert(
      fc.property(smallRanges, smallRanges, (ranges, holes) => {
        const left = subtractRanges(ranges, holes)
        expect(isTidy(left)).toBe(true)
        expect(members(left)).toEqual(without(members(ranges), members(holes)))
      }),
    )
    expect(shown(subtractAddress([range('10.0.0.2', '10.0.0.9')], at('10.0.0.5')))).toEqual([
      '10.0.0.2-10.0.0.4',
      '10.0.0.6-10.0.0.9',
    ])
  })

  it('meet, enclose and contain as their members do', () => {
    fc.assert(
      fc.property(smallRange, smallRange, (a, b) => {
        const [ofA, ofB] = [members([a]), members([b])]
        expect(meet(a, b)).toBe(without(ofA, ofB).size < ofA.size)
        expect(encloses(a, b)).toBe(isWithin(ofB, ofA))
        expect(poolContains([a], { version: b.version, value: b.first })).toBe(
          ofA.has(`${b.version}:${b.first}`),
        )
      }),
    )
  })

  it('overlap when they have more addresses singly than together', () => {
    fc.assert(
      fc.property(smallRanges, ranges => {
        const singly = ranges.reduce((sum, range) => sum + members([range]).size, 0)
        expect(poolsOverlap(ranges)).toBe(singly > members(ranges).size)
      }),
    )
  })

  it('are as few CIDRs as there can be', () => {
    const fewest = (cidrs: readonly Cidr[]) =>
      cidrs.every((one, at) => {
        const next = cidrs[at + 1]
        const pair = next?.bits === one.bits && nthSubnet({ ...one, bits: one.bits - 1 }, one.bits, 1n)
        return !pair || pair.value !== next.value
      })
    fc.assert(
      fc.property(smallRange, range => {
        const cidrs = cidrsOf(range)
        expect(cidrs.every(isCanonicalCidr)).toBe(true)
        expect(mergeRanges(cidrs.map(rangeOf))).toEqual([range])
        expect(poolsOverlap(cidrs.map(rangeOf))).toBe(false)
        expect(fewest(cidrs)).toBe(true)
      }),
    )
    expect(cidrsOf(rangeOf(net('::/0'))).map(formatCidr)).toEqual(['::/0'])
  })

  it('have a smallest CIDR around them', () => {
    fc.assert(
      fc.property(smallRange, range => {
        const cover = coverOf(range)
        expect(isCanonicalCidr(cover)).toBe(true)
        expect(encloses(rangeOf(cover), range)).toBe(true)
        const halves = [0n, 1n].flatMap(n => nthSubnet(cover, cover.bits + 1, n) ?? [])
        expect(halves.some(half => encloses(rangeOf(half), range))).toBe(false)
      }),
    )
    fc.assert(
      fc.property(cidr, cidr => {
        expect(coverOf(rangeOf(cidr))).toEqual(networkOf(cidr))
      }),
    )
  })
})

describe('pools', () => {
  // Each as generate_pools of Neutron 21 says.
  it.each([
    ['10.0.0.0/24', '10.0.0.1', ['10.0.0.2-10.0.0.254']],
    ['10.0.0.0/24', null, ['10.0.0.1-10.0.0.254']],
    ['10.0.0.0/24', '10.0.0.100', ['10.0.0.1-10.0.0.99', '10.0.0.101-10.0.0.254']],
    ['10.0.0.0/24', '10.0.0.254', ['10.0.0.1-10.0.0.253']],
    ['10.0.0.0/24', '10.0.0.255', ['10.0.0.1-10.0.0.254']],
    ['10.0.0.0/24', '11.0.0.1', ['10.0.0.1-10.0.0.254']],
    ['10.0.0.0/31', '10.0.0.1', ['10.0.0.0-10.0.0.0']],
    ['10.0.0.0/32', '10.0.0.0', ['10.0.0.0-10.0.0.0']],
    ['fd00::/64', 'fd00::', ['fd00::1-fd00::ffff:ffff:ffff:ffff']],
    ['fd00::/127', 'fd00::1', []],
    ['fd00::/126', 'fd00::2', ['fd00::1-fd00::1', 'fd00::3-fd00::3']],
    ['fd00::/128', 'fd00::', ['fd00::-fd00::']],
  ])('of %s with the gateway %s are %j unless they are named', (cidr, gateway, pools) => {
    expect(shown(defaultPools(net(cidr), gateway === null ? null : at(gateway)))).toEqual(pools)
  })

  it('yield the end of the last run that is long enough', () => {
    const pools = [range('10.0.0.1', '10.0.0.254')]
    expect(shown(takeBlocks(pools, [], 16n))).toEqual(['10.0.0.239-10.0.0.254'])
    expect(shown(takeBlocks(pools, [range('10.0.0.250')], 16n))).toEqual(['10.0.0.234-10.0.0.249'])
    expect(shown(takeBlocks(pools, [range('10.0.0.100')], 200n))).toEqual([
      '10.0.0.54-10.0.0.99',
      '10.0.0.101-10.0.0.254',
    ])
  })

  it('yield what is free, as much as was asked, in as few ranges as there can be', () => {
    fc.assert(
      fc.property(smallRanges, smallRanges, fc.nat(2 * few), (pools, held, count) => {
        const free = subtractRanges(pools, held)
        const taken = takeBlocks(pools, held, BigInt(count))
        const wanted = BigInt(Math.min(count, members(free).size))
        expect(isTidy(taken)).toBe(true)
        expect(poolSize(taken)).toBe(wanted)
        expect(isWithin(members(taken), members(free))).toBe(true)
        expect(taken.length).toBe(fewestRuns(free, wanted))
      }),
    )
  })

  /** How many of the longest runs it takes. */
  function fewestRuns(free: readonly AddressRange[], wanted: bigint): number {
    const sizes = free.map(run => poolSize([run])).sort((a, b) => Number(b - a))
    const sums = sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size, 0n))
    return wanted === 0n ? 0 : sums.findIndex(sum => sum >= wanted) + 1
  }
})

describe('a MAC', () => {
  // Each as netaddr 0.8 reads it.
  it.each([
    ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:01'],
    ['FA-16-3E-0-0-1', 'fa:16:3e:00:00:01'],
    ['fa16.3e00.0001', 'fa:16:3e:00:00:01'],
    ['fa16:3e00:0001', 'fa:16:3e:00:00:01'],
    ['fa163e-000001', 'fa:16:3e:00:00:01'],
    ['1a163:e0001', '01:a1:63:0e:00:01'],
    ['fa163e000001', 'fa:16:3e:00:00:01'],
    ['a163e000001', '0a:16:3e:00:00:01'],
    ['fa:16:3e', '00:fa:00:16:00:3e'],
  ])('may be written as %s', (text, canonical) => {
    expect(parseMac(text)).toBe(canonical)
  })

  it.each([
    '',
    'fa:16:3e:00:00',
    'fa:16-3e:00:00:01',
    'fa.16.3e.00.00.01',
    'fa:16:3e:00:00:01:02:03',
    'fa:16:3e:00:00:01\n',
    ' fa:16:3e:00:00:01',
    'ga:16:3e:00:00:01',
    '00:00:00:00:00:00',
    '0-0-0-0-0-0',
    'FF:FF:FF:FF:FF:FF',
  ])('is not %j', text => {
    expect(parseMac(text)).toBeNull()
  })

  it('is one station or a group', () => {
    expect(isUnicastMac('fa:16:3e:00:00:01')).toBe(true)
    expect(isUnicastMac('01:00:5e:00:00:01')).toBe(false)
  })

  it('makes an address in an IPv6 prefix', () => {
    // As get_ipv6_addr_by_EUI64 of oslo.utils says.
    const slaac = (mac: string) => formatAddress(slaacAddress(net('fd00:1::/64'), mac)!)
    expect(slaac('fa:16:3e:12:34:56')).toBe('fd00:1::f816:3eff:fe12:3456')
    expect(slaac('00:16:3e:ff:34:56')).toBe('fd00:1::216:3eff:feff:3456')
    expect(slaacAddress(net('10.0.0.0/24'), 'fa:16:3e:12:34:56')).toBeNull()
    expect(slaacAddress(net('fd00::/63'), 'fa:16:3e:12:34:56')).toBeNull()
  })
})
