// A project's bridge: the network on which the copies of its spanning routers meet, and each copy's address there.

import type { App, Transaction } from '../../app.ts'
import { ownCaller } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import {
  type Cidr,
  formatAddress,
  formatCidr,
  hostRange,
  nthSubnet,
  parseCidr,
} from '../addresses/address.ts'
import { holdOne } from '../addresses/blocks.ts'
import type { AllocationPool, Network, Subnet, Written } from '../model/model.ts'
import type { Holding } from '../model/network-store.ts'
import { all } from '../model/query.ts'
import { born } from '../model/writing.ts'
import { segmentFor } from './segments.ts'

export interface Bridge {
  readonly network: Network
  readonly subnet: Subnet
  /** Null until a router of the project has an IPv6 subnet. */
  readonly subnet6: Subnet | null
}

/**
 * The project's bridge, with an IPv6 subnet where that is needed; makes what is missing. Throws `conflict`
 * (`no_segments`).
 */
export async function bridgeOf(app: App, projectId: string, needs6: boolean): Promise<Bridge> {
  const isEnough = (bridge: Bridge | null): boolean => bridge !== null && (!needs6 || bridge.subnet6 !== null)
  const known = await findBridge(app, projectId)
  if (known && isEnough(known)) return known
  const owner = await app.cloud.ownProject()
  try {
    await app.store.transact(async tx => {
      const networkId = known?.network.id ?? (await makeNetwork(app, tx, projectId, owner))
      // The network's row is locked, since another transaction may be about to make the same subnet.
      const now = await tx.networks.lock('network', networkId)
      const subnets = await tx.networks.getMany('subnet', now?.subnetIds ?? [])
      for (const version of needs6 ? ([4, 6] as const) : ([4] as const)) {
        if (!subnets.some(({ ipVersion }) => ipVersion === version))
          await makeSubnet(app, tx, { projectId, owner, networkId, version })
      }
    })
  } catch (error) {
    // Another transaction has made the bridge first: that is the one to use.
    if (!isEnough(await findBridge(app, projectId))) throw error
  }
  return (await findBridge(app, projectId))!
}

/** The project's bridge; null where it has none yet. */
export async function findBridge(app: Pick<App, 'store'>, projectId: string): Promise<Bridge | null> {
  const [network] = await all(app.store, 'network', { field: 'bridgeOf', in: [projectId] })
  if (!network) return null
  return asBridge(network, await app.store.networks.getMany('subnet', network.subnetIds))
}

export function asBridge(network: Network, subnets: readonly Subnet[]): Bridge | null {
  const of = (version: number) => subnets.find(({ ipVersion }) => ipVersion === version) ?? null
  const subnet = of(4)
  return subnet && { network, subnet, subnet6: of(6) }
}

const noteOfBridge = (app: App) => noteOf(app, ownCaller(`req-${app.newId()}`), 'bridge.create')

async function makeNetwork(app: App, tx: Transaction, projectId: string, owner: string): Promise<string> {
  const id = app.newId()
  const network: Written<'network'> = {
    ...born(app),
    ...(await segmentFor(app, tx, id, {})),
    id,
    projectId: owner,
    description: '',
    name: `bridge_net_${projectId}`,
    adminStateUp: true,
    shared: false,
    external: true,
    mtu: app.networkRules.mtu,
    portSecurityEnabled: false,
    dnsDomain: '',
    zoneHints: [],
    bridgeOf: projectId,
    deleting: false,
  }
  await tx.networks.insert('network', network, noteOfBridge(app))
  return id
}

interface NewSubnet {
  readonly projectId: string
  readonly owner: string
  readonly networkId: string
  readonly version: 4 | 6
}

async function makeSubnet(
  app: App,
  tx: Transaction,
  { projectId, owner, networkId, version }: NewSubnet,
): Promise<void> {
  const cidr = await freeCidr(app, tx, networkId, version)
  const subnet: Written<'subnet'> = {
    ...born(app),
    id: app.newId(),
    projectId: owner,
    description: '',
    networkId,
    name: `bridge_subnet_${projectId}`,
    ipVersion: version,
    cidr: formatCidr(cidr),
    gatewayIp: null,
    enableDhcp: false,
    allocationPools: [poolOf(cidr)],
    dnsNameservers: [],
    hostRoutes: [],
    ipv6AddressMode: null,
    ipv6RaMode: null,
  }
  await tx.networks.insert('subnet', subnet, noteOfBridge(app))
}

/** The most bridges that one range of addresses is divided among. */
const mostParts = 2 ** 24

/**
 * The project's part of the bridges' range; its number is kept as a segment is, so that each is taken once,
 * by one bridge.
 */
async function freeCidr(app: App, tx: Transaction, networkId: string, version: 4 | 6): Promise<Cidr> {
  const { bridge } = app.networkRules
  const [text, bits] = version === 4 ? [bridge.cidr, bridge.bits] : [bridge.cidr6, 64]
  const range = parseCidr(text)!
  const number = await tx.networks.takeSegment({
    networkId,
    networkType: 'bridge-subnet',
    physicalNetwork: text,
    from: 0,
    to: Math.min(2 ** (bits - range.bits), mostParts) - 1,
  })
  const free = number === null ? null : nthSubnet(range, bits, BigInt(number))
  if (!free)
    throw conflict(`All /${bits} networks of ${text} are taken: widen networking.bridge_cidr`, 'no_segments')
  return free
}

/**
 * All addresses of a bridge's subnet but the last: Atoll gives them to routers' legs, and the last one is all
 * that a region's own copy may give.
 */
function poolOf(cidr: Cidr): AllocationPool {
  const { version, first, last } = hostRange(cidr)
  return {
    start: formatAddress({ version, value: first }),
    end: formatAddress({ version, value: last - 1n }),
  }
}

/**
 * The allocation pools of a region's copy of a bridge's subnet: one address, since Neutron takes no empty
 * list at creation.
 */
export function copyPools({ cidr }: Subnet): AllocationPool[] {
  const { version, last } = hostRange(parseCidr(cidr)!)
  const end = formatAddress({ version, value: last })
  return [{ start: end, end }]
}

/**
 * The address of a router's copy on the bridge: the first one where the router has its way out (if it is free), else
 * any other; `held` are the legs that there are in the bridge's subnet. Throws `conflict` (`no_addresses`).
 */
export async function bridgeAddress(
  app: Pick<App, 'store'>,
  subnet: Subnet,
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
    const address = await holdOne(app, [{ start: first, end: first }], holding)
    if (address !== null) return address
  }
  const others = [{ start: secondOf(subnet), end: pool!.end }]
  const address = await holdOne(app, others, holding)
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
