// Collections: pools, reservations and instances, which all have amounts over a window, selected and summed.

import type { Amounts } from './amounts.ts'

export type CollectionKind = 'pool' | 'reservation' | 'instance'

export interface CollectionRef {
  readonly kind: CollectionKind
  readonly id: string
}

export interface CollectionFilter {
  readonly kinds: readonly CollectionKind[]
  /** Null: collections of any provider, and of none. */
  readonly providerIds: readonly string[] | null
  /** The project of reservations and instances; null: every project's. */
  readonly projectId: string | null
  /** Null: from the first collection on, to the last. */
  readonly from: Date | null
  readonly to: Date | null
  /** True: collections that lie in the window whole; false: those that meet it. */
  readonly inside: boolean
  readonly without: readonly string[]
  /** Only these collections; null: any. */
  readonly among: readonly string[] | null
  /** Collections that have one of the elements `some`, and all of the elements `every`. */
  readonly some: readonly string[]
  readonly every: readonly string[]
  /** Instances that are drawn on a reservation, or those that are not; null: both. */
  readonly drawn: boolean | null
}

/** By how much the sum over the selected collections changes at an instant, and their number. */
export interface CollectionChange {
  readonly at: Date
  readonly count: number
  readonly amounts: Amounts
}

export interface CollectionStore {
  /** Pools before reservations before instances, each in order of creation. */
  list(filter: CollectionFilter, limit: number, after: CollectionRef | null): Promise<CollectionRef[]>
  /**
   * The changes in order of time; collections that began before the window are in the first change, at its
   * beginning. Null when there are more changes than `most`.
   */
  changes(filter: CollectionFilter, most: number): Promise<CollectionChange[] | null>
  /** The sum over the selected collections at an instant. */
  sum(filter: CollectionFilter, at: Date): Promise<Amounts>
  /** The first and the last instant at which the levels of these accounts change; null when they never do. */
  extent(accounts: readonly number[]): Promise<{ readonly first: Date; readonly last: Date } | null>
}

/** Things that the model has and that may be elements of a collection. */
export interface ElementStore {
  /** The ids among these of things that a project may see; null: of any project. */
  known(ids: readonly string[], projectId: string | null): Promise<readonly string[]>
}
