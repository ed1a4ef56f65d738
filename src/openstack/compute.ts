// core's RegionCompute, on a stock Nova and Placement.

import type { HostPlacement, RegionCompute, RegionServer } from '../core/cloud.ts'
import { blazarPools } from './blazar-pools.ts'
import { capacityOf } from './capacity.ts'
import { listImages } from './glance.ts'
import { findHosts } from './host-facts.ts'
import { closeHost, openHost } from './isolation.ts'
import { createImage, listServers, removeServer, type Server } from './nova.ts'
import { clearPlacement, closePlacement, openPlacement, placeKey } from './placements.ts'
import type { RegionClient } from './region.ts'
import { hostsSeen, isOurs, survey } from './survey.ts'

export interface ComputeOptions {
  /** The region's scheduler has BlazarFilter: reservations get an aggregate of their own as well. */
  readonly blazarFilter: boolean
}

export function computeOf(region: RegionClient, { blazarFilter }: ComputeOptions): RegionCompute {
  const pools = blazarFilter ? blazarPools(region) : null

  async function placedServers(placement: HostPlacement): Promise<RegionServer[]> {
    const found = await Promise.all(
      placement.hosts.map(host => listServers(region, { host: host.serviceName })),
    )
    const isPlaced = ({ flavor, projectId }: Server): boolean =>
      placeKey(placement) in flavor.extraSpecs || (pools !== null && projectId === placement.projectId)
    return found.flat().filter(isPlaced).map(toServer)
  }

  return {
    findHosts: nameOrId => findHosts(region, nameOrId),
    survey: () => survey(region),
    hostsSeen: () => hostsSeen(region),
    capacity: () => capacityOf(region),
    isOurs: id => isOurs(region, id),
    closeHost: host => closeHost(region, host),
    openHost: host => openHost(region, host),
    serversOn: async host => (await listServers(region, { host: host.serviceName })).map(toServer),
    async openPlacement(placement) {
      await openPlacement(region, placement)
      await pools?.join(placement)
    },
    async closePlacement(placement) {
      await closePlacement(region, placement)
      await pools?.close(placement)
    },
    serversChangedSince: async since =>
      (await listServers(region, { changedSince: since })).map(({ id, status, updatedAt }) => ({
        id,
        status,
        updatedAt,
      })),
    placedServers,
    removeServer: id => removeServer(region, id),
    async snapshot(server, name, since) {
      const there = await listImages(region, { name, serverId: server.id })
      const isThere = there.some(image => image.createdAt.getTime() >= since.getTime() - skewMs)
      if (!isThere) await createImage(region, server.id, name)
    },
    async clearPlacement(placement) {
      if (!pools) return clearPlacement(region, placement)
      await pools.close(placement)
      // Servers that came by BlazarFilter's hint take no place in Placement, so clearPlacement would not see
      // them.
      if ((await placedServers(placement)).length > 0) return 'held'
      const wasThere = await pools.leave(placement)
      const clearing = await clearPlacement(region, placement)
      return wasThere || clearing === 'held' ? clearing : 'unseen'
    },
  }
}

/** How far a region's clock may be behind ours. */
const skewMs = 60_000

const toServer = ({ id, name, projectId, status }: Server): RegionServer => ({ id, name, projectId, status })
