// Intents: what Atoll is about to make in regions, the marks that such things bear, and the store's port.

/** A thing in a region, as far as it matters to whoever looks for its own. */
export interface RegionalThing {
  readonly id: string
  readonly createdAt: Date
}

export interface Intent {
  readonly id: string
  readonly region: string
  readonly resourceType: string
  /** What the thing is for: there is one for a purpose in a region. */
  readonly purpose: string
  /** The id that the region gave it; null until that is known. */
  readonly regionalId: string | null
}

export interface IntentStore {
  /** The intent for this purpose; a new one, with the given id, where there is none. */
  declare(intent: Omit<Intent, 'regionalId'>, at: Date): Promise<Intent>
  /** Notes the thing's id, and returns the one that is noted: the first stays. */
  settle(id: string, regionalId: string): Promise<string>
  /** The noted ids of these intents, of those that are known. */
  settled(ids: readonly string[]): Promise<ReadonlyMap<string, string | null>>
}

/** How things of a type are made, found and removed in a region. */
export interface Maker {
  /** Makes one that bears the mark. */
  make(mark: string): Promise<RegionalThing>
  /** Those that bear it. */
  find(mark: string): Promise<readonly RegionalThing[]>
  remove(id: string): Promise<unknown>
}

/** A thing that bears a mark of ours, and the mark. */
export interface MarkedThing extends RegionalThing {
  readonly mark: string
}

const prefix = 'atoll:'

export const markOf = (intentId: string): string => `${prefix}${intentId}`

/** The intent that a text is the mark of; null when it is none. */
export const intentOf = (mark: string): string | null =>
  mark.startsWith(prefix) ? mark.slice(prefix.length) : null
