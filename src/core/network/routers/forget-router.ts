// Removing a router from the model when its copies are gone.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import { findBridge } from '../copies/bridge.ts'
import type { Router } from '../model/model.ts'
import { all } from '../model/query.ts'
import { regionsOf, routerHome } from '../model/where.ts'
import { forgetNetwork } from '../networks/forget-network.ts'

/**
 * Removes a router from the model, and with a project's last spanning router the project's bridge. Throws
 * `upstream`.
 */
export async function forgetRouter(app: App, caller: Caller, router: Router): Promise<void> {
  await app.store.transact(async tx => {
    await tx.networks.remove('router', router.id, noteOf(app, caller, 'router.remove'))
  })
  if (!routerHome(router, await regionsOf(app.store))) await removeIdleBridge(app, caller, router.projectId)
}

/** Removes a project's bridge where the project has no spanning router. Throws `upstream`. */
export async function removeIdleBridge(app: App, caller: Caller, projectId: string): Promise<void> {
  const regions = await regionsOf(app.store)
  const routers = await all(app.store, 'router', { field: 'projectId', in: [projectId] })
  if (routers.some(router => routerHome(router, regions) === null)) return
  const bridge = await findBridge(app, projectId)
  if (!bridge) return
  for (const { region, id } of bridge.network.places)
    await app.cloud.networking(region, caller.requestId).remove('network', id)
  await forgetNetwork(app, caller, bridge.network.id)
}
