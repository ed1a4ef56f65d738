// Aggregates for BlazarFilter in a region's scheduler: one for each reservation, named by its id, whose zone
// begins with `blazar_` and whose metadata names the project. Its hosts leave the free pool for as long as
// they are in it, and are in one of the two at any moment: in neither, they would be open to all servers.

import type { HostPlace, HostPlacement } from '../core/cloud.ts'
import { joinAggregate, leaveAggregate, poolName } from './isolation.ts'
import {
  type Aggregate,
  createAggregate,
  listAggregates,
  removeAggregate,
  setAggregateMetadata,
} from './nova-aggregates.ts'
import { setExtraSpecs } from './nova-flavors.ts'
import type { RegionClient } from './region.ts'

export interface BlazarPools {
  join(placement: HostPlacement): Promise<void>
  /** Lets no more servers onto the hosts by BlazarFilter's scheduler hint. */
  close(placement: HostPlacement): Promise<void>
  /** Puts the hosts back into the free pool and removes the aggregate; false when there was none. */
  leave(placement: HostPlacement): Promise<boolean>
}

export function blazarPools(region: RegionClient): BlazarPools {
  const find = async (name: string): Promise<Aggregate | undefined> =>
    (await listAggregates(region)).find(one => one.name === name)

  return {
    async join({ reservationId, projectId, hosts }) {
      const pool = await find(poolName)
      const made = (await find(reservationId)) ?? (await createAggregate(region, reservationId))
      const own = await setAggregateMetadata(region, made.id, {
        availability_zone: `blazar_${reservationId}`,
        'blazar:owner': projectId,
        reservation: reservationId,
      })
      for (const host of hosts) {
        await joinAggregate(region, own, host)
        if (pool) await leaveAggregate(region, pool, host)
      }
      await setExtraSpecs(region, reservationId, {
        'aggregate_instance_extra_specs:reservation': reservationId,
      })
    },
    async close({ reservationId }) {
      const own = await find(reservationId)
      if (own) await setAggregateMetadata(region, own.id, { 'blazar:owner': null })
    },
    async leave({ reservationId, hosts }) {
      const own = await find(reservationId)
      if (!own) return false
      const pool = await find(poolName)
      for (const host of hosts) await giveBack(region, own, pool, host)
      return removeAggregate(region, own.id)
    },
  }
}

async function giveBack(
  region: RegionClient,
  own: Aggregate,
  pool: Aggregate | undefined,
  host: HostPlace,
): Promise<void> {
  if (pool) await joinAggregate(region, pool, host)
  await leaveAggregate(region, own, host)
}
