// Placing a port in a region: its network and groups are brought there first, then the port; the model has it
// after that.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { moreBlocksFor } from '../addresses/blocks.ts'
import { type Carved, holdIps, type WantedIp, wantedIps } from '../addresses/fixed-ips.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { RegionPort, ThingSpec } from '../copies/region-rows.ts'
import { ensureNetwork, type LocalNetwork, regionalIdIn } from '../copies/spanning.ts'
import { ensureGroups } from '../groups/groups-in-region.ts'
import type { FixedIp, Network, Subnet, Written } from '../model/model.ts'
import type { Holding } from '../model/network-store.ts'
import type { FixedIpAsk, PortSpec } from '../model/specs.ts'
import { homeOf, regionsOf } from '../model/where.ts'
import { born, follow, jobIn } from '../model/writing.ts'
import { followPlacement } from './follow-port.ts'
import { forgetPort } from './forget-port.ts'

/** A port to be placed, without its addresses and its region. */
export type ReadyPort = Omit<PortSpec, 'fixedIps'> & {
  /** The central id of a port that was reserved before; null for a new one, which bears the region's id. */
  readonly id: string | null
  readonly macAddress: string
  readonly portSecurityEnabled: boolean
  readonly securityGroupIds: readonly string[]
}

export interface Placing {
  readonly network: Network
  readonly region: Region
  readonly port: ReadyPort
  /** The addresses that the region is to give the port; left out for any. */
  readonly asks: readonly FixedIpAsk[] | undefined
}

/** Places the port and returns its central id. Throws as `createPort`. */
export async function placePort(app: App, caller: Caller, placing: Placing): Promise<string> {
  const { network, region, port } = placing
  const networking = app.cloud.networking(region.name, caller.requestId)
  const local = await ensureNetwork(app, caller, network, region)
  const groups = await ensureGroups(app, networking, {
    region: region.name,
    regionId: region.id,
    groupIds: port.securityGroupIds,
  })
  const subnets = await app.store.networks.getMany('subnet', network.subnetIds)
  const wanted = wantedIps(placing.asks, subnets, network.id)
  const spec: ThingSpec<'port'> = {
    ...specOf(port, local, groups),
    ...(placing.asks === undefined ? {} : { fixedIps: regional(wanted, local) }),
  }
  return withMoreRoom(app, caller, { placing, local, subnets }, () =>
    adopt(app, caller, {
      region,
      kind: 'port',
      spec,
      where: { macAddress: port.macAddress },
      isCounted: port.id !== null,
      prepare: intentId => holdGiven(app, caller, placing, wanted, intentId),
      write: (made, intentId) => writePlaced(app, caller, { placing, local, made, intentId }),
    }),
  )
}

/**
 * Holds the addresses that a new port asks for before the region is asked, so that no other port can get
 * them. A reserved port holds its addresses already, and on a network at home the region alone gives
 * addresses.
 */
async function holdGiven(
  app: App,
  caller: Caller,
  { network, region, port }: Placing,
  wanted: readonly WantedIp[],
  holder: string,
): Promise<void> {
  const given = wanted.filter(({ ipAddress }) => ipAddress !== null)
  if (given.length === 0 || port.id !== null || homeOf(network, [region])) return
  const { carved } = await app.store.transact(tx =>
    holdIps(tx, { wanted: given, holder, mac: port.macAddress, region }),
  )
  for (const one of carved) await tellPools(app, caller, one)
}

/** Tells a region that its blocks of a subnet have changed: they are its copy's allocation pools. */
export async function tellPools(
  app: Pick<App, 'cloud' | 'store'>,
  caller: Caller,
  { regionId, subnet, blocks }: Carved,
): Promise<void> {
  const region = await app.store.regions.get(regionId)
  const id = region && regionalIdIn(subnet, region)
  if (!region || id === null) return
  await app.cloud.networking(region.name, caller.requestId).update('subnet', id, { allocationPools: blocks })
}

/** Posts the jobs that tell regions of blocks out of which addresses were taken. */
export async function followCarved(
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  { id, projectId }: Network,
  carved: readonly Carved[],
): Promise<void> {
  if (carved.length === 0) return
  const regions = (await regionsOf(tx)).filter(region =>
    carved.some(({ regionId }) => regionId === region.id),
  )
  const jobs = regions.map(region => jobIn(region, 'shadow_port_setup', projectId, { network_id: id }))
  await follow(app, caller, tx, jobs)
}

function specOf(
  port: ReadyPort,
  local: LocalNetwork,
  groups: ReadonlyMap<string, string>,
): ThingSpec<'port'> {
  const { region: _own, ...profile } = port.profile
  return {
    projectId: port.projectId,
    networkId: local.id,
    name: port.name,
    description: port.description,
    macAddress: port.macAddress,
    adminStateUp: port.adminStateUp,
    deviceId: port.deviceId,
    deviceOwner: port.deviceOwner,
    securityGroupIds: port.securityGroupIds.map(id => groups.get(id)!),
    allowedAddressPairs: port.allowedAddressPairs,
    portSecurityEnabled: port.portSecurityEnabled,
    vnicType: port.vnicType,
    ...(port.hostId === '' ? {} : { hostId: port.hostId }),
    ...(Object.keys(profile).length === 0 ? {} : { profile }),
  }
}

