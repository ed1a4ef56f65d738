// The states of a lease: the step that is due, and the lease while the step is being done and after it.

import {
  type EventStatus,
  isSystemEvent,
  type Lease,
  type LeaseStatus,
  type ReservationStatus,
} from './lease.ts'
import { eventOf, isBegun } from './timing.ts'

export type LeaseStep = 'start' | 'update' | 'before_end' | 'end' | 'remove' | 'lapse' | 'tell'

/** The step that is due now; null when none is. */
export function stepOf(lease: Lease, now: Date): LeaseStep | null {
  if (lease.status === 'DELETING') return 'remove'
  const isDue = (type: string): boolean => {
    const event = eventOf(lease, type)
    return (
      event !== undefined && event.at <= now && (event.status === 'UNDONE' || event.status === 'IN_PROGRESS')
    )
  }
  // The whole time of the lease went by before it was started.
  if (isDue('end_lease') && !isBegun(lease)) return 'lapse'
  if (isDue('start_lease') && !isDue('end_lease')) return 'start'
  if (lease.status === 'UPDATING' && !isDue('end_lease')) return 'update'
  if (isDue('before_end_lease')) return 'before_end'
  if (isDue('end_lease')) return 'end'
  const isTold = lease.events.some(
    event => !isSystemEvent(event.type) && event.status === 'UNDONE' && event.at <= now,
  )
  return isTold ? 'tell' : null
}

interface Course {
  readonly event?: string
  readonly begun?: LeaseStatus
  readonly done?: LeaseStatus
  readonly reservations?: ReservationStatus
}

const courses: Readonly<Record<LeaseStep, Course>> = {
  start: { event: 'start_lease', begun: 'STARTING', done: 'ACTIVE', reservations: 'active' },
  update: { done: 'ACTIVE', reservations: 'active' },
  before_end: { event: 'before_end_lease' },
  end: { event: 'end_lease', begun: 'TERMINATING', done: 'TERMINATED', reservations: 'deleted' },
  remove: {},
  lapse: { done: 'TERMINATED', reservations: 'deleted' },
  tell: {},
}

/**
 * The lease while a step is being done (`begun`), or after it (`done`); the very same object where that makes
 * no difference.
 */
export function stepped(lease: Lease, step: LeaseStep, stage: 'begun' | 'done', now: Date): Lease {
  const course = courses[step]
  if (stage === 'begun') {
    const event = course.event && eventOf(lease, course.event)
    const isBegunHere = !course.begun || lease.status === course.begun || lease.status === 'ERROR'
    if (!event || (event.status === 'IN_PROGRESS' && isBegunHere)) return lease
    const events = marked(lease, [event.id], 'IN_PROGRESS', now)
    const begun = { ...lease, action: step, events, updatedAt: now }
    // A lease that failed to start stays in ERROR to its end.
    if (lease.status === 'ERROR') return begun
    return { ...begun, status: course.begun ?? lease.status, statusReason: null }
  }
  const { reservations: status } = course
  return {
    ...lease,
    status: lease.status === 'ERROR' ? 'ERROR' : (course.done ?? lease.status),
    statusReason: lease.status === 'ERROR' ? lease.statusReason : null,
    action: null,
    events: marked(lease, happened(lease, step, now), 'DONE', now),
    reservations: status
      ? lease.reservations.map(one => ({ ...one, status, updatedAt: now }))
      : lease.reservations,
    updatedAt: now,
  }
}

/** The ids of the events that a step ends. */
function happened(lease: Lease, step: LeaseStep, now: Date): string[] {
  const { event: own } = courses[step]
  const over = lease.events.filter(({ type, at, status }) => {
    if (step === 'lapse') return true
    if (step === 'tell') return !isSystemEvent(type) && at <= now
    // The end also ends every event that was still in progress.
    return type === own || (step === 'end' && status === 'IN_PROGRESS')
  })
  return over.map(event => event.id)
}

const marked = (lease: Lease, ids: readonly string[], status: EventStatus, now: Date): Lease['events'] =>
  lease.events.map(event =>
    ids.includes(event.id) && event.status !== 'DONE' ? { ...event, status, updatedAt: now } : event,
  )

/**
 * The lease after a step has failed for so long; null while it is tried again. An end is tried for ever, and
 * an action before the end must not delay it.
 */
export function lapsed(
  lease: Lease,
  step: LeaseStep,
  sinceMs: number,
  retryForMs: number,
  now: Date,
): Lease | null {
  const { event } = courses[step]
  const failed = lease.events.filter(({ type }) => type === event).map(({ id }) => id)
  if (step === 'before_end') {
    const isOver = eventOf(lease, 'end_lease')!.at <= now
    return isOver
      ? { ...lease, action: null, events: marked(lease, failed, 'ERROR', now), updatedAt: now }
      : null
  }
  if ((step !== 'start' && step !== 'update') || sinceMs < retryForMs) return null
  return {
    ...lease,
    status: 'ERROR',
    action: null,
    events: marked(lease, failed, 'ERROR', now),
    reservations: lease.reservations.map(one => ({ ...one, status: 'error', updatedAt: now })),
    updatedAt: now,
  }
}
