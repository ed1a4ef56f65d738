// The verbs of routers. One that lives in one region has its own id there; a spanning router has a copy in
// each region of its networks, and in that of its gateway.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { contains, parseAddress, parseCidr } from '../addresses/address.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { RegionRouter } from '../copies/region-rows.ts'
import type { Change, HostRoute, Router, Written } from '../model/model.ts'
import { interfacesOf } from '../model/query.ts'
import { getOwn } from '../model/read.ts'
import type { RemovalAsk, RouterChange, RouterSpec, UpdateAsk } from '../model/specs.ts'
import { allowedBy, hintsIn, homeBy, regionNamed, regionsOf, routerHome } from '../model/where.ts'
import { born, checkRevision, follow } from '../model/writing.ts'
import { atHome } from '../writes/at-home.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import { type Removing, removal, removeAgain, removeUnplaced } from '../writes/removal.ts'
import { spanning } from '../writes/spanning.ts'
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
export async function updateRouter(app: App, caller: Caller, ask: UpdateAsk<RouterChange>): Promise<Router> {
  const { id, change, ifRevision } = ask
  const router = await getOwn(app, caller, { kind: 'router', id })
  checkRevision('router', router, ifRevision)
  const home = routerHome(router, await regionsOf(app.store))
  if (change.gateway) await gatewayRegion(app, caller, change.gateway, home)
  if (change.gateway === null) await requireNoFloatingIps(app, router)
  if (home) await updateAtHome(app, caller, home, ask)
  else await updateSpanning(app, caller, router, ask)
  return (await app.store.networks.get('router', id, null))!
}

function updateAtHome(
  app: App,
  caller: Caller,
  region: Region,
  { id, change, ifRevision }: UpdateAsk<RouterChange>,
): Promise<void> {
  const { gateway, description, ...same } = change
  const networking = app.cloud.networking(region.name, caller.requestId)
  const told = {
    ...same,
    ...(gateway === undefined ? {} : { externalGateway: gateway && askOf(gateway) }),
  }
  return atHome(app, caller, {
    kind: 'router',
    id,
    ifRevision,
    region,
    verb: 'update',
    ask: () =>
      Object.keys(told).length === 0 ? networking.get('router', id) : networking.update('router', id, told),
    async write(tx, _router, made) {
      const set = {
        ...same,
        ...(description === undefined ? {} : { description }),
        ...(made ? mirrored(made) : {}),
      }
      await tx.networks.update('router', id, set as Change<'router'>, noteOf(app, caller, 'router.update'))
    },
    endLeft: endLeftRouter,
  })
}

/**
 * Changes a spanning router, whose regions follow by jobs. Its gateway is set or taken away at the exit at once, so
 * that the caller gets that region's refusal.
 */
async function updateSpanning(
  app: App,
  caller: Caller,
  router: Router,
  { change, ifRevision }: UpdateAsk<RouterChange>,
): Promise<void> {
  const { gateway: ask, ...plain } = change
  if (plain.routes) await checkRoutes(app, router, plain.routes)
  const networkId = (ask ?? router.gateway)?.networkId
  const exit = ask === undefined || networkId === undefined ? null : await exitOf(app, networkId)
  const named = { kind: 'router', id: router.id, ifRevision } as const
  const gateway = ask ? asGateway(await withSubnets(app, ask)) : null
  const set = { ...plain, ...(ask === undefined ? {} : { gateway }) } as Change<'router'>
  if (!exit)
    return inModel(app, caller, {
      endLeft: endLeftRouter,
      ...named,
      async write(tx) {
        const after = await tx.networks.update('router', router.id, set, noteOf(app, caller, 'router.update'))
        await follow(app, caller, tx, await routerFollows(tx, after!))
      },
    })
  await spanning(app, caller, {
    ...named,
    region: exit,
    verb: 'update',
    action: 'router.update',
    set: () => set,
    follows: routerFollows,
    now: () => bringOut(app, caller, router.id, networkId!),
    endLeft: endLeftRouter,
  })
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
  if (routerHome(router, regions))
    return removal(app, caller, { ...removing, row: router, ifRevision, endLeft: endLeftRouter })
  const target = { kind: 'router', id, ifRevision, endLeft: endLeftRouter } as const
  const write = (tx: Transaction, row: Router) => letGo(app, caller, tx, row)
  const place = await removeUnplaced(app, caller, router, { ...target, write })
  if (!place) return
  await spanning(app, caller, {
    ...target,
    region: regionNamed(place.region, regions),
    verb: 'remove',
    action: 'router.remove',
    set: () => ({ deleting: true }),
    follows: routerFollows,
    now: row => removeSpanning(app, caller, row),
  })
}

async function removeCopies(app: App, caller: Caller, { places }: Router): Promise<void> {
  for (const { region, id } of places)
    await app.cloud.networking(region, caller.requestId).remove('router', id)
}

async function letGo(app: App, caller: Caller, tx: Transaction, { id }: Router): Promise<void> {
  await tx.networks.remove('router', id, noteOf(app, caller, 'router.remove'))
}

/** Removes the copies of a spanning router whose removal has begun, and then the router. */
async function removeSpanning(app: App, caller: Caller, router: Router): Promise<void> {
  const regions = await regionsOf(app.store)
  for (const { region } of router.places)
    await convergeRouter(app, { caller, routerId: router.id, region: regionNamed(region, regions) })
  await forgetRouter(app, caller, router)
}

/** How routers at home go. */
const removing: Removing<'router'> = { kind: 'router', removeThere: removeCopies, letGo }

/** Ends what a writer of a router has begun and left. */
export const endLeftRouter = endLeftBy<'router'>({
  kind: 'router',
  async mirror(app, caller, { id, places: [place] }) {
    const made = place && (await app.cloud.networking(place.region, caller.requestId).get('router', place.id))
    if (!made) return
    const { name, adminStateUp } = made
    const set = { name, adminStateUp, ...mirrored(made) }
    await app.store.transact(tx => tx.networks.update('router', id, set, noteOf(app, caller, 'router.watch')))
  },
  async now(app, caller, row, before) {
    const networkId = (row.gateway ?? before.gateway)?.networkId
    if (networkId !== undefined) await bringOut(app, caller, row.id, networkId)
  },
  async remove(app, caller, row) {
    const isHome = routerHome(row, await regionsOf(app.store)) !== null
    await (isHome ? removeAgain(removing) : removeSpanning)(app, caller, row)
  },
  follows: routerFollows,
})
