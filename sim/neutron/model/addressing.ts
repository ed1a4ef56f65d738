// The addresses of ports: those that a request asks for, else one of each version, and SLAAC ones.

import { invalidInput, refusal, subnetNotFound } from '../errors.ts'
import type { Region } from '../region.ts'
import type { FixedIp, Port, Subnet } from '../rows.ts'
import { autoAddress, isAutoAddress, isWithin, readAddress, readCidr } from './addresses.ts'
import { hold, holderOf, nextFree, release } from './leases.ts'
import { shortAddress } from './network-kinds.ts'

export type WantedIp = Partial<FixedIp>

type Holder = Pick<Port, 'id' | 'network_id' | 'device_owner' | 'mac_address'>

/**
 * What a port wishes for: an address of a subnet, or the next free one of the first of these subnets that has
 * any.
 */
type Wish = { subnet: Subnet; address: string } | { subnets: readonly Subnet[] }

const interfaceOwners = [
  'network:router_interface',
  'network:ha_router_replicated_interface',
  'network:router_interface_distributed',
]
const routerOwners = [...interfaceOwners, 'network:router_centralized_snat']

const isRouterInterface = (deviceOwner: string) => interfaceOwners.includes(deviceOwner)

/** Whether a subnet is in SLAAC mode: ports on it make their own addresses from their MAC. */
export function isAutoSubnet({ ipv6_address_mode, ipv6_ra_mode }: Subnet): boolean {
  return [ipv6_address_mode, ipv6_ra_mode].some(mode => mode === 'slaac' || mode === 'dhcpv6-stateless')
}

/** The addresses of a new port: those that the request asks for, or one of each version. */
export function giveAddresses(
  port: Holder,
  wanted: readonly WantedIp[] | undefined,
  region: Region,
): FixedIp[] {
  const subnets = subnetsFor(port, region)
  const wishes =
    wanted === undefined ? anyOf(subnets) : wanted.flatMap(ip => wishFor(ip, port, subnets, region))
  return grant([...wishes, ...autoWishes(port, subnets, [])], port, region)
}

/** The addresses of a port that now asks for others. */
export function changeAddresses(port: Port, wanted: readonly WantedIp[], region: Region): FixedIp[] {
  const { kept, added, dropped } = compare(port, wanted, region)
  refuseInterface(port, [...added, ...dropped], region)
  const subnets = subnetsFor(port, region)
  const wishes = added.flatMap(ip => wishFor(ip, port, subnets, region))
  for (const ip of dropped) release(region.subnets.get(ip.subnet_id), ip.ip_address, region)
  try {
    const handled = [...kept, ...dropped, ...wishes.flatMap(toIp)].map(ip => ip.subnet_id)
    return [...kept, ...grant([...wishes, ...autoWishes(port, subnets, handled)], port, region)]
  } catch (error) {
    for (const ip of dropped) hold(ip.subnet_id, ip.ip_address, port.id, region)
    throw error
  }
}

/** The addresses of a port whose MAC is another one now. */
export function renewAutoAddresses(port: Port, mac: string, region: Region): FixedIp[] {
  return port.fixed_ips.map(ip => {
    const subnet = region.subnets.get(ip.subnet_id)
    const range = readCidr(subnet?.cidr)
    if (subnet === undefined || range === null || !isAutoAddress(ip.ip_address)) return ip
    const renewed = { subnet_id: subnet.id, ip_address: autoAddress(range, mac) }
    release(subnet, ip.ip_address, region)
    hold(subnet.id, renewed.ip_address, port.id, region)
    return renewed
  })
}

/** Gives a port its own address on a subnet that has just come. */
export function addAutoAddress(port: Port, subnet: Subnet, region: Region): FixedIp[] {
  return grant(autoWishes(port, [subnet], []), port, region)
}

export function releaseAddresses(ips: readonly FixedIp[], region: Region): void {
  for (const ip of ips) release(region.subnets.get(ip.subnet_id), ip.ip_address, region)
}

const toIp = (wish: Wish): FixedIp[] =>
  'subnet' in wish ? [{ subnet_id: wish.subnet.id, ip_address: wish.address }] : []

/**
 * The subnets that a port may have addresses of: those with a service type for its device owner come first,
 * and serve no other ports.
 */
function subnetsFor({ network_id, device_owner }: Holder, region: Region): Subnet[] {
  const all = [...region.subnets.by('network_id', network_id)]
  const special = all.filter(subnet => subnet.service_types.includes(device_owner))
  const open = all.filter(subnet => subnet.service_types.length === 0)
  if (all.length > 0 && special.length + open.length === 0) {
    const message = `No valid service subnet for the given device owner, network ${network_id}, service type ${device_owner}.`
    throw refusal(409, 'IpAddressGenerationFailureNoMatchingSubnet', message)
  }
  return [...special, ...open]
}

function anyOf(subnets: readonly Subnet[]): Wish[] {
  const four = subnets.filter(subnet => subnet.ip_version === 4)
  const six = subnets.filter(subnet => subnet.ip_version === 6 && !isAutoSubnet(subnet))
  return [four, six].filter(choice => choice.length > 0).map(choice => ({ subnets: choice }))
}

function wishFor(wanted: WantedIp, port: Holder, subnets: readonly Subnet[], region: Region): Wish[] {
  const subnet = subnetOf(wanted, port, subnets, region)
  const isAuto = isAutoSubnet(subnet)
  if (wanted.ip_address === undefined) {
    return isAuto && !routerOwners.includes(port.device_owner) ? [] : [{ subnets: [subnet] }]
  }
  if (isAuto && !isRouterInterface(port.device_owner)) {
    const message = `IPv6 address ${wanted.ip_address} cannot be directly assigned to a port on subnet ${subnet.id} as the subnet is configured for automatic addresses`
    throw refusal(400, 'AllocationOnAutoAddressSubnet', message)
  }
  return [{ subnet, address: String(shortAddress(wanted.ip_address)) }]
}

