// Brings one region's copy of a router to the plan: see the region, plan, do the steps that differ, look
// again.

import type { App } from '../../app.ts'
import { AppError, conflict, isRefusal } from '../../error.ts'
import { ownNote } from '../../note.ts'
import type { Intent } from '../copies/intent.ts'
import { makerOf, type NoteId, realise } from '../copies/realise.ts'
import type { MadeKind, RegionNetworking, ThingSpec } from '../copies/region-rows.ts'
import { ensureNetwork, type LeavingCopies, noteLeft } from '../copies/spanning.ts'
import { interfaceOwner, isRouters, ownerOf } from '../model/device-owner.ts'
import type { HostRoute } from '../model/model.ts'
import { byOne } from '../writes/one-writer.ts'
import { routesIn } from './configure-routes.ts'
import { nothing, planFor, type Ref, refer, type Thing } from './router-plan.ts'
import { legsIn, type RouterScene, routerScene } from './router-scene.ts'
import { type Aspect, see } from './router-seen.ts'
import { type LeavingCopy, type RouterStep, stepsTo } from './router-steps.ts'

/**
 * How often the steps are planned anew: one that the region refused may have been done by another worker in
 * the meantime.
 */
const rounds = 4
/**
 * How often where the region refuses a step since a thing is gone: another worker took it away, and may note
 * that a moment later.
 */
const roundsForGone = 12

/**
 * Returns how many steps it took: none where the region held what the plan says. The copy of a router that is
 * gone from the model is removed. Throws as the region refuses, `conflict` (`drift`) where a thing that Atoll
 * made there is gone.
 */
export function convergeRouter(app: App, aspect: Aspect): Promise<number> {
  const { routerId, region } = aspect
  // One convergence of a router's copy at a time: of two calls at once for one leg stock Neutron undoes the
  // winner's as well.
  const what = { kind: 'convergence', id: `${routerId}/${region.id}`, regionId: region.id }
  return byOne(app, what, renew => converge(app, aspect, renew))
}

async function converge(app: App, aspect: Aspect, renew: () => Promise<void>): Promise<number> {
  let done = 0
  let refused: unknown = null
  let most = rounds
  for (let round = 0; round < most; round += 1) {
    const missing = await difference(app, aspect)
    if (missing.steps.length === 0) return done
    if (round > 0) await renew()
    try {
      await carryOut(app, aspect, missing)
      done += missing.steps.length
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (error.detail.status === 404) most = roundsForGone
      if (round === most - 1) throw error
      refused = error
    }
  }
  const { steps } = await difference(app, aspect)
  if (steps.length === 0) return done
  throw (
    refused ??
    conflict(`The router ${aspect.routerId} does not come to rest in ${aspect.region.name}`, 'drift')
  )
}

interface Difference {
  readonly steps: readonly RouterStep[]
  /** The region's ids of things by their references. */
  readonly ids: ReadonlyMap<Ref, string>
}

async function difference(app: App, { caller, routerId, region }: Aspect): Promise<Difference> {
  const networking = app.cloud.networking(region.name, caller.requestId)
  const scene = await routerScene(app, routerId)
  const here = scene?.regions.find(one => one.region.id === region.id)
  const legs = scene && here && !scene.home ? await legsIn(app, scene, region) : new Map()
  const routes = scene && here ? routesFor(app, scene, region.name) : null
  const plan = scene
    ? planFor(scene, here, { legs, routes, ownProject: await app.cloud.ownProject() })
    : nothing
  const seen = await see(app, networking, { scene, plan, region, routerId })
  return { steps: stepsTo(plan, seen, routerId, !scene?.home), ids: seen.ids }
}

/**
 * The routes of the copy in a region; null where no routes will do. The job of the routes tells that: it is
 * not to keep the copy from its legs.
 */
function routesFor(app: App, scene: RouterScene, region: string): readonly HostRoute[] | null {
  try {
    return routesIn(app, scene).get(region) ?? null
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    return null
  }
}

async function carryOut(app: App, aspect: Aspect, { steps, ids }: Difference): Promise<void> {
  const networking = app.cloud.networking(aspect.region.name, aspect.caller.requestId)
  const made = new Map<Ref, string>()
  const idOf = (ref: Ref): string => made.get(ref) ?? ids.get(ref) ?? ref
  for (const step of steps) await carryOutOne(app, aspect, networking, step, { made, idOf })
}

interface Ids {
  readonly made: Map<Ref, string>
  idOf(ref: Ref): string
}

async function carryOutOne(
  app: App,
  aspect: Aspect,
  networking: RegionNetworking,
  step: RouterStep,
  { made, idOf }: Ids,
): Promise<void> {
  const { region, caller } = aspect
  switch (step.do) {
    case 'ensure': {
      const local = await ensureNetwork(app, caller, step.network, region)
      made.set(refer('network', step.network.id), local.id)
      for (const [id, regionalId] of local.subnetIds) made.set(refer('subnet', id), regionalId)
      return
    }
    case 'make': {
      const id = await make(app, aspect, networking, resolved(step.thing, idOf))
      made.set(refer(step.thing.kind, step.thing.purpose), id)
      return
    }
    case 'change':
      await networking.update('router', idOf(step.id), resolved(step.spec, idOf))
      return
    case 'addLeg':
      await addLeg(networking, idOf(step.router), idOf(step.port))
      return
    case 'dropLeg':
      await networking.removeLeg(step.routerId, { portId: step.portId })
      if (step.intent) await forget(app, aspect, step.intent)
      return
    case 'drop':
      if (step.intent.regionalId !== null)
        await networking.remove(step.intent.resourceType as MadeKind, step.intent.regionalId)
      await forget(app, aspect, step.intent)
      return
    case 'leave':
      await networking.remove(step.leaving.kind, step.leaving.regionalId)
      await noteLeft(app, region, await copiesOf(app, step.leaving))
      return
    case 'link':
      await link(app, networking, step, idOf)
      return
    case 'unlink':
      await networking.update('floatingip', step.regionalId, { portId: null })
  }
}

