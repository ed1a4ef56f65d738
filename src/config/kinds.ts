// Types of settings' values, each with words for a wrong value.

import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'

const of = (rule: string, test: (value: string) => boolean) => z.string(rule).refine(test, rule)

export const address = of('must be HOST:PORT, for instance 127.0.0.1:19999', value => {
  const [, ipv6, port] = /^(?:\[([^\]]+)\]|[^\s:/[\]]+):(\d{1,5})$/.exec(value) ?? []
  return port !== undefined && Number(port) <= 65_535 && (ipv6 === undefined || isIPv6(ipv6))
})
export const url = of(
  'must be an http or https URL without a user name in it',
  value => /^https?:\/\/[^\s@]+$/.test(value) && URL.canParse(value),
)
export const databaseUrl = of(
  'must be a postgres:// URL, in which a password has %23 for #, %2F for / and %25 for %',
  value => /^postgres(ql)?:\/\/\S+$/.test(value) && URL.canParse(value) && decodes(value),
)

function decodes(text: string): boolean {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}

/** Parses an address, or a network with its prefix length; `bits` is null for an address. */
function bitsOf(value: string): { bits: number | null; most: number } | null {
  const [address = '', bits, ...rest] = value.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  if (most === 0 || rest.length > 0) return null
  if (bits === undefined) return { bits: null, most }
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? { bits: Number(bits), most } : null
}

/** An address, or a network with its prefix length, as Node's BlockList takes it. */
export const network = of(
  'must be an IP address or a network, for instance 10.0.0.1 or 10.0.0.0/8',
  value => bitsOf(value) !== null,
)
/** A network that has room for networks with so long a prefix. */
export const networkWith = (version: 4 | 6, longest: number, example: string) =>
  of(`must be an IPv${version} network of at most ${longest} bits, for instance ${example}`, value => {
    const { bits = null, most = 0 } = bitsOf(value) ?? {}
    return bits !== null && bits <= longest && most === (version === 4 ? 32 : 128)
  })
export const file = z.string('must be the path of a file').min(1, 'must be the path of a file')
export const text = z.string('must be a text: put it in quotes').min(1, 'must not be empty')
export const whole = (minimum: number, maximum: number) =>
  z
    .int('must be a whole number')
    .min(minimum, `must be at least ${minimum}`)
    .max(maximum, `must be at most ${maximum}`)

export const persona = z.enum(['admin', 'manager', 'member', 'reader', 'any', 'nobody'], {
  error: 'must be one of admin, manager, member, reader, any, nobody',
})
