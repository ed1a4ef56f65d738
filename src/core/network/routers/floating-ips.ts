// The verbs of floating IPs. The region of the external network gives the address and the id; the model says
// which router leads it to its port.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid, notFound } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { parseAddress } from '../addresses/address.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { FloatingIp, Port, Router, Written } from '../model/model.ts'
import type { Reads } from '../model/network-store.ts'
import { all, interfacesOn } from '../model/query.ts'
import { getOwn, getResource } from '../model/read.ts'
import type { FloatingIpChange, FloatingIpSpec, RemovalAsk, UpdateAsk } from '../model/specs.ts'
import { homeOf, regionsOf } from '../model/where.ts'
import { born, checkRevision, type FollowUp, follow } from '../model/writing.ts'
import { setupOf } from '../ports/follow-port.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import { type Removing, removal, removeAgain } from '../writes/removal.ts'
import { spanning } from '../writes/spanning.ts'

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
        await follow(app, caller, tx, await followLink(tx, row))
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
  const plain = description === undefined ? {} : { description }
  const named = { kind: 'floatingip', id, ifRevision } as const
  if (target === null) {
    const note = noteOf(app, caller, 'floatingip.update')
    await inModel(app, caller, {
      endLeft: endLeftFloatingIp,
      ...named,
      write: tx => tx.networks.update('floatingip', id, plain, note),
    })
  } else
    await spanning(app, caller, {
      ...named,
      region: (await regionOf(app.store, floatingIp))!,
      verb: 'update',
      action: 'floatingip.update',
      set: () => ({ ...plain, ...target, ...(target.portId === null ? { status: 'DOWN' } : {}) }),
      follows: followLink,
      now: before => lead(app, caller, { before, target, floatingIp }),
      endLeft: endLeftFloatingIp,
    })
  return (await app.store.networks.get('floatingip', id, null))!
}

/** The region of a floating IP: that of its external network; null where that is gone. */
async function regionOf(reads: Reads, { floatingNetworkId }: External): Promise<Region | null> {
  const [network] = await reads.networks.getMany('network', [floatingNetworkId])
  return network ? homeOf(network, await regionsOf(reads)) : null
}

type External = Pick<FloatingIp, 'floatingNetworkId'>

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
  readonly floatingIp: External
}

/** Has the region link a floating IP to the model's target at once. */
async function lead(app: App, caller: Caller, { before, target, floatingIp }: Leading): Promise<void> {
  const region = (await regionOf(app.store, floatingIp))!
  const routers = [...new Set([before.routerId, target.routerId])].filter(one => one !== null)
  for (const routerId of routers) await convergeRouter(app, { caller, routerId, region })
}

/** The job that brings the router that leads to a floating IP in the floating IP's region. */
const followLink = async (tx: Transaction, row: Linked): Promise<FollowUp[]> => {
  const { routerId, projectId, floatingNetworkId } = row
  const region = routerId && (await regionOf(tx, row))
  return region ? [setupOf({ id: routerId, projectId }, floatingNetworkId, region)] : []
}

type Linked = Pick<FloatingIp, 'routerId' | 'projectId' | 'floatingNetworkId'>

const removing: Removing<'floatingip'> = { kind: 'floatingip', removeThere: removeCopy, letGo }

/** Ends what a writer of a floating IP has begun and left. */
export const endLeftFloatingIp = endLeftBy<'floatingip'>({
  kind: 'floatingip',
  now: (app, caller, row, before) => lead(app, caller, { before, target: row, floatingIp: row }),
  remove: removeAgain(removing),
  follows: followLink,
})

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
  await removal(app, caller, { ...removing, row: floatingIp, ifRevision, endLeft: endLeftFloatingIp })
}

async function removeCopy(app: App, caller: Caller, { places }: FloatingIp): Promise<void> {
  for (const { region, id } of places)
    await app.cloud.networking(region, caller.requestId).remove('floatingip', id)
}

async function letGo(app: App, caller: Caller, tx: Transaction, row: FloatingIp): Promise<void> {
  await tx.networks.remove('floatingip', row.id, noteOf(app, caller, 'floatingip.remove'))
  await follow(app, caller, tx, await followLink(tx, row))
}
