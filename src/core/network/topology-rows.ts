// What a topology is made of, read from the central model in as many statements whatever its size.

import { invalid } from '../error.ts'
import type { Job } from '../jobs/job.ts'
import type { App } from '../ports.ts'
import type { Region } from '../regions/region.ts'
import type { FloatingIp, Kind, Kinds, Network, Port, Router, Subnet } from './model.ts'
import type { Condition, PortCount, Sight } from './network-store.ts'
import { interfaceOwner } from './query.ts'
import { unknown, wordOf } from './read.ts'
import { openJobs } from './topology-state.ts'

/** Nothing else is needed: no region is ever asked. */
export type Model = Pick<App, 'store' | 'networkRules'>

export interface Shown {
  readonly region: Region | null
  /** A network's id: it and what is on it. */
  readonly network: string | null
  /** Each of them, or only how many there are. */
  readonly ports: boolean
}

/** What is shown, but for a region's filter: what is in others is needed to say how they are linked. */
interface Own {
  readonly networks: readonly Network[]
  readonly subnets: readonly Subnet[]
  readonly routers: readonly Router[]
  readonly floatingIps: readonly FloatingIp[]
  /** Null where they are only counted. */
  readonly ports: readonly Port[] | null
  readonly portCounts: readonly PortCount[]
  /** Those that are not done. */
  readonly jobs: readonly Job[]
}

/** What that depends on, whoever's it is. */
interface Related {
  /** The ports by which the routers are on networks. */
  readonly interfaces: readonly Port[]
  /** Floating IPs that lead through the routers. */
  readonly bound: readonly FloatingIp[]
  /** Where the routers' copies meet. */
  readonly bridges: readonly Network[]
  readonly networkById: ReadonlyMap<string, Network>
  readonly subnetById: ReadonlyMap<string, Subnet>
  /** The ports that floating IPs lead to. */
  readonly portById: ReadonlyMap<string, Port>
  /** The address that is held for this holder in a subnet. */
  addressOf(holder: string, subnetId: string): string | null
}

export interface Rows extends Own, Related {
  /** Every region that holds things. */
  readonly regions: readonly Region[]
}

/** Throws `not_found` (`network`), and `invalid` (`too_many`) for more than anyone could read. */
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
  const here: Condition[] = region === null ? [] : [{ region: [region.name] }]
  const one: Condition[] = network === null ? [] : [{ field: 'id', in: [network] }]
  if (network !== null && !(await app.store.networks.get('network', network, sight)))
    throw unknown('network', network)
  const list = <K extends Kind>(kind: K, sort: string, ...where: readonly Condition[]) =>
    listed(app, sight, kind, sort, where)
  const networks = await list('network', 'name', ...one, ...here)
  const ids = networks.map(({ id }) => id)
  const onThem: Condition = { field: 'networkId', in: ids }
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

/** The most of a kind that is shown. */
const most = 10_000

async function listed<K extends Kind>(
  { store }: Model,
  sight: Sight,
  kind: K,
  sort: string,
  where: readonly Condition[],
): Promise<Kinds[K][]> {
  const found = await store.networks.list(kind, { ...queryOf(sight, where), limit: most + 1, sort: [ascending(sort)] })
  if (found && found.length > most)
    throw invalid(
      `There are more than ${most} ${wordOf(kind)}s to show: name a network or a project, or leave the ports out`,
      'too_many',
    )
  return found ?? []
}

const ascending = (field: string) => ({ field, descending: false })
const queryOf = (sight: Sight, where: readonly Condition[]) =>
  ({ sight, where, sort: [], limit: null, marker: null, reverse: false }) as const

async function readRelated(app: Model, own: Own, regions: readonly Region[]): Promise<Related> {
  const { networks: store } = app.store
  const all = async <K extends Kind>(kind: K, ...where: readonly Condition[]): Promise<Kinds[K][]> =>
    (await store.list(kind, queryOf('atoll', where))) ?? []
  const byId = async <K extends Kind>(kind: K, ids: readonly (string | null)[]) =>
    mapped(await store.getMany(kind, [...new Set(ids.flatMap(id => id ?? []))]))
  const { routers, floatingIps, subnets, networks } = own
  const routerIds = routers.map(({ id }) => id)
  const interfaces = await all(
    'port',
    { field: 'deviceId', in: routerIds },
    { field: 'deviceOwner', in: [interfaceOwner] },
  )
  const bound = await all('floatingip', { field: 'routerId', in: routerIds })
  const projectIds = [...new Set(routers.map(({ projectId }) => projectId))]
  const bridges = await all('network', { field: 'bridgeOf', in: projectIds })
  const subnetById = await byId('subnet', [
    ...subnets.map(({ id }) => id),
    ...bridges.flatMap(({ subnetIds }) => subnetIds),
    ...interfaces.flatMap(({ fixedIps }) => fixedIps.map(({ subnetId }) => subnetId)),
  ])
  const networkById = await byId('network', [
    ...networks.map(({ id }) => id),
    ...interfaces.map(({ networkId }) => networkId),
    ...routers.map(({ gateway }) => gateway?.networkId ?? null),
    ...floatingIps.map(({ floatingNetworkId }) => floatingNetworkId),
  ])
  const portById = await byId(
    'port',
    [...floatingIps, ...bound].map(({ portId }) => portId),
  )
  const related = { interfaces, bound, bridges, networkById, subnetById, portById }
  return { ...related, addressOf: await addressesIn(app, routers, related, regions) }
}

const mapped = <T extends { id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map(row => [row.id, row]))

/** What regions and routers' copies hold in the subnets: each by its holder, since a subnet may have any number of ports. */
async function addressesIn(
  { store }: Model,
  routers: readonly Router[],
  { interfaces, bridges, subnetById }: Omit<Related, 'addressOf'>,
  regions: readonly Region[],
): Promise<Related['addressOf']> {
  const copies = (routerId: string, subnetId: string) =>
    regions.map(region => ({ holder: `${routerId}/${region.id}`, subnetId }))
  const bridgeSubnet = (router: Router) =>
    bridges.find(({ bridgeOf }) => bridgeOf === router.projectId)?.subnetIds[0]
  const held = await store.networks.heldBy([
    ...[...subnetById.keys()].flatMap(subnetId => regions.map(({ id: holder }) => ({ holder, subnetId }))),
    ...interfaces.flatMap(({ deviceId, fixedIps }) =>
      fixedIps.flatMap(({ subnetId }) => copies(deviceId, subnetId)),
    ),
    ...routers.flatMap(router => {
      const subnetId = bridgeSubnet(router)
      return subnetId === undefined ? [] : copies(router.id, subnetId)
    }),
  ])
  const addresses = new Map(held.map(({ holder, subnetId, start }) => [`${holder} ${subnetId}`, start]))
  return (holder, subnetId) => addresses.get(`${holder} ${subnetId}`) ?? null
}

/** Routers that are on it, and floating IPs that are of it or lead to it. */
function onNetwork(rows: Rows, networkId: string): Rows {
  const attached = new Set(
    rows.interfaces.filter(port => port.networkId === networkId).map(({ deviceId }) => deviceId),
  )
  return {
    ...rows,
    routers: rows.routers.filter(({ id, gateway }) => attached.has(id) || gateway?.networkId === networkId),
    floatingIps: rows.floatingIps.filter(
      ({ floatingNetworkId, portId }) =>
        floatingNetworkId === networkId || rows.portById.get(portId ?? '')?.networkId === networkId,
    ),
  }
}
