// The lease that a change makes of a lease: pure, and refused where it may not be.

import type { App } from '../app.ts'
import { AppError, conflict, invalid } from '../error.ts'
import { minuteOf } from '../minute.ts'
import { type Claiming, heldWindow } from './claiming.ts'
import type { HostReservation, Lease, LeaseChange, LeaseStatus, ReservationChange } from './lease.ts'
import type { LeaseRules } from './rules.ts'
import { beforeEndOf, eventOf, instantOf, isBegun, isOver, lengthSentence } from './timing.ts'

const stableStatuses: readonly LeaseStatus[] = ['PENDING', 'ACTIVE', 'TERMINATED', 'ERROR']

/**
 * The lease after a change; the very same object when nothing changes. Throws `invalid`, `forbidden`,
 * `conflict`.
 */
export function changed(lease: Lease, change: LeaseChange, now: Date, rules: LeaseRules): Lease {
  const { id: _, region: _view, name = lease.name, ...more } = change
  const isRename = Object.values(more).every(value => value === undefined)
  if (isRename && name === lease.name) return lease
  // A lease that failed to start stays in ERROR while it ends.
  const isEnding = eventOf(lease, 'end_lease')!.status === 'IN_PROGRESS'
  if (!stableStatuses.includes(lease.status) || isEnding) throw busy(lease)
  const statusReason = lease.status === 'ERROR' ? lease.statusReason : null
  const renamed = { ...lease, name, statusReason, action: null, updatedAt: now }
  if (isRename) return again(renamed, now)
  if (isOver(lease) || lease.endAt < minuteOf(now))
    throw invalid('Terminated leases can only be renamed', 'terminated')
  const { startAt, endAt } = changedTimes(lease, change, now, rules)
  const events = changedEvents(lease, { startAt, endAt, asked: change.beforeEndAt ?? null }, now)
  const reservations = changedReservations(lease, change.reservations ?? [], now)
  return again({ ...renamed, startAt, endAt, events, reservations }, now)
}

const busy = (lease: Lease) =>
  conflict(`Lease ${lease.id} is ${lease.status} in this moment: it can be changed when that is done`, 'busy')

function changedTimes(lease: Lease, change: LeaseChange, now: Date, rules: LeaseRules) {
  const startAt = instantOf(change.startAt ?? lease.startAt, now)
  const endAt = instantOf(change.endAt ?? lease.endAt, now)
  const moves = startAt.getTime() !== lease.startAt.getTime()
  if (moves && (lease.startAt < minuteOf(now) || isBegun(lease)))
    throw invalid('Cannot modify the start date of already started leases', 'started')
  if (moves && startAt < minuteOf(now))
    throw invalid('Start date must be later than current date', 'start_in_past')
  if (endAt < minuteOf(now) || endAt <= startAt || endAt <= lease.createdAt)
    throw invalid('End date must be later than current and start date', 'end_before_start')
  const tooLong = lengthSentence(startAt, endAt, rules)
  const isLonger = endAt.getTime() - startAt.getTime() > lease.endAt.getTime() - lease.startAt.getTime()
  if (tooLong && isLonger) throw invalid(tooLong, 'too_long')
  return { startAt, endAt }
}

/**
 * The events after a change of times. Unless the change names it, `before_end_lease` keeps its distance to
 * the end; an event that comes to be due again is UNDONE again.
 */
function changedEvents(
  lease: Lease,
  { startAt, endAt, asked }: { startAt: Date; endAt: Date; asked: Date | null },
  now: Date,
): Lease['events'] {
  const before = eventOf(lease, 'before_end_lease')
  const distance = before ? lease.endAt.getTime() - before.at.getTime() : 0
  const beforeAt = before || asked ? beforeEndOf(asked, startAt, endAt, distance) : null
  const times: Record<string, Date | null> = {
    start_lease: startAt,
    end_lease: endAt,
    before_end_lease: beforeAt,
  }
  return lease.events.map(event => {
    const at = times[event.type] ?? event.at
    if (at.getTime() === event.at.getTime()) return event
    const isDueAgain = event.type !== 'start_lease' && at > now
    return { ...event, at, status: isDueAgain ? 'UNDONE' : event.status, updatedAt: now }
  })
}

function changedReservations(
  lease: Lease,
  changes: readonly ReservationChange[],
  now: Date,
): readonly HostReservation[] {
  const unknown = changes.filter(change => !lease.reservations.some(one => one.id === change.id))
  if (unknown.length > 0) {
    const ids = unknown.map(change => change.id).join(',')
    throw invalid(
      `Please enter valid reservation IDs. Invalid reservation IDs are: ${ids}`,
      'unknown_reservation',
    )
  }
  return lease.reservations.map(one => {
    const change = changes.find(({ id }) => id === one.id)
    if (!change) return one
    const { kind = one.kind, ...rest } = change
    if (kind !== one.kind)
      throw new AppError('conflict', 'resource_type cannot be updated', { reason: 'kind_is_fixed' })
    const wanted = { ...one, ...withoutUndefined(rest), updatedAt: now }
    if (wanted.max < wanted.min)
      throw invalid(
        'Invalid values for min/max of hosts. Max must be equal to or larger than min.',
        'min_max',
      )
    if (isBegun(lease) && wanted.max < one.hosts.length)
      throw conflict(
        `Reservation ${one.id} is at work on ${one.hosts.length} hosts, and none of them may be lost: max is at least ${one.hosts.length}`,
        'active_shrinks',
      )
    return wanted
  })
}

const withoutUndefined = <T extends object>(object: T): Partial<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>

/** A lease in ERROR is tried again by its next good change, from where it failed. */
function again(lease: Lease, now: Date): Lease {
  if (lease.status !== 'ERROR' || isOver(lease)) return lease
  const isStarted = eventOf(lease, 'start_lease')!.status === 'DONE'
  return {
    ...lease,
    status: isStarted ? 'UPDATING' : 'STARTING',
    statusReason: null,
    action: isStarted ? 'update' : 'start',
    events: lease.events.map(event =>
      event.type === 'start_lease' && !isStarted
        ? { ...event, status: 'IN_PROGRESS', updatedAt: now }
        : event,
    ),
    reservations: lease.reservations.map(one => ({ ...one, status: isStarted ? 'active' : 'pending' })),
  }
}

/**
 * The claim that a changed lease needs: a new one, the old one made shorter, or (null) the one that it has.
 */
export function reclaimed(
  app: Pick<App, 'leaseRules'>,
  lease: Lease,
  wanted: Lease,
): Claiming | 'shorter' | null {
  const [was, window] = [heldWindow(app, lease), heldWindow(app, wanted)]
  const isSame = wanted.reservations.every((one, at) => sameWish(one, lease.reservations[at]!))
  if (isSame && was.from.getTime() === window.from.getTime()) {
    if (was.to.getTime() === window.to.getTime()) return null
    // A shorter lease needs no room that it does not hold already: its claim always fits.
    if (was.to > window.to) return 'shorter'
  }
  return {
    claim: { id: lease.id, projectId: lease.projectId, kind: 'lease', window },
    parts: wanted.reservations.map(one => ({
      id: one.id,
      spec: one,
      has: one.hosts,
      regionId: one.regionId,
      keepsAll: isBegun(lease),
    })),
    region: null,
  }
}

const sameWish = (a: HostReservation, b: HostReservation): boolean =>
  a.min === b.min &&
  a.max === b.max &&
  a.hypervisorProperties === b.hypervisorProperties &&
  a.resourceProperties === b.resourceProperties
