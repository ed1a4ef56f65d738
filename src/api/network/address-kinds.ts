// Kinds of attribute values on networks: addresses, CIDRs, MACs, pools, routes, names.

import { invalid } from '../../core/error.ts'
import {
  formatAddress,
  formatCidr,
  isCanonicalCidr,
  networkOf,
  parseAddress,
  parseCidr,
  parseMac,
} from '../../core/network/addresses/address.ts'
import type { AddressPair, AllocationPool, HostRoute } from '../../core/network/model/model.ts'
import type { FixedIpAsk } from '../../core/network/model/specs.ts'
import { isObject } from '../request.ts'
import { type AttributeKind, checkLength, repeated, uuid } from './kinds.ts'
import { invalidInput, shown, unusable, wrongValue } from './refusals.ts'

type GivenFields = Readonly<Record<string, unknown>>

const addressOf = (value: unknown): string | null => {
  const address = typeof value === 'string' ? parseAddress(value) : null
  return address && formatAddress(address)
}

export const address: AttributeKind<string> = {
  read(value, name) {
    const known = addressOf(value)
    if (known === null) throw wrongValue(name, `'${shown(value)}' is not a valid IP address`)
    return known
  },
  filter: text => addressOf(text) ?? text,
  schema: { type: 'string', description: 'an IPv4 or IPv6 address' },
}

export const mac: AttributeKind<string> = {
  read(value, name) {
    const known = typeof value === 'string' ? parseMac(value) : null
    if (known === null) throw wrongValue(name, `'${shown(value)}' is not a valid MAC address`)
    return known
  },
  filter: text => parseMac(text) ?? text,
  schema: { type: 'string', description: 'a MAC address' },
}

const cidrOf = (value: unknown) => (typeof value === 'string' ? parseCidr(value) : null)

/** The CIDR of a subnet: host bits are allowed, and cleared. */
export const subnetCidr: AttributeKind<string> = {
  read(value) {
    const cidr = cidrOf(value)
    if (cidr === null) throw invalidInput(`${shown(value)} is not in a CIDR format`)
    return formatCidr(networkOf(cidr))
  },
  filter: text => {
    const cidr = parseCidr(text)
    return cidr ? formatCidr(networkOf(cidr)) : text
  },
  schema: { type: 'string', description: 'a CIDR' },
}

function readDestination(value: unknown, name: string): string {
  const cidr = cidrOf(value)
  if (cidr === null) throw wrongValue(name, `'${shown(value)}' is not a valid CIDR`)
  if (isCanonicalCidr(cidr)) return formatCidr(cidr)
  const right = formatCidr(networkOf(cidr))
  throw wrongValue(name, `'${shown(value)}' is not a recognized CIDR, '${right}' is recommended`)
}

/** Throws where an object has other keys than these, each of which must be there. */
function checkKeys(value: unknown, keys: readonly string[], name: string): GivenFields {
  const quoted = (names: readonly string[]) => names.map(key => `'${key}'`).join(', ')
  if (!isObject(value)) {
    throw wrongValue(name, `'${shown(value)}' must be a dictionary with keys: [${quoted(keys)}]`)
  }
  const given = Object.keys(value)
  if (given.length === keys.length && keys.every(key => given.includes(key))) return value
  const sentence = `Expected keys: {${quoted(keys)}} Provided keys: {${shown(quoted(given))}}`
  throw wrongValue(name, `Validation of dictionary's keys failed. ${sentence}`)
}

const items = (value: unknown, name: string, what: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw wrongValue(name, `Invalid data format for ${what}: '${shown(value)}'`)
  checkLength(value, name)
  return value
}

/** Allocation pools; an empty list counts as not given. */
export const pools: AttributeKind<readonly AllocationPool[]> = {
  read(value, name) {
    const all = items(value, name, 'IP pool').map(item => {
      const { start, end } = checkKeys(item, ['start', 'end'], name)
      return { start: address.read(start, name)!, end: address.read(end, name)! }
    })
    return all.length > 0 ? all : undefined
  },
  schema: {
    type: 'array',
    items: { type: 'object', properties: { start: address.schema, end: address.schema } },
  },
}

export const nameservers: AttributeKind<readonly string[]> = {
  read(value, name) {
    const hosts = items(value, name, 'nameserver').map(host => {
      const known = addressOf(host)
      const reason = `'${shown(host)}' is not a valid nameserver. '${shown(host)}' is not a valid IP address`
      if (known === null) throw wrongValue(name, reason)
      return known
    })
    const [twice] = repeated(hosts)
    if (twice !== undefined) throw wrongValue(name, `Duplicate nameserver '${twice}'`)
    return hosts
  },
  schema: { type: 'array', items: address.schema },
}

