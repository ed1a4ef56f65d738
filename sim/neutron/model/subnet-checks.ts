// Checks of subnets: CIDR, gateway, pools, routes and IPv6 modes.

import { represented } from '../../python.ts'
import { invalidInput, refusal } from '../errors.ts'
import type { Region } from '../region.ts'
import type { Pool, Route, Subnet } from '../rows.ts'
import {
  bitsOf,
  type Cidr,
  isLoopback,
  isMulticast,
  isOverlap,
  isWithin,
  type Range,
  readAddress,
  readCidr,
  writeAddress,
} from './addresses.ts'
import { type Fields, isGiven } from './attributes.ts'
import { readPool } from './leases.ts'

/** Checks the fields of a create or an update; `old` is the subnet before it. */
export function checkSubnet(fields: Fields, cidr: Cidr, region: Region, old?: Subnet): void {
  const version = Number(fields.ip_version)
  if (cidr.version !== version) throw mismatch('cidr', String(fields.cidr), version)
  if (fields.enable_dhcp === true && old?.enable_dhcp !== true) checkServable(cidr)
  if (isGiven(fields.gateway_ip)) checkGateway(String(fields.gateway_ip), cidr, version, region, old)
  const name = old?.id ?? 'new subnet'
  checkNameservers((fields.dns_nameservers ?? []) as string[], version, name, region)
  checkRoutes((fields.host_routes ?? []) as Route[], version, name, region)
  if (version === 4) {
    for (const mode of ['ipv6_ra_mode', 'ipv6_address_mode']) {
      if (isGiven(fields[mode])) throw invalidInput(`${mode} is not valid when ip_version is 4`)
    }
  } else if (old === undefined) checkModes(fields, cidr)
  else if (fields.enable_dhcp === false && (old.ipv6_ra_mode !== null || old.ipv6_address_mode !== null)) {
    throw invalidInput('Cannot disable enable_dhcp with ipv6 attributes set')
  }
}

const mismatch = (name: string, value: string, version: number) =>
  invalidInput(`${name} '${value}' does not match the ip_version '${version}'`)

function checkServable(cidr: Cidr): void {
  if (cidr.prefix > bitsOf(cidr.version) - 2) {
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled')
  }
  if (isMulticast(cidr)) throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True')
  if (isLoopback(cidr)) throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True')
  if (cidr.version === 4 && cidr.first === 0n) {
    throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.")
  }
}

function checkGateway(gateway: string, cidr: Cidr, version: number, region: Region, old?: Subnet): void {
  const address = readAddress(gateway)
  if (address === null || address.version !== version) throw mismatch('gateway_ip', gateway, version)
  const isEdge = address.value === cidr.first || address.value === cidr.last
  if (version === 4 && isEdge && cidr.first !== cidr.last)
    throw invalidInput('Gateway is not valid on subnet')
  if (old === undefined || old.gateway_ip === gateway) return
  for (const port of region.ports.by('network_id', old.network_id)) {
    const isHeld = port.fixed_ips.some(ip => ip.subnet_id === old.id && ip.ip_address === old.gateway_ip)
    if (!isHeld || !port.device_owner.startsWith('network:router_interface')) continue
    const message = `Current gateway ip ${old.gateway_ip} already in use by port ${port.id}. Unable to update.`
    throw refusal(409, 'GatewayIpInUse', message)
  }
}

function checkNameservers(servers: readonly string[], version: number, name: string, region: Region): void {
  const most = region.settings.mostNameservers
  if (servers.length > most) {
    const message = `Unable to complete operation for ${name}. The number of DNS nameservers exceeds the limit ${most}.`
    throw refusal(400, 'DNSNameServersExhausted', message)
  }
  const other = servers.find(server => readAddress(server)?.version !== version)
  if (other !== undefined) throw mismatch('dns_nameserver', other, version)
}

function checkRoutes(routes: readonly Route[], version: number, name: string, region: Region): void {
  const most = region.settings.mostHostRoutes
  if (routes.length > most) {
    const message = `Unable to complete operation for ${name}. The number of host routes exceeds the limit ${most}.`
    throw refusal(400, 'HostRoutesExhausted', message)
  }
  for (const { destination, nexthop } of routes) {
    if (readAddress(nexthop)?.version !== version) throw mismatch('nexthop', nexthop, version)
    if (readCidr(destination)?.version !== version) throw mismatch('destination', destination, version)
  }
}

