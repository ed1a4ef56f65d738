// The verbs of floating IPs. The region of the external network gives the address and the id; the model says
// which router leads it to its port.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid, isRefusal, notFound } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { parseAddress } from '../addresses/address.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { Change, FloatingIp, Port, Router, Written } from '../model/model.ts'
import { all, interfacesOn } from '../model/query.ts'
import { getOwn, getResource } from '../model/read.ts'
import type { FloatingIpChange, FloatingIpSpec, RemovalAsk, UpdateAsk } from '../model/specs.ts'
import { homeOf, regionsOf } from '../model/where.ts'
import { born, checkRevision, follow } from '../model/writing.ts'
import { setupOf } from '../ports/follow-port.ts'

/** A port with the address and the router by which a floating IP leads to it. */
type Target = Pick<FloatingIp, 'portId' | 'fixedIpAddress' | 'routerId'>
const nowhere: Target = { portId: null, fixedIpAddress: null, routerId: null }

/**
 * The new floating IP. Throws `not_found` (`network`, `port`, `floating_ip_no_router`), `invalid` (`not_external`),
 * `conflict` (`over_quota`, `port_already_associated`), and `upstream` as its region refuses.
 */
export async function createFloatingIp(app: App, caller: Caller, spec: FloatingIpSpec): Promise<FloatingIp> {
  const network = await getResource(app, caller, { kind: 'network', id: spec.floatingNetworkId })
  if (!network.external)
    throw invalid(`Network ${network.id} is not a valid external network`, 'not_external')
  const region = homeOf(network, await regionsOf(app.store))!
  const target = spec.portId
    ? await targetOf(app, caller, network.id, spec.portId, spec.fixedIpAddress)
    : nowhere
  const id = await createInRegion(app, caller, spec, { region, target })
  if (target.routerId !== null) {
    try {
      await convergeRouter(app, { caller, routerId: target.routerId, region })
    } catch (error) {
      await takeBack(app, caller, id)
      throw error
    }
  }
  return (await app.store.networks.get('floatingip', id, null))!
}

/**
 * Removes a floating IP that failed; one that the region cannot remove now goes with the region's next
 * tidying.
 */
async function takeBack(app: App, caller: Caller, id: string): Promise<void> {
  try {
    await removeFloatingIp(app, caller, { id })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    app.report(error, `taking back the floating IP ${id}`)
    await app.store.transact(async tx => {
      await tx.networks.remove('floatingip', id, noteOf(app, caller, 'floatingip.remove'))
    })
  }
}

/**
 * Makes a floating IP in its region with its target in the model, and posts the job that links it there,
 * which runs even if this request dies.
 */
function createInRegion(
  app: App,
  caller: Caller,
  spec: FloatingIpSpec,
  { region, target }: { readonly region: Region; readonly target: Target },
): Promise<string> {
  const { projectId, description, floatingNetworkId, subnetId, floatingIpAddress } = spec
  return adopt(app, caller, {
    region,
    kind: 'floatingip',
    // An external network and its subnets have the same ids in their region.
    spec: {
      projectId,
      description,
      floatingNetworkId,
      ...(floatingIpAddress === undefined ? {} : { floatingIpAddress }),
      ...(subnetId === undefined ? {} : { subnetId }),
    },
    where: { floatingNetworkId, projectId },
    write: (made, intentId) =>
      app.store.transact(async tx => {
        await tx.networks.quota('floatingip', projectId, 1, app.networkRules.quotas.floatingip)
        const row: Written<'floatingip'> = {
          ...born(app),
          ...target,
          id: made.id,
          projectId,
          description,
          floatingNetworkId,
          floatingIpAddress: made.floatingIpAddress,
          status: 'DOWN',
        }
        await tx.networks.insert('floatingip', row, noteOf(app, caller, 'floatingip.create'))
        const place = { kind: 'floatingip', centralId: made.id, projectId, regionalId: made.id }
        await noteMade(app, tx, intentId, { ...place, regionId: region.id })
        if (target.routerId !== null) await followLink(app, caller, tx, row, target.routerId, region)
        return made.id
      }),
  })
}

/** The target of a floating IP: an address of the port, and the router that leads to it. */
async function targetOf(
  app: App,
  caller: Caller,
  floatingNetworkId: string,
  portId: string,
  fixedIpAddress: string | null | undefined,
): Promise<Target> {
  const port = await getOwn(app, caller, { kind: 'port', id: portId })
  const fixed = port.fixedIps
    .filter(({ ipAddress }) => parseAddress(ipAddress)?.version === 4)
    .find(({ ipAddress }) => !fixedIpAddress || ipAddress === fixedIpAddress)
  if (!fixed) {
    throw invalid(
      fixedIpAddress
        ? `Port ${portId} does not have fixed ip ${fixedIpAddress}`
        : `Cannot add floating IP to port ${portId} that has no fixed IPv4 addresses`,
      'fixed_ip',
    )
  }
  const others = await all(app.store, 'floatingip', { field: 'portId', in: [portId] })
  const other = others.find(one => one.fixedIpAddress === fixed.ipAddress)
  if (other) {
    throw conflict(
      `Cannot associate with port ${portId} using fixed IP ${fixed.ipAddress}, as that fixed IP already has a floating IP on external network ${other.floatingNetworkId}.`,
      'port_already_associated',
    )
  }
  const router = await routerBetween(app, port, fixed.subnetId, floatingNetworkId)
  return { portId, fixedIpAddress: fixed.ipAddress, routerId: router.id }
}

