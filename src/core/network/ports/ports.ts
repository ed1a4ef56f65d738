// The verbs of ports: create, update, remove. A port is placed in one region, whose id it then bears, or reserved.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { isUnicastMac, parseMac } from '../addresses/address.ts'
import { holdIps, wantedIps } from '../addresses/fixed-ips.ts'
import { ensureDefaultGroup } from '../groups/default-group.ts'
import { comesWithOther, ownerOf } from '../model/device-owner.ts'
import type { Network, Port, Written } from '../model/model.ts'
import { mayUse } from '../model/policy.ts'
import { getOwn, getResource } from '../model/read.ts'
import type { PortChange, PortSpec, RemovalAsk, UpdateAsk } from '../model/specs.ts'
import { born, checkRevision } from '../model/writing.ts'
import { removal } from '../writes/removal.ts'
import { checkDevice } from './device.ts'
import { followCarved, placePort, type ReadyPort } from './place-port.ts'
import { endLeftPort, isMoving, movePort, removing, updateInPlace } from './port-change.ts'
import { regionForPort } from './port-placement.ts'

/**
 * The new port. Throws `not_found` (`network`, `subnet`, `security_group`), `invalid` (`address_outside`,
 * `address_no_subnet`, `region_unknown`, `location_mismatch`, `mac`), `conflict` (`mac_in_use`, `address_in_use`,
 * `no_addresses`, `over_quota`), and `upstream` as its region refuses.
 */
export async function createPort(app: App, caller: Caller, spec: PortSpec): Promise<Port> {
  const network = await getResource(app, caller, { kind: 'network', id: spec.networkId })
  if (!mayUse(caller, network)) throw notAllowedOn(network, spec)
  if (network.deleting) throw conflict(`The network ${network.id} is being removed`, 'network_in_use')
  if (spec.macAddress !== undefined) await checkKept(app, network, macOf(app, spec))
  const ready: ReadyPort = {
    ...spec,
    id: null,
    macAddress: macOf(app, spec),
    ...(await securityOf(app, caller, network, spec)),
  }
  const region = await regionForPort(app, network, { ...spec, requestId: caller.requestId })
  const id = region
    ? await placePort(app, caller, { network, region, port: ready, asks: spec.fixedIps })
    : await reservePort(app, caller, network, ready, spec)
  return (await app.store.networks.get('port', id, null))!
}

/** An external network is seen by everybody, but routers and floating IPs are the only way to its addresses. */
const notAllowedOn = ({ id }: Network, { projectId }: PortSpec): AppError =>
  new AppError('forbidden', `Tenant ${projectId} not allowed to create port on this network: ${id}`, {
    rule: 'create_port',
    needs: 'admin',
  })

/** The MAC that the port asks for, or a new one. Throws `invalid` (`mac`). */
function macOf(app: App, { macAddress }: PortSpec): string {
  if (macAddress === undefined) return newMac(app)
  const mac = parseMac(macAddress)
  if (mac && isUnicastMac(mac)) return mac
  throw invalid(`'${macAddress}' is not a MAC address that a port can have`, 'mac')
}

/** What is absent may come back with its MAC. Throws `conflict` (`mac_in_use`). */
async function checkKept(app: App, { id }: Network, mac: string): Promise<void> {
  if (await app.store.transact(tx => tx.networks.isMacKept(id, mac)))
    throw conflict(
      `The MAC address ${mac} is kept for a port that its region has ceased to show: it is free a day after that`,
      'mac_in_use',
    )
}

/** As OpenStack's usual prefix begins; chosen here, so that a port whose answer got lost is found again by it. */
export function newMac(app: Pick<App, 'chance'>): string {
  const byte = () =>
    Math.floor(app.chance() * 256)
      .toString(16)
      .padStart(2, '0')
  return `fa:16:3e:${byte()}:${byte()}:${byte()}`
}

/**
 * The groups and port security of a port. Where it names no groups it gets the project's default group, or
 * none without port security.
 */
