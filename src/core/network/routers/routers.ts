// The verbs of routers. One that lives in one region has its own id there; a spanning router has a copy in
// each region of its networks, and in that of its gateway.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid, isRefusal } from '../../error.ts'
import { noteOf, ownNote } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import { atHome } from '../copies/at-home.ts'
import type { RegionRouter } from '../copies/region-rows.ts'
import type { Change, HostRoute, Router, Written } from '../model/model.ts'
import { interfacesOf } from '../model/query.ts'
import { getOwn } from '../model/read.ts'
import type { GatewayAsk, RemovalAsk, RouterChange, RouterSpec, UpdateAsk } from '../model/specs.ts'
import { allowedBy, hintsIn, homeBy, regionNamed, regionsOf, routerHome } from '../model/where.ts'
import { born, checkRevision, follow } from '../model/writing.ts'
import { forgetRouter } from './forget-router.ts'
import { asGateway, askOf, exitOf, gatewayRegion, requireNoFloatingIps, withSubnets } from './gateway.ts'
import { routerFollows } from './router-follows.ts'
import { noteGateway } from './setup-router.ts'

/**
 * The new router. Throws `not_found` (`zone`, `network`), `invalid` (`not_external`, `location_mismatch`), `conflict`
 * (`over_quota`), and `upstream` as a region refuses.
 */
export async function createRouter(app: App, caller: Caller, spec: RouterSpec): Promise<Router> {
  const regions = await regionsOf(app.store)
  allowedBy(spec.zoneHints, regions)
  const home = homeBy(spec.zoneHints, regions)
  if (spec.gateway) await gatewayRegion(app, caller, spec.gateway, home)
  const id = await (home ? createAtHome(app, caller, spec, home) : createSpanning(app, caller, spec))
  if (spec.gateway && !home) {
    try {
      await bringOut(app, caller, id, spec.gateway.networkId)
    } catch (error) {
      await takeBack(app, caller, id)
      throw error
    }
  }
  return (await app.store.networks.get('router', id, null))!
}

function createAtHome(app: App, caller: Caller, spec: RouterSpec, region: Region): Promise<string> {
  const { projectId, zoneHints: _hints, gateway, ...given } = spec
  return adopt(app, caller, {
    region,
    kind: 'router',
    spec: {
      ...asAdmin(given),
      projectId,
      availabilityZoneHints: hintsIn(region),
      ...(gateway ? { externalGateway: askOf(gateway) } : {}),
    },
    where: { projectId },
    write: (made, intentId) =>
      app.store.transact(async tx => {
        await insert(app, caller, tx, { ...spec, id: made.id, ...mirrored(made) })
        const place = { kind: 'router', centralId: made.id, projectId, regionalId: made.id }
        await noteMade(app, tx, intentId, { ...place, regionId: region.id })
        return made.id
      }),
  })
}

/**
 * The fields of a router for a region: `distributed` and `ha` only where they are not the default, which is
 * the region's to choose.
 */
const asAdmin = ({ distributed, ha, ...rest }: Omit<RouterSpec, 'projectId' | 'zoneHints' | 'gateway'>) => ({
  ...rest,
  ...(distributed ? { distributed } : {}),
  ...(ha ? { ha } : {}),
})

/**
 * Brings the model's router to the one that its home has, after a change of which the writer died or got no
 * answer.
 */
export async function mirrorRouter(
  app: App,
  { id, region }: { readonly id: string; readonly region: Pick<Region, 'name'> },
): Promise<void> {
  const made = await app.cloud.networking(region.name, `req-${app.newId()}`).get('router', id)
  if (!made) return
  const { name, adminStateUp } = made
  await app.store.transact(async tx => {
    await tx.networks.update(
      'router',
      id,
      { name, adminStateUp, ...mirrored(made) },
      ownNote(app, 'router.watch'),
    )
  })
}

/** The fields of a region's router in the model's terms. */
const mirrored = ({ externalGateway: gateway, status, routes }: RegionRouter) => ({
  status,
  routes,
  gateway: gateway && {
    networkId: gateway.networkId,
    enableSnat: gateway.enableSnat,
    fixedIps: gateway.externalFixedIps,
  },
})

