// How far a region has been watched, and the store's port.

export interface Watch {
  /** By the region's own clock; null before the first look. */
  readonly changedSince: Date | null
  readonly sweptAt: Date | null
}

export interface WatchStore {
  get(regionId: string): Promise<Watch>
  save(regionId: string, watch: Watch): Promise<void>
}
