// Adding and removing single routes of a router, while other requests may change them too.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import type { HostRoute, Router } from '../model/model.ts'
import { getResource } from '../model/read.ts'
import { updateRouter } from './routers.ts'

export interface RoutesAsk {
  readonly id: string
  readonly routes: readonly HostRoute[]
}

/** The router with these routes added. Throws as `updateRouter`. */
export const addRoutes = (app: App, caller: Caller, { id, routes }: RoutesAsk): Promise<Router> =>
  changeRoutes(app, caller, id, old => [...old, ...routes.filter(route => !isIn(old, route))])

/** The router without these routes. Throws as `updateRouter`. */
export const removeRoutes = (app: App, caller: Caller, { id, routes }: RoutesAsk): Promise<Router> =>
  changeRoutes(app, caller, id, old => old.filter(route => !isIn(routes, route)))

const isIn = (routes: readonly HostRoute[], { destination, nextHop }: HostRoute): boolean =>
  routes.some(one => one.destination === destination && one.nextHop === nextHop)

const mostTries = 10

/** Sets the routes with the revision that was read, and tries once more where another change came first. */
async function changeRoutes(
  app: App,
  caller: Caller,
  id: string,
  changed: (old: readonly HostRoute[]) => HostRoute[],
): Promise<Router> {
  for (let tries = 1; ; tries += 1) {
    const { routes, revision } = await getResource(app, caller, { kind: 'router', id })
    try {
      return await updateRouter(app, caller, {
        id,
        change: { routes: changed(routes) },
        ifRevision: revision,
      })
    } catch (error) {
      const isLate = error instanceof AppError && error.detail.reason === 'revision'
      if (!isLate || tries === mostTries) throw error
    }
  }
}