/**
 * Writes a spanning router with its gateway, and posts the jobs that bring its copies, which run even if this
 * request dies.
 */
async function createSpanning(app: App, caller: Caller, spec: RouterSpec): Promise<string> {
  const id = app.newId()
  const gateway = spec.gateway && asGateway(await withSubnets(app, spec.gateway))
  return app.store.transact(async tx => {
    await insert(app, caller, tx, { ...spec, id, gateway, status: 'ACTIVE', routes: [] })
    if (gateway) await followRouter(app, caller, tx, id)
    return id
  })
}

/** Removes a router that failed; copies that a region cannot remove now go with its next tidying. */
async function takeBack(app: App, caller: Caller, id: string): Promise<void> {
  try {
    await removeRouter(app, caller, { id })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    app.report(error, `taking back the router ${id}`)
    const router = await app.store.networks.get('router', id, 'atoll')
    if (router) await forgetRouter(app, caller, router)
  }
}

type Inserted = Omit<RouterSpec, 'gateway'> & Pick<Router, 'id' | 'gateway' | 'status' | 'routes'>

async function insert(app: App, caller: Caller, tx: Transaction, router: Inserted): Promise<void> {
  await tx.networks.quota('router', router.projectId, 1, app.networkRules.quotas.router)
  const row: Written<'router'> = { ...router, ...born(app), deleting: false }
  await tx.networks.insert('router', row, noteOf(app, caller, 'router.create'))
}

/** The changed router. Throws as `createRouter`, and `invalid` (`routes`), `conflict` (`revision`, `router_interface_in_use`). */
export async function updateRouter(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<RouterChange>,
): Promise<Router> {
  const router = await getOwn(app, caller, { kind: 'router', id })
  checkRevision('router', router, ifRevision)
  const home = routerHome(router, await regionsOf(app.store))
  if (change.gateway) await gatewayRegion(app, caller, change.gateway, home)
  if (change.gateway === null) await requireNoFloatingIps(app, router)
  if (home) await updateAtHome(app, caller, router, home, { change, ifRevision })
  else await updateSpanning(app, caller, router, change, ifRevision)
  return (await app.store.networks.get('router', id, null))!
}

function updateAtHome(
  app: App,
  caller: Caller,
  { id }: Router,
  region: Region,
  { change, ifRevision }: { readonly change: RouterChange; readonly ifRevision: number | undefined },
): Promise<void> {
  const { gateway, description, ...same } = change
  const networking = app.cloud.networking(region.name, caller.requestId)
  const told = {
    ...same,
    ...(gateway === undefined ? {} : { externalGateway: gateway && askOf(gateway) }),
  }
  return atHome(app, {
    kind: 'router',
    id,
    region,
    ifRevision,
    ask: () =>
      Object.keys(told).length === 0 ? networking.get('router', id) : networking.update('router', id, told),
    async write(tx, _row, made) {
      const set = {
        ...same,
        ...(description === undefined ? {} : { description }),
        ...(made ? mirrored(made) : {}),
      }
      await tx.networks.update('router', id, set as Change<'router'>, noteOf(app, caller, 'router.update'))
    },
    mirror: () => mirrorRouter(app, { id, region }),
  })
}

async function updateSpanning(
  app: App,
  caller: Caller,
  router: Router,
  { gateway, ...plain }: RouterChange,
  ifRevision: number | undefined,
): Promise<void> {
  if (plain.routes) await checkRoutes(app, router, plain.routes)
  await app.store.transact(async tx => {
    const now = await tx.networks.lock('router', router.id)
    if (now) checkRevision('router', now, ifRevision)
    await tx.networks.update(
      'router',
      router.id,
      plain as Change<'router'>,
      noteOf(app, caller, 'router.update'),
    )
    await follow(app, caller, tx, await routerFollows(tx, router))
  })
  if (gateway !== undefined) await setGateway(app, caller, router, gateway)
}

