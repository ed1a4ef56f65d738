// Adopting ports that a region's users (Nova, above all) have made on networks of the model, and following
// changes of those that the model has.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { ownNote } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { sameBy } from '../copies/any-order.ts'
import { intentOf } from '../copies/intent.ts'
import type { RegionNetworking, RegionPort } from '../copies/region-rows.ts'
import { copyIn, type LocalNetwork } from '../copies/spanning.ts'
import { ensureDefaultGroup } from '../groups/default-group.ts'
import { groupsFollowPort } from '../groups/groups-in-region.ts'
import { comesWithOther, interfaceOwner, isRouters } from '../model/device-owner.ts'
import type { Change, FixedIp, Network, Port, Written } from '../model/model.ts'
import { born } from '../model/writing.ts'
import { followPlacement } from './follow-port.ts'
import { centralIps, holdMirrored } from './place-port.ts'

/** The caller as whom the watch looks at a region, and the region. */
export interface Watcher {
  readonly app: App
  readonly caller: Caller
  readonly region: Region
  readonly networking: RegionNetworking
}

export const portFields = [
  'id',
  'projectId',
  'name',
  'description',
  'networkId',
  'macAddress',
  'fixedIps',
  'adminStateUp',
  'deviceId',
  'deviceOwner',
  'securityGroupIds',
  'portSecurityEnabled',
  'hostId',
  'vnicType',
  'vifType',
  'status',
  'updatedAt',
] as const

export type SeenPort = Pick<RegionPort, (typeof portFields)[number]>

/**
 * Whether a port is a user's: legs and gateways of routers that Atoll made, and ports that bear a mark, are
 * not.
 */
export async function isUsers({ app }: Watcher, port: SeenPort): Promise<boolean> {
  if (intentOf(port.description) !== null) return false
  if (!comesWithOther(port)) return true
  // A router that lives in this region has the same id centrally, and its legs are the region's to make.
  const [router] = await app.store.networks.getMany('router', [port.deviceId])
  return router !== undefined && port.deviceOwner === interfaceOwner
}

/**
 * Writes a region's port to the model; false when its network is gone in the meantime. Throws `conflict` for
 * an address that another port holds.
 */
export async function adoptPort(watcher: Watcher, networkId: string, port: SeenPort): Promise<boolean> {
  const { app, region, caller } = watcher
  const network = await app.store.networks.get('network', networkId, 'atoll')
  const local = network && (await localOf(app, network, watcher))
  if (!network || !local) return false
  const securityGroupIds = await centralGroups(watcher, port)
  await app.store.transact(async tx => {
    const row: Written<'port'> = {
      ...born(app),
      ...mirrored(port),
      id: port.id,
      projectId: port.projectId || network.projectId,
      name: port.name,
      description: port.description ?? '',
      networkId,
      macAddress: port.macAddress.toLowerCase(),
      adminStateUp: port.adminStateUp,
      securityGroupIds,
      allowedAddressPairs: [],
      portSecurityEnabled: port.portSecurityEnabled ?? true,
      vnicType: port.vnicType ?? 'normal',
      profile: {},
    }
    await tx.networks.insert('port', row, ownNote(app, 'port.watch'))
    await holdMirrored(tx, port.id, region, centralIps(port, local))
    const place = { kind: 'port', centralId: port.id, projectId: row.projectId, regionId: region.id }
    await tx.networks.place({ ...place, regionalId: port.id, at: app.now() })
    await followPlacement(app, caller, tx, { port: row, network, region, isNew: false })
  })
  return true
}

const localOf = async (app: App, network: Network, { region }: Watcher): Promise<LocalNetwork | null> =>
  copyIn(network, await app.store.networks.getMany('subnet', network.subnetIds), region)

/** The fields of a port that only its region knows. */
const mirrored = ({ hostId, vifType, status, deviceId, deviceOwner }: SeenPort) => ({
  hostId: hostId ?? '',
  vifType: vifType ?? 'unbound',
  status,
  deviceId,
  deviceOwner,
})

/**
 * The central groups of a region's port. The default group that the region has of a project stands for the
 * model's.
 */
async function centralGroups(
  { app, caller, region, networking }: Watcher,
  port: SeenPort,
): Promise<string[]> {
  if (port.securityGroupIds.length === 0) return []
  const at = { resourceType: 'security_group', regionId: region.id }
  const known = await app.store.routings.centralIds(at, port.securityGroupIds)
  const ids: string[] = []
  for (const regionalId of port.securityGroupIds) {
    const id = known.get(regionalId)
    if (id !== undefined) ids.push(id)
    else if ((await networking.get('security_group', regionalId))?.name === 'default' && port.projectId) {
      const group = await ensureDefaultGroup(app, caller, port.projectId)
      if (!group) continue
      const place = { kind: 'security_group', centralId: group.id, projectId: port.projectId }
      await app.store.transact(tx =>
        tx.networks.place({ ...place, regionId: region.id, regionalId, at: app.now() }),
      )
      ids.push(group.id)
    }
  }
  return ids
}

/** Brings the model's port to the region's; false where it is so already. */
export async function mirrorPort(watcher: Watcher, id: string, seen: SeenPort): Promise<boolean> {
  const { app, region, caller } = watcher
  const [port] = await app.store.networks.getMany('port', [id])
  if (!port) return false
  // A router's leg is as the plan wants it; the region's word counts for its status alone.
  if (isRouters(port)) return mirrorStatus(watcher, port, seen)
  const network = await app.store.networks.get('network', port.networkId, 'atoll')
  const local = network && (await localOf(app, network, watcher))
  const told = mirrored(seen)
  const change: Change<'port'> = Object.fromEntries(
    Object.entries(told).filter(([field, value]) => port[field as keyof Port] !== value),
  )
  const fixedIps = local ? centralIps(seen, local) : port.fixedIps
  const isMoved = !sameIps(fixedIps, port.fixedIps)
  if (Object.keys(change).length === 0 && !isMoved) return false
  await app.store.transact(async tx => {
    const isThere = await tx.networks.update('port', id, change, ownNote(app, 'port.watch'))
    // A port that has been removed in the meantime holds no addresses any more.
    if (!isThere || !isMoved) return
    await tx.networks.release('port', id)
    await holdMirrored(tx, id, region, fixedIps)
    await groupsFollowPort(app, caller, tx, port)
  })
  return true
}

async function mirrorStatus({ app }: Watcher, port: Port, { status }: SeenPort): Promise<boolean> {
  if (port.status === status) return false
  await app.store.transact(async tx => {
    await tx.networks.update('port', port.id, { status }, ownNote(app, 'port.watch'))
  })
  return true
}

const sameIps = sameBy<FixedIp>(({ subnetId, ipAddress }) => `${subnetId} ${ipAddress}`)
