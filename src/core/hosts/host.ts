// A host that is enrolled for reservations: its shape, and its store's port.

import type { TurnAsk } from '../clockwork.ts'
import type { Filter } from '../filter/filter.ts'
import type { Window } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'

/** `enrolling` until its region has closed it to plain servers, `leaving` until it is open to them again. */
export type HostState = 'enrolling' | 'enrolled' | 'leaving'

/** Facts of a host from Nova and Placement. */
export interface HostFacts {
  /** Nova's id of the hypervisor: a uuid. */
  readonly hypervisorId: string
  readonly hypervisorHostname: string
  readonly hypervisorType: string
  readonly hypervisorVersion: number
  /** JSON text, as Nova gives it. */
  readonly cpuInfo: string
  /** The name of its compute service: what aggregates and servers know it by. */
  readonly serviceName: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly localGb: number
  readonly availabilityZone: string
  /** Placement's resource provider of the host. */
  readonly providerId: string
  /** The inventory that Placement has of the host, by class. */
  readonly inventory: Readonly<Record<string, Inventory>>
}

export interface Inventory {
  readonly total: number
  readonly reserved: number
  readonly allocationRatio: number
}

/** How much of each class can be placed on a host. */
export const supplyOf = ({ inventory }: Pick<HostFacts, 'inventory'>): [name: string, amount: number][] =>
  Object.entries(inventory).map(([name, { total, reserved, allocationRatio }]) => [
    name,
    Math.floor((total - reserved) * allocationRatio),
  ])

export interface Host extends HostFacts {
  /** The host's account in the ledger; unique over all regions. */
  readonly id: number
  readonly regionId: string
  readonly regionName: string
  readonly state: HostState
  /** False while it is known to be down: nothing new is reserved there. */
  readonly reservable: boolean
  /** Extra capabilities, by name. */
  readonly capabilities: Readonly<Record<string, string>>
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

/** One reservation's time on a host. */
export interface Allocation {
  readonly hostId: number
  readonly reservationId: string
  readonly leaseId: string
  readonly startAt: Date
  readonly endAt: Date
}

export interface AllocationFilter {
  readonly hostId?: number
  readonly leaseId?: string
  readonly reservationId?: string
  readonly regionName?: string
  /** Only allocations that end at this instant or later. */
  readonly endingFrom?: Date
}

/** The name of a capability, and its values over all hosts. */
export interface HostProperty {
  readonly id: string
  readonly name: string
  /** Hidden from lists for those who are no admins. */
  readonly private: boolean
  readonly values: readonly string[]
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

/** Filter terms that every host has, beside its capabilities. */
export const builtInProperties = [
  'id',
  'vcpus',
  'cpu_info',
  'hypervisor_type',
  'hypervisor_version',
  'hypervisor_hostname',
  'service_name',
  'memory_mb',
  'local_gb',
  'status',
  'availability_zone',
  'trust_id',
  'reservable',
  'created_at',
  'updated_at',
  'region',
] as const

export interface HostStore {
  /** The hosts, by id; with a region's name only those there. */
  list(region: string | null): Promise<Host[]>
  get(id: number): Promise<Host | null>
  getMany(ids: readonly number[]): Promise<Host[]>
  /** The enrolled (or enrolling) host that is this hypervisor of the region. */
  find(regionId: string, hypervisorHostname: string): Promise<Host | null>
  /** Adds and removes capabilities (null removes). Null when there is no such host. */
  update(id: number, capabilities: Readonly<Record<string, string | null>>, note: Note): Promise<Host | null>
  /** The time that reservations have on hosts, by start. */
  allocations(filter: AllocationFilter): Promise<Allocation[]>
  properties(): Promise<HostProperty[]>
  setPropertyPrivate(name: string, isPrivate: boolean, note: Note): Promise<HostProperty | null>
  /**
   * The regions that have hosts for a reservation, those with the most free hosts first; counts no further
   * than `most`.
   */
  regionsWithFree(filter: Filter, window: Window, most: number, region: string | null): Promise<RegionRoom[]>
  setReservable(id: number, reservable: boolean): Promise<void>
  /** Writes the facts of a host as its region gives them now. */
  setFacts(id: number, facts: HostFacts): Promise<void>
  /** Replaces the servers that are known to use these hosts without a reservation. */
  setForeign(usage: readonly ForeignUsage[], now: Date): Promise<void>
}

/** One host and the reservations' times on it. */
export interface HostAllocations {
  readonly hostId: number
  readonly allocations: readonly Allocation[]
}

export interface ForeignUsage {
  readonly hostId: number
  readonly consumers: readonly string[]
}

export interface RegionRoom {
  readonly regionId: string
  readonly free: number
}

/** The clockwork's kind of the turns of hosts that come or leave, by their id. */
export const hostKind = 'host'

/** The changes of hosts within a transaction of the ledger. */
export interface HostWriter {
  /** Throws `conflict` (`already_enrolled`). */
  insert(host: Host, note: Note, ask: TurnAsk): Promise<void>
  /** False when the host is in none of these states any more. */
  move(id: number, from: readonly HostState[], to: HostState, note: Note): Promise<boolean>
  /** False when the host is in none of these states any more. */
  remove(id: number, from: readonly HostState[], note: Note): Promise<boolean>
  /** The names of a region's hypervisors that are enrolled. */
  enrolledIn(regionId: string): Promise<string[]>
  /** The leases that are to begin on a host, are at work there, or have something left there. */
  leasesOn(id: number): Promise<string[]>
  ask(ask: TurnAsk): Promise<void>
}
