// A reservation of capacity: a promise of amounts over a window, held on a provider's budget and, where its
// region is known, on the general scope of the region.

import type { Window } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

/** `expired`: no instance was drawn on it in time; `ended`: its time is over. */
export type CapacityReservationState = 'living' | 'cancelled' | 'expired' | 'ended'

export interface CapacityReservation {
  readonly id: string
  readonly projectId: string
  readonly userId: string
  /** The provider on whose budget it is held; null where it reserves elements only. */
  readonly providerId: string | null
  readonly window: Window
  /** The zone that the request named; null: anywhere. */
  readonly zone: string | null
  readonly amounts: Amounts
  /** The ids of elements that are reserved with it. */
  readonly elements: readonly string[]
  readonly state: CapacityReservationState
  /** Supply was lost, and this reservation is among those that the rest may not be enough for. */
  readonly atRisk: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface CapacityReservationStore {
  get(id: string): Promise<CapacityReservation | null>
  getMany(ids: readonly string[]): Promise<CapacityReservation[]>
}

export interface CapacityReservationWriter {
  /** The reservation, locked until the end of the transaction. Null when there is none. */
  lock(id: string): Promise<CapacityReservation | null>
  /**
   * Throws `conflict` (`element_reserved`) when another reservation has one of their elements at the same
   * time.
   */
  insert(reservations: readonly CapacityReservation[], note: Note): Promise<void>
  /** Throws as `insert`. A reservation that is not living has its elements no more. */
  replace(reservation: CapacityReservation, note: Note): Promise<void>
  getMany(ids: readonly string[]): Promise<CapacityReservation[]>
  /** Marks reservations as at risk, or takes the mark from them; nothing else of them changes. */
  setAtRisk(ids: readonly string[], isAtRisk: boolean, note: Note): Promise<void>
  /** A provider's living reservations that are marked as at risk. */
  atRiskOn(providerId: string): Promise<CapacityReservation[]>
}

/** The clockwork's kind of the turns in which reservations of capacity expire and end, by their id. */
export const capacityReservationKind = 'capacity-reservation'