/** Refuses routes whose next hop is in no subnet of the router. Throws `invalid` (`routes`). */
async function checkRoutes(app: App, router: Router, routes: readonly HostRoute[]): Promise<void> {
  const ports = await interfacesOf(app.store, router.id)
  const ids = ports.flatMap(port => port.fixedIps.map(({ subnetId }) => subnetId))
  const gatewayIds = router.gateway?.fixedIps.map(({ subnetId }) => subnetId) ?? []
  const subnets = await app.store.networks.getMany('subnet', [...ids, ...gatewayIds])
  const bad = routes.find(({ nextHop }) => {
    const address = parseAddress(nextHop)
    return !address || !subnets.some(({ cidr }) => contains(parseCidr(cidr)!, address))
  })
  if (bad) {
    throw invalid(
      `Invalid format for routes: [${JSON.stringify(bad)}], the nexthop is not connected with router`,
      'routes',
    )
  }
}

/**
 * Sets or takes away a spanning router's gateway: at the exit at once, so that the caller gets its refusal;
 * in all other regions by jobs.
 */
async function setGateway(app: App, caller: Caller, router: Router, ask: GatewayAsk | null): Promise<void> {
  const write = (value: Router['gateway']) =>
    app.store.transact(async tx => {
      // The regions of the old gateway follow as well as those of the new one.
      await followRouter(app, caller, tx, router.id)
      await tx.networks.update('router', router.id, { gateway: value }, noteOf(app, caller, 'router.gateway'))
      await followRouter(app, caller, tx, router.id)
    })
  await write(ask && asGateway(await withSubnets(app, ask)))
  const gateway = ask ?? router.gateway
  if (!gateway) return
  try {
    await bringOut(app, caller, router.id, gateway.networkId)
  } catch (error) {
    // An exit that gives no answer follows by its job; where it refuses, or is adrift, the router keeps its
    // old gateway.
    if (isRefusal(error) || (error instanceof AppError && error.code === 'conflict'))
      await write(router.gateway)
    throw error
  }
}

/** Brings the router's copy at its exit now; after that the other regions learn of its gateway. */
async function bringOut(app: App, caller: Caller, routerId: string, networkId: string): Promise<void> {
  const region = await exitOf(app, networkId)
  if (!region) return
  await convergeRouter(app, { caller, routerId, region })
  await noteGateway(app, caller, region, routerId)
  await app.store.transact(tx => followRouter(app, caller, tx, routerId))
}

/** Posts the jobs of a router as the transaction has it now; none for one that is gone. */
async function followRouter(app: App, caller: Caller, tx: Transaction, id: string): Promise<void> {
  const router = await tx.networks.lock('router', id)
  if (router) await follow(app, caller, tx, await routerFollows(tx, router))
}

/**
 * Removes a router: its copies from the regions first, then the router from the model. A removal that has
 * begun is ended by jobs where a region gives no answer. Throws `not_found`, `conflict` (`router_in_use`,
 * `revision`), `upstream`.
 */
export async function removeRouter(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const router = await getOwn(app, caller, { kind: 'router', id })
  checkRevision('router', router, ifRevision)
  const ports = await interfacesOf(app.store, id)
  if (ports.length > 0)
    throw conflict(`Router ${id} still has ports: ${ports.map(port => port.id).join(', ')}`, 'router_in_use')
  const regions = await regionsOf(app.store)
  const home = routerHome(router, regions)
  if (home) {
    await app.cloud.networking(home.name, caller.requestId).remove('router', id)
    await forgetRouter(app, caller, router)
    return
  }
  await markDeleting(app, caller, id, true)
  try {
    for (const { region } of router.places)
      await convergeRouter(app, { caller, routerId: id, region: regionNamed(region, regions) })
  } catch (error) {
    if (isRefusal(error)) await markDeleting(app, caller, id, false)
    throw error
  }
  await forgetRouter(app, caller, router)
}

/**
 * Begins or calls off a router's removal, with the jobs by which each region follows even if this request
 * dies.
 */
const markDeleting = (app: App, caller: Caller, id: string, deleting: boolean): Promise<void> =>
  app.store.transact(async tx => {
    const router = await tx.networks.lock('router', id)
    if (!router) return
    await tx.networks.update('router', id, { deleting }, noteOf(app, caller, 'router.remove'))
    await follow(app, caller, tx, await routerFollows(tx, router))
  })
