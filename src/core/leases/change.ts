// What a lease becomes by a change: pure, and refused where it may not be.

import { AppError, conflict, invalid } from '../error.ts'
import { minuteOf } from '../minute.ts'
import type { App } from '../ports.ts'
import { type Claiming, heldWindow } from './claiming.ts'
import type { HostReservation, Lease, LeaseChange, LeaseStatus, ReservationChange } from './lease.ts'
import type { LeaseRules } from './rules.ts'
import { beforeEndOf, eventOf, instantOf, lengthSentence } from './timing.ts'

const settled: readonly LeaseStatus[] = ['PENDING', 'ACTIVE', 'TERMINATED', 'ERROR']

/** The lease as it is wanted; the very same when nothing changes. Throws `invalid`, `forbidden`, `conflict`. */
export function changed(lease: Lease, change: LeaseChange, now: Date, rules: LeaseRules): Lease {
  const { id: _, name = lease.name, ...more } = change
  const isRename = Object.values(more).every(value => value === undefined)
  if (isRename && name === lease.name) return lease
  if (!settled.includes(lease.status)) throw busy(lease)
  const renamed = { ...lease, name, updatedAt: now }
  if (isRename) return renamed
  if (lease.endAt < minuteOf(now)) throw invalid('Terminated leases can only be renamed', 'terminated')
  const { startAt, endAt } = changedTimes(lease, change, now, rules)
  const events = changedEvents(lease, { startAt, endAt, asked: change.beforeEndAt ?? null }, now)
  const reservations = changedReservations(lease, change.reservations ?? [], now)
  return again({ ...renamed, startAt, endAt, events, reservations })
}

const busy = (lease: Lease) =>
  conflict(`Lease ${lease.id} is ${lease.status} in this moment: it can be changed when that is done`, 'busy')

function changedTimes(lease: Lease, change: LeaseChange, now: Date, rules: LeaseRules) {
  const startAt = instantOf(change.startAt ?? lease.startAt, now)
  const endAt = instantOf(change.endAt ?? lease.endAt, now)
  const moves = startAt.getTime() !== lease.startAt.getTime()
  const isBegun = lease.startAt < minuteOf(now) || eventOf(lease, 'start_lease')!.status !== 'UNDONE'
  if (moves && isBegun && lease.status !== 'ERROR')
    throw invalid('Cannot modify the start date of already started leases', 'started')
  if (moves && startAt < minuteOf(now))
    throw invalid('Start date must be later than current date', 'start_in_past')
  if (endAt < minuteOf(now) || endAt <= startAt)
    throw invalid('End date must be later than current and start date', 'end_before_start')
  const tooLong = lengthSentence(startAt, endAt, rules)
  const isLonger = endAt.getTime() - startAt.getTime() > lease.endAt.getTime() - lease.startAt.getTime()
  if (tooLong && isLonger) throw invalid(tooLong, 'too_long')
  return { startAt, endAt }
}

/** Without a word about it `before_end_lease` keeps its distance to the end; what is due again is undone again. */
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
    return wanted
  })
}

const withoutUndefined = <T extends object>(object: T): Partial<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>

/** A lease in ERROR is tried again by its next good change. */
function again(lease: Lease): Lease {
  if (lease.status !== 'ERROR') return lease
  const isStarted = eventOf(lease, 'start_lease')!.status === 'DONE'
  return {
    ...lease,
    status: isStarted ? 'ACTIVE' : 'PENDING',
    statusReason: null,
    events: lease.events.map(event => (event.status === 'ERROR' ? { ...event, status: 'UNDONE' } : event)),
    reservations: lease.reservations.map(one => ({ ...one, status: isStarted ? 'active' : 'pending' })),
  }
}

/** What has to be claimed anew for it; null when what it holds stays as it is. */
export function reclaimed(app: App, lease: Lease, wanted: Lease): Claiming | null {
  const same =
    lease.startAt.getTime() === wanted.startAt.getTime() &&
    lease.endAt.getTime() === wanted.endAt.getTime() &&
    lease.reservations === wanted.reservations
  const unchanged = wanted.reservations.every((one, index) => one === lease.reservations[index])
  if (same || (unchanged && sameTimes(lease, wanted))) return null
  const isActive = wanted.status === 'ACTIVE'
  return {
    claim: { id: lease.id, projectId: lease.projectId, kind: 'lease', window: heldWindow(app, wanted) },
    parts: wanted.reservations.map(one => ({
      id: one.id,
      spec: one,
      has: one.hosts,
      regionId: one.regionId,
      keepsAll: isActive,
    })),
    region: null,
  }
}

const sameTimes = (a: Lease, b: Lease): boolean =>
  a.startAt.getTime() === b.startAt.getTime() && a.endAt.getTime() === b.endAt.getTime()
