// A database with so many hosts and leases, written through the store's own append.

import { randomUUID } from 'node:crypto'
import type { Store, Transaction } from '../src/core/app.ts'
import type { Host } from '../src/core/hosts/host.ts'
import { supplyOf } from '../src/core/hosts/host.ts'
import type { Lease } from '../src/core/leases/lease.ts'
import { askFor } from '../src/core/leases/leases.ts'
import { type Claim, forever, type Hold, type HostHold, wholeHost } from '../src/core/ledger/ledger.ts'
import type { Note } from '../src/core/note.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { createStore } from '../src/store/store.ts'

export const regions = 10
export const hostsOfLease = 10
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** How far ahead leases are spread. */
const days = 400
/** Of leases, in hours; short ones are as frequent as long ones by their logarithm. */
const [shortest, longest] = [2, 96]
const projects = 10
const connections = 4
/** Leases of one transaction. */
const atOnce = 100

export interface Size {
  readonly hosts: number
  /** How often a host is held: `hostsOfLease` of them are a lease. */
  readonly holds: number
}

const note = (projectId: string, action: string): Note => ({
  caller: {
    userId: 'bench',
    userName: 'bench',
    projectId,
    projectName: 'bench',
    roles: [],
    requestId: `req-${randomUUID()}`,
  },
  at: new Date(),
  action,
})

/** Fills an empty database; a tenth of the leases are of the given project. Returns when the first day begins. */
export async function fill(url: string, size: Size, projectId: string): Promise<Date> {
  await migrate(url)
  const database = openDatabase(url, { connections, name: 'fill', onError: () => {} })
  const store = createStore(database.db)
  const start = new Date(Math.ceil(Date.now() / dayMs) * dayMs)
  const fillers: Filler[] = []
  for (let index = 0; index < regions; index++) {
    const place = await fillRegion(store, index, size.hosts / regions, start)
    fillers.push(fillerOf(store, place, start, projectId))
  }
  const leases = size.holds / regions / hostsOfLease
  const first = Math.ceil(leases / 50)
  await inParallel(fillers, fill => fill(first))
  // As autovacuum leaves tables that have been there for a while: before that, plans are those of empty ones.
  await database.pool.query('vacuum analyze')
  await inParallel(fillers, fill => fill(leases - first))
  await database.pool.query('vacuum analyze')
  await database.close()
  return start
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: connections }, worker))
}

interface Place {
  readonly id: string
  readonly name: string
  readonly hosts: readonly number[]
}

/** One region with its hosts, as they are when their enrolment is done. */
async function fillRegion(store: Store, index: number, count: number, start: Date): Promise<Place> {
  const id = randomUUID()
  const name = `Region${index}`
  const zone = { availabilityZone: name, localAvailabilityZone: '', dataCenter: '' }
  const createdAt = new Date(start.getTime() + index)
  await store.regions.create({ id, name, ...zone, createdAt }, note('bench', 'region.create'))
  const about = note('bench', 'host.enrol')
  const from = new Date(start.getTime() - dayMs)
  const hosts: number[] = []
  while (hosts.length < count) {
    await store.transact(async tx => {
      for (let n = 0; n < Math.min(atOnce, count - hosts.length); n++) {
        const host = newHost(await tx.ledger.addHost(id, from), { id, name }, from)
        await tx.hosts.insert(host, about, { kind: 'host', key: `${host.id}`, lane: name, at: forever })
      }
    })
    const made = await store.hosts.list(name)
    hosts.splice(0, hosts.length, ...made.map(host => host.id))
  }
  await store.transact(async tx => {
    const scope = await tx.ledger.scope(id, 'reservable')
    await tx.ledger.lock([scope])
    const supply = [...supplyOf(newHost(0, { id, name }, from)), ['TENANCY', wholeHost] as const]
    const window = { from, to: forever }
    const posting = (of: readonly [string, number]) =>
      ({ account: scope, class: of[0], amount: of[1] * count, window, origin: 'enrolment' }) as const
    await tx.ledger.post(supply.map(posting), about)
  })
  return { id, name, hosts }
}

function newHost(id: number, region: { id: string; name: string }, at: Date): Host {
  const hypervisorId = randomUUID()
  return {
    id,
    regionId: region.id,
    regionName: region.name,
    state: 'enrolled',
    reservable: true,
    hypervisorId,
    hypervisorHostname: `${hypervisorId}.example.org`,
    hypervisorType: 'QEMU',
    hypervisorVersion: 7_002_000,
    cpuInfo: '{"arch": "x86_64", "model": "Cascadelake-Server", "topology": {"sockets": 2, "cores": 32}}',
    serviceName: hypervisorId,
    vcpus: 64,
    memoryMb: 524_288,
    localGb: 4000,
    availabilityZone: 'nova',
    providerId: randomUUID(),
    inventory: {
      VCPU: { total: 64, reserved: 0, allocationRatio: 4 },
      MEMORY_MB: { total: 524_288, reserved: 512, allocationRatio: 1 },
      DISK_GB: { total: 4000, reserved: 0, allocationRatio: 1 },
    },
    capabilities: { rack: `r${id % 20}` },
    createdAt: at,
    updatedAt: null,
  }
}

