// Intents: what Atoll is about to make in regions, the marks that such things bear, and the store's port.

/** A thing in a region, as far as it matters to whoever looks for its own. */
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

/** An intent, and whether nobody had declared it before. */
export type Declared = Intent & { readonly isNew: boolean }

/**
 * How an intent has ended: by a verb (its thing was removed by Atoll, or nobody was ever told of it), or by absence (its
 * region does not show the thing any more). Only a verb makes what bears the mark surplus.
 */
export type EndedBy = 'verb' | 'absence'

export interface Settled {
  /** The id that the region gave the thing; null where that was never known. */
  readonly regionalId: string | null
  /** `removed` by a verb; `absent` where the thing was seen to be gone. */
  readonly state: 'living' | 'removed' | 'absent'
}

export interface IntentStore {
  /** The living intent for this purpose; a new one, with the given id, where there is none. */
  declare(intent: Omit<Intent, 'regionalId'>, at: Date): Promise<Declared>
  /** Notes the thing's id (and whose it is, where that is known only now), and returns the one that is noted: the first stays. */
  settle(id: string, regionalId: string, owner?: string): Promise<string>
  /** What is known of these intents, living or ended. */
  settled(ids: readonly string[]): Promise<ReadonlyMap<string, Settled>>
  /** The living ones of a region that are there for these owners' sake. */
  living(region: string, owners: readonly string[]): Promise<Intent[]>
  /** The living ones, without an id and without an owner, that were declared before: nobody got an answer for them. */
  forsaken(region: string, before: Date): Promise<Intent[]>
  /** By a verb: whatever still bears the mark is surplus from now on. By absence: its purpose is free, and no more. */
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
  /** Removes those that ended before; returns how many. */
  forget(before: Date, limit: number): Promise<number>
}

/** How things of a type are made, found and removed in a region. */
export interface Maker<Thing extends RegionalThing = RegionalThing> {
  /** Makes one that bears the intent's mark. */
  make(intentId: string): Promise<Thing>
  /** Those that bear it. */
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

/** A description that says what its user wrote, and ends in the mark. */
export function marked(text: string, intentId: string): string {
  const mark = markOf(intentId)
  return text === '' ? mark : `${text.slice(0, longest - mark.length - 1)} ${mark}`
}

/** The intent whose mark a description ends in; null for none. */
export function intentOf(description: string | null): string | null {
  return /(?:^| )atoll:([0-9a-f]{8}-[0-9a-f-]{27})$/.exec(description ?? '')?.[1] ?? null
}
