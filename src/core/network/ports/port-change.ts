// Changing a port: in the region that it is in, or by moving it to another one.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { holdIps, wantedIps } from '../addresses/fixed-ips.ts'
import { convergeRouter } from '../convergence/converge.ts'
import { atHome } from '../copies/at-home.ts'
import type { RegionPort, ThingSpec } from '../copies/region-rows.ts'
import { copyIn, type LocalNetwork, regionalIdIn } from '../copies/spanning.ts'
import { ensureGroups, groupsFollowPort } from '../groups/groups-in-region.ts'
import type { Change, FixedIp, Network, Place, Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import type { PortChange } from '../model/specs.ts'
import { regionNamed, regionsOf } from '../model/where.ts'
import { checkRevision } from '../model/writing.ts'
import { centralIps, followCarved, holdMirrored, placePort, tellPools } from './place-port.ts'

/** Whether a port that is to be in this region (null: it stays) has another place now. */
export const isMoving = (port: Port, region: Region | null): region is Region =>
  region !== null && port.places[0]?.region !== region.name

export interface Moving {
  readonly port: Port
  readonly network: Network
  readonly region: Region
  readonly change: PortChange
}

/**
 * Places a port in a region and takes it out of the one that it was in. It keeps its central id, its MAC and
 * its addresses; the new region gives it an id of its own. Throws `conflict` (`PortInUse`) while a device
 * uses it in its old region.
 */
export async function moved(
  app: App,
  caller: Caller,
  { port, network, region, change }: Moving,
): Promise<void> {
  const [place] = port.places
  if (place) {
    await takeOut(app, caller, port, place)
    await makeWay(app, caller, port.id, region)
  }
  const { fixedIps = port.fixedIps, ...given } = change
  // The device that used the port in its old region uses it no more, whether Atoll saw that or not.
  const rest = place ? { ...unused, ...given } : given
  const ready = { ...port, ...rest, macAddress: rest.macAddress ?? port.macAddress }
  await placePort(app, caller, { network, region, port: ready, asks: fixedIps })
  await changeCentral(app, caller, { port, change: rest })
}

const unused = { deviceId: '', deviceOwner: '', hostId: '' } as const

/** Takes a port out of its region: after that it is reserved, and its addresses are in no region's block. */
async function takeOut(app: App, caller: Caller, port: Port, { region, id }: Place): Promise<void> {
  const networking = app.cloud.networking(region, caller.requestId)
  const there = await networking.get('port', id)
  if (there?.deviceId) {
    throw conflict(
      `Unable to complete operation on port ${port.id} for network ${port.networkId}. Port already has an attached device ${there.deviceId}.`,
      'PortInUse',
    )
  }
  const subnets = await app.store.networks.getMany(
    'subnet',
    port.fixedIps.map(({ subnetId }) => subnetId),
  )
  const wanted = wantedIps(port.fixedIps, subnets, port.networkId)
  const carved = await app.store.transact(async tx => {
    await tx.networks.release('port', port.id)
    const holding = { wanted, holder: port.id, mac: port.macAddress, region: null }
    return (await holdIps(tx, holding)).carved
  })
  for (const one of carved) await tellPools(app, caller, one)
  await networking.remove('port', id)
  const old = regionNamed(region, await regionsOf(app.store))
  await app.store.transact(async tx => {
    const change = { ...unused, vifType: 'unbound', status: 'DOWN' }
    await tx.networks.update('port', port.id, change, noteOf(app, caller, 'port.move'))
    await tx.networks.unplace('port', port.id, old.id)
  })
}

/** Removes the mirror port that stands for a port in a region before the port itself comes there. */
async function makeWay(app: App, caller: Caller, portId: string, region: Region): Promise<void> {
  const bound = await all(app.store, 'floatingip', { field: 'portId', in: [portId] })
  const here = bound.filter(floatingIp => regionalIdIn(floatingIp, region) !== null)
  for (const routerId of new Set(here.flatMap(floatingIp => floatingIp.routerId ?? [])))
    await convergeRouter(app, { caller, routerId, region })
}

export interface PortUpdate {
  readonly port: Port
  readonly network: Network
  readonly change: PortChange
  readonly ifRevision: number | undefined
}

/**
 * Changes a placed port in its region first, and then in the model as the region made it; a reserved port in
 * the model alone.
 */
export async function toldToRegion(app: App, caller: Caller, portUpdate: PortUpdate): Promise<void> {
  const { port, change } = portUpdate
  const [place] = port.places
  if (!place) return changeReserved(app, caller, portUpdate)
  const region = regionNamed(place.region, await regionsOf(app.store))
  const networking = app.cloud.networking(region.name, caller.requestId)
  const local = (await localOf(app, portUpdate.network, region))!
  const groups = await ensureGroups(app, networking, {
    region: region.name,
    regionId: region.id,
    groupIds: change.securityGroupIds ?? [],
  })
  await atHome(app, {
    kind: 'port',
    id: port.id,
    region,
    ifRevision: portUpdate.ifRevision,
    ask: () => networking.update('port', place.id, regionalChange(change, local, groups)),
    write: (tx, _row, made) => changeIn(app, caller, tx, { port, change, made, region, local }),
    mirror: () => mirrorChange(app, caller, region, port.id),
  })
}

/** Brings the model's port to the region's, after a change of which the writer died or got no answer. */
export async function mirrorChange(app: App, caller: Caller, region: Region, id: string): Promise<void> {
  const [port] = await app.store.networks.getMany('port', [id])
  const place = port?.places.find(one => one.region === region.name)
  const network = port && (await app.store.networks.get('network', port.networkId, 'atoll'))
  const local = network && (await localOf(app, network, region))
  const made = place && (await app.cloud.networking(region.name, caller.requestId).get('port', place.id))
  if (!port || !made || !local) return
  const { name, adminStateUp } = made
  const change: PortChange = { name, adminStateUp, fixedIps: centralIps(made, local) }
  await app.store.transact(tx => changeIn(app, caller, tx, { port, change, made, region, local }))
}

async function localOf(app: App, network: Network, region: Region): Promise<LocalNetwork | null> {
  return copyIn(network, await app.store.networks.getMany('subnet', network.subnetIds), region)
}

function regionalChange(
  change: PortChange,
  local: LocalNetwork,
  groups: ReadonlyMap<string, string>,
): ThingSpec<'port'> {
  const { fixedIps, securityGroupIds, profile, description: _own, ...same } = change
  const { region: _place, ...rest } = profile ?? {}
  return {
    ...same,
    ...(profile === undefined ? {} : { profile: rest }),
    ...(securityGroupIds === undefined
      ? {}
      : { securityGroupIds: securityGroupIds.map(id => groups.get(id)!) }),
    ...(fixedIps === undefined
      ? {}
      : {
          fixedIps: fixedIps.map(ask => ({
            ...ask,
            ...(ask.subnetId === undefined ? {} : { subnetId: local.subnetIds.get(ask.subnetId)! }),
          })) as FixedIp[],
        }),
  } as ThingSpec<'port'>
}

interface Changing {
  readonly port: Port
  readonly change: PortChange
  readonly made?: RegionPort
  readonly region?: Region
  readonly local?: LocalNetwork
}

const changeCentral = (app: App, caller: Caller, changing: Changing): Promise<void> =>
  app.store.transact(tx => changeIn(app, caller, tx, changing))

async function changeIn(
  app: App,
  caller: Caller,
  tx: Transaction,
  { port, change, made, region, local }: Changing,
): Promise<void> {
  const { fixedIps: _asked, ...plain } = change
  const told = made && {
    status: made.status,
    vifType: made.vifType ?? 'unbound',
    macAddress: made.macAddress,
  }
  const set = { ...plain, ...told } as Change<'port'>
  await tx.networks.update('port', port.id, set, noteOf(app, caller, 'port.update'))
  if (made && region && local && change.fixedIps) {
    await tx.networks.release('port', port.id)
    await holdMirrored(tx, port.id, region, centralIps(made, local))
  }
  if (change.securityGroupIds || change.fixedIps) {
    await groupsFollowPort(app, caller, tx, port)
    await groupsFollowPort(app, caller, tx, { ...port, ...plain } as Port)
  }
}

async function changeReserved(app: App, caller: Caller, portUpdate: PortUpdate): Promise<void> {
  const { port, network, change, ifRevision } = portUpdate
  const { fixedIps, ...plain } = change
  const subnets = await app.store.networks.getMany('subnet', network.subnetIds)
  const wanted = fixedIps && wantedIps(fixedIps, subnets, network.id)
  await app.store.transact(async tx => {
    const now = await tx.networks.lock('port', port.id)
    if (now) checkRevision('port', now, ifRevision)
    await tx.networks.update('port', port.id, plain as Change<'port'>, noteOf(app, caller, 'port.update'))
    if (!wanted) return
    await tx.networks.release('port', port.id)
    const holding = { wanted, holder: port.id, mac: port.macAddress, region: null }
    const { carved } = await holdIps(tx, holding)
    await followCarved(app, caller, tx, network, carved)
  })
}
