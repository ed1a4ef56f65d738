// Addresses that lead to this machine, to its own link or to many at once, in all the forms that IPv6 has for them.
import { type Address, type Cidr, contains, parseCidr } from '../core/network/addresses/address.ts'

const cidr = (text: string): Cidr => parseCidr(text)!

/**
 * Networks that lead to no other machine, or to the metadata service at which a cloud keeps a machine's
 * secrets.
 */
const special = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  '2001::/32',
].map(cidr)

/** IPv6 networks whose addresses hold an IPv4 address, and how far that is from the end. */
const embedding: readonly (readonly [Cidr, bigint])[] = [
  [cidr('::/96'), 0n],
  [cidr('::ffff:0:0:0/96'), 0n],
  [cidr('64:ff9b::/96'), 0n],
  [cidr('64:ff9b:1::/48'), 0n],
  [cidr('2002::/16'), 80n],
]

const mapped = cidr('::ffff:0:0/96')

const inner = (value: bigint, shift: bigint): Address => ({
  version: 4,
  value: BigInt.asUintN(32, value >> shift),
})

/**
 * The IPv4 address of an IPv4-mapped IPv6 address, since the system connects to that; any other address stays
 * as it is.
 */
export const unmapped = (address: Address): Address =>
  contains(mapped, address) ? inner(address.value, 0n) : address

/** The special network that an address is in, by itself or by the IPv4 address in it; null when it is in none. */
export function specialNetworkOf(address: Address): Cidr | null {
  const found = special.find(network => contains(network, address))
  if (found) return found
  const [, shift] = embedding.find(([network]) => contains(network, address)) ?? []
  return shift === undefined ? null : specialNetworkOf(inner(address.value, shift))
}
