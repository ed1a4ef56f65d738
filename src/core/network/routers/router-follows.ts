// The jobs by which every region learns of a change of a spanning router.

import type { Region } from '../../regions/region.ts'
import type { Network, Router } from '../model/model.ts'
import type { Reads } from '../model/network-store.ts'
import { interfacesOf } from '../model/query.ts'
import { regionsOf, routerHome } from '../model/where.ts'
import type { FollowUp } from '../model/writing.ts'
import { setupOf } from '../ports/follow-port.ts'

/**
 * Where its copies are or are to be, with those of a network that it is about to join: one job a region, which ends in
 * that of the routes. None for a router of one region.
 */
export async function routerFollows(
  reads: Reads,
  router: Router,
  joining: readonly Network[] = [],
): Promise<FollowUp[]> {
  const regions = await regionsOf(reads)
  if (routerHome(router, regions) !== null) return []
  const ports = await interfacesOf(reads, router.id)
  const ids = [
    ...ports.map(({ networkId }) => networkId),
    ...(router.gateway ? [router.gateway.networkId] : []),
  ]
  const networks = [...(await reads.networks.getMany('network', [...new Set(ids)])), ...joining]
  const named = new Set([
    ...router.places.map(({ region }) => region),
    ...networks.flatMap(({ places }) => places.map(({ region }) => region)),
  ])
  return regions
    .filter(({ name }) => named.has(name))
    .map(region => setupOf(router, networkOf(router, networks, region), region))
}

/** A job names a network; any of the router's that is there does, since it brings all of them. */
const networkOf = (router: Router, networks: readonly Network[], region: Region): string =>
  networks.find(({ places }) => places.some(place => place.region === region.name))?.id ??
  networks[0]?.id ??
  router.id
