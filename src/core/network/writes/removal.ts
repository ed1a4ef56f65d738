// Removing a resource: from the regions that have it first, then from the model. Whether any region has it is looked at
// under the row's lock: another writer may just have placed it.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Kind, Kinds, Place } from '../model/model.ts'
import { regionNamed, regionsOf } from '../model/where.ts'
import { atHome } from './at-home.ts'
import { inModel, type ModelWrite } from './in-model.ts'
import type { EndLeft } from './one-writer.ts'

/** How resources of a kind go. */
export interface Removing<K extends Kind> {
  readonly kind: K
  /** From the regions that have it. */
  removeThere(app: App, caller: Caller, row: Kinds[K]): Promise<unknown>
  /** From the model, when no region has it any more. */
  letGo(app: App, caller: Caller, tx: Transaction, row: Kinds[K]): Promise<unknown>
}

interface Removal<K extends Kind> extends Removing<K> {
  /** As the verb has read it. */
  readonly row: Kinds[K]
  readonly ifRevision?: number | undefined
  readonly endLeft: EndLeft
}

/** Throws as `atHome`, and as `removeThere` and `letGo` do. */
export async function removal<K extends Kind>(
  app: App,
  caller: Caller,
  { row, kind, ifRevision, removeThere, letGo, endLeft }: Removal<K>,
): Promise<void> {
  const write = (tx: Transaction, now: Kinds[K]) => letGo(app, caller, tx, now)
  const target = { kind, id: row.id, ifRevision, endLeft }
  const place = await removeUnplaced(app, caller, row, { ...target, write })
  if (!place) return
  await atHome(app, caller, {
    ...target,
    region: regionNamed(place.region, await regionsOf(app.store)),
    verb: 'remove',
    ask: now => removeThere(app, caller, now),
    write: async (tx, now) => void (await write(tx, now)),
  })
}

/**
 * Removes from the model what no region has, and returns null then. Else nothing is removed: returns the first of its
 * places, whose region is to be asked first.
 */
export async function removeUnplaced<K extends Kind>(
  app: App,
  caller: Caller,
  { places: [read] }: Kinds[K],
  { write, ...target }: ModelWrite<K>,
): Promise<Place | null> {
  let place: Place | null = read ?? null
  if (place) return place
  await inModel(app, caller, {
    ...target,
    async write(tx, now) {
      place = now.places[0] ?? null
      if (!place) await write(tx, now)
    },
  })
  return place
}

/** Ends a removal that its writer has left: asks the regions once more. */
export const removeAgain =
  <K extends Kind>({ removeThere, letGo }: Removing<K>) =>
  async (app: App, caller: Caller, row: Kinds[K]): Promise<void> => {
    await removeThere(app, caller, row)
    await app.store.transact(tx => letGo(app, caller, tx, row))
  }
