// Writing a resource that one region holds: the region first, then the model as the region has made it. The laws:
//
// - The revision that the caller named is looked at under the row's lock, before the region is asked.
// - Refused by the region: the model is as it was. Answered: the model has what the region has made of it.
// - Without an answer, or where the writer dies, the writing stays. Who finds it asks the region what is there, and the
//   model gets that; a removal is asked for once more.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Region } from '../../regions/region.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { begin, type EndLeft, isCertain, lockTarget, type Target } from './one-writer.ts'

export interface HomeWrite<K extends Kind, Answer> extends Target<K> {
  readonly region: Region
  readonly verb: 'update' | 'remove'
  /** Asks the region for the change of the row as it is now. */
  ask(row: Kinds[K]): Promise<Answer>
  /** Writes the resource to the model as the region has it after the change. */
  write(tx: Transaction, row: Kinds[K], answer: Answer): Promise<void>
  readonly endLeft: EndLeft
}

/**
 * Changes or removes a resource in its one region, and then in the model. Throws `not_found`, `conflict` (`revision`;
 * `busy` where another writer does not come to an end), and what `ask` and `write` throw.
 */
export async function atHome<K extends Kind, Answer>(
  app: App,
  caller: Caller,
  { region, verb, ask, write, endLeft, ...target }: HomeWrite<K, Answer>,
): Promise<void> {
  const { writing, found: row } = await begin(app, {
    subject: { kind: target.kind, id: target.id, regionId: region.id },
    verb,
    look: async tx => ({ found: await lockTarget(tx, target) }),
    endLeft: left => endLeft(app, caller, left),
  })
  let answer: Answer
  try {
    answer = await ask(row)
  } catch (error) {
    if (isCertain(error)) await app.store.writings.end(writing)
    throw error
  }
  await app.store.transact(async tx => {
    await write(tx, row, answer)
    await tx.writings.end(writing)
  })
}
