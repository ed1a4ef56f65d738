// The verbs of networks. One that lives in one region is made there first and bears that region's id; a
// spanning network is central only, until a port or router is placed on it.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict, invalid } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { adopt, noteMade } from '../copies/adopt.ts'
import type { RegionNetwork, ThingSpec } from '../copies/region-rows.ts'
import { checkNamedSegment, holdSegment, segmentFor } from '../copies/segments.ts'
import { noteLeft } from '../copies/spanning.ts'
import { ownerOf } from '../model/device-owner.ts'
import type { Change, Network, Written } from '../model/model.ts'
import { some } from '../model/query.ts'
import { getOwn } from '../model/read.ts'
import type { NetworkChange, NetworkSpec, RemovalAsk, UpdateAsk } from '../model/specs.ts'
import { allowedBy, hintsIn, homeBy, homeOf, homeOfExternal, regionNamed, regionsOf } from '../model/where.ts'
import { born, checkRevision, type FollowUp, follow, jobsWhereIs } from '../model/writing.ts'
import { atHome } from '../writes/at-home.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import { removeUnplaced } from '../writes/removal.ts'
import { spanning } from '../writes/spanning.ts'
import { forgetNetwork, letGoNetwork } from './forget-network.ts'

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
    prepare: () => checkNamedSegment(app, region, spec),
    write: (made, intentId) =>
      app.store.transact(async tx => {
        const { networkType, physicalNetwork, segmentationId, mtu } = made
        const segment = { networkType: networkType ?? '', physicalNetwork, segmentationId }
        await insert(app, caller, tx, { ...spec, id: made.id, mtu: mtu ?? app.networkRules.mtu, ...segment })
        await holdSegment(app, tx, { home: region, made: { id: made.id, ...segment }, named: spec })
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
 * The changed network: at home as its region made it; the regions of one that spans follow by jobs. Throws `not_found`, `invalid`
 * (`not_supported`), `conflict` (`revision`).
 */
export async function updateNetwork(
  app: App,
  caller: Caller,
  ask: UpdateAsk<NetworkChange>,
): Promise<Network> {
  const { id, change, ifRevision } = ask
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
  const home = homeOf(network, await regionsOf(app.store))
  if (home) await updateAtHome(app, caller, home, ask)
  else await updateSpanning(app, caller, ask)
  return (await app.store.networks.get('network', id, null))!
}

type NetworkUpdate = UpdateAsk<NetworkChange>

/** Changes a network in the model; its regions follow by jobs. */
const updateSpanning = (app: App, caller: Caller, { change, ...target }: NetworkUpdate): Promise<void> =>
  inModel(app, caller, {
    endLeft: endLeftNetwork,
    ...target,
    kind: 'network',
    async write(tx, network) {
      const note = noteOf(app, caller, 'network.update')
      await tx.networks.update('network', network.id, change as Change<'network'>, note)
      await follow(app, caller, tx, pushJobs(network, await regionsOf(tx)))
    },
  })

function updateAtHome(
  app: App,
  caller: Caller,
  region: Region,
  { change, ...target }: NetworkUpdate,
): Promise<void> {
  // The description bears the mark in the region: a job brings it there. The DNS domain is the model's.
  const { description, dnsDomain: _domain, ...told } = withoutFixed(change)
  const networking = app.cloud.networking(region.name, caller.requestId)
  return atHome(app, caller, {
    ...target,
    kind: 'network',
    region,
    verb: 'update',
    ask: ({ id }) =>
      Object.keys(told).length === 0
        ? networking.get('network', id)
        : networking.update('network', id, told as ThingSpec<'network'>),
    async write(tx, network, made) {
      const set = { ...change, ...(made && mirrored(made)) } as Change<'network'>
      await tx.networks.update('network', network.id, set, noteOf(app, caller, 'network.update'))
      if (description !== undefined) await follow(app, caller, tx, pushJobs(network, await regionsOf(tx)))
    },
    endLeft: endLeftNetwork,
  })
}

/** Neutron refuses to be told of the others, even as they are. */
const withoutFixed = ({
  networkType: _type,
  physicalNetwork: _physical,
  segmentationId: _segment,
  external: _external,
  ...rest
}: NetworkChange) => rest

/** The fields of a region's network that may change, in the model's terms. */
const mirrored = ({
  name,
  adminStateUp,
  shared,
  mtu,
  portSecurityEnabled,
}: RegionNetwork): NetworkChange => ({
  name,
  adminStateUp,
  shared,
  ...(mtu === null ? {} : { mtu }),
  ...(portSecurityEnabled === null ? {} : { portSecurityEnabled }),
})

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
  const place = await removeUnplaced(app, caller, network, {
    kind: 'network',
    id,
    ifRevision,
    write: (tx, row) => letGoNetwork(app, caller, tx, row),
    endLeft: endLeftNetwork,
  })
  if (!place) return
  await spanning(app, caller, {
    kind: 'network',
    id,
    ifRevision,
    region: regionNamed(place.region, await regionsOf(app.store)),
    verb: 'remove',
    action: 'network.remove',
    // From here on nothing is placed on the network; all copies that were made before are among its places.
    set: () => ({ deleting: true }),
    follows: async (tx, row) => pushJobs(row, await regionsOf(tx)),
    now: row => removeCopies(app, caller, row),
    endLeft: endLeftNetwork,
  })
}

/** Removes a network's copies, and then the network. */
async function removeCopies(app: App, caller: Caller, { id, places, subnetIds }: Network): Promise<void> {
  const regions = await regionsOf(app.store)
  for (const { region, id: regionalId } of places) {
    await app.cloud.networking(region, caller.requestId).remove('network', regionalId)
    // The next region may refuse: then this one has no copy any more.
    if (places.length > 1) await noteLeft(app, regionNamed(region, regions), { networkId: id, subnetIds })
  }
  await forgetNetwork(app, caller, id)
}

/** Ends what a writer of a network has begun and left. */
export const endLeftNetwork = endLeftBy<'network'>({
  kind: 'network',
  async mirror(app, caller, { id, places: [place] }) {
    const made =
      place && (await app.cloud.networking(place.region, caller.requestId).get('network', place.id))
    if (!made) return
    const note = noteOf(app, caller, 'network.watch')
    await app.store.transact(tx =>
      tx.networks.update('network', id, mirrored(made) as Change<'network'>, note),
    )
  },
  remove: removeCopies,
  follows: async (tx, row) => pushJobs(row, await regionsOf(tx)),
})

/**
 * Refuses to remove a network that has ports, but for those that Neutron's DHCP made, which go with the
 * network.
 */
async function requireUnused(app: App, network: Network): Promise<void> {
  const ports = await some(app.store, 'port', 6, { field: 'networkId', in: [network.id] })
  const inUse = ports.filter(port => ownerOf(port) !== 'dhcp')
  if (inUse.length === 0) return
  throw conflict(
    `The network ${network.id} has ports: ${inUse.map(({ id }) => id).join(', ')}. Remove them first.`,
    'network_in_use',
  )
}
