// Questions about capacity over time: their shapes, and their store's port.

import type { Filter } from '../filter/filter.ts'
import type { Window } from '../ledger/ledger.ts'

export interface SlotSearch {
  readonly filter: Filter
  /** How many hosts, all in one region. */
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

/** The hosts and amounts that are free from an instant until the next point. */
export interface AvailabilityPoint {
  readonly at: Date
  readonly hosts: number
  /** The amounts of all free hosts together, by class. */
  readonly amounts: Readonly<Record<string, number>>
}

/** Asks for the lowest levels of classes, all accounts together, in each part of a window. */
export interface SeriesQuery {
  readonly accounts: readonly number[]
  readonly classes: readonly string[]
  readonly window: Window
  /** The most points of the answer. */
  readonly points: number
}

export interface SeriesPoint {
  readonly at: Date
  /** By class: the least at any instant until the next point. */
  readonly levels: Readonly<Record<string, number>>
}

export interface CapacityStore {
  /**
   * One point where the window begins and one at every change, where these are no more than `points`; else as many parts
   * as that, of equal length or of whole days, each with its lowest levels (of several accounts: the sum of these, which
   * is never too much).
   */
  series(query: SeriesQuery): Promise<SeriesPoint[]>
  /** The earliest slot in any region, or null. */
  earliestHosts(search: SlotSearch): Promise<Slot | null>
  /** One point where the window begins, and one at every change; null when there are more than `most`. */
  availability(query: AvailabilityQuery, most: number): Promise<AvailabilityPoint[] | null>
}

export interface AvailabilityQuery {
  readonly window: Window
  readonly filter: Filter
  readonly region: string | null
}
