// Housekeeping: what is kept or may wait for a time only is dealt with when the time is over; and the feed's numbers.

import { setInterval } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../core/app.ts'
import { forgetAudit, forgetJournal } from '../core/audit.ts'
import { forgetEvents, numberEvents } from '../core/feed/feed.ts'
import { expireNewJobs, forgetLoggedJobs } from '../core/jobs/jobs.ts'
import { forgetEndedReservations } from '../core/leases/reconcile.ts'
import { forgetAbsences, forgetIntents } from '../core/network/watch/tidy.ts'

export interface HousekeepingOptions {
  readonly app: App
  readonly auditDays: number
  readonly journalDays: number
  readonly jobLogDays: number
  readonly eventDays: number
  /** How long a job may be NEW. */
  readonly newJobSeconds: number
  readonly everyMs: number
  onError(error: unknown): void
}

export interface Housekeeping {
  /** Waits a moment for the turn under way. A long one is left where it is: its steps are whole each by itself. */
  stop(): Promise<void>
}

/** Starts at once and then every so often; a turn that fails is reported, and the next one tries again. */
export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { app, newJobSeconds, everyMs, onError } = options
  const once = async (): Promise<void> => {
    await expireNewJobs(app, newJobSeconds)
    await forgetLoggedJobs(app, options.jobLogDays)
    await forgetAudit(app, options.auditDays)
    await forgetJournal(app, options.journalDays)
    await forgetEvents(app, options.eventDays)
    await forgetIntents(app)
    await forgetAbsences(app)
    await forgetEndedReservations(app)
  }
  return repeatedly(once, everyMs, onError)
}

/** Gives events their numbers all the time, so that the outbox stays short and readers have no more to do. */
export const startNumbering = (app: App, onError: (error: unknown) => void): Housekeeping =>
  repeatedly(() => numberEvents(app), numberingMs, onError)

const numberingMs = 1_000
const graceMs = 2_000

function repeatedly(
  work: () => Promise<unknown>,
  everyMs: number,
  onError: (error: unknown) => void,
): Housekeeping {
  let turn: Promise<unknown> | null = null
  let isStopping = false
  const run = (): void => {
    turn ??= work()
      .catch(error => isStopping || onError(error))
      .finally(() => {
        turn = null
      })
  }
  run()
  const timer = setInterval(run, everyMs).unref()
  return {
    async stop() {
      clearInterval(timer)
      isStopping = true
      await Promise.race([turn, sleep(graceMs, undefined, { ref: false })])
    },
  }
}