async function securityOf(app: App, caller: Caller, network: Network, spec: PortSpec) {
  const portSecurityEnabled = spec.portSecurityEnabled ?? network.portSecurityEnabled
  const isService = ownerOf(spec) !== 'user'
  if (spec.securityGroupIds) {
    for (const id of spec.securityGroupIds) await getResource(app, caller, { kind: 'security_group', id })
    return { portSecurityEnabled, securityGroupIds: spec.securityGroupIds }
  }
  if (!portSecurityEnabled || isService) return { portSecurityEnabled, securityGroupIds: [] }
  const group = await ensureDefaultGroup(app, caller, spec.projectId)
  return { portSecurityEnabled, securityGroupIds: group ? [group.id] : [] }
}

/** Writes a port that is in no region yet: its MAC and its addresses are held. */
async function reservePort(
  app: App,
  caller: Caller,
  network: Network,
  ready: ReadyPort,
  { fixedIps }: PortSpec,
): Promise<string> {
  const id = app.newId()
  const subnets = await app.store.networks.getMany('subnet', network.subnetIds)
  const wanted = wantedIps(fixedIps, subnets, network.id)
  await app.store.transact(async tx => {
    await tx.networks.quota('port', ready.projectId, 1, app.networkRules.quotas.port)
    const row: Written<'port'> = { ...ready, ...born(app), id, vifType: 'unbound', status: 'DOWN' }
    await tx.networks.insert('port', row, noteOf(app, caller, 'port.create'))
    const { carved } = await holdIps(tx, { wanted, holder: id, mac: ready.macAddress, region: null })
    await followCarved(app, caller, tx, network, carved)
  })
  return id
}

/**
 * The changed port. A placed port is changed in its region first; a reserved one whose region is named now is
 * placed there, and one for which another region is named moves. Throws as `createPort`, and `conflict`
 * (`revision`, `port_in_use`, `DeviceIDNotOwnedByTenant`).
 */
export async function updatePort(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<PortChange>,
): Promise<Port> {
  const port = await getOwn(app, caller, { kind: 'port', id })
  checkRevision('port', port, ifRevision)
  await checkDevice(app, caller, { ...port, ...change })
  for (const group of change.securityGroupIds ?? [])
    await getResource(app, caller, { kind: 'security_group', id: group })
  const network = (await app.store.networks.get('network', port.networkId, 'atoll'))!
  if (change.macAddress !== undefined && change.macAddress !== port.macAddress)
    await checkKept(app, network, change.macAddress)
  const region = await regionAfter(app, caller, network, port, change)
  if (isMoving(port, region)) await movePort(app, caller, { port, network, region, change, ifRevision })
  else await updateInPlace(app, caller, { port, network, change, ifRevision })
  return (await app.store.networks.get('port', id, null))!
}

/** The region of a port after a change; null while it stays reserved. */
async function regionAfter(
  app: App,
  caller: Caller,
  network: Network,
  port: Port,
  { hostId, profile }: PortChange,
): Promise<Region | null> {
  if (!hostId && profile?.region === undefined) return null
  const { projectId } = port
  return regionForPort(app, network, {
    projectId,
    requestId: caller.requestId,
    hostId: hostId ?? '',
    profile: profile ?? {},
  })
}

/**
 * Removes a port from its region first, then from the model. Whoever sees a port may do so: its project, and the
 * one of its network. Throws `not_found`, `conflict` (`port_in_use` for a router's leg, `revision`), `upstream`.
 */
export async function removePort(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const port = await getResource(app, caller, { kind: 'port', id })
  checkRevision('port', port, ifRevision)
  if (comesWithOther(port)) {
    throw conflict(
      `Port ${id} cannot be deleted directly via the port API: has device owner ${port.deviceOwner}`,
      'port_in_use',
    )
  }
  await removal(app, caller, { ...removing, row: port, ifRevision, endLeft: endLeftPort })
}
