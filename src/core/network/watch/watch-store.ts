// How far the changes of a region have been read, and the store's port.

export interface Watch {
  /** By the region's own clock; null before the first look. */
  readonly changedSince: Date | null
  /** The same of servers, by the clock of the region's Nova. */
  readonly serversSince: Date | null
  readonly sweptAt: Date | null
}

/** With what else a look at the region depends on. */
export interface WatchState extends Watch {
  /** Whether what the region's Neutron shows is not believed. */
  readonly isSuspect: boolean
  /** Whether a writer has left a change in the region unfinished. */
  readonly hasUnfinished: boolean
}

export interface WatchStore {
  get(regionId: string, now: Date): Promise<WatchState>
  save(regionId: string, watch: Watch): Promise<void>
}
