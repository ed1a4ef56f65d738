// The verbs of networks. One that lives in one region is made there first and bears that region's id; a
// spanning network is central only, until a port or router is placed on it.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, invalid, isRefusal } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { ThingSpec } from '../copies/region-rows.ts'
import { segmentFor } from '../copies/segments.ts'
import type { Change, Network, Written } from '../model/model.ts'
import { some } from '../model/query.ts'
import { getOwn } from '../model/read.ts'
import type { NetworkChange, NetworkSpec, RemovalAsk, UpdateAsk } from '../model/specs.ts'
import { allowedBy, hintsIn, homeBy, homeOfExternal, regionsOf } from '../model/where.ts'
import { born, checkRevision, type FollowUp, follow, jobsWhereIs } from '../model/writing.ts'
import { forgetNetwork } from './forget-network.ts'

/**
 * The new network. Throws `not_found` (`zone`), `invalid` (`not_supported`), `conflict` (`over_quota`,
 * `segment_in_use`, `no_segments`), and `upstream` as its region refuses.
 */
export async function createNetwork(app: App, caller: Caller, spec: NetworkSpec): Promise<Network> {
  const regions = await regionsOf(app.store)
  allowedBy(spec.zoneHints, regions)
  const home = spec.external ? homeOfExternal(spec.zoneHints, regions) : homeBy(spec.zoneHints, regions)
  const id = await (home ? createAtHome(app, caller, spec, home) : createSpanning(app, caller, spec))
  return (await app.store.networks.get('network', id, null))!
}

function createAtHome(app: App, caller: Caller, spec: NetworkSpec, region: Region): Promise<string> {
  const { projectId, zoneHints, ...given } = spec
  return adopt(app, caller, {
    region,
    kind: 'network',
    spec: { ...given, projectId, availabilityZoneHints: hintsIn(region) } as ThingSpec<'network'>,
    where: { projectId },
    write: (made, intentId) =>
      app.store.transact(async tx => {
        const { networkType, physicalNetwork, segmentationId, mtu } = made
        const segment = { networkType: networkType ?? '', physicalNetwork, segmentationId }
        await insert(app, caller, tx, { ...spec, id: made.id, mtu: mtu ?? app.networkRules.mtu, ...segment })
        const place = { kind: 'network', centralId: made.id, projectId, regionalId: made.id }
        await noteMade(app, tx, intentId, { ...place, regionId: region.id })
        return made.id
      }),
  })
}

function createSpanning(app: App, caller: Caller, spec: NetworkSpec): Promise<string> {
  const id = app.newId()
  return app.store.transact(async tx => {
    await insert(app, caller, tx, {
      ...spec,
      id,
      mtu: spec.mtu ?? app.networkRules.mtu,
      ...(await segmentFor(app, tx, id, spec)),
    })
    return id
  })
}

type Inserted = Omit<NetworkSpec, 'networkType' | 'physicalNetwork' | 'segmentationId'> &
  Pick<Network, 'id' | 'mtu' | 'networkType' | 'physicalNetwork' | 'segmentationId'>

async function insert(app: App, caller: Caller, tx: Transaction, network: Inserted): Promise<void> {
  await tx.networks.quota('network', network.projectId, 1, app.networkRules.quotas.network)
  const row: Written<'network'> = { ...network, ...born(app), bridgeOf: null, deleting: false }
  await tx.networks.insert('network', row, noteOf(app, caller, 'network.create'))
}

/**
 * The changed network; its regions follow by jobs, its home too. Throws `not_found`, `invalid`
 * (`not_supported`), `conflict` (`revision`).
 */
export async function updateNetwork(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<NetworkChange>,
): Promise<Network> {
  const network = await getOwn(app, caller, { kind: 'network', id })
  checkRevision('network', network, ifRevision)
  const fixed = (['networkType', 'physicalNetwork', 'segmentationId', 'external'] as const).find(
    field => change[field] !== undefined && change[field] !== network[field],
  )
  if (fixed) {
    throw invalid(
      'The provider attributes of a network, and whether it is external, stay as they were at its creation',
      'not_supported',
    )
  }
  const regions = await regionsOf(app.store)
  await app.store.transact(async tx => {
    const now = await tx.networks.lock('network', id)
    if (now) checkRevision('network', now, ifRevision)
    await tx.networks.update(
      'network',
      id,
      change as Change<'network'>,
      noteOf(app, caller, 'network.update'),
    )
    await follow(app, caller, tx, pushJobs(network, regions))
  })
  return (await app.store.networks.get('network', id, null))!
}

const pushJobs = (network: Network, regions: readonly Region[]): FollowUp[] =>
  jobsWhereIs(network, regions, 'update_network', { network_id: network.id })

/**
 * Removes a network: its copies with their subnets from the regions first, then the network from the model. A
 * removal that has begun is ended by jobs where a region gives no answer. Throws `not_found`, `conflict`
 * (`network_in_use`, `revision`), `upstream`.
 */
export async function removeNetwork(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const network = await getOwn(app, caller, { kind: 'network', id })
  checkRevision('network', network, ifRevision)
  await requireUnused(app, network)
  const note = noteOf(app, caller, 'network.remove')
  const places = await app.store.transact(async tx => {
    // From here on nothing is placed on the network; all copies that were made before are among its places.
    const now = await tx.networks.lock('network', id)
    if (!now) return []
    await tx.networks.update('network', id, { deleting: true }, note)
    await follow(app, caller, tx, pushJobs(now, await regionsOf(tx)))
    return now.places
  })
  try {
    for (const place of places)
      await app.cloud.networking(place.region, caller.requestId).remove('network', place.id)
    await forgetNetwork(app, caller, id)
  } catch (error) {
    // A region or the model has refused, since something needs the network: its removal is called off.
    if (isRefusal(error) || isConflict(error)) {
      await app.store.transact(async tx => {
        await tx.networks.update('network', id, { deleting: false }, note)
      })
    }
    throw error
  }
}

const isConflict = (error: unknown): boolean => error instanceof AppError && error.code === 'conflict'

/**
 * Refuses to remove a network that has ports, but for those that Neutron's DHCP made, which go with the
 * network.
 */
async function requireUnused(app: App, network: Network): Promise<void> {
  const ports = await some(app.store, 'port', 6, { field: 'networkId', in: [network.id] })
  const inUse = ports.filter(({ deviceOwner }) => deviceOwner !== 'network:dhcp')
  if (inUse.length === 0) return
  throw conflict(
    `The network ${network.id} has ports: ${inUse.map(({ id }) => id).join(', ')}. Remove them first.`,
    'network_in_use',
  )
}
