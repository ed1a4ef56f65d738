// The verbs of subnets. On a network that lives in one region the region gives the addresses; on one that spans regions
// Atoll does, and each region has a block of its own.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict, invalid } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import {
  type Cidr,
  contains,
  defaultPools,
  encloses,
  formatAddress,
  formatCidr,
  formatPool,
  hostRange,
  networkOf,
  overlap,
  parseAddress,
  parseCidr,
  parsePool,
  poolContains,
  poolsOverlap,
} from '../addresses/address.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { RegionSubnet, ThingSpec } from '../copies/region-rows.ts'
import { noteLeft } from '../copies/spanning.ts'
import { ownerOf } from '../model/device-owner.ts'
import type { AllocationPool, Change, Network, Subnet, Written } from '../model/model.ts'
import { some } from '../model/query.ts'
import { getOwn, getResource } from '../model/read.ts'
import type { RemovalAsk, SubnetChange, SubnetSpec, UpdateAsk } from '../model/specs.ts'
import { allowedBy, homeOf, regionNamed, regionsOf } from '../model/where.ts'
import { born, checkRevision, type FollowUp, follow, jobsWhereIs } from '../model/writing.ts'
import { atHome } from '../writes/at-home.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import type { Target } from '../writes/one-writer.ts'
import { type Removing, removal, removeAgain } from '../writes/removal.ts'

/**
 * The new subnet. Throws `not_found` (`network`), `invalid` (`cidr`, `gateway`, `pools`, `overlapping_subnets`,
 * `too_many_servers`, `too_many_routes`), `conflict` (`over_quota`, `gateway_conflict`), and `upstream`.
 */
export async function createSubnet(app: App, caller: Caller, spec: SubnetSpec): Promise<Subnet> {
  const network = await getOwn(app, caller, { kind: 'network', id: spec.networkId })
  const cidr = checkedCidr(spec)
  const gatewayIp = gatewayOf(spec, cidr)
  const siblings = await app.store.networks.getMany('subnet', network.subnetIds)
  checkOverlap(cidr, siblings)
  checkRanges(cidr, gatewayIp, spec.allocationPools)
  const regions = await regionsOf(app.store)
  checkCounts(app, network, regions, spec)
  const asked = { ...spec, cidr: formatCidr(cidr) }
  const home = homeOf(network, regions)
  const allocationPools = spec.allocationPools ?? poolsOf(cidr, gatewayIp)
  const id = home
    ? await createAtHome(app, caller, asked, home)
    : await createSpanning(app, caller, network, { ...asked, gatewayIp, allocationPools })
  return (await app.store.networks.get('subnet', id, null))!
}

function checkedCidr({ cidr: text, ipVersion }: SubnetSpec): Cidr {
  const cidr = parseCidr(text)
  if (!cidr) throw invalid(`'${text}' is not a valid IP subnet`, 'cidr')
  if (cidr.version !== ipVersion)
    throw invalid(`cidr '${text}' does not match the ip_version '${ipVersion}'`, 'cidr')
  const network = networkOf(cidr)
  if (network.bits === 0) throw invalid('0 is not allowed as CIDR prefix length', 'cidr')
  return network
}

/**
 * The gateway that is asked for, the first address where the request names none, null where it asks for no
 * gateway.
 */
function gatewayOf({ gatewayIp }: SubnetSpec | SubnetChange, cidr: Cidr): string | null {
  if (gatewayIp === null) return null
  if (gatewayIp === undefined) return formatAddress({ version: cidr.version, value: hostRange(cidr).first })
  const address = parseAddress(gatewayIp)
  // A link-local address may be the gateway of an IPv6 subnet although it is outside the CIDR.
  const isLinkLocal = address?.version === 6 && /^fe80:/i.test(gatewayIp)
  if (!address || address.version !== cidr.version || !(contains(cidr, address) || isLinkLocal))
    throw invalid(`Gateway ${gatewayIp} is not an address of ${formatCidr(cidr)}`, 'gateway')
  return formatAddress(address)
}

function checkOverlap(cidr: Cidr, siblings: readonly Subnet[]): void {
  const other = siblings.find(sibling => overlap(parseCidr(sibling.cidr)!, cidr))
  if (!other) return
  throw invalid(
    `Requested subnet with cidr: ${formatCidr(cidr)} for network: ${other.networkId} overlaps with another subnet: ${other.id} (${other.cidr})`,
    'overlapping_subnets',
  )
}

const poolsOf = (cidr: Cidr, gatewayIp: string | null): AllocationPool[] =>
  defaultPools(cidr, gatewayIp === null ? null : parseAddress(gatewayIp)).map(formatPool)

