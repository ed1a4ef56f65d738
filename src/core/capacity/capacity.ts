// Questions about capacity over time: their shapes, and their store's port.

import type { Window } from '../ledger/ledger.ts'
import type { Filter } from '../reservations/filter.ts'

export interface SlotSearch {
  readonly filter: Filter
  /** All of them in one region. */
  readonly hosts: number
  readonly lengthMs: number
  readonly notBefore: Date
  /** The end of the slot is not after this. */
  readonly notAfter: Date
  readonly region: string | null
}

export interface Slot {
  readonly at: Date
  readonly region: string
}

/** What is free from an instant on, until the next point says otherwise. */
export interface AvailabilityPoint {
  readonly at: Date
  readonly hosts: number
  /** Of the free hosts together, by class. */
  readonly amounts: Readonly<Record<string, number>>
}

export interface CapacityStore {
  /** The earliest in any region, or null. */
  earliestHosts(search: SlotSearch): Promise<Slot | null>
  /** One point where the window begins, and one at every change; null when there are more than `most`. */
  availability(query: AvailabilityQuery, most: number): Promise<AvailabilityPoint[] | null>
}

export interface AvailabilityQuery {
  readonly window: Window
  readonly filter: Filter
  readonly region: string | null
}
