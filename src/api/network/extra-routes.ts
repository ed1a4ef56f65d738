// Routes added to a router's, or taken from them, whatever others do to them meanwhile.

import type { Caller } from '../../core/caller.ts'
import { AppError } from '../../core/error.ts'
import type { HostRoute, Router } from '../../core/network/model.ts'
import { getResource } from '../../core/network/read.ts'
import { updateRouter } from '../../core/network/routers.ts'
import type { App } from '../../core/ports.ts'
import { isObject, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { routes as routesKind } from './address-kinds.ts'
import { readId } from './head.ts'
import { unusable } from './refusals.ts'
import { ruled } from './resource.ts'
import { routers } from './resources/routers.ts'
import { viewer } from './view.ts'

interface RoutesAsk {
  readonly id: string
  readonly routes: readonly HostRoute[]
}

function readRoutes(request: Request): RoutesAsk {
  const { body } = request
  const router = isObject(body) ? body.router : undefined
  if (!isObject(router)) throw unusable("Unable to find 'router' in request body")
  const routes = routesKind.read(router.routes, 'routes')!
  return { id: readId('router', request), routes }
}

type Merge = (old: readonly HostRoute[], asked: readonly HostRoute[]) => HostRoute[]

const isIn = (routes: readonly HostRoute[], { destination, nextHop }: HostRoute): boolean =>
  routes.some(one => one.destination === destination && one.nextHop === nextHop)

const added: Merge = (old, asked) => [...old, ...asked.filter(route => !isIn(old, route))]
const without: Merge = (old, asked) => old.filter(route => !isIn(asked, route))

const mostTries = 10

/** Sets the routes of the revision that was read, and once more where another came first. Throws as `updateRouter`. */
async function merge(app: App, caller: Caller, { id, routes }: RoutesAsk, merged: Merge): Promise<Router> {
  for (let tries = 1; ; tries += 1) {
    const { routes: old, revision } = await getResource(app, caller, { kind: 'router', id })
    try {
      return await updateRouter(app, caller, {
        id,
        change: { routes: merged(old, routes) },
        ifRevision: revision,
      })
    } catch (error) {
      const isLate = error instanceof AppError && error.detail.reason === 'revision'
      if (!isLate || tries === mostTries) throw error
    }
  }
}

const addRoutes = (app: App, caller: Caller, ask: RoutesAsk): Promise<Router> =>
  merge(app, caller, ask, added)
const removeRoutes = (app: App, caller: Caller, ask: RoutesAsk): Promise<Router> =>
  merge(app, caller, ask, without)

const viewOne = viewer(routers.attributes, { isAdmin: false, names: [] })
const viewRouter = (router: Router) => ({ router: viewOne(router) })

const action = (name: string, verb: typeof addRoutes): Route =>
  route({
    ...ruled(name),
    method: 'PUT',
    path: `/routers/:id/${name}`,
    errors: 'router',
    parse: readRoutes,
    verb,
    view: viewRouter,
  })

export const extraRouteRoutes: readonly Route[] = [
  action('add_extraroutes', addRoutes),
  action('remove_extraroutes', removeRoutes),
]
