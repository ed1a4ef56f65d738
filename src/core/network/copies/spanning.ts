// The copies of a network that spans regions: made in a region when the first thing is placed there, each subnet with a
// block of addresses of its own and a gateway of its own.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import { blocksFor, gatewayFor } from '../addresses/blocks.ts'
import { idIn, type Network, type Place, type Subnet } from '../model/model.ts'
import { hintsIn } from '../model/where.ts'
import { copyPools } from './bridge.ts'
import { endDead, makerOf, realise } from './realise.ts'
import type { RegionNetworking, ThingSpec } from './region-rows.ts'

/** A network as one region has it. */
export interface LocalNetwork {
  readonly id: string
  /** The region's ids of its subnets, by their central ids. */
  readonly subnetIds: ReadonlyMap<string, string>
  /** True when a copy of the network or of a subnet had to be made. */
  readonly isNew: boolean
}

/** As `idIn`, for a region instead of its name. */
export const regionalIdIn = (row: { readonly places: readonly Place[] }, region: Region): string | null =>
  idIn(row, region.name)

/**
 * The region's copy of a network, by the model's places; null when the network or one of its subnets has no
 * copy there.
 */
export function copyIn(network: Network, subnets: readonly Subnet[], region: Region): LocalNetwork | null {
  const id = regionalIdIn(network, region)
  const subnetIds = subnets.map(subnet => [subnet.id, regionalIdIn(subnet, region)] as const)
  if (id === null || subnetIds.some(([, regional]) => regional === null)) return null
  return { id, subnetIds: new Map(subnetIds as [string, string][]), isNew: false }
}

/**
 * The network in a region, with all its subnets; makes copies that are missing, and calls the region only for
 * these. Throws `conflict` (`network_in_use`) for a network that is being removed, and as the region refuses.
 */
export async function ensureNetwork(
  app: App,
  caller: Pick<Caller, 'requestId'>,
  network: Network,
  region: Region,
): Promise<LocalNetwork> {
  const subnets = await app.store.networks.getMany('subnet', network.subnetIds)
  const there = copyIn(network, subnets, region)
  if (there) return there
  if (network.deleting) throw conflict(`The network ${network.id} is being removed`, 'network_in_use')
  const networking = app.cloud.networking(region.name, caller.requestId)
  const id = regionalIdIn(network, region) ?? (await makeNetwork(app, networking, network, region))
  const subnetIds = new Map<string, string>()
  for (const subnet of subnets) {
    const regionalId =
      regionalIdIn(subnet, region) ?? (await makeSubnet(app, networking, subnet, network, id, region))
    subnetIds.set(subnet.id, regionalId)
  }
  return { id, subnetIds, isNew: true }
}

async function makeNetwork(
  app: App,
  networking: RegionNetworking,
  network: Network,
  region: Region,
): Promise<string> {
  const spec = await copyOf(app, network, region)
  await endDead({ app, region, networking }, await app.store.intents.living(region.name, [network.id]))
  const { id } = await realise(
    app,
    { region: region.name, resourceType: 'network', purpose: network.id, owner: network.id },
    makerOf(networking, 'network', spec, { projectId: spec.projectId! }),
  )
  await note(app, networking, {
    kind: 'network',
    row: network,
    networkId: network.id,
    region,
    regionalId: id,
  })
  return id
}

/**
 * The spec of a network's copy. A bridge belongs to the service's project, and is external since routers have
 * their gateways on it.
 */
export async function copyOf(
  app: Pick<App, 'cloud'>,
  network: Network,
  region: Region,
): Promise<ThingSpec<'network'>> {
  const isBridge = network.bridgeOf !== null
  return {
    projectId: isBridge ? await app.cloud.ownProject() : network.projectId,
    name: network.name,
    description: network.description,
    adminStateUp: network.adminStateUp,
    shared: network.shared,
    external: isBridge,
    mtu: network.mtu,
    networkType: network.networkType,
    ...(network.physicalNetwork === null ? {} : { physicalNetwork: network.physicalNetwork }),
    ...(network.segmentationId === null ? {} : { segmentationId: network.segmentationId }),
    portSecurityEnabled: network.portSecurityEnabled,
    availabilityZoneHints: hintsIn(region),
  }
}

