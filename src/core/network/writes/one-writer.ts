// Writing one thing by one writer at a time, over processes. The laws:
//
// - Who asks a region to change something has a row (`writing`) from before it asks until the model has the answer:
//   kind, id, region, verb, what it has set in the model already, until when. Others wait for it, and then look again.
// - No transaction is open while a region is asked.
// - A row that is there after its time was left by a writer that died, or got no answer. Who finds it (the next writer,
//   or the region's watcher) ends what was begun before anything else.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, isRefusal } from '../../error.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { unknown } from '../model/read.ts'
import { checkRevision } from '../model/writing.ts'
import type { Begun, LeftSubject, LeftWriting, Writing, WritingSubject } from './writing-store.ts'

/** Longer than one call to a region may take. */
const writingMs = 120_000
/** How long a writer waits for another one that is at it. */
const patienceMs = 60_000
const firstPauseMs = 20
const longestPauseMs = 500

/** Ends what another writer has begun and left. */
export type EndLeft = (app: App, caller: Caller, left: LeftWriting) => Promise<void>

/** A resource that a verb changes, and the revision that its caller has named. */
export interface Target<K extends Kind> {
  readonly kind: K
  readonly id: string
  readonly ifRevision?: number | undefined
}

/** The row, locked, at the revision that the caller named. Throws `not_found`, `conflict` (`revision`). */
export async function lockTarget<K extends Kind>(
  tx: Transaction,
  { kind, id, ifRevision }: Target<K>,
): Promise<Kinds[K]> {
  const row = await tx.networks.lock(kind, id)
  if (!row) throw unknown(kind, id)
  checkRevision(kind, row, ifRevision)
  return row
}

export interface Beginning<T> {
  readonly subject: WritingSubject
  readonly verb: Begun['verb']
  /** Looks at what is to be changed, under its lock; what is thrown begins nothing. */
  look(tx: Transaction): Promise<{ readonly found: T; readonly undo?: Begun['undo'] }>
  /** Writes to the model in the transaction that begins. */
  write?(tx: Transaction, found: T): Promise<void>
  /** Ends what another writer has left of it. */
  endLeft(left: LeftWriting): Promise<void>
}

/** Begins to write when no other writer is at it. Throws `conflict` (`busy`), and what `look` and `write` throw. */
export async function begin<T>(
  app: App,
  { subject, verb, look, write, endLeft }: Beginning<T>,
): Promise<{ readonly writing: Writing; readonly found: T }> {
  const wait = waiting(app, subject)
  for (;;) {
    const token = app.newId()
    const { writing, found, how } = await app.store.transact(async tx => {
      const { found, undo = null } = await look(tx)
      const writing: Writing = { ...subject, token, until: inTime(app), verb, undo }
      const how = await tx.writings.begin(writing, app.now())
      if (how === 'begun') await write?.(tx, found)
      return { writing, found, how }
    })
    if (how === 'begun') return { writing, found }
    if (how !== 'busy') {
      await endLeft(how)
      await app.store.writings.end(writing)
      continue
    }
    await wait()
  }
}

/** Waits for another writer, longer each time. Throws `conflict` (`busy`) where that one does not come to an end. */
function waiting(app: Pick<App, 'chance' | 'pause'>, subject: Busy): () => Promise<void> {
  let waited = 0
  let pause = firstPauseMs
  return async () => {
    if (waited >= patienceMs) throw busy(subject)
    const ms = pause * (0.5 + app.chance())
    await app.pause(ms)
    waited += ms
    pause = Math.min(pause * 2, longestPauseMs)
  }
}

/**
 * Does the work, which is a transaction, when no writer is at the row that it has locked: it asks `isFree` then, and
 * changes nothing where that says no.
 */
export async function betweenWriters<T>(
  app: Pick<App, 'chance' | 'now' | 'pause' | 'store'>,
  subject: Busy,
  endLeft: (left: LeftSubject) => Promise<void>,
  work: (tx: Transaction, isFree: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  const wait = waiting(app, subject)
  for (;;) {
    let at: 'busy' | LeftSubject | null = null
    const done = await app.store.transact(tx =>
      work(tx, async () => {
        at = await tx.writings.of(subject, app.now())
        return at === null
      }),
    )
    const found = at as 'busy' | LeftSubject | null
    if (found === null) return done
    if (found === 'busy') await wait()
    else await endLeft(found)
  }
}

/**
 * Does work that only one writer at a time may do, when no other is at it. `renew` says that the work still
 * goes on.
 */
export async function byOne<T>(
  app: App,
  subject: WritingSubject,
  work: (renew: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { writing } = await begin(app, {
    subject,
    verb: 'converge',
    look: async () => ({ found: null }),
    // What a convergence left is ended by the one that begins now.
    endLeft: async () => {},
  })
  try {
    return await work(() => app.store.writings.renew({ ...writing, until: inTime(app) }))
  } finally {
    await app.store.writings.end(writing)
  }
}

/** Ends what was left of a resource, if nobody else is at it. */
export async function endLeftOf(
  app: App,
  caller: Caller,
  left: LeftSubject,
  endLeft: EndLeft,
): Promise<void> {
  const { writing } = await begin(app, {
    subject: left,
    verb: left.verb,
    look: async () => ({ found: null }),
    endLeft: again => endLeft(app, caller, again),
  })
  await app.store.writings.end(writing)
}

const inTime = (app: Pick<App, 'now'>): Date => new Date(app.now().getTime() + writingMs)

/** Whether an error says that the region changed nothing: it refused, or was not asked. */
export const isCertain = (error: unknown): boolean =>
  isRefusal(error) || (error instanceof AppError && error.code !== 'upstream')

type Busy = Pick<WritingSubject, 'kind' | 'id'>

const busy = ({ kind, id }: Busy): AppError =>
  new AppError('conflict', `Another request is changing the ${kind.replaceAll('_', ' ')} ${id}: try again`, {
    reason: 'busy',
  })
