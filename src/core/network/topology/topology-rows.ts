// Reading a topology's rows from the central model, in the same number of statements whatever its size.

import type { App } from '../../app.ts'
import { invalid } from '../../error.ts'
import { grouped } from '../../grouped.ts'
import type { Job } from '../../jobs/job.ts'
import type { Region } from '../../regions/region.ts'
import { regionalIdIn } from '../copies/spanning.ts'
import {
  type FloatingIp,
  type Kind,
  type Kinds,
  type Network,
  type Port,
  type Router,
  type Subnet,
  wordOf,
} from '../model/model.ts'
import type { FieldCondition, HolderInSubnet, PortCount, Sight } from '../model/network-store.ts'
import { all, interfaceOwner } from '../model/query.ts'
import { unknown } from '../model/read.ts'
import { openJobs } from './topology-state.ts'

/** The parts of Atoll that a topology needs: no region is ever asked. */
export type Model = Pick<App, 'store' | 'networkRules'>

export interface Shown {
  readonly region: Region | null
  /** The id of the one network to show, with all that is on it. */
  readonly network: string | null
  /** Whether ports are shown, or only counted. */
  readonly ports: boolean
}

/** The rows that are shown, still with those of other regions: links need these. */
interface Own {
  readonly networks: readonly Network[]
  readonly subnets: readonly Subnet[]
  readonly routers: readonly Router[]
  readonly floatingIps: readonly FloatingIp[]
  /** Null where ports are only counted. */
  readonly ports: readonly Port[] | null
  readonly portCounts: readonly PortCount[]
  /** The jobs that are not done. */
  readonly jobs: readonly Job[]
}

/** The rows that shown rows depend on, of any project. */
interface Related {
  /** The ports by which routers are on networks, by the router's id. */
  readonly interfaces: ReadonlyMap<string, readonly Port[]>
  /** Floating IPs that lead through routers, by the router's id. */
  readonly bound: ReadonlyMap<string, readonly FloatingIp[]>
  /** The bridge networks, by project. */
  readonly bridges: ReadonlyMap<string, Network>
  readonly networkById: ReadonlyMap<string, Network>
  readonly subnetById: ReadonlyMap<string, Subnet>
  /** The ports that floating IPs lead to. */
  readonly portById: ReadonlyMap<string, Port>
  /** The address that a holder has in a subnet. */
  addressOf(holder: string, subnetId: string): string | null
}

export interface Rows extends Own, Related {
  /** Every region that holds things. */
  readonly regions: readonly Region[]
}

/**
 * Reads a topology's rows. Throws `not_found` (`network`), and `invalid` (`too_many`) for more rows than
 * anyone could read.
 */
export async function readRows(
  app: Model,
  sight: Sight,
  shown: Shown,
  regions: readonly Region[],
): Promise<Rows> {
  const own = await readOwn(app, sight, shown)
  const rows = { regions, ...own, ...(await readRelated(app, own, regions)) }
  return shown.network === null ? rows : onNetwork(rows, shown.network)
}

async function readOwn(app: Model, sight: Sight, { region, network, ports }: Shown): Promise<Own> {
  const here: FieldCondition[] = region === null ? [] : [{ region: [region.name] }]
  const one: FieldCondition[] = network === null ? [] : [{ field: 'id', in: [network] }]
  if (network !== null && !(await app.store.networks.get('network', network, sight)))
    throw unknown('network', network)
  const list = <K extends Kind>(kind: K, sort: string, ...where: readonly FieldCondition[]) =>
    listed(app, sight, kind, sort, where)
  const networks = await list('network', 'name', ...one, ...here)
  const ids = networks.map(({ id }) => id)
  const onThem: FieldCondition = { field: 'networkId', in: ids }
  return {
    networks,
    subnets: await list('subnet', 'createdAt', onThem),
    routers: await list('router', 'name'),
    floatingIps: await list('floatingip', 'floatingIpAddress'),
    ports: ports ? await list('port', 'name', onThem, ...here) : null,
    portCounts: ports ? [] : await app.store.networks.portCounts(sight, ids),
    jobs: await openJobs(app, sight),
  }
}

/** The most rows of a kind that are shown. */
const most = 10_000

async function listed<K extends Kind>(
  { store }: Model,
  sight: Sight,
  kind: K,
  sort: string,
  where: readonly FieldCondition[],
): Promise<Kinds[K][]> {
  const order = [{ field: sort, descending: false }]
  const query = { sight, where, sort: order, limit: most + 1, marker: null, reverse: false }
  const found = (await store.networks.list(kind, query)) ?? []
  if (found.length <= most) return found
  throw invalid(
    `There are more than ${most} ${wordOf(kind)}s to show: name a network or a project, or leave the ports out`,
    'too_many',
  )
}

