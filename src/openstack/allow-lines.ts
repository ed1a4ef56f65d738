// The lines of `providers.allow`: which schemes, hosts and ports may be called.
import { isIP } from 'node:net'
import {
  type Address,
  type Cidr,
  contains,
  parseAddress,
  parseCidr,
  widthOf,
} from '../core/network/addresses/address.ts'

export interface AllowLine {
  readonly text: string
  /** `https:` */
  readonly protocol: string
  /** A host's name, or a network. */
  readonly host: string | Cidr
  readonly ports: readonly PortRange[]
}

interface PortRange {
  readonly first: number
  readonly last: number
}

/** The scheme, host and port of a call. */
export interface Target {
  readonly protocol: string
  /** A name in lower case without a dot at its end, or an address without brackets. */
  readonly host: string
  readonly port: number
}

/** The ports that OpenStack's services usually have, for a line that names no port. */
const usualPorts: readonly PortRange[] = [
  { first: 443, last: 443 },
  { first: 5000, last: 5000 },
  { first: 8000, last: 9999 },
]

const form =
  /^(https?):\/\/(?:\[([\da-fA-F:.]+(?:\/\d{1,3})?)\]|([\w.-]+(?:\/\d{1,3})?))(?::(\d{1,5})(?:-(\d{1,5}))?)?$/

/** Parses a line of `providers.allow`; null for a text that is none. */
export function parseAllowLine(text: string): AllowLine | null {
  const [, scheme, ipv6, other = '', first, last = first] = form.exec(text) ?? []
  if (scheme === undefined) return null
  const host = ipv6 === undefined ? readHost(other) : networkOf(ipv6)
  const ports = first === undefined ? usualPorts : [{ first: Number(first), last: Number(last) }]
  const good = ports.every(range => range.first > 0 && range.first <= range.last && range.last <= 65_535)
  return host !== null && good ? { text, protocol: `${scheme}:`, host, ports } : null
}

/** Reads the host of a line; a text that looks like an IP address must be one. */
function readHost(text: string): string | Cidr | null {
  if (/^[\d.]+$|\//.test(text)) return networkOf(text)
  return nameOf(text)
}

function networkOf(text: string): Cidr | null {
  const address = parseAddress(text)
  return address ? { ...address, bits: widthOf(address.version) } : parseCidr(text)
}

const nameOf = (text: string): string => text.toLowerCase().replace(/\.$/, '')

/** The target of a URL; null for one that has more in it than a scheme, a host, a port and a path. */
export function targetOf(url: URL): Target | null {
  const { protocol, hostname, port, href } = url
  if (!['http:', 'https:'].includes(protocol) || /[?#@\\]/.test(href)) return null
  return readTarget(protocol, hostname, port)
}

export function readTarget(protocol: string, hostname: string, port: string): Target {
  const host = nameOf(hostname.replace(/^\[|\]$/g, ''))
  return { protocol, host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}

/** Whether a line has this scheme and this port in it. */
export const fits = (line: AllowLine, { protocol, port }: Target): boolean =>
  line.protocol === protocol && line.ports.some(({ first, last }) => first <= port && port <= last)

/** Whether a line names this host. */
export const namesHost = (line: AllowLine, { host }: Target): boolean =>
  typeof line.host === 'string' && isIP(host) === 0 && line.host === host

/** Whether a line names a network that has this address in it. */
export const namesAddress = (line: AllowLine, address: Address): boolean =>
  typeof line.host !== 'string' && contains(line.host, address)

/** Whether a line names one address and one port, and nothing beside them. */
export const namesOne = ({ host, ports: [range, ...more] }: AllowLine): boolean =>
  typeof host !== 'string' &&
  host.bits === widthOf(host.version) &&
  more.length === 0 &&
  range?.first === range?.last
