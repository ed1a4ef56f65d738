// Making one thing in a region, once: a region mints the ids, so what tells ours from others' is a mark.
//
// The intent is committed before the call, and its id is the mark that the thing bears. Whatever becomes of the call
// (no answer, a crash, a worker that was stopped and goes on later), the thing is looked up by its mark before another
// is made. Where two were made all the same, the one that is known stays, else the oldest; the others go.

import { AppError } from '../error.ts'
import type { App } from '../ports.ts'

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

const prefix = 'atoll:'

export const markOf = (intentId: string): string => `${prefix}${intentId}`

/** The intent that a text is the mark of; null when it is none. */
export const intentOf = (mark: string): string | null =>
  mark.startsWith(prefix) ? mark.slice(prefix.length) : null

export interface Realised {
  readonly id: string
  /** How many more there were, now removed. */
  readonly surplus: number
}

/**
 * The region's id of the one thing for a purpose: noted before, found by its mark, or made now. Throws as the maker
 * does; whoever comes again finds what was made.
 */
export async function realise(
  app: App,
  spec: Omit<Intent, 'id' | 'regionalId'>,
  maker: Maker,
): Promise<Realised> {
  const intent = await app.store.intents.declare({ ...spec, id: app.newId() }, app.now())
  if (intent.regionalId !== null) return { id: intent.regionalId, surplus: 0 }
  const mark = markOf(intent.id)
  const found = await maker.find(mark)
  const things = found.length > 0 ? found : [await makeOrFind(maker, mark)]
  const id = await app.store.intents.settle(intent.id, oldest(things).id)
  const surplus = things.filter(thing => thing.id !== id)
  for (const thing of surplus) await maker.remove(thing.id)
  return { id, surplus: surplus.length }
}

/** An answer that got lost may have been a yes. */
async function makeOrFind(maker: Maker, mark: string): Promise<RegionalThing> {
  try {
    return await maker.make(mark)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.reason !== 'maybe_done') throw error
    const [thing] = [...(await maker.find(mark))].sort(byAge)
    if (!thing) throw error
    return thing
  }
}

const byAge = (a: RegionalThing, b: RegionalThing): number =>
  a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1)

const oldest = (things: readonly RegionalThing[]): RegionalThing => [...things].sort(byAge)[0]!

/** A thing that bears a mark of ours, and the mark. */
export interface MarkedThing extends RegionalThing {
  readonly mark: string
}

/**
 * Removes what late calls have made beside what is known: things that bear the mark of an intent of ours whose noted
 * thing is another. Marks that are not ours are left alone. Returns how many it removed.
 */
export async function removeSurplus(
  app: App,
  things: readonly MarkedThing[],
  maker: Pick<Maker, 'remove'>,
): Promise<number> {
  const ids = things.flatMap(thing => intentOf(thing.mark) ?? [])
  const settled = await app.store.intents.settled(ids)
  const surplus = things.filter(thing => {
    const known = settled.get(intentOf(thing.mark) ?? '')
    return known !== undefined && known !== null && known !== thing.id
  })
  for (const thing of surplus) await maker.remove(thing.id)
  return surplus.length
}
