// Collections: pools, reservations and instances as what has amounts over a window, selected and summed.

import type { Amounts } from './amounts.ts'

export type CollectionKind = 'pool' | 'reservation' | 'instance'

export interface CollectionRef {
  readonly kind: CollectionKind
  readonly id: string
}

export interface CollectionFilter {
  readonly kinds: readonly CollectionKind[]
  /** Null: of any provider, and of none. */
  readonly providerIds: readonly string[] | null
  /** Whose reservations and instances; null: everybody's. */
  readonly projectId: string | null
  /** Null: from the first, to the last. */
  readonly from: Date | null
  readonly to: Date | null
  /** Those that lie in the window whole; else those that meet it. */
  readonly inside: boolean
  readonly without: readonly string[]
  /** No others than these; null: any. */
  readonly among: readonly string[] | null
  /** Those that have one of these elements, and all of those. */
  readonly some: readonly string[]
  readonly every: readonly string[]
  /** Instances that are drawn on a reservation, or those that are not; null: both. */
  readonly drawn: boolean | null
}

/** By how much the sum of what is selected changes at an instant, and the number of what it is the sum of. */
export interface CollectionChange {
  readonly at: Date
  readonly count: number
  readonly amounts: Amounts
}

export interface CollectionStore {
  /** Pools before reservations before instances, each in order of creation. */
  list(filter: CollectionFilter, limit: number, after: CollectionRef | null): Promise<CollectionRef[]>
  /**
   * In order of time; what began before the window is in the first, at its beginning. Null when there are more than
   * `most`.
   */
  changes(filter: CollectionFilter, most: number): Promise<CollectionChange[] | null>
  /** Of what there is at an instant. */
  sum(filter: CollectionFilter, at: Date): Promise<Amounts>
  /** The first and the last instant at which anything changes on these accounts; null when nothing ever does. */
  extent(accounts: readonly number[]): Promise<{ readonly first: Date; readonly last: Date } | null>
}

/** Things that Atoll knows and that may be elements of a collection. */
export interface ElementStore {
  /** Which of these ids are things that a project may see; null: whatever there is. */
  known(ids: readonly string[], projectId: string | null): Promise<readonly string[]>
}
