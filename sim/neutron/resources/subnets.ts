// Subnets, as the API has them.

import { type Resource, standardAttributes } from '../api/resource.ts'
import { badRequest, malformed, networkNotFound, refusal, subnetNotFound } from '../errors.ts'
import { type Cidr, readCidr, writeAddress, writeCidr } from '../model/addresses.ts'
import { type Attributes, type Fields, isGiven, owner } from '../model/attributes.ts'
import { serve } from '../model/dhcp.ts'
import { integer, type Kind, natural, oneOf, orEmpty, orNull, text, truth, uuid } from '../model/kinds.ts'
import { restart } from '../model/leases.ts'
import { address, nameservers, pools, routes, subnetCidr } from '../model/network-kinds.ts'
import {
  checkRoom,
  checkSubnet,
  defaultPools,
  readPools,
  refuseGatewayInPools,
} from '../model/subnet-checks.ts'
import { addToPorts, dropSubnet, refuseUsed } from '../model/subnets.ts'
import { type Region, standard, touch } from '../region.ts'
import type { Pool, Subnet } from '../rows.ts'

const modes = oneOf('dhcpv6-stateful', 'dhcpv6-stateless', 'slaac')

const prefixes = ['network:', 'compute:', 'baremetal:', 'Octavia', 'nova']

const serviceTypes: Kind = {
  check: value => {
    if (value !== undefined && !Array.isArray(value)) throw malformed('Subnet service types must be a list.')
    const odd = (value ?? []).find(type => typeof type !== 'string')
    if (odd !== undefined) {
      const message = `Subnet service type ${odd} is not a string.`
      throw refusal(400, 'InvalidInputSubnetServiceType', message)
    }
    const wrong = (value ?? []).find(type => !prefixes.some(prefix => String(type).startsWith(prefix)))
    if (wrong === undefined) return undefined
    const message = `Subnet service type ${String(wrong)} does not correspond to a valid device owner.`
    throw refusal(400, 'InvalidSubnetServiceType', message)
  },
}

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  ip_version: { kind: { ...integer, ...oneOf(4, 6) }, set: 'create', filter: true, sort: true },
  network_id: { kind: uuid, set: 'create', filter: true, sort: true },
  subnetpool_id: { kind: orNull(uuid), set: 'create', default: undefined, show: () => null },
  prefixlen: { kind: natural, set: 'create', default: undefined, seenBy: 'nobody' },
  cidr: { kind: subnetCidr, set: 'create', default: undefined, filter: true, sort: true },
  gateway_ip: { kind: orNull(address), set: 'always', default: undefined, filter: true, sort: true },
  allocation_pools: { kind: pools, set: 'always', default: undefined },
  dns_nameservers: { kind: orEmpty(nameservers), set: 'always', default: undefined },
  host_routes: { kind: orEmpty(routes), set: 'always', default: undefined },
  ...owner,
  enable_dhcp: { kind: truth, set: 'always', default: true, filter: true, sort: true },
  ipv6_ra_mode: { kind: modes, set: 'create', default: undefined, filter: true, sort: true },
  ipv6_address_mode: { kind: modes, set: 'create', default: undefined, filter: true, sort: true },
  shared: {
    kind: truth,
    seenBy: 'nobody',
    filter: (row, wanted, region) =>
      wanted.includes(String(region.networks.get((row as Subnet).network_id)?.shared)),
  },
  use_default_subnetpool: { kind: truth, set: 'create', default: false, seenBy: 'nobody' },
  segment_id: {
    kind: orNull(uuid),
    set: 'always',
    default: null,
    seenBy: 'admin',
    show: () => null,
  },
  service_types: { kind: serviceTypes, set: 'always', default: undefined },
  ...standardAttributes,
}

