// Intents: what Atoll is about to make in regions, the marks that such things bear, and the store's port.

/** A thing in a region, as a search by mark needs it. */
export interface RegionalThing {
  readonly id: string
  readonly createdAt: Date | null
}

export interface Intent {
  readonly id: string
  readonly region: string
  readonly resourceType: string
  /** What the thing is for: there is one living intent for a purpose, type and region. */
  readonly purpose: string
  /** The central resource for whose sake it is there; empty while nothing central knows of it. */
  readonly owner: string
  /** The id that the region gave it; null until that is known. */
  readonly regionalId: string | null
}

/** A living intent, and whether this call has declared it. */
export type Declared = Intent & { readonly isNew: boolean }

/**
 * How an intent has ended: by a verb (Atoll removed its thing, or its caller got no answer), or by absence
 * (its region does not show the thing any more). Only after a verb is a thing that bears the mark surplus.
 */
export type EndedBy = 'verb' | 'absence'

export interface IntentState {
  /** The id that the region gave the thing; null where that was never known. */
  readonly regionalId: string | null
  /** `removed` by a verb; `absent` where the thing was seen to be gone. */
  readonly state: 'living' | 'removed' | 'absent'
}

export interface IntentStore {
  /** The living intent for this purpose; a new one, with the given id, where there is none. */
  declare(intent: Omit<Intent, 'regionalId'>, at: Date): Promise<Declared>
  /**
   * Notes the id of the intent's thing (and its owner, where that is known only now), and returns the id that
   * is noted: the first one stays.
   */
  noteId(id: string, regionalId: string, owner?: string): Promise<string>
  /** The ids and states of these intents, living or ended. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, IntentState>>
  /** The living intents of a region that have these owners. */
  living(region: string, owners: readonly string[]): Promise<Intent[]>
  /**
   * The living intents without an id and an owner that were declared before then: the request behind them
   * never got an answer.
   */
  forsaken(region: string, before: Date): Promise<Intent[]>
  /**
   * After a verb every thing that still bears the mark is surplus. After an absence the purpose is free for
   * another intent, and nothing is surplus.
   */
  end(id: string, by: EndedBy, at: Date): Promise<void>
  /**
   * Of one that ended by absence: its thing is seen again. It lives as it did, unless another lives for its purpose whose
   * thing is among the `seen` too, or is being made; null then.
   */
  revive(id: string, regionalId: string, seen: readonly string[], at: Date): Promise<Intent | null>
  /** Those of these types that ended by absence in a region. */
  absent(region: string, resourceTypes: readonly string[]): Promise<Intent[]>
  /** Nothing was made for it, and nothing will be: it is as if it had never been declared. */
  withdraw(id: string): Promise<void>
  /** Removes intents that ended before then; returns how many. */
  forget(before: Date, limit: number): Promise<number>
}

/** How things of a type are made, found and removed in a region. */
export interface Maker<Thing extends RegionalThing = RegionalThing> {
  /** Makes one that bears the intent's mark. */
  make(intentId: string): Promise<Thing>
  /** The things that bear the intent's mark. */
  find(intentId: string): Promise<readonly Thing[]>
  remove(id: string): Promise<unknown>
}

/** A thing that bears a mark of ours. */
export interface MarkedThing extends RegionalThing {
  readonly intentId: string
}

const prefix = 'atoll:'

const markOf = (intentId: string): string => `${prefix}${intentId}`

/** The longest description that Neutron takes. */
const longest = 255

/** The user's description, with the intent's mark at its end. */
export function marked(text: string, intentId: string): string {
  const mark = markOf(intentId)
  return text === '' ? mark : `${text.slice(0, longest - mark.length - 1)} ${mark}`
}

/** The intent whose mark a description ends in; null for none. */
export function intentOf(description: string | null): string | null {
  return /(?:^| )atoll:([0-9a-f]{8}-[0-9a-f-]{27})$/.exec(description ?? '')?.[1] ?? null
}
