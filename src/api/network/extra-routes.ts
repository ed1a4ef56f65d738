// Neutron's actions that add routes to a router or remove them, and leave its other routes as they are.

import type { Router } from '../../core/network/model/model.ts'
import { addRoutes, type RoutesAsk, removeRoutes } from '../../core/network/routers/extra-routes.ts'
import { isObject, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { routes as routesKind } from './address-kinds.ts'
import { readId } from './head.ts'
import { unusable } from './refusals.ts'
import { ruled } from './resource.ts'
import { routers } from './resources/routers.ts'
import { viewer } from './view.ts'

function readRoutes(request: Request): RoutesAsk {
  const { body } = request
  const router = isObject(body) ? body.router : undefined
  if (!isObject(router)) throw unusable("Unable to find 'router' in request body")
  const routes = routesKind.read(router.routes, 'routes')!
  return { id: readId('router', request), routes }
}

const viewOne = viewer(routers, { isAdmin: false, names: [] })
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
