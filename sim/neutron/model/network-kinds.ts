// Kinds of attribute values on networks: addresses, CIDRs, MACs, pools, routes, names.

import { printed, represented } from '../../python.ts'
import { invalidInput, malformed, refusal } from '../errors.ts'
import { isLoopback, readAddress, readCidr, writeAddress, writeCidr } from './addresses.ts'
import { type Check, checkKeys, checkList, checkUuid, isDictionary, type Kind } from './kinds.ts'

const checkAddress: Check = value => {
  const address = readAddress(value)
  if (address === null) return `'${printed(value)}' is not a valid IP address`
  const plain = writeAddress(address)
  return address.version === 4 && plain !== value
    ? `'${value}' is not an accepted IP address, '${plain}' is recommended`
    : undefined
}

/** The short form of a version 6 address; anything else stays as it is. */
export function shortAddress(value: unknown): unknown {
  const address = readAddress(value)
  return address?.version === 6 ? writeAddress(address) : value
}

export const address: Kind = { convert: shortAddress, check: checkAddress }

const checkMac: Check = value => {
  const isMac = typeof value === 'string' && /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(value)
  return isMac && !/^00([:-]00){5}$/.test(value)
    ? undefined
    : `'${printed(value)}' is not a valid MAC address`
}

export const mac: Kind = { check: checkMac }

export function readMac(text: string): string {
  return text.toLowerCase().replaceAll('-', ':')
}

const checkSubnet: Check = value => {
  const cidr = readCidr(value)
  if (cidr === null) return `'${printed(value)}' is not a valid IP subnet`
  return String(value).includes('/')
    ? undefined
    : `'${value}' isn't a recognized IP subnet cidr, '${writeCidr(cidr)}' is recommended`
}

const checkRoutedCidr: Check = value => {
  const cidr = readCidr(value)
  if (cidr === null) return `'${printed(value)}' is not a valid CIDR`
  if (!String(value).includes('/') || cidr.address !== cidr.first) {
    return `'${value}' is not a recognized CIDR, '${writeCidr(cidr)}' is recommended`
  }
  return isLoopback(cidr) ? `'${value}' is not a routable CIDR` : undefined
}

/** The CIDR of a subnet: host bits are allowed, and cleared later. */
export const subnetCidr: Kind = {
  convert: value => {
    const cidr = readCidr(value)
    if (cidr !== null) return writeCidr(cidr)
    if (value === null) return null
    throw invalidInput(`${printed(value)} is not in a CIDR format`)
  },
}

export const cidrs: Kind = { check: checkList(checkSubnet) }

export const pools: Kind = {
  check: value => {
    if (!Array.isArray(value)) return `Invalid data format for IP pool: '${printed(value)}'`
    for (const pool of value) {
      const message = checkKeys(['start', 'end'], pool) ?? checkAddress(pool.start) ?? checkAddress(pool.end)
      if (message !== undefined) return message
    }
    return undefined
  },
}

export const nameservers: Kind = {
  check: value => {
    if (!Array.isArray(value)) return `Invalid data format for nameserver: '${printed(value)}'`
    for (const [index, host] of value.entries()) {
      const message = checkAddress(host)
      if (message !== undefined) return `'${printed(host)}' is not a valid nameserver. ${message}`
      if (value.indexOf(host) < index) return `Duplicate nameserver '${host}'`
    }
    return undefined
  },
}

/** Routes of a router, and host routes of a subnet. */
export const routes: Kind = {
  check: value => {
    if (!Array.isArray(value)) return `Invalid data format for hostroute: '${printed(value)}'`
    const seen = new Set<string>()
    for (const route of value) {
      const message =
        checkKeys(['destination', 'nexthop'], route) ??
        checkRoutedCidr(route.destination) ??
        checkAddress(route.nexthop)
      if (message !== undefined) return message
      const key = `${route.destination} ${route.nexthop}`
      if (seen.has(key)) return `Duplicate hostroute '${represented(route)}'`
      seen.add(key)
    }
    return undefined
  },
}

export const fixedIps: Kind = {
  check: value => {
    const wrong = (what: unknown) => `Invalid data format for fixed IP: '${printed(what)}'`
    if (!Array.isArray(value)) return wrong(value)
    const seen = new Set<unknown>()
    for (const fixed of value) {
      if (!isDictionary(fixed)) return wrong(fixed)
      if (seen.has(fixed.ip_address)) return `Duplicate IP address '${fixed.ip_address}'`
      const message =
        ('ip_address' in fixed ? checkAddress(fixed.ip_address) : undefined) ??
        ('subnet_id' in fixed ? checkUuid(fixed.subnet_id) : undefined)
      if (message !== undefined) return message
      if ('ip_address' in fixed) seen.add(fixed.ip_address)
    }
    return undefined
  },
}

const mostPairs = 10

export const addressPairs: Kind = {
  convert: value => (value === null ? [] : value),
  check: value => {
    if (!Array.isArray(value)) throw malformed('Allowed address pairs must be a list.')
    if (value.length > mostPairs) {
      const message = `The number of allowed address pair exceeds the maximum ${mostPairs}.`
      throw refusal(400, 'AllowedAddressPairExhausted', message)
    }
    const seen = new Set<string>()
    for (const pair of value) {
      if (!isDictionary(pair)) return `'${printed(pair)}' is not a dictionary`
      checkPair(pair, seen)
    }
    return undefined
  },
}

function checkPair(pair: Record<string, unknown>, seen: Set<string>): void {
  const wrongMac = 'mac_address' in pair ? checkMac(pair.mac_address) : undefined
  if (wrongMac !== undefined) throw malformed(wrongMac)
  if (!('ip_address' in pair)) {
    throw refusal(400, 'AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address')
  }
  const key = `mac_address ${printed(pair.mac_address)} ip_address ${printed(pair.ip_address)}`
  if (seen.has(key)) {
    throw refusal(400, 'DuplicateAddressPairInRequest', `Request contains duplicate address pair: ${key}.`)
  }
  seen.add(key)
  const others = Object.keys(pair).filter(name => name !== 'mac_address' && name !== 'ip_address')
  if (others.length > 0) throw malformed(`Unrecognized attribute(s) '${others.join(', ')}'`)
  const isCidr = String(pair.ip_address).includes('/')
  const wrongAddress = isCidr ? checkSubnet(pair.ip_address) : checkAddress(pair.ip_address)
  if (wrongAddress !== undefined) throw malformed(wrongAddress)
}

const lower = (value: unknown) => {
  if (typeof value === 'string') return value.toLowerCase()
  throw invalidInput(`Input value ${printed(value)} must be string type`)
}

/** A DNS domain: empty, or ending in a dot. */
export const dnsDomain: Kind = {
  convert: lower,
  check: value => (value === '' || String(value).endsWith('.') ? undefined : `'${value}' is not a FQDN`),
}

export const dnsName: Kind = {
  convert: lower,
  check: value => {
    const labels = value === '' ? [] : String(value).replace(/\.$/, '').split('.')
    const wrong = labels.find(label => !/^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))
    if (wrong === undefined) return undefined
    const rule = 'must be 1-63 characters long, each of which can only be alphanumeric or a hyphen'
    return `'${value}' not a valid PQDN or FQDN. Reason: Name '${wrong}' ${rule}`
  },
}
