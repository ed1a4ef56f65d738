// The jobs router_setup and, at its end, configure_route: a router's copy in one region, and then the routes of all.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import { homeOf, regionsOf, routerHome } from '../model/where.ts'
import { follow } from '../model/writing.ts'
import { forgetRouter, removeIdleBridge } from './forget-router.ts'

/**
 * How long the job of the routes waits for other regions' copies: copies that come together get their routes
 * at once.
 */
const gatheringMs = 500

/** Brings the router's copy in one region; a router that is gone from the model is removed there. */
export async function setUpRouter(
  app: App,
  caller: Caller,
  region: Region,
  { routerId, projectId }: { readonly routerId: string; readonly projectId: string },
): Promise<void> {
  await convergeRouter(app, { caller, routerId, region })
  await noteGateway(app, caller, region, routerId)
  const router = await app.store.networks.get('router', routerId, 'atoll')
  // The removal of the router may have died before the bridge was removed.
  if (!router) return removeIdleBridge(app, caller, projectId)
  if (routerHome(router, await regionsOf(app.store))) return
  // The removal of the router died before the model's row was removed.
  if (router.deleting && router.places.length === 0) return forgetRouter(app, caller, router)
  const routes = { type: 'configure_route', projectId, resource: { router_id: routerId } }
  const at = new Date(app.now().getTime() + gatheringMs)
  await app.store.transact(tx => follow(app, caller, tx, [{ ...routes, region: null }], at))
}

/** Writes to the model the addresses that the region has given to the router's gateway. */
export async function noteGateway(app: App, caller: Caller, region: Region, routerId: string): Promise<void> {
  const router = await app.store.networks.get('router', routerId, 'atoll')
  const isKnown = (router?.gateway?.fixedIps ?? []).some(({ ipAddress }) => ipAddress !== undefined)
  if (!router?.gateway || isKnown) return
  const network = await app.store.networks.get('network', router.gateway.networkId, 'atoll')
  const regionalId = regionalIdIn(router, region)
  if (!network || !regionalId || homeOf(network, [region]) === null) return
  const copy = await app.cloud.networking(region.name, caller.requestId).get('router', regionalId)
  const fixedIps = copy?.externalGateway?.externalFixedIps ?? []
  if (copy?.externalGateway?.networkId !== network.id || fixedIps.length === 0) return
  const gateway = { ...router.gateway, fixedIps }
  await app.store.transact(async tx => {
    await tx.networks.update('router', routerId, { gateway }, noteOf(app, caller, 'router.gateway'))
  })
}
