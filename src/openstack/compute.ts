// core's RegionCompute, on a stock Nova and Placement.

import type { RegionCompute, RegionServer } from '../core/cloud.ts'
import { blazarPools } from './blazar-pools.ts'
import { listImages } from './glance.ts'
import { findHosts } from './host-facts.ts'
import { closeHost, openHost } from './isolation.ts'
import { createImage, listServers, removeServer, type Server } from './nova.ts'
import { clearPlacement, closePlacement, openPlacement, placeKey } from './placements.ts'
import type { Region } from './region.ts'
import { isOurs, survey } from './survey.ts'

export interface ComputeOptions {
  /** The region's scheduler has BlazarFilter: reservations get an aggregate of their own as well. */
  readonly blazarFilter: boolean
}

export function computeOf(region: Region, { blazarFilter }: ComputeOptions): RegionCompute {
  const pools = blazarFilter ? blazarPools(region) : null
  return {
    findHosts: nameOrId => findHosts(region, nameOrId),
    survey: () => survey(region),
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
    async placedServers(placement) {
      const placed = await Promise.all(
        placement.hosts.map(host => listServers(region, { host: host.serviceName })),
      )
      const isPlaced = (server: Server): boolean => placeKey(placement) in server.flavor.extraSpecs
      return placed
        .flat()
        .filter(server => pools !== null || isPlaced(server))
        .map(toServer)
    },
    removeServer: id => removeServer(region, id),
    async snapshot(server, name) {
      const there = await listImages(region, name)
      if (!there.some(image => image.serverId === server.id)) await createImage(region, server.id, name)
    },
    async clearPlacement(placement) {
      await pools?.leave(placement)
      return clearPlacement(region, placement)
    },
  }
}

const toServer = ({ id, name, projectId, status }: Server): RegionServer => ({ id, name, projectId, status })
