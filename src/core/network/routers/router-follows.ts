// The jobs by which every region learns of a change of a spanning router.

import type { Region } from '../../regions/region.ts'
import type { Network, Router } from '../model/model.ts'
import type { Reads } from '../model/network-store.ts'
import { interfacesOf } from '../model/query.ts'
import { regionsOf, routerHome } from '../model/where.ts'
import type { FollowUp } from '../model/writing.ts'
import { setupOf } from '../ports/follow-port.ts'

/**
 * The jobs for every region that has or is to have a copy of a router, those of a network that it is about to
 * join among them: one a region, which ends in the job of its routes. None for a router at home.
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

/**
 * The network that a router's job names: one of the router's that has a copy in the region, if there is one.
 * Any does, since the job brings all of them.
 */
const networkOf = (router: Router, networks: readonly Network[], region: Region): string =>
  networks.find(({ places }) => places.some(place => place.region === region.name))?.id ??
  networks[0]?.id ??
  router.id