/**
 * The addresses that the region is asked for: the given ones, and any of the subnets that are named without
 * one.
 */
const regional = (wanted: readonly WantedIp[], local: LocalNetwork): readonly FixedIp[] =>
  wanted.map(({ subnet, ipAddress }) => {
    const subnetId = local.subnetIds.get(subnet.id)!
    return (ipAddress === null ? { subnetId } : { subnetId, ipAddress }) as FixedIp
  })

interface Room {
  readonly placing: Placing
  readonly local: LocalNetwork
  readonly subnets: readonly Subnet[]
}

/**
 * Places a port, once more where the region had no addresses left and its blocks could be extended; else its
 * refusal stands.
 */
async function withMoreRoom<T>(app: App, caller: Caller, room: Room, place: () => Promise<T>): Promise<T> {
  try {
    return await place()
  } catch (error) {
    const { network, region } = room.placing
    const isFull = error instanceof AppError && error.detail.reason === 'IpAddressGenerationFailure'
    if (!isFull || homeOf(network, [region])) throw error
    let isRoom = false
    for (const subnet of room.subnets) {
      const blocks = await moreBlocksFor(app, subnet, region)
      if (!blocks) continue
      await tellPools(app, caller, { regionId: region.id, subnet, blocks })
      isRoom = true
    }
    if (!isRoom) throw error
    return place()
  }
}

interface MadePort {
  readonly placing: Placing
  readonly local: LocalNetwork
  readonly made: RegionPort
  readonly intentId: string
}

/**
 * Writes the port as the region made it. An address that the model has at another port, and the region gave
 * anew, is released first where that port is gone from the region.
 */
async function writePlaced(app: App, caller: Caller, madePort: MadePort): Promise<string> {
  try {
    return await writeOnce(app, caller, madePort)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.reason !== 'address_in_use') throw error
    if (!(await forgetStale(app, caller, madePort))) throw error
    return writeOnce(app, caller, madePort)
  }
}

function writeOnce(app: App, caller: Caller, { placing, local, made, intentId }: MadePort): Promise<string> {
  const { region, port, network } = placing
  const id = port.id ?? made.id
  const binding = { hostId: made.hostId ?? '', vifType: made.vifType ?? 'unbound', status: made.status }
  return app.store.transact(async tx => {
    await tx.networks.release('port', intentId)
    if (port.id === null) {
      await tx.networks.quota('port', port.projectId, 1, app.networkRules.quotas.port)
      const row: Written<'port'> = { ...port, ...born(app), ...binding, id, macAddress: made.macAddress }
      await tx.networks.insert('port', row, noteOf(app, caller, 'port.create'))
    } else {
      await tx.networks.update('port', id, binding, noteOf(app, caller, 'port.place'))
      await tx.networks.release('port', id)
    }
    await holdMirrored(tx, id, region, centralIps(made, local))
    const place = { kind: 'port', centralId: id, projectId: port.projectId, regionId: region.id }
    await noteMade(app, tx, intentId, { ...place, regionalId: made.id })
    await followPlacement(app, caller, tx, { port: { ...port, id }, network, region, isNew: local.isNew })
    return id
  })
}

/**
 * A region's addresses with the central ids of their subnets; those in subnets that the model does not have
 * are left out.
 */
export function centralIps({ fixedIps }: Pick<RegionPort, 'fixedIps'>, local: LocalNetwork): FixedIp[] {
  const central = new Map([...local.subnetIds].map(([id, regionalId]) => [regionalId, id]))
  return fixedIps.flatMap(({ subnetId, ipAddress }) => {
    const id = central.get(subnetId)
    return id === undefined ? [] : [{ subnetId: id, ipAddress }]
  })
}

/**
 * Holds the addresses that a region has given, in its scope. One that was kept for an absent port is given up
 * for it.
 */
export async function holdMirrored(
  tx: Transaction,
  portId: string,
  region: Region,
  fixedIps: readonly FixedIp[],
): Promise<void> {
  for (const { subnetId, ipAddress } of fixedIps) {
    const range = { subnetId, start: ipAddress, end: ipAddress }
    const holding: Holding = { ...range, scope: region.id, purpose: 'port', holder: portId }
    try {
      await tx.networks.hold(holding)
    } catch (error) {
      const isTaken = error instanceof AppError && error.detail.reason === 'address_in_use'
      if (!isTaken || !(await tx.networks.giveWay(subnetId, ipAddress))) throw error
      await tx.networks.hold(holding)
    }
  }
}

/**
 * Removes from the model ports that hold these addresses and are gone from the region; whether there was any.
 */
async function forgetStale(app: App, caller: Caller, { placing, made, local }: MadePort): Promise<boolean> {
  const { region } = placing
  const networking = app.cloud.networking(region.name, caller.requestId)
  let any = false
  for (const { subnetId, ipAddress } of centralIps(made, local)) {
    const held = (await app.store.networks.holdings(subnetId)).find(
      one => one.purpose === 'port' && one.start === ipAddress,
    )
    const [holder] = await app.store.networks.getMany('port', held ? [held.holder] : [])
    const id = holder ? regionalIdIn(holder, region) : null
    if (!holder || id === null || (await networking.get('port', id))) continue
    await forgetPort(app, caller, holder, { regionId: region.id, regionalId: id })
    any = true
  }
  return any
}
