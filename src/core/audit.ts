// How long the audit trail is kept.

import type { App } from './ports.ts'
import { dayMs, inSteps } from './steps.ts'

/** Removes the lines older than so many days; returns how many. */
export function forgetAudit(app: App, days: number): Promise<number> {
  const before = new Date(app.now().getTime() - days * dayMs)
  return inSteps(limit => app.store.audit.removeBefore(before, limit))
}
