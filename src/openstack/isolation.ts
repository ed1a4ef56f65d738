// Hosts that are closed to plain servers, on a stock Nova whose scheduler isolates aggregates by traits.
//
// One aggregate isolates every enrolled host: only a flavor that asks for its trait lands there. The trait is on a
// provider below the host's own: nova-compute takes away what it does not know from the host's own.

import { createHash } from 'node:crypto'
import type { HostPlace } from '../core/cloud.ts'
import { AppError } from '../core/error.ts'
import { again, ignoring } from './again.ts'
import {
  type Aggregate,
  addHost,
  createAggregate,
  listAggregates,
  removeHost,
  setAggregateMetadata,
} from './nova-aggregates.ts'
import {
  createProvider,
  ensureTrait,
  getAggregates,
  getProvider,
  getTraits,
  setAggregates,
  setTraits,
} from './placement.ts'
import type { RegionClient } from './region.ts'

export const reservedTrait = 'CUSTOM_ATOLL_RESERVED'
export const poolName = 'freepool'
const isolation = { [`trait:${reservedTrait}`]: 'required' }

/** Whether only servers whose flavor asks for the trait may land on an aggregate's hosts. */
export const isIsolating = ({ metadata }: Aggregate): boolean =>
  Object.entries(isolation).every(([key, value]) => metadata[key] === value)

/**
 * The id of the child provider below a host's own: the same each time, and another for another host of that
 * name.
 */
export function childOf({ providerId }: Pick<HostPlace, 'providerId'>): string {
  const hash = createHash('sha1').update(Buffer.from(namespace, 'hex')).update(`atoll:${providerId}`).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The namespace of our UUIDs of version 5. */
const namespace = '6f1c0a3e5d8b4b0f9a7e2c4d6e8fa1b3'

/** Closes a host to every server whose flavor does not ask for the trait. */
export async function closeHost(region: RegionClient, host: HostPlace): Promise<void> {
  await ensureTrait(region, reservedTrait)
  const pool = await ensurePool(region)
  const child = childOf(host)
  const made = { id: child, name: `atoll:${host.hypervisorHostname}`, parentId: host.providerId }
  if (!(await createProvider(region, made))) await checkChild(region, host, child)
  await again(async () => {
    const traits = await getTraits(region, child)
    if (!traits.names.includes(reservedTrait))
      await setTraits(region, child, { ...traits, names: [...traits.names, reservedTrait] })
  })
  await joinAggregate(region, pool, host)
}

/** Puts a host into an aggregate, in Nova and (which is what counts) in Placement. */
export async function joinAggregate(
  region: RegionClient,
  aggregate: Aggregate,
  host: HostPlace,
): Promise<void> {
  if (!aggregate.hosts.includes(host.serviceName)) {
    await addHost(region, aggregate.id, host.serviceName).catch(ignoring(409, 'already has host'))
  }
  await again(async () => {
    const known = await getAggregates(region, host.providerId)
    if (!known.names.includes(aggregate.uuid))
      await setAggregates(region, host.providerId, { ...known, names: [...known.names, aggregate.uuid] })
  })
}

/**
 * Refuses a child provider that belongs to another host: it may be left from a removed host of the same name.
 */
async function checkChild(region: RegionClient, host: HostPlace, child: string): Promise<void> {
  const there = await getProvider(region, child)
  if (there?.parentId === host.providerId) return
  throw new AppError(
    'conflict',
    `${region.name}: a resource provider atoll:${host.hypervisorHostname} belongs to another host; remove it first`,
    { reason: 'foreign_provider' },
  )
}

async function ensurePool(region: RegionClient): Promise<Aggregate> {
  const find = async () => (await listAggregates(region)).find(one => one.name === poolName)
  const pool = (await find()) ?? (await createAggregate(region, poolName).catch(orElse(find)))
  return isIsolating(pool) ? pool : setAggregateMetadata(region, pool.id, isolation)
}

/**
 * When creating fails, returns the resource that another client has just created; throws the error when there
 * is none.
 */
const orElse =
  <T>(find: () => Promise<T | undefined>) =>
  async (error: unknown): Promise<T> => {
    const found = await find()
    if (found === undefined) throw error
    return found
  }

/**
 * Opens a host to plain servers. Its child provider stays: without it every build on the host would fail
 * until nova-compute reports again.
 */
export async function openHost(region: RegionClient, host: HostPlace): Promise<void> {
  const pool = (await listAggregates(region)).find(one => one.name === poolName)
  if (pool) await leaveAggregate(region, pool, host)
}

/** Takes a host out of an aggregate, in Nova and in Placement. */
export async function leaveAggregate(
  region: RegionClient,
  aggregate: Aggregate,
  host: HostPlace,
): Promise<void> {
  await removeHost(region, aggregate.id, host.serviceName)
  await again(async () => {
    const known = await getAggregates(region, host.providerId)
    if (known.names.includes(aggregate.uuid))
      await setAggregates(region, host.providerId, {
        ...known,
        names: known.names.filter(one => one !== aggregate.uuid),
      })
  })
}
