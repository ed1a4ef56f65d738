// How what a writer has begun and left is ended, for a kind of resource: `one-writer.ts` says by whom and when.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { type EndLeft, isCertain } from './one-writer.ts'
import { type Follows, setBack } from './spanning.ts'

export interface Endings<K extends Kind> {
  readonly kind: K
  /** After a change of what one region holds: brings the model to the region. */
  mirror?(app: App, caller: Caller, row: Kinds[K]): Promise<void>
  /** After a change that the model has already: brings it to the regions once more. `before` is the row before it. */
  now?(app: App, caller: Caller, row: Kinds[K], before: Kinds[K]): Promise<void>
  /** Asks its regions for the removal once more, and lets the row go. */
  remove?(app: App, caller: Caller, row: Kinds[K]): Promise<void>
  readonly follows?: Follows<K>
}

/** Ends what is left of a resource of the kind; of one that is gone nothing is. */
export const endLeftBy =
  <K extends Kind>({ kind, mirror, now, remove, follows = async () => [] }: Endings<K>): EndLeft =>
  async (app, caller, { id, verb, undo }) => {
    const [row] = await app.store.networks.getMany(kind, [id])
    if (!row) return
    try {
      if (verb === 'remove') await remove?.(app, caller, row)
      else if (undo) await now?.(app, caller, row, { ...row, ...undo.before })
      else await mirror?.(app, caller, row)
    } catch (error) {
      if (!isCertain(error)) throw error
      app.report(error, `ending the ${verb} of the ${kind} ${id} that its writer has left`)
      if (undo)
        await app.store.transact(tx =>
          setBack(app, caller, tx, { kind, id, undo, action: `${kind}.update`, follows }),
        )
    }
  }