/** The router that is on the port's subnet and has its gateway on the external network. Throws `not_found`. */
async function routerBetween(
  app: App,
  port: Port,
  subnetId: string,
  floatingNetworkId: string,
): Promise<Router> {
  const interfaces = (await interfacesOn(app.store, port.networkId)).filter(({ fixedIps }) =>
    fixedIps.some(one => one.subnetId === subnetId),
  )
  const routers = await app.store.networks.getMany('router', [
    ...new Set(interfaces.map(one => one.deviceId)),
  ])
  const router = routers.find(({ gateway }) => gateway?.networkId === floatingNetworkId)
  if (router) return router
  throw notFound(
    `External network ${floatingNetworkId} is not reachable from subnet ${subnetId}. Therefore, cannot associate Port ${port.id} with a Floating IP.`,
    'floating_ip_no_router',
  )
}

/** The changed floating IP. Throws as `createFloatingIp`, and `conflict` (`revision`). */
export async function updateFloatingIp(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<FloatingIpChange>,
): Promise<FloatingIp> {
  const floatingIp = await getOwn(app, caller, { kind: 'floatingip', id })
  checkRevision('floatingip', floatingIp, ifRevision)
  const { portId, fixedIpAddress, description } = change
  const target =
    portId === undefined
      ? null
      : portId
        ? await targetElsewhere(app, caller, floatingIp, portId, fixedIpAddress)
        : nowhere
  const network = (await app.store.networks.get('network', floatingIp.floatingNetworkId, 'atoll'))!
  const region = homeOf(network, await regionsOf(app.store))!
  const plain = description === undefined ? {} : { description }
  await write(app, caller, id, { change: { ...plain, ...target }, region, ifRevision })
  if (target) await lead(app, caller, id, { before: floatingIp, target, region })
  return (await app.store.networks.get('floatingip', id, null))!
}

/** The target that a change names; null where the floating IP leads there already. */
async function targetElsewhere(
  app: App,
  caller: Caller,
  floatingIp: FloatingIp,
  portId: string,
  fixedIpAddress: string | null | undefined,
): Promise<Target | null> {
  const isSame =
    portId === floatingIp.portId && (!fixedIpAddress || fixedIpAddress === floatingIp.fixedIpAddress)
  return isSame ? null : targetOf(app, caller, floatingIp.floatingNetworkId, portId, fixedIpAddress)
}

interface Leading {
  readonly before: Target
  readonly target: Target
  readonly region: Region
}

/**
 * Has the region link a floating IP to the model's target at once: where the region refuses, the caller gets
 * the refusal and the target stays as before. A region that gives no answer follows by a job.
 */
async function lead(
  app: App,
  caller: Caller,
  id: string,
  { before, target, region }: Leading,
): Promise<void> {
  const routers = [...new Set([before.routerId, target.routerId])].filter(one => one !== null)
  try {
    for (const routerId of routers) await convergeRouter(app, { caller, routerId, region })
  } catch (error) {
    if (isRefusal(error)) await write(app, caller, id, { change: aimOf(before), region })
    throw error
  }
}

const aimOf = ({ portId, fixedIpAddress, routerId }: Target): Target => ({ portId, fixedIpAddress, routerId })

interface ModelWrite {
  readonly change: Change<'floatingip'>
  readonly region: Region
  readonly ifRevision?: number | undefined
}

/**
 * Writes a floating IP's target, with the jobs by which its region follows. Throws `conflict` (`revision`,
 * `port_already_associated`).
 */
function write(
  app: App,
  caller: Caller,
  id: string,
  { change, region, ifRevision }: ModelWrite,
): Promise<void> {
  return app.store.transact(async tx => {
    const row = await tx.networks.lock('floatingip', id)
    if (!row) return
    checkRevision('floatingip', row, ifRevision)
    const isLoose = change.portId === null
    const set = { ...change, ...(isLoose ? { status: 'DOWN' } : {}) }
    await tx.networks.update('floatingip', id, set, noteOf(app, caller, 'floatingip.update'))
    if (change.portId === undefined) return
    for (const one of new Set([row.routerId, change.routerId]))
      if (one) await followLink(app, caller, tx, row, one, region)
  })
}

/**
 * Posts the job that brings the router in the floating IP's region, even if the call that does so now dies.
 */
const followLink = (
  app: App,
  caller: Caller,
  tx: Transaction,
  { projectId, floatingNetworkId }: Pick<FloatingIp, 'projectId' | 'floatingNetworkId'>,
  routerId: string,
  region: Region,
): Promise<void> => follow(app, caller, tx, [setupOf({ id: routerId, projectId }, floatingNetworkId, region)])

/**
 * Removes a floating IP from its region first, then from the model. Throws `not_found`, `conflict`
 * (`revision`), `upstream`.
 */
export async function removeFloatingIp(
  app: App,
  caller: Caller,
  { id, ifRevision }: RemovalAsk,
): Promise<void> {
  const floatingIp = await getOwn(app, caller, { kind: 'floatingip', id })
  checkRevision('floatingip', floatingIp, ifRevision)
  for (const place of floatingIp.places) {
    await app.cloud.networking(place.region, caller.requestId).remove('floatingip', place.id)
  }
  const network = await app.store.networks.get('network', floatingIp.floatingNetworkId, 'atoll')
  const region = network && homeOf(network, await regionsOf(app.store))
  await app.store.transact(async tx => {
    await tx.networks.remove('floatingip', id, noteOf(app, caller, 'floatingip.remove'))
    if (region && floatingIp.routerId)
      await followLink(app, caller, tx, floatingIp, floatingIp.routerId, region)
  })
}
