// The jobs that follow from a port's coming into a region: for routers' copies there, floating IPs and
// groups.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Region } from '../../regions/region.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import { groupsFollowPort } from '../groups/groups-in-region.ts'
import type { FloatingIp, Network, Port } from '../model/model.ts'
import type { Reads } from '../model/network-store.ts'
import { all, interfacesOn } from '../model/query.ts'
import { regionNamed, regionsOf, routerHome } from '../model/where.ts'
import { type FollowUp, follow, jobIn } from '../model/writing.ts'

export interface Placement {
  readonly port: Pick<Port, 'id' | 'projectId' | 'securityGroupIds'>
  readonly network: Network
  readonly region: Region
  /** True when the network had no copy in the region before. */
  readonly isNew: boolean
}

/**
 * Posts the jobs that follow from the placing of a port: none where its region has all copies that depend on
 * it.
 */
export async function followPlacement(
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  placement: Placement,
): Promise<void> {
  const follows = [...(await routersTo(tx, placement)), ...(await floatingIpsTo(tx, placement))]
  await follow(app, caller, tx, follows)
  await groupsFollowPort(app, caller, tx, placement.port)
}

/** The jobs that bring spanning routers on the network to the region that has got a copy of it. */
async function routersTo(reads: Reads, { network, region, isNew }: Placement): Promise<FollowUp[]> {
  const ids = new Set((await interfacesOn(reads, network.id)).map(({ deviceId }) => deviceId))
  if (ids.size === 0) return []
  const routers = await reads.networks.getMany('router', [...ids])
  const regions = await regionsOf(reads)
  return routers
    .filter(
      router => routerHome(router, regions) === null && (isNew || regionalIdIn(router, region) === null),
    )
    .map(router => setupOf(router, network.id, region))
}

export const setupOf = (
  router: { id: string; projectId: string },
  networkId: string,
  region: Region,
): FollowUp =>
  jobIn(region, 'router_setup', router.projectId, { router_id: router.id, network_id: networkId })

/** The jobs of floating IPs that were given to the port while it was reserved. */
async function floatingIpsTo(reads: Reads, { port, network }: Placement): Promise<FollowUp[]> {
  const waiting = await all(reads, 'floatingip', { field: 'portId', in: [port.id] })
  return Promise.all(waiting.map(one => linkOf(reads, one, network.id))).then(links => links.flat())
}

/** The job that links a floating IP to its port, in the region of the external network. */
export async function linkOf(reads: Reads, floatingIp: FloatingIp, networkId: string): Promise<FollowUp[]> {
  const [place] = floatingIp.places
  if (!place || floatingIp.routerId === null) return []
  const region = regionNamed(place.region, await regionsOf(reads))
  return [setupOf({ id: floatingIp.routerId, projectId: floatingIp.projectId }, networkId, region)]
}