/** Routes of a router, and host routes of a subnet. */
export const routes: AttributeKind<readonly HostRoute[]> = {
  read(value, name) {
    const seen = new Set<string>()
    return items(value, name, 'hostroute').map(item => {
      const fields = checkKeys(item, ['destination', 'nexthop'], name)
      const destination = readDestination(fields.destination, name)
      const nextHop = address.read(fields.nexthop, name)!
      const key = `${destination} ${nextHop}`
      if (seen.has(key)) throw wrongValue(name, `Duplicate hostroute '${shown(item)}'`)
      seen.add(key)
      return { destination, nextHop }
    })
  },
  view: all => all.map(({ destination, nextHop }) => ({ destination, nexthop: nextHop })),
  schema: {
    type: 'array',
    items: { type: 'object', properties: { destination: subnetCidr.schema, nexthop: address.schema } },
  },
}

function readFixedIp(item: unknown, name: string): FixedIpAsk {
  if (!isObject(item)) throw wrongValue(name, `Invalid data format for fixed IP: '${shown(item)}'`)
  const { ip_address, subnet_id, ...others } = item
  const more = Object.keys(others)
  if (more.length > 0) throw wrongValue(name, `Unexpected keys supplied: ${shown(more.join(', '))}`)
  if (ip_address === undefined && subnet_id === undefined) {
    throw invalidInput('IP allocation requires subnet_id or ip_address')
  }
  return {
    ...(ip_address === undefined ? {} : { ipAddress: address.read(ip_address, name)! }),
    ...(subnet_id === undefined ? {} : { subnetId: uuid.read(subnet_id, name)! }),
  }
}

export const fixedIps: AttributeKind<readonly FixedIpAsk[]> = {
  read(value, name) {
    const asks = items(value, name, 'fixed IP').map(item => readFixedIp(item, name))
    const given = asks.flatMap(({ ipAddress }) => ipAddress ?? [])
    const [twice] = repeated(given)
    if (twice !== undefined) throw wrongValue(name, `Duplicate IP address '${twice}'`)
    return asks
  },
  view: all => all.map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress })),
  schema: {
    type: 'array',
    items: { type: 'object', properties: { subnet_id: uuid.schema, ip_address: address.schema } },
  },
}

const mostPairs = 10

function readPair(item: unknown, name: string): AddressPair {
  if (!isObject(item)) throw wrongValue(name, `'${shown(item)}' is not a dictionary`)
  const { ip_address, mac_address = null, ...others } = item
  if (ip_address === undefined) {
    throw invalid('AllowedAddressPair must contain ip_address', 'AllowedAddressPairsMissingIP')
  }
  const more = Object.keys(others)
  if (more.length > 0) throw unusable(`Unrecognized attribute(s) '${shown(more.join(', '))}'`)
  const cidr = cidrOf(ip_address)
  return {
    ipAddress: cidr ? formatCidr(cidr) : address.read(ip_address, name)!,
    macAddress: mac_address === null ? null : mac.read(mac_address, name)!,
  }
}

export const addressPairs: AttributeKind<readonly AddressPair[]> = {
  read(value, name) {
    if (value === null) return []
    if (!Array.isArray(value)) throw unusable('Allowed address pairs must be a list.')
    if (value.length > mostPairs) {
      const sentence = `The number of allowed address pair exceeds the maximum ${mostPairs}.`
      throw invalid(sentence, 'AllowedAddressPairExhausted')
    }
    const pairs = value.map(item => readPair(item, name))
    const keys = pairs.map(pair => `mac_address ${shown(pair.macAddress)} ip_address ${pair.ipAddress}`)
    const [twice] = repeated(keys)
    if (twice === undefined) return pairs
    throw invalid(`Request contains duplicate address pair: ${twice}.`, 'DuplicateAddressPairInRequest')
  },
  view: all => all.map(({ ipAddress, macAddress }) => ({ ip_address: ipAddress, mac_address: macAddress })),
  schema: {
    type: 'array',
    items: { type: 'object', properties: { ip_address: address.schema, mac_address: mac.schema } },
  },
}

/** A DNS domain: empty, or ending in a dot. */
export const dnsDomain: AttributeKind<string> = {
  read(value, name) {
    if (typeof value !== 'string') throw invalidInput(`Input value ${shown(value)} must be string type`)
    const domain = value.toLowerCase()
    const isName = /^([a-z0-9_-]{1,63}\.)+$/.test(domain) && domain.length <= 255
    if (domain === '' || isName) return domain
    throw wrongValue(name, `'${shown(value)}' is not a FQDN`)
  },
  schema: { type: 'string', maxLength: 255 },
}
