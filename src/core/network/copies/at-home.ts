// Changes of resources that live in one region, and of other things that one writer at a time may change. The
// laws:
//
// - The revision that the caller named is looked at under the row's lock, before the region is asked.
// - A row says who writes (`writing`) from then on until the model has the region's answer: others wait for it, also in
//   other processes. No transaction is open while the region is asked.
// - Refused by the region: the model is as it was. Answered: the model has what the region has made of it.
// - Without an answer the row stays until its time is over. Who finds it then asks the region what is there first, and
//   so does the region's watcher: the model gets that, and the revision rises.

import type { App, Transaction } from '../../app.ts'
import { AppError, isRefusal } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { Kind, Kinds } from '../model/model.ts'
import { unknown } from '../model/read.ts'
import { checkRevision } from '../model/writing.ts'
import type { Writing, WritingSubject } from '../model/writing-store.ts'

/** Longer than one call to a region may take. */
const writingMs = 120_000
/** How long a writer waits for another one that is at it. */
const patienceMs = 60_000
const firstPauseMs = 20
const longestPauseMs = 500

export interface HomeWrite<K extends Kind, Answer> {
  readonly kind: K
  readonly id: string
  readonly region: Region
  readonly ifRevision?: number | undefined
  /** Asks the region for the change of the row as it is now. */
  ask(row: Kinds[K]): Promise<Answer>
  /** Writes the resource to the model as the region has it after the change. */
  write(tx: Transaction, row: Kinds[K], answer: Answer): Promise<void>
  /** Brings the model to what the region has, where another writer began and never ended. */
  mirror(): Promise<void>
}

/**
 * Changes a resource in its one region, and then in the model. Throws `not_found`, `conflict` (`revision`;
 * `busy` where another writer does not come to an end), and what `ask` and `write` throw.
 */
export async function atHome<K extends Kind, Answer>(
  app: App,
  { kind, id, region, ifRevision, ask, write, mirror }: HomeWrite<K, Answer>,
): Promise<void> {
  const look = async (tx: Transaction): Promise<Kinds[K]> => {
    const row = await tx.networks.lock(kind, id)
    if (!row) throw unknown(kind, id)
    checkRevision(kind, row, ifRevision)
    return row
  }
  const what = { kind, id, regionId: region.id }
  const { writing, found: row } = await begin(app, what, look, mirror)
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

/** Whether an error says that the region changed nothing: it refused, or was not asked. */
const isCertain = (error: unknown): boolean =>
  isRefusal(error) || (error instanceof AppError && error.code !== 'upstream')

/**
 * Does work that only one writer at a time may do, when no other is at it. `renew` says that the work still
 * goes on.
 */
export async function byOne<T>(
  app: App,
  what: WritingSubject,
  work: (renew: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { writing } = await begin(
    app,
    what,
    async () => null,
    async () => {},
  )
  try {
    return await work(() => app.store.writings.renew({ ...writing, until: inTime(app) }))
  } finally {
    await app.store.writings.end(writing)
  }
}

/** Ends a write that another writer began and left: brings the model to what the region has. */
export const finish = (app: App, what: WritingSubject, mirror: () => Promise<void>): Promise<void> =>
  begin(app, what, async () => null, mirror).then(({ writing }) => app.store.writings.end(writing))

const inTime = (app: Pick<App, 'now'>): Date => new Date(app.now().getTime() + writingMs)

async function begin<T>(
  app: App,
  what: WritingSubject,
  look: (tx: Transaction) => Promise<T>,
  mirror: () => Promise<void>,
): Promise<{ readonly writing: Writing; readonly found: T }> {
  let waited = 0
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const writing = { ...what, token: app.newId(), until: inTime(app) }
    const { found, how } = await app.store.transact(async tx => ({
      found: await look(tx),
      how: await tx.writings.begin(writing, app.now()),
    }))
    if (how === 'begun') return { writing, found }
    if (how === 'left') {
      await mirror()
      await app.store.writings.end(writing)
      continue
    }
    if (waited >= patienceMs) throw busy(what)
    const ms = pause * (0.5 + app.chance())
    await app.pause(ms)
    waited += ms
  }
}

const busy = ({ kind, id }: WritingSubject): AppError =>
  new AppError('conflict', `Another request is changing the ${kind.replaceAll('_', ' ')} ${id}: try again`, {
    reason: 'busy',
  })
