// The URL under which clients see Atoll: its own address, or the X-Forwarded-* headers of a trusted proxy.

import { BlockList, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')

/** Tells whether an address is one of these, or in one of these networks (`10.0.0.0/8`). */
export function trusting(proxies: readonly string[]): (address: string) => boolean {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return address => list.check(address, familyOf(address))
}

/**
 * The scheme, host and path prefix under which clients reach Atoll. Fastify reads scheme and host with the
 * same trust.
 */
export function publicUrl(request: FastifyRequest, isTrusted: (address: string) => boolean): string {
  const { protocol, host } = request
  if (!isTrusted(request.socket.remoteAddress ?? '')) return `${protocol}://${host}`
  return `${protocol}://${host}${port(request)}${prefix(request)}`
}

const usual: Readonly<Record<string, string>> = { http: '80', https: '443' }

/** The port of `X-Forwarded-Port`, where the host does not name one. */
function port({ protocol, host, headers }: FastifyRequest): string {
  const given = last(headers['x-forwarded-port'])
  if (!/^\d{1,5}$/.test(given) || given === usual[protocol] || /:\d+$/.test(host)) return ''
  return `:${given}`
}

function prefix({ headers }: FastifyRequest): string {
  const given = last(headers['x-forwarded-prefix']).replace(/\/+$/, '')
  return /^(\/[\w.~-]+)+$/.test(given) ? given : ''
}

/** The last value in a header's list: the nearest proxy's. */
const last = (header: string | string[] | undefined): string =>
  String(header ?? '')
    .split(',')
    .at(-1)!
    .trim()
