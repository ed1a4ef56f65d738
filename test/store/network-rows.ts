// Rows of the central model to put into a store, and where to put them.

import { randomUUID } from 'node:crypto'
import type { Transaction } from '../../src/core/app.ts'
import type { FixedIp, Kind, Kinds, Written } from '../../src/core/network/model/model.ts'
import type { Holding, ResourceQuery } from '../../src/core/network/model/network-store.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { at, noted, type Stored, stored } from './stored.ts'

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

export interface NetworkScene extends Stored {
  /** In a transaction of its own. */
  tx<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  add<K extends Kind>(kind: K, row: Written<K>): Promise<Written<K>>
  get<K extends Kind>(kind: K, id: string): Promise<Kinds[K] | null>
  remove(kind: Kind, id: string): Promise<boolean>
  /** The ids, in order; null where there is no such marker. */
  list(kind: Kind, query: Partial<ResourceQuery>): Promise<string[] | null>
  addNetwork(fields?: Row<'network'>): Promise<Written<'network'>>
  addSubnet(fields?: Row<'subnet'>): Promise<Written<'subnet'>>
  /** With these addresses held. */
  addPort(networkId: string, fields?: Row<'port'>, fixedIps?: readonly FixedIp[]): Promise<Written<'port'>>
  place(kind: string, centralId: string, region: Region, regionalId?: string): Promise<void>
}

export async function networkScene(): Promise<NetworkScene> {
  const base = await stored()
  const { store } = base
  const tx: NetworkScene['tx'] = work => store.transact(work)
  const add: NetworkScene['add'] = async (kind, row) => {
    await tx(({ networks }) => networks.insert(kind, row, noted(`${kind}.create`)))
    return row
  }
  const addNetwork: NetworkScene['addNetwork'] = fields => add('network', network(fields))
  return {
    ...base,
    tx,
    add,
    addNetwork,
    get: (kind, id) => store.networks.get(kind, id, 'atoll'),
    remove: (kind, id) => tx(({ networks }) => networks.remove(kind, id, noted(`${kind}.remove`))),
    async list(kind, query) {
      const rows = await store.networks.list(kind, { ...everything, ...query })
      return rows?.map(row => row.id) ?? null
    },
    addSubnet: async fields => add('subnet', subnet((await addNetwork()).id, fields)),
    async addPort(networkId, fields, fixedIps = []) {
      const made = await add('port', port(networkId, fields))
      await tx(async ({ networks }) => {
        for (const { subnetId, ipAddress } of fixedIps)
          await networks.hold(holding(subnetId, ipAddress, { holder: made.id }))
      })
      return made
    },
    place: (kind, centralId, { id: regionId }, regionalId = centralId) =>
      tx(({ networks }) => networks.place({ kind, centralId, projectId: 'p1', regionId, regionalId, at })),
  }
}
