// Making one thing in a region, once: a region mints the ids, so what tells ours from others' is a mark.
//
// The intent is committed before the call, and its id is the mark that the thing bears. Whatever becomes of the call
// (no answer, a crash, a worker that was stopped and goes on later), the thing is looked up by its mark before another
// is made. Where two were made all the same, the one that is known stays, else the oldest; the others go.

import { AppError } from '../error.ts'
import type { App } from '../ports.ts'
import { type Intent, intentOf, type Maker, type MarkedThing, markOf, type RegionalThing } from './intent.ts'

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
