// Housekeeping: removes records whose time of keeping is over, expires jobs that waited too long, and numbers
// the feed's events.

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
  /** How long a job may stay NEW before it expires. */
  readonly newJobSeconds: number
  readonly everyMs: number
  onError(error: unknown): void
}

export interface Housekeeping {
  /** Waits for the round under way, but not for a long one: each of its steps is complete by itself. */
  stop(): Promise<void>
}

/** Starts a round at once and then regularly; one that fails is reported, and the next one tries again. */
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

/**
 * Gives events their numbers every second, so that the outbox stays short and readers of the feed need not do
 * it.
 */
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