async function makeSubnet(
  app: App,
  networking: RegionNetworking,
  subnet: Subnet,
  network: Network,
  networkId: string,
  region: Region,
): Promise<string> {
  const isBridge = network.bridgeOf !== null
  const ranges = isBridge
    ? { gatewayIp: null, allocationPools: copyPools(subnet) }
    : {
        gatewayIp: await gatewayFor(app, subnet, region),
        allocationPools: await blocksFor(app, subnet, region),
      }
  // An empty list of pools would mean to Neutron: all addresses.
  if (ranges.allocationPools.length === 0)
    throw conflict(`The subnet ${subnet.id} (${subnet.cidr}) has no free address left`, 'no_addresses')
  const spec: ThingSpec<'subnet'> = {
    projectId: isBridge ? await app.cloud.ownProject() : subnet.projectId,
    networkId,
    name: subnet.name,
    description: subnet.description,
    ipVersion: subnet.ipVersion,
    cidr: subnet.cidr,
    enableDhcp: subnet.enableDhcp,
    dnsNameservers: subnet.dnsNameservers,
    hostRoutes: subnet.hostRoutes,
    ...modes(subnet),
    ...ranges,
  }
  await endDead({ app, region, networking }, await app.store.intents.living(region.name, [subnet.id]))
  const { id } = await realise(
    app,
    { region: region.name, resourceType: 'subnet', purpose: subnet.id, owner: subnet.id },
    makerOf(networking, 'subnet', spec, { networkId }),
  )
  await note(app, networking, { kind: 'subnet', row: subnet, networkId: network.id, region, regionalId: id })
  return id
}

/** The IPv6 modes of a subnet's copy: Neutron takes them for IPv6 only, and takes no null. */
const modes = ({ ipv6AddressMode, ipv6RaMode }: Subnet): Partial<ThingSpec<'subnet'>> => ({
  ...(ipv6AddressMode === null ? {} : { ipv6AddressMode }),
  ...(ipv6RaMode === null ? {} : { ipv6RaMode }),
})

/**
 * Notes the place of a copy that was made. Throws `conflict` (`network_in_use`) where the removal of its
 * network has begun in the meantime, and removes the copy again.
 */
async function note(
  app: App,
  networking: RegionNetworking,
  { kind, row, networkId, region, regionalId }: Copy,
): Promise<void> {
  const { id, projectId } = row
  const isKept = await app.store.transact(async tx => {
    const network = await tx.networks.lock('network', networkId)
    if (!network || network.deleting) return false
    const place = { kind, centralId: id, projectId, regionId: region.id, regionalId, at: app.now() }
    await tx.networks.place(place)
    return true
  })
  if (isKept) return
  await networking.remove(kind, regionalId)
  for (const intent of await app.store.intents.living(region.name, [id]))
    await app.store.intents.end(intent.id, 'verb', app.now())
  throw conflict(`The network ${networkId} is being removed`, 'network_in_use')
}

/** A network whose copy goes with its subnets', or single subnets. */
export interface LeavingCopies {
  readonly networkId: string | null
  readonly subnetIds: readonly string[]
}

/**
 * Ends the intents of copies that were removed from a region by a verb, and removes their places: they may be
 * made there again.
 */
export async function noteLeft(
  app: Pick<App, 'store' | 'now'>,
  region: Region,
  { networkId, subnetIds }: LeavingCopies,
): Promise<void> {
  const networkIds = networkId === null ? [] : [networkId]
  const intents = await app.store.intents.living(region.name, [...networkIds, ...subnetIds])
  await app.store.transact(async tx => {
    for (const intent of intents) await tx.intents.end(intent.id, 'verb', app.now())
    for (const id of networkIds) await tx.networks.unplace('network', id, region.id)
    for (const id of subnetIds) await tx.networks.unplace('subnet', id, region.id)
  })
}

interface Copy {
  readonly kind: 'network' | 'subnet'
  readonly row: Network | Subnet
  /** The central id of the network. */
  readonly networkId: string
  readonly region: Region
  readonly regionalId: string
}
