// Arithmetic on IP addresses and networks of both versions; an address is a number of its version.

export type Version = 4 | 6

export interface Address {
  version: Version
  value: bigint
}

export interface Cidr {
  version: Version
  first: bigint
  last: bigint
  prefix: number
  /** The address as it was written, with its host bits. */
  address: bigint
}

export interface Range {
  version: Version
  first: bigint
  last: bigint
}

export function readAddress(text: unknown): Address | null {
  if (typeof text !== 'string') return null
  const value = text.includes(':') ? readSix(text) : readFour(text)
  return value === null ? null : { version: text.includes(':') ? 6 : 4, value }
}

function readFour(text: string): bigint | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null
  const bytes = text.split('.').map(Number)
  if (bytes.some(byte => byte > 255)) return null
  return BigInt(bytes.reduce((sum, byte) => sum * 256 + byte, 0))
}

function readSix(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const gap = 8 - head.length - tail.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null
  const words = [...head, ...Array<string>(gap).fill('0'), ...tail]
  if (!words.every(word => /^[0-9a-f]{1,4}$/i.test(word))) return null
  return BigInt(`0x${words.map(word => word.padStart(4, '0')).join('')}`)
}

export function writeAddress({ version, value }: Address): string {
  return version === 4 ? writeFour(value) : writeSix(value)
}

function writeFour(value: bigint): string {
  const number = Number(value)
  return [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
}

/** Writes a version 6 address by RFC 5952: the longest run of zeros is left out, the first of equal ones. */
function writeSix(value: bigint): string {
  const words = Array.from({ length: 8 }, (_, n) => ((value >> BigInt(112 - 16 * n)) & 0xffffn).toString(16))
  const text = words.join(':')
  const runs = [...text.matchAll(/\b0(:0)+\b/g)].map(match => match[0])
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  if (longest === '') return text
  const at = text.search(new RegExp(`(^|:)${longest}(:|$)`))
  const start = text.slice(at).startsWith(':') ? at + 1 : at
  return `${text.slice(0, start).replace(/:$/, '')}::${text.slice(start + longest.length).replace(/^:/, '')}`
}

/** Parses a CIDR; an address alone is a network of one address. */
export function readCidr(text: unknown): Cidr | null {
  if (typeof text !== 'string') return null
  const [host = '', length, ...rest] = text.split('/')
  const address = readAddress(host)
  if (address === null || rest.length > 0) return null
  const bits = bitsOf(address.version)
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return null
  const prefix = length === undefined ? bits : Number(length)
  if (prefix > bits) return null
  const size = 1n << BigInt(bits - prefix)
  const first = (address.value / size) * size
  return { version: address.version, first, last: first + size - 1n, prefix, address: address.value }
}

/** Writes a CIDR with its host bits cleared. */
export function writeCidr({ version, first, prefix }: Cidr): string {
  return `${writeAddress({ version, value: first })}/${prefix}`
}

export function bitsOf(version: Version): number {
  return version === 4 ? 32 : 128
}

export function isWithin(address: Address, range: Range): boolean {
  return address.version === range.version && address.value >= range.first && address.value <= range.last
}

export function isOverlap(a: Range, b: Range): boolean {
  return a.version === b.version && a.first <= b.last && b.first <= a.last
}

/** The address that a MAC makes for itself in a /64. */
export function autoAddress(cidr: Cidr, mac: string): string {
  const bytes = mac.split(/[:-]/).map(byte => Number.parseInt(byte, 16))
  const [first = 0, ...others] = bytes
  const eui = [first ^ 2, ...others.slice(0, 2), 0xff, 0xfe, ...others.slice(2)]
  const low = eui.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  return writeAddress({ version: 6, value: cidr.first + low })
}

/** Whether an address is one that a MAC made. */
export function isAutoAddress(text: string): boolean {
  const address = readAddress(text)
  return address !== null && address.version === 6 && ((address.value >> 24n) & 0xffffn) === 0xfffen
}

export function isLoopback({ version, first }: Cidr): boolean {
  return version === 4 ? first >> 24n === 127n : first === 1n
}

export function isMulticast({ version, first }: Cidr): boolean {
  return version === 4 ? first >> 28n === 14n : first >> 120n === 0xffn
}
