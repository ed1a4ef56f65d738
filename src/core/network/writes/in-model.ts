// Writing a resource in the model alone. The laws:
//
// - The revision that the caller named is looked at under the row's lock, in the transaction that writes.
// - Where another writer has asked a region for a change of it, that one comes first: the model has its answer only
//   then, and a revision that rises with it.
// - What regions must learn of the change is posted as jobs in the same transaction.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { betweenWriters, type EndLeft, endLeftOf, lockTarget, type Target } from './one-writer.ts'

export interface ModelWrite<K extends Kind> extends Target<K> {
  /** Writes the change of the row as it is now, and posts the jobs that follow; what is thrown changes nothing. */
  write(tx: Transaction, row: Kinds[K]): Promise<unknown>
  readonly endLeft: EndLeft
}

/** Throws `not_found`, `conflict` (`revision`, `busy`), and what `write` and `endLeft` throw. */
export function inModel<K extends Kind>(
  app: App,
  caller: Caller,
  { write, endLeft, ...target }: ModelWrite<K>,
): Promise<void> {
  return betweenWriters(
    app,
    target,
    left => endLeftOf(app, caller, left, endLeft),
    async (tx, isFree) => {
      const row = await lockTarget(tx, target)
      if (await isFree()) await write(tx, row)
    },
  )
}
