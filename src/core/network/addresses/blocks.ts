// Blocks of a spanning subnet: each region gives the addresses of its own blocks, Atoll all others.

import type { App, Transaction } from '../../app.ts'
import { conflict } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { AllocationPool, Subnet } from '../model/model.ts'
import type { Holding } from '../model/network-store.ts'
import { allowedBy, regionsOf } from '../model/where.ts'
import {
  type AddressRange,
  formatPool,
  parseAddress,
  parsePool,
  poolContains,
  poolSize,
  single,
  subtractRanges,
  takeBlocks,
} from './address.ts'

/** The most addresses that a region is given at a time, in blocks of one subnet. */
const mostAtOnce = 256n

const rangeOf = (pool: AllocationPool): AddressRange => parsePool(pool)!

/**
 * The region's blocks in the subnet, which are its copy's allocation pools. A region that has none gets some.
 */
export function blocksFor(
  app: Pick<App, 'store'>,
  subnet: Subnet,
  region: Region,
): Promise<AllocationPool[]> {
  return changeBlocks(app, subnet, region, (mine, free, share) =>
    mine.length > 0 ? mine : [...mine, ...takeBlocks(free, [], share)],
  )
}

/**
 * The region's blocks after one more was added, since it has given all addresses of those that it had. Null
 * where the subnet has no addresses left.
 */
export async function moreBlocksFor(
  app: Pick<App, 'store'>,
  subnet: Subnet,
  region: Region,
): Promise<AllocationPool[] | null> {
  let added = 0n
  const blocks = await changeBlocks(app, subnet, region, (mine, free, share) => {
    const more = takeBlocks(free, [], share)
    added = poolSize(more)
    return [...mine, ...more]
  })
  return added > 0n ? blocks : null
}

/**
 * The region's blocks with one more where half of what it has is given; null where there is room, or where the subnet has
 * none left to give.
 */
export async function topUp(
  app: Pick<App, 'store'>,
  subnet: Subnet,
  region: Region,
): Promise<AllocationPool[] | null> {
  const held = await app.store.networks.holdings(subnet.id)
  const mine = held.filter(one => one.purpose === 'block' && one.scope === region.id).map(rangeOf)
  const given = held.filter(one => one.purpose !== 'block').map(rangeOf)
  const spare = poolSize(subtractRanges(mine, given))
  if (mine.length === 0 || spare * 2n > poolSize(mine)) return null
  return moreBlocksFor(app, subnet, region)
}

type Choice = (
  mine: readonly AddressRange[],
  free: readonly AddressRange[],
  share: bigint,
) => readonly AddressRange[]

async function changeBlocks(
  app: Pick<App, 'store'>,
  subnet: Subnet,
  region: Region,
  choose: Choice,
): Promise<AllocationPool[]> {
  const regions = await regionCount(app, subnet)
  return app.store.transact(async tx => {
    await tx.networks.lockBlocks(subnet.id)
    const held = await tx.networks.holdings(subnet.id)
    const mine = held.filter(one => one.purpose === 'block' && one.scope === region.id).map(rangeOf)
    const free = subtractRanges(subnet.allocationPools.map(rangeOf), held.map(rangeOf))
    const share = least(mostAtOnce, poolSize(free) / BigInt(2 * regions))
    const blocks = choose(mine, free, share > 0n ? share : 1n).map(formatPool)
    await tx.networks.setBlocks(subnet.id, region.id, blocks)
    return blocks
  })
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** How many regions may come to have a copy of the subnet. */
async function regionCount(app: Pick<App, 'store'>, { networkId }: Subnet): Promise<number> {
  const network = await app.store.networks.get('network', networkId, 'atoll')
  const regions = await regionsOf(app.store)
  return Math.max(1, network ? allowedBy(network.zoneHints, regions).length : regions.length)
}

/**
 * The region's own gateway address in a subnet: on one layer 2 no two routers may have the same, so it never is the
 * subnet's. Null where the subnet has none. Throws `conflict` (`no_addresses`).
 */
export async function gatewayFor(
  app: Pick<App, 'store'>,
  subnet: Subnet,
  region: Region,
): Promise<string | null> {
  if (subnet.gatewayIp === null) return null
  const gateways = await app.store.networks.holdings(subnet.id, ['gateway'])
  const mine = gateways.find(one => one.holder === region.id)
  if (mine) return mine.start
  const holding = {
    subnetId: subnet.id,
    scope: region.id,
    purpose: 'gateway',
    holder: region.id,
  } as const
  const address = await holdOne(app, subnet.allocationPools, holding)
  if (address !== null) return address
  throw conflict(
    `The subnet ${subnet.id} (${subnet.cidr}) has no free address left for a gateway in ${region.name}`,
    'no_addresses',
  )
}

/**
 * The one address that a holder has in a subnet for a purpose: the one that it has already, else any free one
 * of the pools; null where none is free. Callers at the same time get the same address.
 */
export const holdOne = (
  app: Pick<App, 'store'>,
  pools: readonly AllocationPool[],
  holding: Omit<Holding, 'start' | 'end'>,
): Promise<string | null> =>
  app.store.transact(async tx => {
    await tx.networks.lockBlocks(holding.subnetId)
    const held = await tx.networks.holdings(holding.subnetId, [holding.purpose])
    const mine = held.find(({ holder }) => holder === holding.holder)
    return mine ? mine.start : tx.networks.holdAny(pools, holding)
  })

const covers = (range: AllocationPool, address: string): boolean =>
  poolContains([rangeOf(range)], parseAddress(address)!)

/** Whose block an address lies in: a region's id; null for none. */
export function blockOf(holdings: readonly Holding[], address: string): string | null {
  return holdings.find(one => one.purpose === 'block' && covers(one, address))?.scope ?? null
}

/**
 * Takes an address out of the block that it is in, so that the region cannot give it; returns the region's
 * blocks after that, null when the address was in no block. The caller tells the region before the address is
 * given to a port.
 */
export async function carveOut(
  tx: Transaction,
  holdings: readonly Holding[],
  subnetId: string,
  address: string,
): Promise<{ regionId: string; blocks: AllocationPool[] } | null> {
  const regionId = blockOf(holdings, address)
  if (regionId === null) return null
  const mine = holdings.filter(one => one.purpose === 'block' && one.scope === regionId).map(rangeOf)
  const blocks = subtractRanges(mine, [single(parseAddress(address)!)]).map(formatPool)
  await tx.networks.setBlocks(subnetId, regionId, blocks)
  return { regionId, blocks }
}