async function readRelated({ store }: Model, own: Own, regions: readonly Region[]): Promise<Related> {
  const { routers, floatingIps, subnets, networks } = own
  const byId = async <K extends Kind>(kind: K, ids: readonly (string | null)[]) =>
    new Map((await store.networks.getMany(kind, unique(ids))).map(row => [row.id, row]))
  const routerIds = routers.map(({ id }) => id)
  const isInterface: FieldCondition = { field: 'deviceOwner', in: [interfaceOwner] }
  const interfaces = await all(store, 'port', { field: 'deviceId', in: routerIds }, isInterface)
  const bound = await all(store, 'floatingip', { field: 'routerId', in: routerIds })
  const projects = unique(routers.map(({ projectId }) => projectId))
  const bridges = await all(store, 'network', { field: 'bridgeOf', in: projects })
  const related = {
    interfaces: grouped(interfaces, ({ deviceId }) => deviceId),
    bound: grouped(bound, ({ routerId }) => routerId!),
    bridges: new Map(bridges.map(bridge => [bridge.bridgeOf!, bridge])),
    networkById: await byId('network', [
      ...networks.map(({ id }) => id),
      ...interfaces.map(({ networkId }) => networkId),
      ...routers.map(({ gateway }) => gateway?.networkId ?? null),
      ...floatingIps.map(({ floatingNetworkId }) => floatingNetworkId),
    ]),
    subnetById: await byId('subnet', [
      ...subnets.map(({ id }) => id),
      ...bridges.flatMap(({ subnetIds }) => subnetIds),
      ...interfaces.flatMap(({ fixedIps }) => fixedIps.map(({ subnetId }) => subnetId)),
    ]),
    portById: await byId(
      'port',
      [...floatingIps, ...bound].map(({ portId }) => portId),
    ),
  }
  const held = await store.networks.addressesHeldBy(holdersOf(routers, related, regions))
  const addresses = new Map(held.map(({ holder, subnetId, start }) => [`${holder} ${subnetId}`, start]))
  return { ...related, addressOf: (holder, subnetId) => addresses.get(`${holder} ${subnetId}`) ?? null }
}

const unique = (ids: readonly (string | null)[]): string[] => [...new Set(ids.flatMap(id => id ?? []))]

/**
 * The holders of addresses: regions as the gateways of subnets, routers' copies on subnets and on their
 * bridges.
 */
function holdersOf(
  routers: readonly Router[],
  { interfaces, bridges, subnetById }: Omit<Related, 'addressOf'>,
  regions: readonly Region[],
): HolderInSubnet[] {
  const regionsOf = (subnetId: string) => regions.filter(region => placed(subnetById.get(subnetId), region))
  const gateways = [...subnetById.keys()].flatMap(subnetId =>
    regionsOf(subnetId).map(({ id: holder }) => ({ holder, subnetId })),
  )
  const legs = [...interfaces.values()]
    .flat()
    .flatMap(({ deviceId, fixedIps }) =>
      fixedIps.flatMap(({ subnetId }) =>
        regionsOf(subnetId).map(({ id }) => ({ holder: `${deviceId}/${id}`, subnetId })),
      ),
    )
  const meetings = routers.flatMap(({ id, projectId }) =>
    (bridges.get(projectId)?.subnetIds ?? []).flatMap(subnetId =>
      regions.map(region => ({ holder: `${id}/${region.id}`, subnetId })),
    ),
  )
  return [...gateways, ...legs, ...meetings]
}

const placed = (subnet: Subnet | undefined, region: Region): boolean =>
  subnet !== undefined && regionalIdIn(subnet, region) !== null

/**
 * The rows that have to do with one network: routers on it, and floating IPs that are of it or lead to it.
 */
const onNetwork = (rows: Rows, networkId: string): Rows => ({
  ...rows,
  routers: rows.routers.filter(
    ({ id, gateway }) =>
      gateway?.networkId === networkId || rows.interfaces.get(id)?.some(port => port.networkId === networkId),
  ),
  floatingIps: rows.floatingIps.filter(
    ({ floatingNetworkId, portId }) =>
      floatingNetworkId === networkId || rows.portById.get(portId ?? '')?.networkId === networkId,
  ),
})
