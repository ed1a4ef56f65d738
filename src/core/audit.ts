// How long the audit trail and the ledger's journal are kept.

import type { App } from './app.ts'
import { dayMs, inSteps } from './steps.ts'

const daysAgo = (app: Pick<App, 'now'>, days: number): Date => new Date(app.now().getTime() - days * dayMs)

/** Removes the lines older than so many days; returns how many. */
export function forgetAudit(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = daysAgo(app, days)
  return inSteps(limit => app.store.audit.removeBefore(before, limit))
}

/** Removes the lines of the journal that are older, and were about times that are; returns how many. */
export function forgetJournal(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = daysAgo(app, days)
  return inSteps(limit => app.store.journal.removeBefore(before, limit))
}
