// The fixed IPs of a port on a spanning network: the addresses that it asks for, or any that are free.

import type { Transaction } from '../../app.ts'
import { conflict, invalid, notFound } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { FixedIp, Subnet } from '../model/model.ts'
import { centralScope } from '../model/network-store.ts'
import type { FixedIpAsk } from '../model/specs.ts'
import {
  contains,
  encloses,
  formatAddress,
  hostRange,
  parseAddress,
  parseCidr,
  single,
  slaacAddress,
} from './address.ts'
import { blockOf, carveOut } from './blocks.ts'

/** An address that a port wants in a subnet: this one, or any for null. */
export interface WantedIp {
  readonly subnet: Subnet
  readonly ipAddress: string | null
}

/**
 * The addresses that a port asks for, each with its subnet; a port that asks for nothing gets one address of
 * each IP version. Throws `invalid` (`address_outside`, `address_no_subnet`) and `not_found` (`subnet`).
 */
export function wantedIps(
  asks: readonly FixedIpAsk[] | undefined,
  subnets: readonly Subnet[],
  networkId: string,
): WantedIp[] {
  if (asks === undefined) return oneOfEach(subnets)
  return asks.map(({ subnetId, ipAddress }) => {
    const address = ipAddress === undefined ? null : parseAddress(ipAddress)
    if (ipAddress !== undefined && !address)
      throw invalid(`'${ipAddress}' is not a valid IP address`, 'address_outside')
    const subnet =
      subnetId === undefined
        ? subnets.find(one => address && contains(parseCidr(one.cidr)!, address))
        : subnets.find(({ id }) => id === subnetId)
    if (!subnet) {
      if (subnetId !== undefined)
        throw notFound(`The network ${networkId} has no subnet ${subnetId}`, 'subnet')
      throw invalid(
        `IP address ${ipAddress} is not a valid IP for any of the subnets of network ${networkId}`,
        'address_no_subnet',
      )
    }
    if (
      address &&
      !(address.version === subnet.ipVersion && encloses(hostRange(parseCidr(subnet.cidr)!), single(address)))
    )
      throw invalid(
        `IP address ${ipAddress} is not a valid IP for the specified subnet ${subnet.cidr}`,
        'address_outside',
      )
    return { subnet, ipAddress: address && formatAddress(address) }
  })
}

function oneOfEach(subnets: readonly Subnet[]): WantedIp[] {
  const first = (version: number) => subnets.find(({ ipVersion }) => ipVersion === version)
  return [first(4), first(6)].flatMap(subnet => (subnet ? [{ subnet, ipAddress: null }] : []))
}

/** A region whose blocks of a subnet have become smaller: it must be told before the address is used. */
export interface Carved {
  readonly regionId: string
  readonly subnet: Subnet
  readonly blocks: readonly { readonly start: string; readonly end: string }[]
}

/**
 * Holds each wanted address for the holder, in the region's scope or centrally. Throws `conflict` (`address_in_use`,
 * `no_addresses`).
 */
export async function holdIps(
  tx: Transaction,
  {
    wanted,
    holder,
    mac,
    region,
  }: { wanted: readonly WantedIp[]; holder: string; mac: string; region: Region | null },
): Promise<{ fixedIps: FixedIp[]; carved: Carved[] }> {
  const fixedIps: FixedIp[] = []
  const carved: Carved[] = []
  for (const { subnet, ipAddress } of wanted) {
    const holding = {
      subnetId: subnet.id,
      scope: region?.id ?? centralScope,
      purpose: 'port',
      holder,
    } as const
    const given = ipAddress ?? slaacOf(subnet, mac)
    if (given === null) {
      const any = await tx.networks.holdAny(subnet.allocationPools, holding)
      if (any === null)
        throw conflict(
          `No more IP addresses available on network ${subnet.networkId}: the subnet ${subnet.cidr} is full`,
          'no_addresses',
        )
      fixedIps.push({ subnetId: subnet.id, ipAddress: any })
      continue
    }
    carved.push(...(await makeRoom(tx, subnet, given, region)))
    await tx.networks.hold({ ...holding, start: given, end: given })
    fixedIps.push({ subnetId: subnet.id, ipAddress: given })
  }
  return { fixedIps, carved }
}

/** The address that follows from the MAC in an IPv6 subnet with SLAAC; null in any other subnet. */
function slaacOf({ ipv6AddressMode, cidr }: Subnet, mac: string): string | null {
  if (ipv6AddressMode !== 'slaac' && ipv6AddressMode !== 'dhcpv6-stateless') return null
  const address = slaacAddress(parseCidr(cidr)!, mac)
  return address && formatAddress(address)
}

/** Takes the address out of another region's block, where it is in one. */
async function makeRoom(
  tx: Transaction,
  subnet: Subnet,
  address: string,
  region: Region | null,
): Promise<Carved[]> {
  if (subnet.places.length === 0) return []
  await tx.networks.lockBlocks(subnet.id)
  const holdings = await tx.networks.holdings(subnet.id)
  const regionId = blockOf(holdings, address)
  if (regionId === null || regionId === region?.id) return []
  const carved = await carveOut(tx, holdings, subnet.id, address)
  return carved ? [{ ...carved, subnet }] : []
}
