// A project's bridge: the network on which the copies of its spanning routers meet, and each copy's address there.

import { ownCaller } from '../caller.ts'
import { conflict } from '../error.ts'
import { noteOf } from '../note.ts'
import type { App, Transaction } from '../ports.ts'
import type { Region } from '../regions/region.ts'
import { type Cidr, formatAddress, formatCidr, hostRange, nthSubnet, parseCidr } from './address.ts'
import type { Network, Pool, Subnet, Written } from './model.ts'
import type { Holding } from './network-store.ts'
import { segmentFor } from './networks.ts'
import { all } from './query.ts'
import { born } from './writing.ts'

export interface Bridge {
  readonly network: Network
  readonly subnet: Subnet
}

/** The project's bridge, made where there is none yet. Throws `conflict` (`no_segments`). */
export async function bridgeOf(app: App, projectId: string): Promise<Bridge> {
  const known = await findBridge(app, projectId)
  if (known) return known
  const owner = await app.cloud.ownProject()
  try {
    await app.store.transact(tx => make(app, tx, projectId, owner))
  } catch (error) {
    // Somebody else was first.
    if (!(await findBridge(app, projectId))) throw error
  }
  return (await findBridge(app, projectId))!
}

/** Null where the project has none. */
export async function findBridge(app: App, projectId: string): Promise<Bridge | null> {
  const [network] = await all(app.store, 'network', { field: 'bridgeOf', in: [projectId] })
  if (!network) return null
  const [subnet] = await app.store.networks.getMany('subnet', network.subnetIds)
  return subnet ? { network, subnet } : null
}

async function make(app: App, tx: Transaction, projectId: string, owner: string): Promise<void> {
  const { mtu } = app.networkRules
  const note = noteOf(app, ownCaller(`req-${app.newId()}`), 'bridge.create')
  const id = app.newId()
  const cidr = await freeCidr(app, tx, id)
  const segment = await segmentFor(app, tx, id, {})
  const standard = { ...born(app), projectId: owner, description: '' }
  const network: Written<'network'> = {
    ...standard,
    ...segment,
    id,
    name: `bridge_net_${projectId}`,
    adminStateUp: true,
    shared: false,
    external: true,
    mtu,
    portSecurityEnabled: false,
    dnsDomain: '',
    zoneHints: [],
    bridgeOf: projectId,
    deleting: false,
  }
  const subnet: Written<'subnet'> = {
    ...standard,
    id: app.newId(),
    networkId: id,
    name: `bridge_subnet_${projectId}`,
    ipVersion: cidr.version,
    cidr: formatCidr(cidr),
    gatewayIp: null,
    enableDhcp: false,
    allocationPools: [poolOf(cidr)],
    dnsNameservers: [],
    hostRoutes: [],
    ipv6AddressMode: null,
    ipv6RaMode: null,
  }
  await tx.networks.insert('network', network, note)
  await tx.networks.insert('subnet', subnet, note)
}

/** The number of the project's part of the range is kept as a segment is: each is taken once. */
async function freeCidr(app: App, tx: Transaction, networkId: string): Promise<Cidr> {
  const { cidr, bits } = app.networkRules.bridge
  const range = parseCidr(cidr)!
  const number = await tx.networks.takeSegment({
    networkId,
    networkType: 'bridge-subnet',
    physicalNetwork: cidr,
    from: 0,
    to: 2 ** (bits - range.bits) - 1,
  })
  const free = number === null ? null : nthSubnet(range, bits, BigInt(number))
  if (!free)
    throw conflict(`All /${bits} networks of ${cidr} are taken: widen networking.bridge_cidr`, 'no_segments')
  return free
}

/** All addresses but the last: that one is all that a region's own copy may give to anyone. */
function poolOf(cidr: Cidr): Pool {
  const { version, first, last } = hostRange(cidr)
  return {
    start: formatAddress({ version, value: first }),
    end: formatAddress({ version, value: last - 1n }),
  }
}

/** The pools of a region's copy: Neutron takes no empty list at its making. */
export function copyPools({ cidr }: Subnet): Pool[] {
  const { version, last } = hostRange(parseCidr(cidr)!)
  const end = formatAddress({ version, value: last })
  return [{ start: end, end }]
}

/**
 * The address of a router's copy on the bridge: the first one where the router has its way out (if it is free), else
 * any other; `held` are the legs that there are. Throws `conflict` (`no_addresses`).
 */
export async function bridgeAddress(
  app: App,
  { subnet }: Bridge,
  held: readonly Holding[],
  { routerId, region, isExit }: { routerId: string; region: Region; isExit: boolean },
): Promise<string> {
  const holder = `${routerId}/${region.id}`
  const mine = held.find(one => one.holder === holder)
  if (mine) return mine.start
  const [pool] = subnet.allocationPools
  const first = pool!.start
  const holding = { subnetId: subnet.id, scope: 'central', purpose: 'leg', holder } as const
  if (isExit && !held.some(one => one.start === first)) {
    await app.store.transact(tx => tx.networks.hold({ ...holding, start: first, end: first }))
    return first
  }
  const others = [{ start: secondOf(subnet), end: pool!.end }]
  const address = await app.store.transact(tx => tx.networks.holdAny(others, holding))
  if (address === null)
    throw conflict(
      `The bridge ${subnet.cidr} has no free address left: set networking.bridge_bits lower`,
      'no_addresses',
    )
  return address
}

function secondOf({ cidr }: Subnet): string {
  const { version, first } = hostRange(parseCidr(cidr)!)
  return formatAddress({ version, value: first + 1n })
}
