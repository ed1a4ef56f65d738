// A lease: reserved hosts, their project and their time; its shape, its states, and its store's port.

import type { Turn, TurnAsk } from '../clockwork.ts'
import type { HostPlace } from '../cloud.ts'
import type { Note } from '../note.ts'

/** Stable: PENDING, ACTIVE, TERMINATED, ERROR. The others last as long as the step that they name. */
export const leaseStatuses = [
  'PENDING',
  'STARTING',
  'ACTIVE',
  'UPDATING',
  'TERMINATING',
  'TERMINATED',
  'DELETING',
  'ERROR',
] as const
export type LeaseStatus = (typeof leaseStatuses)[number]

export type ReservationStatus = 'pending' | 'active' | 'deleted' | 'error'
export type EventStatus = 'UNDONE' | 'IN_PROGRESS' | 'DONE' | 'ERROR'

/** What is done before the end of a lease: as the operator has set, nothing, or an image of every server. */
export const beforeEndActions = ['default', '', 'snapshot'] as const
export type BeforeEnd = (typeof beforeEndActions)[number]

/** Whole hosts, all in one region. */
export interface HostReservation {
  readonly id: string
  readonly kind: 'physical:host'
  readonly status: ReservationStatus
  readonly min: number
  readonly max: number
  /** Filters, as the user wrote them. */
  readonly hypervisorProperties: string
  readonly resourceProperties: string
  readonly beforeEnd: BeforeEnd
  readonly regionId: string
  readonly regionName: string
  /** The ids of its hosts. */
  readonly hosts: readonly number[]
  readonly missingResources: boolean
  readonly resourcesChanged: boolean
  readonly createdAt: Date
  readonly updatedAt: Date | null
}
export type Reservation = HostReservation

/** The events that every lease has; a user may add others, which are only told of in the feed. */
export const systemEvents = ['start_lease', 'before_end_lease', 'end_lease'] as const

export const isSystemEvent = (type: string): boolean => (systemEvents as readonly string[]).includes(type)

export interface LeaseEvent {
  readonly id: string
  readonly type: string
  readonly at: Date
  readonly status: EventStatus
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

export interface Lease {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly userId: string
  readonly startAt: Date
  readonly endAt: Date
  readonly status: LeaseStatus
  /** Why the lease is in its status, where that needs a word; null when all is well. */
  readonly statusReason: string | null
  /** The step that is being done now; null when none is. */
  readonly action: string | null
  readonly degraded: boolean
  readonly reservations: readonly Reservation[]
  readonly events: readonly LeaseEvent[]
  /** Grows with every write. */
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

/** The clockwork's kind of the turns that leases have, one each, by their id. */
export const leaseKind = 'lease'

export interface HostReservationSpec {
  readonly kind: 'physical:host'
  readonly min: number
  readonly max: number
  readonly hypervisorProperties: string
  readonly resourceProperties: string
  readonly beforeEnd: BeforeEnd
}
export type ReservationSpec = HostReservationSpec

/** `now` is the beginning of the current minute. */
export type When = Date | 'now'

export interface LeaseSpec {
  readonly name: string
  readonly startAt: When
  readonly endAt: When
  /** Null: as long before the end as the operator has set. */
  readonly beforeEndAt: Date | null
  readonly reservations: readonly ReservationSpec[]
  /** Events that the user gives. */
  readonly events: readonly { readonly type: string; readonly at: Date }[]
  /** The region whose view it was asked in; null for all. */
  readonly region: string | null
}

export interface LeaseChange {
  readonly id: string
  /** The region in whose view it was asked for; all of them unless told. */
  readonly region?: string | null
  readonly name?: string
  readonly startAt?: When
  readonly endAt?: When
  readonly beforeEndAt?: Date | null
  readonly reservations?: readonly ReservationChange[]
}

export interface ReservationChange extends Partial<Omit<HostReservationSpec, 'kind'>> {
  readonly id: string
  /** The kind of reservation that the request names: it may not become another. */
  readonly kind?: string
}

export interface LeaseFilter {
  /** Null: leases of all projects. */
  readonly projectId: string | null
  readonly name?: string
  readonly status?: LeaseStatus
  readonly userId?: string
  readonly degraded?: boolean
  /** Leases that have a reservation in this region. */
  readonly region?: string
  /** Leases that have a reservation of this kind. */
  readonly kind?: string
  readonly startsBefore?: Date
  readonly endsAfter?: Date
}

export const leaseSortKeys = ['created_at', 'name', 'start_date', 'end_date', 'status', 'id'] as const
export type LeaseSortKey = (typeof leaseSortKeys)[number]

export interface LeaseQuery {
  readonly filter: LeaseFilter
  readonly sort: LeaseSortKey
  readonly descending: boolean
  /** Null: all of them. */
  readonly limit: number | null
  /** The id of the last one of the page before. */
  readonly marker: string | null
}

/** A lease that was taken with its turn; null when it is gone. */
export interface TakenLease {
  readonly turn: Turn
  readonly lease: Lease | null
  /** Leases that are not done with a host of this lease, although their time on it came before. */
  readonly waitsFor: readonly string[]
  /** The lease's hosts by id, as their regions know them. */
  readonly places: ReadonlyMap<number, HostPlace>
}

export interface LeaseStore {
  get(id: string): Promise<Lease | null>
  /** The leases, one more than the limit where there are more. Null when no lease has the marker's id. */
  list(query: LeaseQuery): Promise<Lease[] | null>
  /** The leases of these turns, as they are now. */
  take(turns: readonly Turn[]): Promise<TakenLease[]>
  /**
   * Writes the statuses and reasons of a lease, its reservations and its events under its turn's epoch. With
   * `againInMs` the turn is over, and due again after so long (null: when it is asked for). False when the
   * turn is not the taker's any more, or the lease was changed since it was taken.
   */
  writeOutcome(taken: TakenLease, lease: Lease, againInMs?: number | null): Promise<boolean>
  /**
   * The states of these reservations, by their ids; those that the store does not know (any more) are left
   * out.
   */
  reservationStates(ids: readonly string[]): Promise<ReadonlyMap<string, 'living' | 'over'>>
  /** Forgets reservations whose leases were removed before then; returns how many. */
  forgetEnded(before: Date, limit: number): Promise<number>
  /** The leases that are due by now and come next on a host of this lease. */
  waitingFor(id: string, now: Date): Promise<string[]>
}

/** The changes of leases within a transaction of the ledger. */
export interface LeaseWriter {
  /** Writes a new lease with its reservations and events. */
  insert(lease: Lease, note: Note, ask: TurnAsk): Promise<void>
  /** The lease as it is, locked until the end of the transaction. */
  lock(id: string): Promise<Lease | null>
  /** Writes all of a lease that may change, its reservations and events among it. */
  replace(lease: Lease, note: Note, ask: TurnAsk): Promise<void>
  /** Removes a lease; its reservations are known as over for a while. */
  remove(id: string, note: Note): Promise<void>
}
