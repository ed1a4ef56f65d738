// The review of a region: a job for every aspect of the resources that the model has there, whether or not
// anything has changed. A job that was lost is made good by it.

import type { App } from '../../app.ts'
import { ownCaller } from '../../caller.ts'
import type { Region } from '../../regions/region.ts'
import { groupSetupOf } from '../groups/groups-in-region.ts'
import { all } from '../model/query.ts'
import { homeOf } from '../model/where.ts'
import { follow, jobIn } from '../model/writing.ts'
import { setupOf } from '../ports/follow-port.ts'

/**
 * Posts one job for each aspect; a job that finds its aspect as it should be writes nothing. Returns how
 * many.
 */
export async function askForAll(app: App, region: Region): Promise<number> {
  const here = { region: [region.name] }
  const networks = await all(app.store, 'network', here)
  const subnets = await all(app.store, 'subnet', here)
  const routers = await all(app.store, 'router', here)
  const groups = await all(app.store, 'security_group', here)
  const follows = [
    ...networks.map(({ id, projectId }) => jobIn(region, 'update_network', projectId, { network_id: id })),
    ...networks
      .filter(network => homeOf(network, [region]) === null)
      .map(({ id, projectId }) => jobIn(region, 'shadow_port_setup', projectId, { network_id: id })),
    ...subnets.map(({ id, projectId }) => jobIn(region, 'subnet_update', projectId, { subnet_id: id })),
    ...routers.map(router => setupOf(router, networks[0]?.id ?? router.id, region)),
    ...[...new Set(groups.map(({ projectId }) => projectId))].map(groupSetupOf),
  ]
  const caller = ownCaller(`req-${app.newId()}`)
  await app.store.transact(tx => follow(app, caller, tx, follows))
  return follows.length
}
