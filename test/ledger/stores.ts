// The two stores of the ledger under one interface: the slow model, and that of a world.

import { randomUUID } from 'node:crypto'
import type { CapacityStore } from '../../src/core/capacity/capacity.ts'
import type { Host, HostState } from '../../src/core/hosts/host.ts'
import { type Ledger, type SupplyPosting, type Window, wholeHost } from '../../src/core/ledger/ledger.ts'
import type { Note } from '../../src/core/note.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { type World, world } from '../world.ts'
import { MemoryLedger } from './memory.ts'

export interface HostChange {
  readonly reservable?: boolean
  readonly state?: HostState
}

export interface LedgerStore extends AsyncDisposable {
  readonly capacity: CapacityStore
  transact<T>(work: (ledger: Ledger) => Promise<T>): Promise<T>
  addRegion(region: Region): Promise<void>
  /** Stores a host whose account is there. */
  insertHost(host: Host): Promise<void>
  changeHost(id: number, change: HostChange): Promise<void>
  /** A server that no lease has is found on the host. */
  use(host: number): Promise<void>
  /** When the host is free. */
  gaps(host: number): Promise<readonly Window[]>
}

export const note: Note = {
  caller: {
    userId: 'user',
    userName: 'user',
    projectId: 'project',
    projectName: 'project',
    roles: ['member'],
    requestId: 'req-ledger',
  },
  at: new Date('2027-01-01T00:00:00Z'),
  action: 'ledger.test',
}

export async function memoryStore(): Promise<LedgerStore> {
  const ledger = new MemoryLedger()
  return {
    capacity: ledger.capacity,
    transact: work => ledger.transact(work),
    addRegion: async region => ledger.addRegion(region),
    insertHost: async host => ledger.insertHost(host),
    changeHost: async (id, change) => ledger.changeHost(id, change),
    use: async host => ledger.use(host),
    gaps: async host => ledger.gaps(host),
    async [Symbol.asyncDispose]() {},
  }
}

export interface PostgresLedger extends LedgerStore {
  readonly w: World
}

export async function postgresStore(): Promise<PostgresLedger> {
  const w = await world({ regions: [] })
  const { query } = w
  const { store } = w.app
  return {
    w,
    capacity: store.capacity,
    transact: work => store.transact(tx => work(tx.ledger)),
    addRegion: region => store.regions.create(region, note),
    insertHost: host =>
      store.transact(tx => tx.hosts.insert(host, note, { kind: 'host', key: `${host.id}`, lane: '' })),
    async changeHost(id, { reservable, state }) {
      if (reservable !== undefined) await store.hosts.setReservable(id, reservable)
      if (state !== undefined) await query('update host set state = $1 where id = $2', [state, id])
    },
    async use(host) {
      await query(
        `insert into usage (account_id, class, amount, from_at, to_at, consumer)
         values ($1, 'TENANCY', 1, now(), '9999-12-31Z', $2)`,
        [host, randomUUID()],
      )
    },
    gaps: host =>
      query<Window>('select from_at as from, to_at as to from host_gap where host_id = $1 order by 1', [
        host,
      ]),
    [Symbol.asyncDispose]: () => w[Symbol.asyncDispose](),
  }
}

export const regionNamed = (name: string, createdAt: Date): Region => ({
  id: randomUUID(),
  name,
  availabilityZone: `zone of ${name}`,
  localAvailabilityZone: '',
  dataCenter: '',
  createdAt,
})

export interface HostSpec {
  readonly id: number
  readonly region: Region
  readonly capabilities?: Readonly<Record<string, string>>
  readonly vcpus?: number
}

export const hostOf = ({ id, region, capabilities = {}, vcpus = 8 }: HostSpec): Host => ({
  id,
  regionId: region.id,
  regionName: region.name,
  state: 'enrolled',
  reservable: true,
  hypervisorId: randomUUID(),
  hypervisorHostname: `host-${id}`,
  hypervisorType: 'QEMU',
  hypervisorVersion: 8_002_002,
  cpuInfo: '{}',
  serviceName: `host-${id}`,
  vcpus,
  memoryMb: 16_384,
  localGb: 100,
  availabilityZone: 'nova',
  providerId: randomUUID(),
  inventory: { VCPU: { total: vcpus, reserved: 0, allocationRatio: 1.5 } },
  capabilities,
  createdAt: note.at,
  updatedAt: null,
})

export const tenancy = (account: number, hosts: number, window: Window): SupplyPosting => ({
  account,
  class: 'TENANCY',
  amount: hosts * wholeHost,
  window,
  origin: hosts < 0 ? 'decrease' : 'increase',
})
