// The audit trail: the note that goes with every change, stored with the change or not at all, and for how long.

import type { Caller } from './caller.ts'
import type { App } from './ports.ts'
import { dayMs, inSteps } from './steps.ts'

export interface Note {
  readonly caller: Caller
  readonly at: Date
  /** noun.verb, for instance `region.create`. */
  readonly action: string
}

export interface AuditStore {
  /** Removes up to `limit` lines that are older; returns how many it removed. */
  removeBefore(before: Date, limit: number): Promise<number>
}

/** Removes the lines older than so many days; returns how many. */
export function forgetAudit(app: App, days: number): Promise<number> {
  const before = new Date(app.now().getTime() - days * dayMs)
  return inSteps(limit => app.store.audit.removeBefore(before, limit))
}