function checkRanges(
  cidr: Cidr,
  gatewayIp: string | null,
  given: readonly AllocationPool[] | undefined,
): void {
  if (given === undefined) return
  const pools = given.map(pool => {
    const range = parsePool(pool)
    if (!range) throw invalid(`The allocation pool ${pool.start}-${pool.end} is not valid`, 'pools')
    if (range.version !== cidr.version || !encloses(hostRange(cidr), range))
      throw invalid(
        `The allocation pool ${pool.start}-${pool.end} spans beyond the subnet cidr ${formatCidr(cidr)}`,
        'pools',
      )
    return range
  })
  if (poolsOverlap(pools)) throw conflict('Found overlapping allocation pools', 'pools_overlap')
  if (gatewayIp !== null && poolContains(pools, parseAddress(gatewayIp)!))
    throw conflict(`Gateway ip ${gatewayIp} conflicts with allocation pool`, 'gateway_conflict')
}

const mostServers = 5

function checkCounts(
  app: App,
  network: Network,
  regions: readonly Region[],
  { dnsNameservers = [], hostRoutes = [] }: SubnetSpec | SubnetChange,
): void {
  if (dnsNameservers.length > mostServers)
    throw invalid(
      `A subnet has at most ${mostServers} name servers, not ${dnsNameservers.length}`,
      'too_many_servers',
    )
  if (hostRoutes.length === 0) return
  const mostRoutes = mostHostRoutes(app, network, regions)
  if (hostRoutes.length > mostRoutes)
    throw invalid(
      `A subnet has at most ${mostRoutes} host routes, not ${hostRoutes.length}`,
      'too_many_routes',
    )
}

/**
 * As many host routes as every region takes in which the network may be: a longer list is refused here,
 * before a region would refuse it.
 */
function mostHostRoutes(app: App, network: Network, regions: readonly Region[]): number {
  const home = homeOf(network, regions)
  const allowed = home ? [home] : allowedBy(network.zoneHints, regions)
  const names = allowed.length === 0 ? [''] : allowed.map(({ name }) => name)
  return Math.min(...names.map(name => app.networkRules.limitsOf(name).hostRoutes))
}

function createAtHome(app: App, caller: Caller, spec: SubnetSpec, region: Region): Promise<string> {
  const { ipv6AddressMode, ipv6RaMode, ...given } = spec
  const modes = { ...(ipv6AddressMode && { ipv6AddressMode }), ...(ipv6RaMode && { ipv6RaMode }) }
  return adopt(app, caller, {
    region,
    kind: 'subnet',
    // A network that lives in one region has the same id there.
    spec: { ...given, ...modes } as ThingSpec<'subnet'>,
    where: { networkId: spec.networkId },
    write: (made, intentId) =>
      app.store.transact(async tx => {
        await insert(app, caller, tx, { ...spec, ...rangesOf(made), id: made.id })
        const place = { kind: 'subnet', centralId: made.id, projectId: spec.projectId, regionalId: made.id }
        await noteMade(app, tx, intentId, { ...place, regionId: region.id })
        return made.id
      }),
  })
}

/** The ranges and the gateway that the region has chosen where the request named none. */
const rangesOf = ({ cidr, gatewayIp, allocationPools }: RegionSubnet) => ({
  cidr,
  gatewayIp,
  allocationPools,
})

type Inserted = SubnetSpec & Pick<Subnet, 'gatewayIp' | 'allocationPools'>

async function createSpanning(app: App, caller: Caller, network: Network, spec: Inserted): Promise<string> {
  const id = app.newId()
  const regions = await regionsOf(app.store)
  await app.store.transact(async tx => {
    const now = await tx.networks.lock('network', network.id)
    checkOverlap(parseCidr(spec.cidr)!, await tx.networks.getMany('subnet', now?.subnetIds ?? []))
    await insert(app, caller, tx, { ...spec, id })
    await follow(app, caller, tx, poolJobs(network, regions))
  })
  return id
}

/** The jobs that give a network's copies the subnets that they lack, and the pools that are their blocks. */
const poolJobs = (network: Network, regions: readonly Region[]): FollowUp[] =>
  jobsWhereIs(network, regions, 'shadow_port_setup', { network_id: network.id })

async function insert(
  app: App,
  caller: Caller,
  tx: Transaction,
  spec: Inserted & { readonly id: string },
): Promise<void> {
  await tx.networks.quota('subnet', spec.projectId, 1, app.networkRules.quotas.subnet)
  const row: Written<'subnet'> = { ...spec, ...born(app) }
  await tx.networks.insert('subnet', row, noteOf(app, caller, 'subnet.create'))
}

/**
 * The changed subnet. On a network at home the region is told first, on a spanning one the regions follow by
 * jobs. Throws as `createSubnet`, and `conflict` (`revision`).
 */
