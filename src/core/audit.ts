// How long the audit trail and the ledger's journal are kept.

import type { App } from './app.ts'
import { dayMs, inBatches } from './batches.ts'

const daysAgo = (app: Pick<App, 'now'>, days: number): Date => new Date(app.now().getTime() - days * dayMs)

/** Removes the lines of the audit trail older than so many days; returns how many. */
export function forgetAudit(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = daysAgo(app, days)
  return inBatches(limit => app.store.audit.removeBefore(before, limit))
}

/**
 * Removes the lines of the ledger's journal that are older than so many days, and whose postings were over by
 * then; returns how many.
 */
export function forgetJournal(app: Pick<App, 'now' | 'store'>, days: number): Promise<number> {
  const before = daysAgo(app, days)
  return inBatches(limit => app.store.journal.removeBefore(before, limit))
}
