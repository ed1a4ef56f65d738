// A reservation of capacity: a promise of amounts over a window, held on a provider's budget and, where its region is
// known, on what the region's hosts have.

import type { Window } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

/** `expired`: nothing was made of it in time; `ended`: its time is over. */
export type CapacityReservationState = 'living' | 'cancelled' | 'expired' | 'ended'

export interface CapacityReservation {
  readonly id: string
  readonly projectId: string
  readonly userId: string
  /** Whose budget holds it; null where nothing but elements is reserved. */
  readonly providerId: string | null
  readonly window: Window
  /** Where it was asked for; null: anywhere. */
  readonly zone: string | null
  readonly amounts: Amounts
  /** Ids of things that are reserved with it. */
  readonly elements: readonly string[]
  readonly state: CapacityReservationState
  /** Supply was lost, and this is among those that it may no longer be enough for. */
  readonly atRisk: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface CapacityReservationStore {
  get(id: string): Promise<CapacityReservation | null>
  getMany(ids: readonly string[]): Promise<CapacityReservation[]>
}

export interface CapacityReservationWriter {
  /** Keeps all others from changing it until the end of the transaction. Null when there is none. */
  lock(id: string): Promise<CapacityReservation | null>
  /** Throws `conflict` (`element_reserved`) when another one has one of their elements at the same time. */
  insert(reservations: readonly CapacityReservation[], note: Note): Promise<void>
  /** Throws as `insert`. What is not living has its elements no more. */
  replace(reservation: CapacityReservation, note: Note): Promise<void>
  getMany(ids: readonly string[]): Promise<CapacityReservation[]>
  /** Marks them as at risk, or takes the mark from them; nothing else of them changes. */
  setAtRisk(ids: readonly string[], isAtRisk: boolean, note: Note): Promise<void>
  /** The living ones of a provider that are marked so. */
  atRiskOn(providerId: string): Promise<CapacityReservation[]>
}

/** The clockwork's kind of the turns in which reservations of capacity expire and end, by their id. */
export const capacityReservationKind = 'capacity-reservation'
