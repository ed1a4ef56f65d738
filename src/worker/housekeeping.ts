// Housekeeping: what is kept or may wait for a time only is dealt with when the time is over.

import { setInterval } from 'node:timers'
import { forgetAudit } from '../core/audit.ts'
import { expireNewJobs, forgetLoggedJobs } from '../core/jobs/jobs.ts'
import { forgetIntents } from '../core/network/tidy.ts'
import type { App } from '../core/ports.ts'

export interface HousekeepingOptions {
  readonly app: App
  readonly auditDays: number
  readonly jobLogDays: number
  /** How long a job may be NEW. */
  readonly newJobSeconds: number
  readonly everyMs: number
  onError(error: unknown): void
}

export interface Housekeeping {
  /** Waits for the turn under way. */
  stop(): Promise<void>
}

/** Starts at once and then every so often; a turn that fails is reported, and the next one tries again. */
export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { app, auditDays, jobLogDays, newJobSeconds, everyMs, onError } = options
  const once = async (): Promise<void> => {
    await expireNewJobs(app, newJobSeconds)
    await forgetLoggedJobs(app, jobLogDays)
    await forgetAudit(app, auditDays)
    await forgetIntents(app)
  }
  let turn = Promise.resolve()
  const run = (): void => {
    turn = turn.then(once).catch(onError)
  }
  run()
  const timer = setInterval(run, everyMs).unref()
  return {
    stop() {
      clearInterval(timer)
      return turn
    },
  }
}
