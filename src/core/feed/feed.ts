// The verbs of the feed: listing events, giving them their numbers, and forgetting old ones.

import type { App } from '../app.ts'
import { dayMs, inBatches } from '../batches.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { AppError } from '../error.ts'
import type { EventPage, EventQuery } from './event.ts'

export type EventAsk = Omit<EventQuery, 'projectId'>

/**
 * Events after a number, of every project for an admin, else of the caller's project: all changes before this
 * request are among them. Throws `not_found` (`events_removed`) where events after that number have been
 * removed.
 */
export async function listEvents(app: Pick<App, 'store'>, caller: Caller, ask: EventAsk): Promise<EventPage> {
  await numberEvents(app)
  const projectId = isAtLeast(caller, 'admin') ? null : (caller.projectId ?? '')
  const page = await app.store.events.list({ ...ask, projectId })
  // A client that begins at 0 has not missed the removed events: it begins with the first that is kept.
  if (ask.after > 0 && ask.after < page.removed)
    throw new AppError(
      'not_found',
      `Events up to number ${page.removed} are kept no longer: look at what they were about, then go on after ${page.removed}`,
      { reason: 'events_removed' },
    )
  return page
}

/** Gives numbers to all events that have none; returns how many. */
export const numberEvents = (app: Pick<App, 'store'>): Promise<number> =>
  inBatches(limit => app.store.events.number(limit))

/** Removes the events older than so many days; returns how many. */
export function forgetEvents(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = new Date(app.now().getTime() - days * dayMs)
  return inBatches(limit => app.store.events.removeBefore(before, limit))
}