export const subnets: Resource<Subnet> = {
  name: 'subnet',
  path: 'subnets',
  attributes,
  table: region => region.subnets,
  missing: subnetNotFound,
  seenBy: 'ownerOrSharedNetwork',
  createdBy: 'subnetMaker',
  changedBy: 'ownerOrNetworkOwner',
  removedBy: 'ownerOrNetworkOwner',
  isStandard: true,
  create: (fields, region) => {
    const cidr = cidrOf(fields)
    const network = region.networks.get(String(fields.network_id))
    checkSubnet(fields, cidr, region)
    if (network === undefined) throw networkNotFound(String(fields.network_id))
    const plain = writeCidr(cidr)
    const gateway_ip = gatewayOf(fields, cidr)
    const allocation_pools = poolsOf(fields, cidr, plain, gateway_ip)
    checkRoom(cidr, plain, network.id, region)
    if (isGiven(fields.segment_id)) {
      throw refusal(404, 'SegmentNotFound', `Segment ${fields.segment_id} could not be found.`)
    }
    const subnet = region.subnets.add({
      ...standard(region, fields, ((fields.service_types ?? []) as []).length > 0 ? 1 : 0),
      name: String(fields.name),
      network_id: network.id,
      ip_version: cidr.version,
      cidr: plain,
      gateway_ip,
      allocation_pools,
      dns_nameservers: (fields.dns_nameservers ?? []) as string[],
      host_routes: (fields.host_routes ?? []) as Subnet['host_routes'],
      enable_dhcp: fields.enable_dhcp !== false,
      ipv6_ra_mode: (fields.ipv6_ra_mode ?? null) as string | null,
      ipv6_address_mode: (fields.ipv6_address_mode ?? null) as string | null,
      service_types: (fields.service_types ?? []) as string[],
    })
    touch(region, network)
    addToPorts(subnet, network, region)
    serve(network.id, region)
    return subnet
  },
  update: (subnet, fields, region) => {
    const cidr = readCidr(subnet.cidr)
    if (cidr === null) return
    checkSubnet({ ...fields, ip_version: subnet.ip_version, cidr: subnet.cidr }, cidr, region, subnet)
    const asked = fields.allocation_pools as Pool[] | undefined
    const pools = asked === undefined ? subnet.allocation_pools : readPools(asked, cidr, subnet.cidr)
    const gateway = fields.gateway_ip === undefined ? subnet.gateway_ip : (fields.gateway_ip as string | null)
    if (asked !== undefined || gateway !== subnet.gateway_ip) refuseGatewayInPools(gateway, pools)
    Object.assign(subnet, fields, { allocation_pools: pools })
    if (asked !== undefined) restart(subnet.id, region)
    touch(region, subnet)
    serve(subnet.network_id, region)
    touchNetwork(subnet, region)
  },
  remove: (subnet, region) => {
    refuseUsed(subnet, region)
    dropSubnet(subnet, region)
    serve(subnet.network_id, region)
    touchNetwork(subnet, region)
  },
}

function touchNetwork({ network_id }: Subnet, region: Region): void {
  const network = region.networks.get(network_id)
  if (network !== undefined) touch(region, network)
}

function cidrOf(fields: Fields): Cidr {
  if (isGiven(fields.cidr) && isGiven(fields.prefixlen)) {
    throw badRequest('subnets', 'cidr and prefixlen must not be supplied together')
  }
  if (isGiven(fields.subnetpool_id)) {
    const message = `Subnet pool ${fields.subnetpool_id} could not be found.`
    throw refusal(404, 'SubnetPoolNotFound', message)
  }
  if (fields.use_default_subnetpool === true) {
    throw badRequest('subnets', `No default subnetpool found for IPv${fields.ip_version}`)
  }
  const cidr = readCidr(fields.cidr)
  if (cidr !== null) return cidr
  throw badRequest('subnets', 'a subnetpool must be specified in the absence of a cidr')
}

/** The gateway's address: the given one, none where it is null, else the first host address. */
function gatewayOf({ gateway_ip }: Fields, cidr: Cidr): string | null {
  if (gateway_ip !== undefined) return gateway_ip as string | null
  const value = cidr.version === 4 ? cidr.first + 1n : cidr.first
  const gateway = writeAddress({ version: cidr.version, value })
  if (cidr.version === 4 && cidr.prefix === 31) {
    const message = `Gateway IP ${gateway} cannot be allocated in CIDR ${writeCidr(cidr)}`
    throw refusal(409, 'IpamValueInvalid', message)
  }
  return gateway
}

function poolsOf(fields: Fields, cidr: Cidr, text: string, gateway: string | null): Pool[] {
  const asked = fields.allocation_pools as Pool[] | undefined
  if (asked === undefined || asked.length === 0) return defaultPools(cidr, gateway)
  const given = readPools(asked, cidr, text)
  refuseGatewayInPools(gateway, given)
  return given
}