function subnetOf(wanted: WantedIp, port: Holder, subnets: readonly Subnet[], region: Region): Subnet {
  if (subnets.length === 0) throw invalidInput('IP allocation requires subnets for network')
  const { subnet_id, ip_address } = wanted
  if (subnet_id !== undefined) {
    const named = subnets.find(subnet => subnet.id === subnet_id)
    if (named === undefined) {
      if (region.subnets.get(subnet_id) === undefined) throw subnetNotFound(subnet_id)
      throw invalidInput(
        `Failed to create port on network ${port.network_id}, because fixed_ips included invalid subnet ${subnet_id}`,
      )
    }
    if (ip_address === undefined || isUsable(ip_address, named, port.device_owner)) return named
    const message = `IP address ${ip_address} is not a valid IP for the specified subnet.`
    throw refusal(400, 'InvalidIpForSubnet', message)
  }
  if (ip_address === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address')
  const found = subnets.find(subnet => isUsable(ip_address, subnet, port.device_owner))
  if (found !== undefined) return found
  const message = `IP address ${ip_address} is not a valid IP for any of the subnets on the specified network.`
  throw refusal(400, 'InvalidIpForNetwork', message)
}

/**
 * Whether a port may have an address: not the network's nor the broadcast address, but a version 6 router may
 * have the first.
 */
function isUsable(text: string, { cidr }: Subnet, deviceOwner: string): boolean {
  const address = readAddress(text)
  const range = readCidr(cidr)
  if (address === null || range === null || !isWithin(address, range)) return false
  if (address.version === 4) return address.value !== range.first && address.value !== range.last
  const isRouter = deviceOwner === '' || deviceOwner.startsWith('network:router')
  return address.value !== range.first || isRouter
}

function autoWishes(port: Holder, subnets: readonly Subnet[], handled: readonly string[]): Wish[] {
  if (routerOwners.includes(port.device_owner)) return []
  return subnets.filter(isAutoSubnet).flatMap(subnet => {
    const range = readCidr(subnet.cidr)
    if (range === null || handled.includes(subnet.id)) return []
    return [{ subnet, address: autoAddress(range, port.mac_address) }]
  })
}

/** Grants addresses. Wishes for a certain address come first, since a wish for any might take it. */
function grant(wishes: readonly Wish[], port: Holder, region: Region): FixedIp[] {
  const granted: FixedIp[] = []
  try {
    const named = wishes.filter(wish => 'subnet' in wish)
    const open = wishes.filter(wish => !('subnet' in wish))
    for (const wish of [...named, ...open]) {
      const ip = grantOne(wish, port, region)
      hold(ip.subnet_id, ip.ip_address, port.id, region)
      granted.push(ip)
    }
    // A copy of the array takes less memory, having no spare room.
    return granted.slice()
  } catch (error) {
    releaseAddresses(granted, region)
    throw error
  }
}

function grantOne(wish: Wish, port: Holder, region: Region): FixedIp {
  if ('subnet' in wish) {
    if (holderOf(wish.subnet.id, wish.address, region) !== undefined) {
      const message = `IP address ${wish.address} already allocated in subnet ${wish.subnet.id}`
      throw refusal(409, 'IpAddressAlreadyAllocated', message)
    }
    return { subnet_id: wish.subnet.id, ip_address: wish.address }
  }
  for (const subnet of wish.subnets) {
    const address = nextFree(subnet, region)
    if (address !== null) return { subnet_id: subnet.id, ip_address: address }
  }
  const message = `No more IP addresses available on network ${port.network_id}.`
  throw refusal(409, 'IpAddressGenerationFailure', message)
}

/**
 * Compares a port's addresses with those that are asked for: kept, added and dropped; SLAAC addresses stay.
 */
function compare(port: Port, wanted: readonly WantedIp[], region: Region) {
  const left = [...port.fixed_ips]
  const kept: FixedIp[] = []
  const added: WantedIp[] = []
  const dropped: FixedIp[] = []
  const take = (isMatch: (ip: FixedIp) => boolean) => {
    const index = left.findLastIndex(isMatch)
    return index < 0 ? undefined : left.splice(index, 1)[0]
  }
  const isNamed = (ip: WantedIp) => ip.ip_address !== undefined
  for (const ip of wanted.filter(isNamed)) {
    const found = take(old => old.ip_address === shortAddress(ip.ip_address))
    if (found === undefined) added.push(ip)
    else kept.push(found)
  }
  for (const ip of wanted.filter(ip => !isNamed(ip))) {
    const found = take(old => old.subnet_id === ip.subnet_id)
    if (found !== undefined && !isAutoAddress(found.ip_address)) {
      kept.push(found)
      continue
    }
    added.push(ip)
    if (found !== undefined) left.push(found)
  }
  for (const ip of left) {
    const subnet = region.subnets.get(ip.subnet_id)
    const isOwn = subnet !== undefined && isAutoSubnet(subnet) && !routerOwners.includes(port.device_owner)
    ;(isOwn ? kept : dropped).push(ip)
  }
  return { kept, added, dropped }
}

function refuseInterface(port: Port, changed: readonly WantedIp[], region: Region): void {
  if (!routerOwners.includes(port.device_owner) || region.routers.get(port.device_id) === undefined) return
  const isFour = (ip: WantedIp) =>
    readAddress(ip.ip_address)?.version === 4 || region.subnets.get(ip.subnet_id ?? '')?.ip_version === 4
  if (changed.some(isFour)) {
    throw refusal(400, 'BadRequest', `Bad ports request: IP updates for port ${port.id} are not allowed.`)
  }
}
