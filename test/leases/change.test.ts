// What may be changed of a lease, and when.

import { describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { changed, reclaimed } from '../../src/core/leases/change.ts'
import type { Lease, LeaseChange } from '../../src/core/leases/lease.ts'
import { active, at, failed, pending, reservation, rules, terminated } from './sample.ts'

type Wish = Omit<LeaseChange, 'id'>

const change = (lease: Lease, wish: Wish, time = '09:30:20', given = rules): Lease =>
  changed(lease, { id: 'l1', ...wish }, at(time), given)
const reasonOf = (lease: Lease, wish: Wish, time?: string, given = rules): string | undefined => {
  try {
    change(lease, wish, time, given)
  } catch (error) {
    return (error as { detail: { reason?: string } }).detail.reason
  }
  return 'it was accepted'
}
const timesOf = ({ startAt, endAt, events }: Lease) => [startAt, endAt, ...events.map(event => event.at)]
const ends = (time: string): Wish => ({ endAt: at(time) })

describe('nothing', () => {
  it('changes nothing, in any status', () => {
    for (const lease of [pending(), active(), failed(), terminated(), pending({ status: 'STARTING' })]) {
      expect(change(lease, {})).toBe(lease)
      expect(change(lease, { name: 'lease' })).toBe(lease)
    }
  })
})

describe('a new name', () => {
  it('is always welcome, but while something is being done', () => {
    for (const lease of [pending(), active(), terminated()]) {
      const { name, status } = change(lease, { name: 'b' }, '13:00')
      expect([name, status]).toEqual(['b', lease.status])
    }
    for (const status of ['STARTING', 'UPDATING', 'TERMINATING', 'DELETING'] as const)
      expect(reasonOf(active({ status }), { name: 'b' })).toBe('busy')
  })
})

describe('dates', () => {
  const accepted: [what: string, lease: Lease, wish: Wish, time: string, start: string, end: string][] = [
    ['a pending lease is advanced', pending(), { startAt: at('09:45') }, '09:30', '09:45', '12:00'],
    ['a pending lease is deferred', pending(), { startAt: at('11:00') }, '09:30', '11:00', '12:00'],
    ['a pending lease begins now', pending(), { startAt: 'now' }, '09:30:50', '09:30', '12:00'],
    ['a lease is prolonged', active(), ends('13:00'), '10:30', '10:00', '13:00'],
    ['a lease is shortened', active(), ends('11:30'), '10:30', '10:00', '11:30'],
    ['a lease ends now', active(), { endAt: 'now' }, '10:30:50', '10:00', '10:30'],
    [
      'the start of a begun lease may be named as it is',
      active(),
      { startAt: at('10:00'), ...ends('13:00') },
      '10:30',
      '10:00',
      '13:00',
    ],
    [
      'a lease that is due in this minute may be deferred',
      pending(),
      { startAt: at('11:00') },
      '10:00:00',
      '11:00',
      '12:00',
    ],
  ]
  it.each(accepted)('%s', (_what, lease, wish, time, start, end) => {
    const { startAt, endAt } = change(lease, wish, time)
    expect([startAt, endAt]).toEqual([at(start), at(end)])
  })

  const refused: [what: string, lease: Lease, wish: Wish, time: string, reason: string][] = [
    ['a begun lease begins at another time', active(), { startAt: at('10:30') }, '10:10', 'started'],
    [
      'a lease whose time has come begins at another time',
      pending(),
      { startAt: at('11:00') },
      '10:01',
      'started',
    ],
    [
      'a lease that began in this minute begins later',
      active(),
      { startAt: at('11:00') },
      '10:00:40',
      'started',
    ],
    [
      'a lease that could not start begins at another time',
      failed(),
      { startAt: at('11:00') },
      '10:00:40',
      'started',
    ],
    ['the start comes into the past', pending(), { startAt: at('09:00') }, '09:30', 'start_in_past'],
    ['the end comes into the past', active(), ends('10:29'), '10:30', 'end_before_start'],
    ['the end comes before the start', pending(), ends('09:50'), '09:30', 'end_before_start'],
    ['the start comes after the end', pending(), { startAt: at('12:30') }, '09:30', 'end_before_start'],
    ['what is over is prolonged', terminated(), ends('14:00'), '12:00:30', 'terminated'],
    ['what ended early is prolonged', terminated(), ends('14:00'), '11:00', 'terminated'],
    ['what should be over is prolonged', active(), ends('14:00'), '12:01', 'terminated'],
    [
      'it is told of its end outside of it',
      pending(),
      { beforeEndAt: at('12:00') },
      '09:30',
      'before_end_outside',
    ],
  ]
  it.each(refused)('are refused where %s', (_what, lease, wish, time, reason) => {
    expect(reasonOf(lease, wish, time)).toBe(reason)
  })

  it('may not grow beyond the longest lease; a longer one may stay and shrink', () => {
    const short = { ...rules, longestMs: 3_600_000 }
    expect(reasonOf(active(), ends('12:30'), '10:30', short)).toBe('too_long')
    expect(change(active(), ends('11:30'), '10:30', short).endAt).toEqual(at('11:30'))
  })
})

describe('what comes before the end', () => {
  it('keeps its distance to it, and is no earlier than the start', () => {
    expect(timesOf(change(pending(), ends('14:00')))).toEqual(
      ['10:00', '14:00', '10:00', '14:00', '13:00'].map(at),
    )
    expect(timesOf(change(pending(), ends('10:30')))[4]).toEqual(at('10:00'))
  })

  it('is due again when it moves into the future, and stays done when it does not', () => {
    const done = active({
      events: active().events.map(event =>
        event.type === 'before_end_lease' ? { ...event, status: 'DONE' } : event,
      ),
    })
    expect(change(done, ends('14:00'), '11:30').events[2]).toMatchObject({
      at: at('13:00'),
      status: 'UNDONE',
    })
    expect(change(done, ends('12:15'), '11:30').events[2]).toMatchObject({ at: at('11:15'), status: 'DONE' })
    expect(change(done, { beforeEndAt: at('11:45') }, '11:30').events[2]).toMatchObject({ status: 'UNDONE' })
  })
})

describe('reservations', () => {
  const wish = (given: object) => ({ reservations: [{ id: 'r1', ...given }] })
  it('of a pending lease may want other hosts, more or fewer', () => {
    const wanted = change(pending(), wish({ min: 1, max: 5, resourceProperties: '["==", "$gpu", "yes"]' }))
    expect(wanted.reservations[0]).toMatchObject({
      min: 1,
      max: 5,
      resourceProperties: '["==", "$gpu", "yes"]',
    })
    expect(change(pending(), wish({ beforeEnd: 'snapshot' })).reservations[0]!.beforeEnd).toBe('snapshot')
  })

  const refused: [what: string, lease: Lease, wanted: Wish, reason: string][] = [
    ['they are not the lease’s', pending(), { reservations: [{ id: 'r9' }] }, 'unknown_reservation'],
    ['they become another kind', pending(), wish({ kind: 'virtual:instance' }), 'kind_is_fixed'],
    ['the least is more than the most', pending(), wish({ max: 1 }), 'min_max'],
    ['they are at work and would lose a host', active(), wish({ min: 1, max: 1 }), 'active_shrinks'],
  ]
  it.each(refused)('are refused where %s', (_what, lease, wanted, reason) => {
    expect(reasonOf(lease, wanted)).toBe(reason)
  })
})

describe('a lease in ERROR', () => {
  it('that never started is started by its next good change', () => {
    const again = change(failed(), { name: 'b' }, '10:30')
    expect(again).toMatchObject({ status: 'STARTING', action: 'start', statusReason: null })
    expect(again.events[0]).toMatchObject({ status: 'IN_PROGRESS', updatedAt: at('10:30') })
    expect(again.reservations[0]!.status).toBe('pending')
  })

  it('that could not be changed is changed again', () => {
    const broken = active({ status: 'ERROR', reservations: [reservation({ status: 'error' })] })
    const again = change(broken, ends('13:00'), '10:30')
    expect(again).toMatchObject({ status: 'UPDATING', action: 'update' })
    expect(again.reservations[0]!.status).toBe('active')
  })

  it('that is ending, or over, stays so', () => {
    const ending = failed({
      events: failed().events.map(event =>
        event.type === 'end_lease' ? { ...event, status: 'IN_PROGRESS' } : event,
      ),
    })
    expect(reasonOf(ending, { name: 'b' }, '12:00')).toBe('busy')
    const over = terminated({ status: 'ERROR', statusReason: 'Nova said no' })
    expect(change(over, { name: 'b' }, '13:00')).toMatchObject({
      status: 'ERROR',
      statusReason: 'Nova said no',
    })
  })
})

describe('what is claimed anew', () => {
  const app = { leaseRules: rules } as App
  const claimed = (lease: Lease, wish: Wish, time = '09:30') =>
    reclaimed(app, lease, change(lease, wish, time))
  it('is nothing for a name, or for what happens before the end', () => {
    expect(claimed(pending(), { name: 'b' })).toBeNull()
    expect(claimed(active(), { reservations: [{ id: 'r1', beforeEnd: 'snapshot' }] }, '10:30')).toBeNull()
  })
  it('is nothing for a shorter time: something is given back', () => {
    expect(claimed(active(), ends('11:00'), '10:30')).toBe('shorter')
  })
  it('is all of it for another time or other hosts; what is at work keeps its own', () => {
    expect(claimed(pending(), ends('13:00'))).toMatchObject({
      claim: { window: { from: at('10:00'), to: at('13:00') } },
      parts: [{ has: [1, 2], regionId: 'pod1', keepsAll: false }],
    })
    expect(claimed(active(), ends('13:00'), '10:30')).toMatchObject({ parts: [{ keepsAll: true }] })
    expect(claimed(failed(), ends('13:00'), '10:30')).toMatchObject({ parts: [{ keepsAll: true }] })
  })
})