/**
 * Adds a leg. Of two calls at once for one port stock Neutron takes the device off the port for the call that comes
 * too late, and still has the leg: from then on it refuses to add the leg, and the leg's port must be given its router
 * again. A port with another router's device is taken off that one; the next round adds it.
 */
async function addLeg(networking: RegionNetworking, routerId: string, portId: string): Promise<void> {
  const give = (deviceId: string, deviceOwner: string) =>
    networking.update('port', portId, { deviceId, deviceOwner })
  try {
    await networking.addLeg(routerId, { portId })
  } catch (error) {
    if (isBecause(error, 'leg_exists') && (await hasLost(networking, routerId, portId)))
      return void (await give(routerId, interfaceOwner))
    if (isBecause(error, 'PortInUse') && (await isAstray(networking, routerId, portId))) await give('', '')
    throw error
  }
}

const isBecause = (error: unknown, reason: string): boolean =>
  error instanceof AppError && error.detail.reason === reason

/** Whether a leg's port stands as another router's, or not as a leg; one that a server has is left to it. */
async function isAstray(networking: RegionNetworking, routerId: string, portId: string): Promise<boolean> {
  const port = await networking.get('port', portId)
  if (!port) return false
  return port.deviceId === routerId ? ownerOf(port) !== 'router interface' : isRouters(port)
}

/** Whether a leg's port has lost its device, and the router has no other port in the port's subnets. */
async function hasLost(networking: RegionNetworking, routerId: string, portId: string): Promise<boolean> {
  const port = await networking.get('port', portId)
  if (port?.deviceId !== '') return false
  const subnets = new Set(port.fixedIps.map(({ subnetId }) => subnetId))
  const legs = await networking.list('port', { where: { deviceId: routerId } })
  return !legs.some(({ fixedIps }) => fixedIps.some(({ subnetId }) => subnets.has(subnetId)))
}

/** The only fields that references stand in: ids, which no user writes. */
const referring: ReadonlySet<string> = new Set(['networkId', 'subnetId'])

/** With the region's ids in place of references. */
function resolved<T>(value: T, idOf: (ref: Ref) => string, field = ''): T {
  if (typeof value === 'string') return (referring.has(field) ? idOf(value) : value) as T
  if (Array.isArray(value)) return value.map(one => resolved(one, idOf, field)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, idOf, key)])) as T
}

async function make(app: App, aspect: Aspect, networking: RegionNetworking, thing: Thing): Promise<string> {
  const { kind, purpose, spec, where, routedAs } = thing
  const { region, routerId } = aspect
  const intent = { region: region.name, resourceType: kind, purpose, owner: routerId }
  // A thing whose id its intent has is not made again: so its place is noted in the same transaction, or not
  // at all.
  const noteId: NoteId = (intentId, made) =>
    app.store.transact(async tx => {
      const router = await tx.networks.lock('router', routerId)
      const regionalId = await tx.intents.noteId(intentId, made)
      // The router's removal has begun in the meantime: the next round removes the thing that was made.
      if (!router || router.deleting || !routedAs) return regionalId
      const { projectId } = router
      await tx.networks.place({ ...routedAs, projectId, regionId: region.id, regionalId, at: app.now() })
      return regionalId
    })
  const maker = makerOf(networking, kind, withoutEmpty(spec), where)
  return (await realise(app, intent, maker, noteId)).id
}

/** A gateway without addresses leaves the list out: Neutron takes no empty one. */
function withoutEmpty<K extends MadeKind>(spec: ThingSpec<K>): ThingSpec<K> {
  const { externalGateway } = spec as ThingSpec<'router'>
  if (!externalGateway || externalGateway.externalFixedIps.length > 0) return spec
  const { externalFixedIps: _none, ...gateway } = externalGateway
  return { ...spec, externalGateway: gateway }
}

/** Ends an intent whose thing was removed from the region, and removes its routing. */
async function forget(app: App, { region, routerId }: Aspect, intent: Intent): Promise<void> {
  const [, id = intent.purpose] = intent.purpose.split('/')
  const kind = intent.purpose.startsWith('mirror/') ? `shadow_${intent.resourceType}` : intent.resourceType
  await app.store.transact(async tx => {
    await tx.intents.end(intent.id, 'verb', app.now())
    await tx.networks.unplace(kind, id, region.id)
    if (intent.resourceType === 'router') await tx.networks.release('leg', `${routerId}/${region.id}`)
  })
}

async function copiesOf(app: App, { centralId: networkId }: LeavingCopy): Promise<LeavingCopies> {
  const network = await app.store.networks.get('network', networkId, 'atoll')
  return { networkId, subnetIds: network?.subnetIds ?? [] }
}

/** Leads a floating IP to its port, and notes that it does. */
async function link(
  app: App,
  networking: RegionNetworking,
  { link: { regionalId, floatingIpId, port, fixedIp } }: Extract<RouterStep, { do: 'link' }>,
  idOf: (ref: Ref) => string,
): Promise<void> {
  const told = { portId: idOf(port), fixedIpAddress: fixedIp }
  const { status } = await networking.update('floatingip', regionalId, told)
  await app.store.transact(async tx => {
    await tx.networks.update('floatingip', floatingIpId, { status }, ownNote(app, 'floatingip.link'))
  })
}
