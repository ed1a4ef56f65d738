// Writing a resource that several regions have, or whose region must learn of the model's change while the caller waits:
// the model first, then the regions. The laws:
//
// - The revision that the caller named is looked at under the row's lock, in the transaction that changes the model and
//   posts the jobs by which its regions follow, even if this request dies.
// - Refused by a region that is asked at once: each field that was set is set back, where no other writer has changed it
//   since.
// - Where it gives no answer, or the writer dies, the writing stays: who finds it asks the region once more, and sets
//   back what it refuses.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import type { Change, Kind, Kinds } from '../model/model.ts'
import { type FollowUp, follow } from '../model/writing.ts'
import { begin, type EndLeft, isCertain, lockTarget, type Target } from './one-writer.ts'
import { isSameJson } from './same.ts'
import type { Undo } from './writing-store.ts'

export interface SpanningWrite<K extends Kind> extends Target<K> {
  /** The first of the regions that are asked at once. */
  readonly region: Region
  readonly verb: 'update' | 'remove'
  /** Of the note of the change: `router.gateway`. */
  readonly action: string
  /** The fields that are set, of the row as it is now. */
  set(row: Kinds[K]): Change<K>
  /** The jobs by which regions follow a row: they are posted for the row as it was, and as it is. */
  readonly follows: Follows<K>
  /** Brings what was set to the regions; `row` is the one before the change. */
  now(row: Kinds[K]): Promise<void>
  readonly endLeft: EndLeft
}

export type Follows<K extends Kind> = (tx: Transaction, row: Kinds[K]) => Promise<readonly FollowUp[]>

/** Throws `not_found`, `conflict` (`revision`, `busy`), and what `set` and `now` throw. */
export async function spanning<K extends Kind>(
  app: App,
  caller: Caller,
  { region, verb, action, set, follows, now, endLeft, ...target }: SpanningWrite<K>,
): Promise<void> {
  const { kind, id } = target
  const setting = { kind, id, action, follows }
  const { writing, found } = await begin(app, {
    subject: { kind, id, regionId: region.id },
    verb,
    async look(tx) {
      const row = await lockTarget(tx, target)
      const change = set(row)
      return { found: { row, change }, undo: undoOf(row, change) }
    },
    write: (tx, { row, change }) => write(app, caller, tx, { ...setting, row, change }),
    endLeft: left => endLeft(app, caller, left),
  })
  try {
    await now(found.row)
  } catch (error) {
    // Where the region gave no answer, whoever comes next asks it once more at once: that does no harm.
    if (!isCertain(error)) await app.store.writings.renew({ ...writing, until: app.now() })
    else
      await app.store.transact(async tx => {
        await setBack(app, caller, tx, { ...setting, undo: writing.undo! })
        await tx.writings.end(writing)
      })
    throw error
  }
  await app.store.writings.end(writing)
}

interface Setting<K extends Kind> {
  readonly kind: K
  readonly id: string
  readonly action: string
  readonly follows: Follows<K>
}

async function write<K extends Kind>(
  app: App,
  caller: Caller,
  tx: Transaction,
  { kind, id, action, follows, row, change }: Setting<K> & { row: Kinds[K]; change: Change<K> },
): Promise<void> {
  await follow(app, caller, tx, await follows(tx, row))
  const after = await tx.networks.update(kind, id, change, noteOf(app, caller, action))
  if (after) await follow(app, caller, tx, await follows(tx, after))
}

type Fields = Readonly<Record<string, unknown>>

const undoOf = <K extends Kind>(row: Kinds[K], change: Change<K>): Undo => {
  const set = change as Fields
  return { set, before: pick(row as unknown as Fields, Object.keys(set)) }
}

const pick = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.map(name => [name, fields[name]]))

/** Sets back each field that still is as it was set. */
export async function setBack<K extends Kind>(
  app: App,
  caller: Caller,
  tx: Transaction,
  { undo: { set, before }, ...setting }: Setting<K> & { readonly undo: Undo },
): Promise<void> {
  const row = await tx.networks.lock(setting.kind, setting.id)
  if (!row) return
  const now = row as unknown as Fields
  const ours = Object.keys(set).filter(name => isSameJson(now[name], set[name]))
  if (ours.length > 0)
    await write(app, caller, tx, { ...setting, row, change: pick(before, ours) as Change<K> })
}