export async function updateSubnet(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<SubnetChange>,
): Promise<Subnet> {
  const subnet = await getOwn(app, caller, { kind: 'subnet', id })
  checkRevision('subnet', subnet, ifRevision)
  const cidr = parseCidr(subnet.cidr)!
  const gatewayIp = change.gatewayIp === undefined ? subnet.gatewayIp : gatewayOf(change, cidr)
  checkRanges(cidr, gatewayIp, change.allocationPools ?? subnet.allocationPools)
  const network = await getResource(app, caller, { kind: 'network', id: subnet.networkId })
  const regions = await regionsOf(app.store)
  checkCounts(app, network, regions, change)
  const set = { ...change, ...(change.gatewayIp === undefined ? {} : { gatewayIp }) }
  const home = homeOf(network, regions)
  if (home) await updateAtHome(app, caller, home, { id, change: set, kind: 'subnet', ifRevision })
  else await updateSpanning(app, caller, { id, change: set, kind: 'subnet', ifRevision })
  return (await app.store.networks.get('subnet', id, null))!
}

type SubnetUpdate = Target<'subnet'> & { readonly change: SubnetChange }

/** Changes a subnet in the model; its regions follow by jobs. */
const updateSpanning = (app: App, caller: Caller, { change, ...target }: SubnetUpdate): Promise<void> =>
  inModel(app, caller, {
    endLeft: endLeftSubnet,
    ...target,
    async write(tx, subnet) {
      const note = noteOf(app, caller, 'subnet.update')
      await tx.networks.update('subnet', subnet.id, change as Change<'subnet'>, note)
      await follow(app, caller, tx, pushJobs(subnet, await regionsOf(tx)))
    },
  })

const pushJobs = (subnet: Subnet, regions: readonly Region[]): FollowUp[] =>
  jobsWhereIs(subnet, regions, 'subnet_update', { subnet_id: subnet.id })

function updateAtHome(
  app: App,
  caller: Caller,
  region: Region,
  { change, ...target }: SubnetUpdate,
): Promise<void> {
  // The description bears the mark in the region: a job brings it there.
  const { description, ...told } = change
  const networking = app.cloud.networking(region.name, caller.requestId)
  return atHome(app, caller, {
    ...target,
    region,
    verb: 'update',
    ask: ({ id }) =>
      Object.keys(told).length === 0
        ? networking.get('subnet', id)
        : networking.update('subnet', id, told as ThingSpec<'subnet'>),
    async write(tx, subnet, made) {
      const set = { ...change, ...(made && mirrored(made)) } as Change<'subnet'>
      await tx.networks.update('subnet', subnet.id, set, noteOf(app, caller, 'subnet.update'))
      if (description !== undefined) await follow(app, caller, tx, pushJobs(subnet, await regionsOf(tx)))
    },
    endLeft: endLeftSubnet,
  })
}

/** The fields of a region's subnet that may change, in the model's terms. */
const mirrored = (made: RegionSubnet): SubnetChange => {
  const { name, gatewayIp, allocationPools, enableDhcp, dnsNameservers, hostRoutes } = made
  return { name, gatewayIp, allocationPools, enableDhcp, dnsNameservers, hostRoutes }
}

const removing: Removing<'subnet'> = { kind: 'subnet', removeThere: removeCopies, letGo }

/** Ends what a writer of a subnet has begun and left. */
export const endLeftSubnet = endLeftBy<'subnet'>({
  kind: 'subnet',
  async mirror(app, caller, { id, places: [place] }) {
    const made = place && (await app.cloud.networking(place.region, caller.requestId).get('subnet', place.id))
    if (!made) return
    const note = noteOf(app, caller, 'subnet.watch')
    await app.store.transact(tx => tx.networks.update('subnet', id, mirrored(made) as Change<'subnet'>, note))
  },
  remove: removeAgain(removing),
})

/**
 * Removes a subnet from its regions first, then from the model. Throws `not_found`, `conflict`
 * (`subnet_in_use`, `revision`), `upstream`.
 */
export async function removeSubnet(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const subnet = await getOwn(app, caller, { kind: 'subnet', id })
  checkRevision('subnet', subnet, ifRevision)
  const ports = await some(app.store, 'port', 6, { fixedIp: 'subnetId', in: [id] })
  const inUse = ports.filter(port => ownerOf(port) !== 'dhcp')
  if (inUse.length > 0) {
    throw conflict(
      `Unable to complete operation on subnet ${id}: one or more ports have an IP allocation from this subnet: ${inUse.map(port => port.id).join(', ')}`,
      'subnet_in_use',
    )
  }
  await removal(app, caller, { ...removing, row: subnet, ifRevision, endLeft: endLeftSubnet })
}

async function removeCopies(app: App, caller: Caller, { id, places }: Subnet): Promise<void> {
  const regions = await regionsOf(app.store)
  for (const { region, id: regionalId } of places) {
    await app.cloud.networking(region, caller.requestId).remove('subnet', regionalId)
    // The next region may refuse: then this one has no copy any more.
    const left = { networkId: null, subnetIds: [id] }
    if (places.length > 1) await noteLeft(app, regionNamed(region, regions), left)
  }
}

async function letGo(app: App, caller: Caller, tx: Transaction, { id }: Subnet): Promise<void> {
  await tx.networks.remove('subnet', id, noteOf(app, caller, 'subnet.remove'))
}
