// How far the changes of a region have been read, and the store's port.

export interface Watch {
  /** By the region's own clock; null before the first look. */
  readonly changedSince: Date | null
  /** The same of servers, by the clock of the region's Nova. */
  readonly serversSince: Date | null
  readonly sweptAt: Date | null
}

export interface WatchStore {
  get(regionId: string): Promise<Watch>
  save(regionId: string, watch: Watch): Promise<void>
}