/** Appends so many leases. */
type Filler = (count: number) => Promise<void>

/** Leases at random times, each of hosts that are free then, in an order that is not that of their times. */
function fillerOf(store: Store, place: Place, start: Date, projectId: string): Filler {
  const draw = drawing(place.hosts)
  const project = (n: number): string => (n % projects === 0 ? projectId : `project-${n % projects}`)
  return async count => {
    for (let done = 0; done < count; done += atOnce) {
      await store.transact(async tx => {
        const scope = await tx.ledger.scope(place.id, 'reservable')
        await tx.ledger.lock([scope])
        for (let n = done; n < Math.min(count, done + atOnce); n++)
          await append(tx, place, scope, draw(), start, project(n))
      })
    }
  }
}

interface Drawn {
  /** In hours from the first day's beginning. */
  readonly from: number
  readonly to: number
  readonly hosts: readonly number[]
}

/** Draws leases that do not meet: which hours of which host are taken is known here. */
function drawing(hosts: readonly number[]): () => Drawn {
  const taken = hosts.map(() => new Uint8Array(days * 24 + longest))
  return () => {
    for (;;) {
      const from = Math.floor(Math.random() * days * 24)
      const to = from + Math.round(shortest * (longest / shortest) ** Math.random())
      const first = Math.floor(Math.random() * hosts.length)
      const free: number[] = []
      for (let n = 0; n < hosts.length && free.length < hostsOfLease; n++) {
        const host = (first + n * stride) % hosts.length
        if (isFree(taken[host]!, from, to)) free.push(host)
      }
      if (free.length < hostsOfLease) continue
      for (const host of free) taken[host]!.fill(1, from, to)
      return { from, to, hosts: free.map(host => hosts[host]!) }
    }
  }
}

/** No divisor of a region's number of hosts, so that all of them are met. */
const stride = 7

const isFree = (taken: Uint8Array, from: number, to: number): boolean => !taken.subarray(from, to).includes(1)

async function append(
  tx: Transaction,
  place: Place,
  account: number,
  drawn: Drawn,
  start: Date,
  projectId: string,
): Promise<void> {
  const at = (hours: number): Date => new Date(start.getTime() + hours * hourMs)
  const window = { from: at(drawn.from), to: at(drawn.to) }
  const lease = newLease(place, drawn.hosts, window, projectId)
  const line = lease.reservations[0]!.id
  const claim: Claim = { id: lease.id, projectId, kind: 'lease', window }
  const hold: Hold = { line, account, class: 'TENANCY', amount: wholeHost * drawn.hosts.length, window }
  const hosts = drawn.hosts.map<HostHold>(host => ({ line, host, window, whole: true }))
  const about = note(projectId, 'lease.create')
  await tx.ledger.claim(claim, [hold], hosts, about)
  await tx.leases.insert(lease, about, askFor(lease))
}

function newLease(
  place: Place,
  hosts: readonly number[],
  { from, to }: Claim['window'],
  projectId: string,
): Lease {
  const createdAt = new Date()
  const event = (type: string, at: Date) =>
    ({ id: randomUUID(), type, at, status: 'UNDONE', createdAt, updatedAt: null }) as const
  const id = randomUUID()
  return {
    id,
    name: `lease-${id}`,
    projectId,
    userId: 'bench',
    startAt: from,
    endAt: to,
    status: 'PENDING',
    statusReason: null,
    action: null,
    degraded: false,
    reservations: [
      {
        id: randomUUID(),
        kind: 'physical:host',
        status: 'pending',
        min: hosts.length,
        max: hosts.length,
        hypervisorProperties: '',
        resourceProperties: '',
        beforeEnd: 'default',
        regionId: place.id,
        regionName: place.name,
        hosts,
        missingResources: false,
        resourcesChanged: false,
        createdAt,
        updatedAt: null,
      },
    ],
    events: [
      event('start_lease', from),
      event('end_lease', to),
      event('before_end_lease', new Date(Math.max(from.getTime(), to.getTime() - hourMs))),
    ],
    version: 0,
    createdAt,
    updatedAt: null,
  }
}
