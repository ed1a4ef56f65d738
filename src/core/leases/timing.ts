// The times of a lease and its events: which a request may ask for, and which follow from them.

import { AppError, invalid } from '../error.ts'
import { minuteOf } from '../minute.ts'
import type { Lease, LeaseEvent, When } from './lease.ts'
import type { LeaseRules } from './rules.ts'

export const instantOf = (when: When, now: Date): Date => (when === 'now' ? minuteOf(now) : when)

export interface Times {
  readonly startAt: Date
  readonly endAt: Date
  /** Null: the lease has no `before_end_lease`. */
  readonly beforeEndAt: Date | null
}

/** Throws `invalid`, or `forbidden` where the original says 403. */
export function timesOf(
  asked: { startAt: When; endAt: When; beforeEndAt: Date | null },
  now: Date,
  rules: LeaseRules,
): Times {
  const startAt = instantOf(asked.startAt, now)
  const endAt = instantOf(asked.endAt, now)
  if (startAt < minuteOf(now)) throw invalid('Start date must be later than current date', 'start_in_past')
  if (endAt <= startAt) throw invalid('End date must be later than start date.', 'end_before_start')
  if (endAt <= now) throw invalid('End date must be later than current date', 'end_in_past')
  const tooLong = lengthSentence(startAt, endAt, rules)
  if (tooLong) throw new AppError('forbidden', tooLong, { reason: 'too_long' })
  return { startAt, endAt, beforeEndAt: beforeEndOf(asked.beforeEndAt, startAt, endAt, rules.beforeEndMs) }
}

export function lengthSentence(startAt: Date, endAt: Date, { longestMs }: LeaseRules): string | null {
  const length = endAt.getTime() - startAt.getTime()
  if (longestMs === null || length <= longestMs) return null
  return `Lease duration of ${length / 1000} seconds must be less than or equal to the maximum lease duration of ${longestMs / 1000} seconds.`
}

/**
 * The time of `before_end_lease`: the one that was asked for, which must be within the lease; else so long
 * before the end, or at the start.
 */
export function beforeEndOf(asked: Date | null, startAt: Date, endAt: Date, beforeMs: number): Date | null {
  if (asked) {
    if (asked > startAt && asked < endAt) return asked
    throw new AppError('forbidden', 'Datetime is out of lease limits', { reason: 'before_end_outside' })
  }
  if (beforeMs === 0) return null
  return new Date(Math.max(startAt.getTime(), endAt.getTime() - beforeMs))
}

export const eventOf = (lease: Pick<Lease, 'events'>, type: string): LeaseEvent | undefined =>
  lease.events.find(event => event.type === type)

/** Whether a region may have something of the lease. */
export const isBegun = (lease: Pick<Lease, 'events'>): boolean =>
  eventOf(lease, 'start_lease')!.status !== 'UNDONE'

/** Whether the lease has ended: no region has anything of it, and none will. */
export const isOver = (lease: Pick<Lease, 'events'>): boolean =>
  eventOf(lease, 'end_lease')!.status === 'DONE'

/**
 * The next instant at which an event of the lease is due, even if that has passed; with `after` only later
 * instants.
 */
export function nextDue(lease: Pick<Lease, 'events'>, after: Date | null = null): Date | null {
  const waiting = lease.events
    .filter(event => event.status === 'UNDONE' && (after === null || event.at > after))
    .map(event => event.at.getTime())
  return waiting.length === 0 ? null : new Date(Math.min(...waiting))
}
