// Rows to put into the store of a world: regions, bindings and routings, and those of the central model.

import { randomUUID } from 'node:crypto'
import type { Transaction } from '../../src/core/app.ts'
import { AppError } from '../../src/core/error.ts'
import type { FixedIp, Kind, Kinds, Written } from '../../src/core/network/model/model.ts'
import type { Holding, ResourceQuery } from '../../src/core/network/model/network-store.ts'
import type { Note } from '../../src/core/note.ts'
import type { Binding } from '../../src/core/regions/binding.ts'
import type { Region } from '../../src/core/regions/region.ts'
import type { RoutingSpec } from '../../src/core/routing/routing.ts'
import type { World } from '../world.ts'

export const caller = {
  userId: 'u1',
  userName: 'user',
  projectId: 'p1',
  projectName: 'project',
  roles: ['admin'],
  requestId: 'req-1',
}
export const at = new Date('2026-11-20T10:20:30.456Z')
export const noted = (action: string): Note => ({ caller, at, action })
export const region = (fields: Partial<Region> = {}): Region => ({
  id: randomUUID(),
  name: `Pod-${randomUUID()}`,
  availabilityZone: 'az1',
  localAvailabilityZone: '',
  dataCenter: '',
  createdAt: new Date(),
  ...fields,
})
export const routing = (regionId: string, fields: Partial<RoutingSpec> = {}): RoutingSpec => ({
  centralId: randomUUID(),
  regionalId: randomUUID(),
  regionId,
  projectId: 'p1',
  resourceType: 'network',
  ...fields,
})
export const binding = (regionId: string, fields: Partial<Binding> = {}): Binding => ({
  id: randomUUID(),
  projectId: 'p1',
  regionId,
  createdAt: new Date(),
  updatedAt: null,
  ...fields,
})

const standard = () => ({
  id: randomUUID() as string,
  projectId: 'p1',
  description: '',
  revision: 1,
  createdAt: at,
  updatedAt: at,
})
const named = () => ({ ...standard(), name: '' })

let macs = 0
/** Another one at each call. */
export const nextMac = (): string => {
  macs += 1
  return `fa:16:3e:${[16, 8, 0].map(bits => ((macs >> bits) & 255).toString(16).padStart(2, '0')).join(':')}`
}

type Row<K extends Kind> = Partial<Written<K>>

export const network = (fields: Row<'network'> = {}): Written<'network'> => ({
  ...named(),
  adminStateUp: true,
  shared: false,
  external: false,
  mtu: 1500,
  networkType: 'vlan',
  physicalNetwork: 'bridge',
  segmentationId: 2000,
  portSecurityEnabled: true,
  dnsDomain: '',
  zoneHints: [],
  bridgeOf: null,
  deleting: false,
  ...fields,
})

export const subnet = (networkId: string, fields: Row<'subnet'> = {}): Written<'subnet'> => ({
  ...named(),
  networkId,
  ipVersion: 4,
  cidr: '10.0.0.0/24',
  gatewayIp: '10.0.0.1',
  enableDhcp: true,
  allocationPools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
  dnsNameservers: [],
  hostRoutes: [],
  ipv6AddressMode: null,
  ipv6RaMode: null,
  ...fields,
})

export const port = (networkId: string, fields: Row<'port'> = {}): Written<'port'> => ({
  ...named(),
  networkId,
  macAddress: nextMac(),
  adminStateUp: true,
  deviceId: '',
  deviceOwner: '',
  securityGroupIds: [],
  allowedAddressPairs: [],
  portSecurityEnabled: true,
  hostId: '',
  vnicType: 'normal',
  vifType: 'unbound',
  profile: {},
  status: 'DOWN',
  ...fields,
})

export const router = (fields: Row<'router'> = {}): Written<'router'> => ({
  ...named(),
  adminStateUp: true,
  gateway: null,
  routes: [],
  zoneHints: [],
  distributed: false,
  ha: false,
  status: 'ACTIVE',
  deleting: false,
  ...fields,
})

