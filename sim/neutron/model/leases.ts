// Held addresses of subnets by port, and the next free one.

import { compact } from '../compact.ts'
import type { Leases, Region } from '../region.ts'
import type { Pool, Subnet } from '../rows.ts'
import { isWithin, type Range, readAddress, writeAddress } from './addresses.ts'

export function readPool({ start, end }: Pool): Range {
  const first = readAddress(start)
  const last = readAddress(end)
  return { version: first?.version ?? 4, first: first?.value ?? 0n, last: last?.value ?? -1n }
}

function leasesOf(subnetId: string, region: Region): Leases {
  const known = region.leases.get(subnetId)
  if (known !== undefined) return known
  const fresh = { holders: new Map(), free: { pool: 0, at: 0n } }
  region.leases.set(subnetId, fresh)
  return fresh
}

/** The port that holds an address. */
export function holderOf(subnetId: string, address: string, region: Region): string | undefined {
  return region.leases.get(subnetId)?.holders.get(address)
}

/** Every address of a subnet that is held, and the port that holds it. */
export function holders(subnetId: string, region: Region): ReadonlyMap<string, string> {
  return region.leases.get(subnetId)?.holders ?? new Map()
}

export function hold(subnetId: string, address: string, portId: string, region: Region): void {
  leasesOf(subnetId, region).holders.set(address, portId)
}

export function release(subnet: Subnet | undefined, address: string, region: Region): void {
  if (subnet === undefined) return
  const leases = leasesOf(subnet.id, region)
  if (!leases.holders.delete(address)) return
  const value = readAddress(address)
  const pool = subnet.allocation_pools.findIndex(pool => value !== null && isWithin(value, readPool(pool)))
  const { free } = leases
  const isEarlier = pool < free.pool || (pool === free.pool && value !== null && value.value < free.at)
  if (pool >= 0 && value !== null && isEarlier) leases.free = { pool, at: value.value }
}

/** Forgets where the search for a free address has come to in a subnet, after its pools have changed. */
export function restart(subnetId: string, region: Region): void {
  leasesOf(subnetId, region).free = { pool: 0, at: 0n }
}

/** The lowest free address of the first pool that has one. */
export function nextFree({ id, allocation_pools }: Subnet, region: Region): string | null {
  const leases = leasesOf(id, region)
  for (let index = leases.free.pool; index < allocation_pools.length; index += 1) {
    const pool = readPool(allocation_pools[index] ?? { start: '', end: '' })
    const from = index === leases.free.pool && leases.free.at > pool.first ? leases.free.at : pool.first
    for (let value = from; value <= pool.last; value += 1n) {
      const address = writeAddress({ version: pool.version, value })
      if (leases.holders.has(address)) continue
      leases.free = { pool: index, at: value }
      return compact(address)
    }
  }
  leases.free = { pool: allocation_pools.length, at: 0n }
  return null
}
