// A database with so many ports in so many regions, by the store's own writer: of each port its row, its address out of
// the region's block, and its place.

import { randomUUID } from 'node:crypto'
import type { Store, Transaction } from '../src/core/app.ts'
import { ownCaller } from '../src/core/caller.ts'
import { formatAddress, parseAddress } from '../src/core/network/addresses/address.ts'
import type { Written } from '../src/core/network/model/model.ts'
import type { Note } from '../src/core/note.ts'
import type { Region } from '../src/core/regions/region.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { createStore } from '../src/store/store.ts'

export interface Filled {
  readonly ports: number
  readonly networkIds: readonly string[]
  readonly perSecond: number
}

const networks = 10
const batch = 100
const atOnce = 4

const note = (action: string): Note => ({ caller: ownCaller('req-bench'), at: new Date(), action })

const born = (projectId: string) => ({
  projectId,
  name: '',
  description: '',
  revision: 1,
  createdAt: new Date(),
  updatedAt: new Date(),
})

/** Ports of one project, as many in each region of each network as in any other. */
export async function fill(
  url: string,
  { ports, regions: count, projectId }: { ports: number; regions: number; projectId: string },
): Promise<Filled> {
  await migrate(url)
  const database = openDatabase(url, { connections: atOnce, name: 'fill', onError: () => {} })
  const store = createStore(database.db)
  const regions = await makeRegions(store, count)
  const groupId = randomUUID()
  const group = { ...born(projectId), id: groupId, stateful: true, isDefault: true }
  await store.transact(tx => tx.networks.insert('security_group', group, note('security_group.create')))
  const perBlock = Math.ceil(ports / networks / count)
  const places: Place[] = []
  for (let at = 0; at < networks; at++)
    places.push(await makeNetwork(store, regions, { projectId, perBlock }))
  const startedAt = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < ports) {
      const from = next
      next = Math.min(ports, next + batch)
      const numbers = Array.from({ length: next - from }, (_, at) => from + at)
      await store.transact(async tx => {
        for (const number of numbers) {
          const nth = Math.floor(number / networks / count)
          const region = regions[Math.floor(number / networks) % count]!
          await addPort(tx, { place: places[number % networks]!, region, nth, number, projectId, groupId })
        }
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const perSecond = ports / ((performance.now() - startedAt) / 1000)
  // As autovacuum leaves tables that have been at rest for a while.
  await database.pool.query('vacuum analyze')
  await database.close()
  return { ports, networkIds: places.map(({ networkId }) => networkId), perSecond }
}

async function makeRegions(store: Store, count: number): Promise<Region[]> {
  const regions = Array.from({ length: count }, (_, at) => ({
    id: randomUUID(),
    name: `Pod${at + 1}`,
    availabilityZone: `az${at + 1}`,
    localAvailabilityZone: '',
    dataCenter: '',
    createdAt: new Date(),
  }))
  for (const region of regions) await store.regions.create(region, note('region.create'))
  return regions
}

/** A network with one subnet, and of that the first address of each region's block. */
interface Place {
  readonly networkId: string
  readonly subnetId: string
  readonly firsts: ReadonlyMap<Region, bigint>
}

async function makeNetwork(
  store: Store,
  regions: readonly Region[],
  { projectId, perBlock }: { projectId: string; perBlock: number },
): Promise<Place> {
  const [networkId, subnetId] = [randomUUID(), randomUUID()]
  const start = parseAddress('10.0.0.2')!.value
  const firsts = new Map(regions.map((region, at) => [region, start + BigInt(at * perBlock)]))
  await store.transact(async tx => {
    await tx.networks.insert('network', networkRow(networkId, projectId), note('network.create'))
    await tx.networks.insert('subnet', subnetRow(subnetId, networkId, projectId), note('subnet.create'))
    for (const [region, first] of firsts) {
      const block = { start: text(first), end: text(first + BigInt(perBlock - 1)) }
      await tx.networks.setBlocks(subnetId, region.id, [block])
      const at = { projectId, regionId: region.id, at: new Date() }
      await tx.networks.place({ kind: 'network', centralId: networkId, regionalId: randomUUID(), ...at })
      await tx.networks.place({ kind: 'subnet', centralId: subnetId, regionalId: randomUUID(), ...at })
    }
  })
  return { networkId, subnetId, firsts }
}

const text = (value: bigint): string => formatAddress({ version: 4, value })

const networkRow = (id: string, projectId: string): Written<'network'> => ({
  ...born(projectId),
  id,
  adminStateUp: true,
  shared: false,
  external: false,
  mtu: 1500,
  networkType: 'vlan',
  physicalNetwork: 'bridge',
  segmentationId: null,
  portSecurityEnabled: true,
  dnsDomain: '',
  zoneHints: [],
  bridgeOf: null,
  deleting: false,
})

const subnetRow = (id: string, networkId: string, projectId: string): Written<'subnet'> => ({
  ...born(projectId),
  id,
  networkId,
  ipVersion: 4,
  cidr: '10.0.0.0/8',
  gatewayIp: '10.0.0.1',
  enableDhcp: true,
  allocationPools: [{ start: '10.0.0.2', end: '10.255.255.254' }],
  dnsNameservers: [],
  hostRoutes: [],
  ipv6AddressMode: null,
  ipv6RaMode: null,
})

interface NewPort {
  readonly place: Place
  readonly region: Region
  /** Which of its region's and network's ports it is, and which of all. */
  readonly nth: number
  readonly number: number
  readonly projectId: string
  readonly groupId: string
}

async function addPort({ networks: writer }: Transaction, port: NewPort): Promise<void> {
  const { place, region, nth, number, projectId, groupId } = port
  const id = randomUUID()
  const address = text(place.firsts.get(region)! + BigInt(nth))
  const row = portRow(id, place.networkId, { projectId, groupId, number })
  await writer.insert('port', row, note('port.create'))
  const held = {
    subnetId: place.subnetId,
    start: address,
    end: address,
    purpose: 'port',
    holder: id,
  } as const
  await writer.hold({ ...held, scope: region.id })
  await writer.place({
    kind: 'port',
    centralId: id,
    projectId,
    regionId: region.id,
    regionalId: id,
    at: new Date(),
  })
}

const macOf = (number: number): string =>
  `fa:16:3e:${[16, 8, 0].map(bits => ((number >> bits) & 255).toString(16).padStart(2, '0')).join(':')}`

const portRow = (
  id: string,
  networkId: string,
  { projectId, groupId, number }: Pick<NewPort, 'projectId' | 'groupId' | 'number'>,
): Written<'port'> => ({
  ...born(projectId),
  id,
  networkId,
  macAddress: macOf(number),
  adminStateUp: true,
  deviceId: randomUUID(),
  deviceOwner: 'compute:nova',
  securityGroupIds: [groupId],
  allowedAddressPairs: [],
  portSecurityEnabled: true,
  hostId: 'compute1',
  vnicType: 'normal',
  vifType: 'ovs',
  profile: {},
  status: 'ACTIVE',
})
