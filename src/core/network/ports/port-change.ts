// Changing a port: in the region that it is in, or by moving it to another one.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { holdIps, wantedIps } from '../addresses/fixed-ips.ts'
import { convergeRouter } from '../convergence/converge.ts'
import type { RegionPort, ThingSpec } from '../copies/region-rows.ts'
import { copyIn, type LocalNetwork, regionalIdIn } from '../copies/spanning.ts'
import { ensureGroups, groupsFollowPort } from '../groups/groups-in-region.ts'
import { ownerOf } from '../model/device-owner.ts'
import type { Change, FixedIp, Network, Place, Port } from '../model/model.ts'
import { all } from '../model/query.ts'
import type { PortChange } from '../model/specs.ts'
import { regionNamed, regionsOf } from '../model/where.ts'
import { atHome } from '../writes/at-home.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import { type Removing, removeAgain } from '../writes/removal.ts'
import { letGoPort } from './forget-port.ts'
import { centralIps, followCarved, holdMirrored, placePort, tellPools } from './place-port.ts'

/** Whether a port that is to be in this region (null: it stays) has another place now. */
export const isMoving = (port: Port, region: Region | null): region is Region =>
  region !== null && port.places[0]?.region !== region.name

export interface PortUpdate {
  readonly port: Port
  readonly network: Network
  readonly change: PortChange
  readonly ifRevision: number | undefined
}

/**
 * Places a port in a region and takes it out of the one that it was in. It keeps its central id, its MAC and
 * its addresses; the new region gives it an id of its own. Throws `conflict` (`PortInUse`) while a device
 * uses it in its old region.
 */
export function movePort(
  app: App,
  caller: Caller,
  { port: { id }, network, region, change, ifRevision }: PortUpdate & { readonly region: Region },
): Promise<void> {
  const { fixedIps, ...given } = change
  return atHome(app, caller, {
    kind: 'port',
    id,
    ifRevision,
    region,
    verb: 'update',
    async ask(port) {
      const [place] = port.places
      if (place) {
        await takeOut(app, caller, port, place)
        await makeWay(app, caller, port.id, region)
      }
      // The device that used the port in its old region uses it no more, whether Atoll saw that or not.
      const rest = place ? { ...unused, ...given } : given
      const ready = { ...port, ...rest, macAddress: rest.macAddress ?? port.macAddress }
      await placePort(app, caller, { network, region, port: ready, asks: fixedIps ?? port.fixedIps })
      return rest
    },
    write: (tx, port, rest) => changeIn(app, caller, tx, { port, change: rest }),
    endLeft: endLeftPort,
  })
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

/**
 * Changes a placed port in its region first, and then in the model as the region made it; a reserved port in
 * the model alone.
 */
export async function updateInPlace(app: App, caller: Caller, update: PortUpdate): Promise<void> {
  const { port, change, ifRevision } = update
  const [place] = port.places
  if (!place) return updateReserved(app, caller, update)
  const region = regionNamed(place.region, await regionsOf(app.store))
  const networking = app.cloud.networking(region.name, caller.requestId)
  const local = (await localOf(app, update.network, region))!
  const groups = await ensureGroups(app, networking, {
    region: region.name,
    regionId: region.id,
    groupIds: change.securityGroupIds ?? [],
  })
  await atHome(app, caller, {
    kind: 'port',
    id: port.id,
    ifRevision,
    region,
    verb: 'update',
    ask(row) {
      const regionalId = regionalIdIn(row, region)
      if (regionalId === null)
        throw conflict(`The port ${row.id} has left ${region.name} in this moment: try again`, 'busy')
      return networking.update('port', regionalId, regionalChange(change, local, groups))
    },
    write: (tx, row, made) => changeIn(app, caller, tx, { port: row, change, made, region, local }),
    endLeft: endLeftPort,
  })
}

/** Brings the model's port to the one that its region has. */
async function mirror(app: App, caller: Caller, port: Port): Promise<void> {
  const [place] = port.places
  if (!place) return
  const region = regionNamed(place.region, await regionsOf(app.store))
  const network = await app.store.networks.get('network', port.networkId, 'atoll')
  const local = network && (await localOf(app, network, region))
  const made = await app.cloud.networking(region.name, caller.requestId).get('port', place.id)
  if (!made || !local) return
  const { name, adminStateUp } = made
  const change: PortChange = { name, adminStateUp, fixedIps: centralIps(made, local) }
  await app.store.transact(tx => changeIn(app, caller, tx, { port, change, made, region, local }))
}

/** Removes a port from the regions that have it; a router's interface by the router's own verb. */
export async function removeCopies(
  app: App,
  caller: Caller,
  { deviceOwner, deviceId, places }: Port,
): Promise<void> {
  for (const { region, id } of places) {
    const networking = app.cloud.networking(region, caller.requestId)
    if (ownerOf({ deviceOwner }) === 'router interface') await networking.removeLeg(deviceId, { portId: id })
    else await networking.remove('port', id)
  }
}

/** How ports go. */
export const removing: Removing<'port'> = {
  kind: 'port',
  removeThere: removeCopies,
  letGo: (app, caller, tx, port) => letGoPort(app, caller, tx, { port }),
}

/** Ends what a writer of a port has begun and left. */
export const endLeftPort = endLeftBy<'port'>({
  kind: 'port',
  mirror,
  remove: removeAgain(removing),
})

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

async function updateReserved(app: App, caller: Caller, update: PortUpdate): Promise<void> {
  const {
    port: { id },
    network,
    change,
    ifRevision,
  } = update
  const { fixedIps, ...plain } = change
  const subnets = await app.store.networks.getMany('subnet', network.subnetIds)
  const wanted = fixedIps && wantedIps(fixedIps, subnets, network.id)
  let placed: Port | null = null
  await inModel(app, caller, {
    endLeft: endLeftPort,
    kind: 'port',
    id,
    ifRevision,
    async write(tx, port) {
      // Another writer has placed it in the meantime.
      if (port.places.length > 0) {
        placed = port
        return
      }
      await tx.networks.update('port', id, plain as Change<'port'>, noteOf(app, caller, 'port.update'))
      if (!wanted) return
      await tx.networks.release('port', id)
      const { carved } = await holdIps(tx, { wanted, holder: id, mac: port.macAddress, region: null })
      await followCarved(app, caller, tx, network, carved)
    },
  })
  if (placed) await updateInPlace(app, caller, { ...update, port: placed })
}
