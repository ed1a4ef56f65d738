// The job configure_route: every copy of a spanning router knows the way to every subnet, and out.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import type { HostRoute } from '../model/model.ts'
import type { RouterScene, SceneRegion } from './router-scene.ts'
import { mirrorsIn, routerScene } from './router-scene.ts'
import { sameRoutes } from './router-steps.ts'
import { type RegionLeg, routesOf } from './routes.ts'

/**
 * Brings the routes of all copies of a router to what the model says; a copy that has its routes already is
 * not written to. A region that gives no answer does not keep the other copies from their routes; its error
 * is thrown at the end. Throws `conflict` (`routes_exceeded`).
 */
export async function configureRoutes(app: App, caller: Caller, routerId: string): Promise<void> {
  const scene = await routerScene(app, routerId)
  if (!scene || scene.home || scene.router.deleting) return
  const routes = routesIn(app, scene)
  const failures: unknown[] = []
  await Promise.all(
    scene.regions.map(async ({ region }) => {
      const id = regionalIdIn(scene.router, region)
      if (id === null) return
      try {
        await setRoutes(app, caller, { region: region.name, id, routes: routes.get(region.name) ?? [] })
      } catch (error) {
        failures.push(error)
      }
    }),
  )
  const worst = failures.find(error => !(error instanceof AppError)) ?? failures[0]
  if (worst) throw worst
}

/**
 * The routes of a router's copies, by region. A router without a bridge is in one region, and has only its
 * user's own routes.
 */
export function routesIn(
  app: Pick<App, 'networkRules'>,
  scene: RouterScene,
): ReadonlyMap<string, readonly HostRoute[]> {
  const [only] = scene.regions
  if (!scene.bridge) return new Map(only ? [[only.region.name, userRoutesIn(scene, only)]] : [])
  const regions = scene.regions
    .filter(({ region }) => regionalIdIn(scene.router, region) !== null)
    .map(here => legOf(scene, here))
  return routesOf({ regions, limitOf: region => app.networkRules.limitsOf(region).routes })
}

function legOf(scene: RouterScene, here: SceneRegion): RegionLeg {
  const { region, bridgeAddress, bridgeAddress6 } = here
  const own = scene.attached.filter(({ subnet }) => regionalIdIn(subnet, region) !== null)
  const isExit = region.id === scene.exit?.id
  const mirrored = isExit ? mirrorsIn(scene, here) : []
  return {
    region: region.name,
    nextHop: bridgeAddress!,
    nextHop6: bridgeAddress6,
    cidrs: own.map(({ subnet }) => subnet.cidr),
    mirrored: mirrored.map(({ subnet }) => subnet.cidr),
    isExit,
    extra: userRoutesIn(scene, here),
  }
}

const userRoutesIn = (scene: RouterScene, here: SceneRegion): HostRoute[] =>
  scene.router.routes.flatMap(route => userRouteIn(scene, here, route) ?? [])

/**
 * A user's route as a region's copy has it: where its next hop is not on a subnet of the copy, it leads over
 * the bridge to a copy that has one, or to the exit for a next hop outside. Null where the router has none.
 */
function userRouteIn(scene: RouterScene, here: SceneRegion, route: HostRoute): HostRoute | null {
  const address = parseAddress(route.nextHop)!
  const on = scene.attached.find(({ subnet }) => contains(parseCidr(subnet.cidr)!, address))
  const isThere = ({ region }: SceneRegion): boolean =>
    on ? regionalIdIn(on.subnet, region) !== null : region.id === scene.exit?.id
  if (isThere(here)) return route
  const other = scene.bridge && scene.regions.find(isThere)
  const nextHop = (address.version === 4 ? other?.bridgeAddress : other?.bridgeAddress6) ?? null
  return nextHop === null ? null : { ...route, nextHop }
}

interface RouterRoutes {
  readonly region: string
  readonly id: string
  readonly routes: readonly HostRoute[]
}

async function setRoutes(app: App, caller: Caller, { region, id, routes }: RouterRoutes): Promise<void> {
  const networking = app.cloud.networking(region, caller.requestId)
  const router = await networking.get('router', id)
  if (router && !sameRoutes(router.routes, routes)) await networking.update('router', id, { routes })
}
