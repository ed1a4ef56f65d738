// Writing a resource in the model alone. The laws:
//
// - The revision that the caller named is looked at under the row's lock, in the transaction that writes.
// - What regions must learn of the change is posted as jobs in the same transaction.

import type { App, Transaction } from '../../app.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { lockTarget, type Target } from './one-writer.ts'

export interface ModelWrite<K extends Kind> extends Target<K> {
  /** Writes the change of the row as it is now, and posts the jobs that follow; what is thrown changes nothing. */
  write(tx: Transaction, row: Kinds[K]): Promise<unknown>
}

/** Throws `not_found`, `conflict` (`revision`), and what `write` throws. */
export function inModel<K extends Kind>(
  app: Pick<App, 'store'>,
  { write, ...target }: ModelWrite<K>,
): Promise<void> {
  return app.store.transact(async tx => void (await write(tx, await lockTarget(tx, target))))
}