export const floatingip = (
  floatingNetworkId: string,
  fields: Row<'floatingip'> = {},
): Written<'floatingip'> => ({
  ...standard(),
  floatingNetworkId,
  floatingIpAddress: '203.0.113.5',
  fixedIpAddress: null,
  portId: null,
  routerId: null,
  status: 'DOWN',
  ...fields,
})

export const group = (fields: Row<'security_group'> = {}): Written<'security_group'> => ({
  ...named(),
  stateful: true,
  isDefault: false,
  ...fields,
})

export const rule = (
  securityGroupId: string,
  fields: Row<'security_group_rule'> = {},
): Written<'security_group_rule'> => ({
  ...standard(),
  securityGroupId,
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  ...fields,
})

export const everything: ResourceQuery = {
  sight: 'atoll',
  where: [],
  sort: [],
  limit: null,
  marker: null,
  reverse: false,
}

/** A held address. */
export const holding = (subnetId: string, address: string, fields: Partial<Holding> = {}): Holding => ({
  subnetId,
  start: address,
  end: address,
  scope: 'central',
  purpose: 'port',
  holder: randomUUID(),
  ...fields,
})

/** How each attempt ended: `done`, or what the refusal says. */
export async function outcomes(attempts: Promise<unknown>[]): Promise<Record<string, number>> {
  const count: Record<string, number> = {}
  for (const attempt of await Promise.allSettled(attempts)) {
    const outcome = attempt.status === 'fulfilled' ? 'done' : reasonOf(attempt.reason)
    count[outcome] = (count[outcome] ?? 0) + 1
  }
  return count
}
function reasonOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error
  return `${error.code} ${error.detail.reason}`
}
export const times = <T>(n: number, make: (index: number) => T): T[] =>
  Array.from({ length: n }, (_, index) => make(index))

/** A line of the audit trail. */
export interface Line {
  at: Date
  request_id: string
  user_id: string
  project_id: string | null
  action: string
  target: string
  state: Record<string, unknown>
}

/** What puts rows into the store of a world, and reads them. */
export function rowsOf({ app: { store }, query }: World) {
  const tx = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => store.transact(work)
  const add = async <K extends Kind>(kind: K, row: Written<K>): Promise<Written<K>> => {
    await tx(({ networks }) => networks.insert(kind, row, noted(`${kind}.create`)))
    return row
  }
  const addNetwork = (fields?: Row<'network'>) => add('network', network(fields))
  return {
    /** In a transaction of its own. */
    tx,
    add,
    addNetwork,
    async newRegion(fields: Partial<Region> = {}): Promise<Region> {
      const made = region(fields)
      await store.regions.create(made, noted('region.create'))
      return made
    },
    /** Every line of the audit trail, oldest first. */
    trail: () => query<Line>('select * from audit order by id'),
    get: <K extends Kind>(kind: K, id: string): Promise<Kinds[K] | null> =>
      store.networks.get(kind, id, 'atoll'),
    remove: (kind: Kind, id: string): Promise<boolean> =>
      tx(({ networks }) => networks.remove(kind, id, noted(`${kind}.remove`))),
    /** The ids, in order; null where there is no such marker. */
    async list(kind: Kind, asked: Partial<ResourceQuery>): Promise<string[] | null> {
      const rows = await store.networks.list(kind, { ...everything, ...asked })
      return rows?.map(row => row.id) ?? null
    },
    addSubnet: async (fields?: Row<'subnet'>) => add('subnet', subnet((await addNetwork()).id, fields)),
    /** With these addresses held. */
    async addPort(networkId: string, fields?: Row<'port'>, fixedIps: readonly FixedIp[] = []) {
      const made = await add('port', port(networkId, fields))
      await tx(async ({ networks }) => {
        for (const { subnetId, ipAddress } of fixedIps)
          await networks.hold(holding(subnetId, ipAddress, { holder: made.id }))
      })
      return made
    },
    place: (
      kind: string,
      centralId: string,
      { id: regionId }: Region,
      regionalId = centralId,
    ): Promise<void> =>
      tx(({ networks }) => networks.place({ kind, centralId, projectId: 'p1', regionId, regionalId, at })),
  }
}
