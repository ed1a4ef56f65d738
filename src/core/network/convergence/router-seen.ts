// Reading what a region holds of a router.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { type AppError, conflict } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import { findBridge } from '../copies/bridge.ts'
import { endDead } from '../copies/realise.ts'
import type { RegionNetworking } from '../copies/region-rows.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import { all } from '../model/query.ts'
import { type Ref, type RegionPlan, refer } from './router-plan.ts'
import { type RouterScene, routerScene } from './router-scene.ts'
import type { LeavingCopy, RegionSeen } from './router-steps.ts'

/** One router in one region, and the request on whose behalf it is brought there. */
export interface Aspect {
  readonly caller: Pick<Caller, 'requestId'>
  readonly routerId: string
  readonly region: Region
}

export interface RouterLook {
  readonly scene: RouterScene | null
  readonly plan: RegionPlan
  readonly region: Region
  readonly routerId: string
}

/** Reads the region. Throws `conflict` (`drift`) where the router's copy that Atoll made there is gone. */
export async function see(app: App, networking: RegionNetworking, look: RouterLook): Promise<RegionSeen> {
  const { scene, plan, region, routerId } = look
  const intents = await app.store.intents.living(region.name, [routerId])
  const ids = new Map<Ref, string>([
    ...(scene ? knownIds(scene, region) : []),
    ...intents.flatMap(({ resourceType, purpose, regionalId }) =>
      regionalId === null ? [] : [[refer(resourceType, purpose), regionalId] as const],
    ),
  ])
  const id = ids.get(refer('router', routerId))
  const router = id === undefined ? null : await networking.get('router', id)
  if (id !== undefined && !router && plan.router) {
    if (scene && regionalIdIn(scene.router, region) !== null) throw drift(region, 'router', id)
    await endDead({ app, region, networking }, intents)
    return see(app, networking, { ...look, scene: await routerScene(app, routerId) })
  }
  const legs = id === undefined ? [] : await networking.list('port', { where: { deviceId: id } })
  return {
    router,
    legs: legs.filter(({ deviceOwner }) => isLeg(deviceOwner)),
    floatingIps: await floatingIpsSeen(app, networking, look, id),
    intents,
    ids,
    leaving: plan.networks.length > 0 || scene?.home ? [] : await leavingWith(app, look),
  }
}

const isLeg = (deviceOwner: string): boolean =>
  /^network:(?:router_interface|ha_router_repl|router_interface_dist)/.test(deviceOwner)

const drift = (region: Region, kind: string, id: string): AppError =>
  conflict(
    `The ${kind} ${id} that Atoll made in ${region.name} is gone there: remove its resource routing to have it made again`,
    'drift',
  )

/** The region's ids of the scene's resources, by the model's places. */
function* knownIds(scene: RouterScene, region: Region): Generator<readonly [Ref, string]> {
  const rows = [
    ['router', [scene.router]],
    [
      'network',
      [...scene.attached.map(({ network }) => network), scene.gatewayNetwork, scene.bridge?.network],
    ],
    ['subnet', [...scene.attached.map(({ subnet }) => subnet), scene.bridge?.subnet, scene.bridge?.subnet6]],
    ['port', [...scene.attached.map(({ port }) => port), ...scene.bound.map(({ port }) => port)]],
  ] as const
  for (const [kind, some] of rows) {
    for (const row of some) {
      const id = row ? regionalIdIn(row, region) : null
      if (row && id !== null) yield [refer(kind, row.id), id]
    }
  }
  // A network that lives in one region has its subnets there under their own ids.
  for (const id of scene.gatewayNetwork?.subnetIds ?? []) yield [refer('subnet', id), id]
}

/**
 * Atoll's floating IPs of the region that lead through the router or are to; their central id is also the
 * region's.
 */
async function floatingIpsSeen(
  app: App,
  networking: RegionNetworking,
  { scene, plan, region }: RouterLook,
  routerId: string | undefined,
): Promise<RegionSeen['floatingIps']> {
  const isExit = region.id === scene?.exit?.id
  if (routerId === undefined || !(isExit || plan.links.length > 0)) return []
  const wanted = plan.links.map(({ regionalId }) => regionalId)
  const through = await networking.list('floatingip', { where: { routerId } })
  const missing = wanted.filter(id => !through.some(one => one.id === id))
  const others = missing.length === 0 ? [] : await networking.list('floatingip', { where: { id: missing } })
  const seen = [...through, ...others]
  const ids = seen.map(({ id }) => id)
  const ours = new Set((await app.store.networks.getMany('floatingip', ids)).map(({ id }) => id))
  return seen.filter(({ id }) => ours.has(id))
}

/** The copy of the bridge, where this is the last of the project's routers that the region has. */
async function leavingWith(app: App, { region, routerId, scene }: RouterLook): Promise<LeavingCopy[]> {
  const project = scene?.router.projectId ?? (await ownerOf(app, routerId))
  const bridge = project === null ? null : await findBridge(app, project)
  const regionalId = bridge && regionalIdIn(bridge.network, region)
  if (!bridge || !regionalId) return []
  const routers = await all(
    app.store,
    'router',
    { field: 'projectId', in: [project!] },
    { region: [region.name] },
  )
  if (routers.some(({ id }) => id !== routerId)) return []
  return [{ kind: 'network', centralId: bridge.network.id, regionalId }]
}

const ownerOf = async (app: App, routerId: string): Promise<string | null> =>
  (await app.store.networks.getMany('router', [routerId]))[0]?.projectId ?? null