function checkModes({ ipv6_ra_mode: ra, ipv6_address_mode: address, enable_dhcp }: Fields, cidr: Cidr): void {
  if ((isGiven(ra) || isGiven(address)) && enable_dhcp !== true) {
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  }
  if (isGiven(ra) && isGiven(address) && ra !== address) {
    throw invalidInput(
      `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid. If both attributes are set, they must be the same value`,
    )
  }
  const isAuto = [ra, address].some(mode => mode === 'slaac' || mode === 'dhcpv6-stateless')
  if (isAuto && cidr.prefix !== 64) {
    const text = `${writeAddress({ version: 6, value: cidr.first })}/${cidr.prefix}`
    throw invalidInput(
      `Invalid CIDR ${text} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    )
  }
}

/** Refuses a CIDR that overlaps with another subnet of the network. */
export function checkRoom(cidr: Cidr, text: string, networkId: string, region: Region): void {
  if (cidr.prefix === 0) throw invalidInput('0 is not allowed as CIDR prefix length')
  for (const subnet of region.subnets.by('network_id', networkId)) {
    const other = readCidr(subnet.cidr)
    if (other === null || !isOverlap(cidr, other)) continue
    throw invalidInput(
      `Requested subnet with cidr: ${text} for network: ${networkId} overlaps with another subnet`,
    )
  }
}

/** The default pools: all host addresses but the gateway's; the higher part first, as Neutron does. */
export function defaultPools(cidr: Cidr, gateway: string | null): Pool[] {
  const isSingle = cidr.first === cidr.last
  const hasEdges = cidr.version === 4 && cidr.prefix <= 30
  const first = isSingle || (cidr.version === 4 && !hasEdges) ? cidr.first : cidr.first + 1n
  const last = hasEdges ? cidr.last - 1n : cidr.last
  const at = readAddress(gateway)
  const isInside = at !== null && isWithin(at, { version: cidr.version, first, last }) && !isSingle
  const ranges = isInside
    ? [[first, at.value - 1n] as const, [at.value + 1n, last] as const]
    : [[first, last] as const]
  const write = (value: bigint) => writeAddress({ version: cidr.version, value })
  return ranges
    .filter(([start, end]) => start <= end)
    .map(([start, end]) => ({ start: write(start), end: write(end) }))
}

/** The pools that were asked for, in their plain form. */
export function readPools(pools: readonly Pool[], cidr: Cidr, text: string): Pool[] {
  const ranges = pools.map(pool => {
    const range = readPool(pool)
    if (range.first <= range.last) return range
    throw refusal(400, 'InvalidAllocationPool', `The allocation pool ${represented(pool)} is not valid.`)
  })
  const hasEdges = cidr.version === 4 && cidr.prefix <= 30
  const first = hasEdges || cidr.version === 6 ? cidr.first + 1n : cidr.first
  const last = hasEdges ? cidr.last - 1n : cidr.last
  for (const range of ranges) {
    if (range.version !== cidr.version) {
      throw refusal(400, 'InvalidAllocationPool', `The allocation pool ${writeRange(range)} is not valid.`)
    }
    if (range.first >= first && range.last <= last) continue
    const message = `The allocation pool ${writeRange(range)} spans beyond the subnet cidr ${text}.`
    throw refusal(400, 'OutOfBoundsAllocationPool', message)
  }
  refuseMeeting(ranges, text)
  return ranges.map(({ version, first, last }) => ({
    start: writeAddress({ version, value: first }),
    end: writeAddress({ version, value: last }),
  }))
}

function refuseMeeting(ranges: readonly Range[], text: string): void {
  for (const [index, one] of ranges.entries()) {
    const other = ranges.slice(index + 1).find(range => isOverlap(one, range))
    if (other === undefined) continue
    const message = `Found overlapping allocation pools: ${writeRange(one)} ${writeRange(other)} for subnet ${text}.`
    throw refusal(409, 'OverlappingAllocationPools', message)
  }
}

const writeRange = ({ version, first, last }: Range) =>
  `${writeAddress({ version, value: first })}-${writeAddress({ version, value: last })}`

export function refuseGatewayInPools(gateway: string | null, pools: readonly Pool[]): void {
  const address = readAddress(gateway)
  const range = pools.map(readPool).find(pool => address !== null && isWithin(address, pool))
  if (range === undefined) return
  const message = `Gateway ip ${gateway} conflicts with allocation pool ${writeRange(range)}.`
  throw refusal(409, 'GatewayConflictWithAllocationPools', message)
}
