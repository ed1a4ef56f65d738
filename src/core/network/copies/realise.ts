// Making one thing in a region, once. The region mints the ids, so Atoll knows its own things by a mark.
//
// The intent is committed before the call, and its id is the mark that the thing bears at the end of its description.
// Whatever becomes of the call (no answer, a crash, a worker that was stopped and goes on later), the thing is looked up
// by its mark before another is made. Where two were made all the same, the one that is known stays, else the oldest;
// the others go.

import type { App } from '../../app.ts'
import { AppError } from '../../error.ts'
import { checkGone, type Eyes } from './gone.ts'
import {
  type Declared,
  type Intent,
  intentOf,
  type Maker,
  type MarkedThing,
  marked,
  type RegionalThing,
} from './intent.ts'
import type { MadeKind, RegionNetworking, RegionQuery, RegionRows, ThingSpec } from './region-rows.ts'

export interface Realised {
  readonly id: string
  /** How many more things bore the mark, now removed. */
  readonly surplus: number
}

export type IntentSpec = Omit<Intent, 'id' | 'regionalId'>

/**
 * Notes a thing's id with its intent, and its place in the same transaction; returns the id that is noted.
 */
export type NoteId = (intentId: string, regionalId: string) => Promise<string>

/**
 * The region's id of the one thing for a purpose: noted before, found by its mark, or made now. Throws as the
 * maker does; the next call with the same purpose finds the thing that was made all the same.
 */
export async function realise(
  app: App,
  spec: IntentSpec,
  maker: Maker,
  noteId: NoteId = app.store.intents.noteId,
): Promise<Realised> {
  const intent = await app.store.intents.declare({ ...spec, id: app.newId() }, app.now())
  if (intent.regionalId !== null) return { id: intent.regionalId, surplus: 0 }
  const found = intent.isNew ? [] : await maker.find(intent.id)
  const things = found.length > 0 ? found : [await makeUnlessOther(maker, intent)]
  const id = await noteId(intent.id, oldest(things).id)
  const surplus = things.filter(thing => thing.id !== id)
  for (const thing of surplus) await maker.remove(thing.id)
  return { id, surplus: surplus.length }
}

/**
 * Ends the intents whose things are gone from the region, and removes their places, so that the things may be
 * made again. Throws `unavailable` (`suspect`) where the region is not believed.
 */
export async function endDead(eyes: Eyes, intents: readonly Intent[]): Promise<void> {
  const { app, region, networking } = eyes
  for (const { id, resourceType, purpose, regionalId } of intents) {
    const kind = resourceType as MadeKind
    if (regionalId === null || (await networking.get(kind, regionalId)) !== null) continue
    await checkGone(eyes, kind)
    await app.store.transact(async tx => {
      await tx.intents.end(id, 'absence', app.now())
      await tx.networks.unplace(resourceType, purpose, region.id)
    })
  }
}

/**
 * Makes the intent's thing. Where the region refuses because another worker with the same intent was a moment
 * earlier, that worker's thing is the one.
 */
async function makeUnlessOther(maker: Maker, { id, isNew }: Declared): Promise<RegionalThing> {
  try {
    return await makeOrFind(maker, id)
  } catch (error) {
    const [thing] = isNew ? [] : await maker.find(id)
    if (!thing) throw error
    return thing
  }
}

/** Makes the intent's thing; where the region's answer got lost, looks for the thing by its mark. */
export async function makeOrFind<Thing extends RegionalThing>(
  maker: Maker<Thing>,
  intentId: string,
): Promise<Thing> {
  try {
    return await maker.make(intentId)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.reason !== 'maybe_done') throw error
    const found = await maker.find(intentId).catch(() => {
      // The search failed too, so it stays open whether the thing was made: the first error says so.
      throw error
    })
    const [thing] = [...found].sort(byAge)
    if (!thing) throw error
    return thing
  }
}

const ageOf = ({ createdAt }: RegionalThing): number => createdAt?.getTime() ?? Number.MAX_VALUE

/** Orders things by age; one of which the region does not say when it was made counts as new. */
const byAge = (a: RegionalThing, b: RegionalThing): number => ageOf(a) - ageOf(b) || (a.id < b.id ? -1 : 1)

const oldest = (things: readonly RegionalThing[]): RegionalThing => [...things].sort(byAge)[0]!

/**
 * Makes, finds and removes things of a kind in a region. `where` narrows the search for a mark to a few
 * things: those with a port's MAC, on a subnet's network, of a project.
 */
export function makerOf<K extends MadeKind>(
  networking: RegionNetworking,
  kind: K,
  spec: ThingSpec<K>,
  where: NonNullable<RegionQuery<K>['where']>,
): Maker<RegionRows[K]> {
  const { description } = spec as { description?: string }
  return {
    make: intentId =>
      networking.create(kind, { ...spec, description: marked(description ?? '', intentId) } as ThingSpec<K>),
    async find(intentId) {
      const rows = (await networking.list(kind, { where })) as RegionRows[K][]
      return rows.filter(row => intentOf(row.description) === intentId)
    },
    remove: id => networking.remove(kind, id),
  }
}

/**
 * Removes surplus things that bear marks: those whose intent a verb has ended, and those that late calls made
 * beside the one whose id their intent has, where the region shows that one. `seen` are the ids of all things
 * of the kind that the region shows. Marks that are not Atoll's are left alone. Returns how many it removed.
 */
export async function removeSurplus(
  app: Pick<App, 'store'>,
  { things, seen }: { readonly things: readonly MarkedThing[]; readonly seen: ReadonlySet<string> },
  remove: (id: string) => Promise<unknown>,
): Promise<number> {
  const states = await app.store.intents.states(things.map(thing => thing.intentId))
  const surplus = things.filter(thing => {
    const known = states.get(thing.intentId)
    if (known?.state !== 'living') return known?.state === 'removed'
    return known.regionalId !== null && known.regionalId !== thing.id && seen.has(known.regionalId)
  })
  for (const thing of surplus) await remove(thing.id)
  return surplus.length
}
