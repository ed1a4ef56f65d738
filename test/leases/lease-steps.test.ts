// What is due of a lease, and what the lease becomes by it.

import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/core/leases/lease.ts'
import { type LeaseStep, lapsed, stepOf, stepped } from '../../src/core/leases/lease-steps.ts'
import { active, at, event, failed, pending, terminated } from './sample.ts'

const withStatus = (lease: Lease, type: string, status: 'IN_PROGRESS' | 'DONE' | 'ERROR'): Lease => ({
  ...lease,
  events: lease.events.map(one => (one.type === type ? { ...one, status } : one)),
})
const updating: Lease = { ...active(), status: 'UPDATING' }

describe('what is due', () => {
  const table: [what: string, lease: Lease, time: string, step: LeaseStep | null][] = [
    ['nothing before the start', pending(), '09:59', null],
    ['the start at its time', pending(), '10:00', 'start'],
    ['the start, however late', pending(), '11:59', 'start'],
    [
      'the start again, where somebody died',
      withStatus(pending(), 'start_lease', 'IN_PROGRESS'),
      '10:01',
      'start',
    ],
    ['nothing between', active(), '10:30', null],
    ['what comes before the end', active(), '11:00', 'before_end'],
    ['the end at its time', withStatus(active(), 'before_end_lease', 'DONE'), '12:00', 'end'],
    ['first what comes before the end, then the end', active(), '12:00', 'before_end'],
    [
      'the end, though what came before it failed',
      withStatus(active(), 'before_end_lease', 'ERROR'),
      '12:00',
      'end',
    ],
    ['nothing of a lease whose whole time was missed', pending(), '12:00', 'lapse'],
    [
      'the end of one that was starting when its time was over',
      withStatus(withStatus(pending(), 'start_lease', 'IN_PROGRESS'), 'before_end_lease', 'DONE'),
      '12:00',
      'end',
    ],
    ['a change', updating, '10:30', 'update'],
    ['the end before a change', withStatus(updating, 'before_end_lease', 'DONE'), '12:00', 'end'],
    ['nothing new for what failed', failed(), '10:30', null],
    ['the end of what failed', withStatus(failed(), 'before_end_lease', 'DONE'), '12:00', 'end'],
    ['the deletion before all', { ...active(), status: 'DELETING' }, '12:00', 'remove'],
    ['nothing of what is over', terminated(), '13:00', null],
    [
      'what the user is told of',
      active({ events: [...active().events, event('hello', '10:20')] }),
      '10:30',
      'tell',
    ],
  ]
  it.each(table)('%s', (_what, lease, time, step) => {
    expect(stepOf(lease, at(time))).toBe(step)
  })
})

describe('a step', () => {
  const statuses = ({ status, action, reservations, events }: Lease) => [
    status,
    action,
    reservations[0]!.status,
    ...events.map(one => one.status),
  ]
  const table: [step: LeaseStep, lease: Lease, begun: unknown[], done: unknown[]][] = [
    [
      'start',
      pending(),
      ['STARTING', 'start', 'pending', 'IN_PROGRESS', 'UNDONE', 'UNDONE'],
      ['ACTIVE', null, 'active', 'DONE', 'UNDONE', 'UNDONE'],
    ],
    [
      'before_end',
      active(),
      ['ACTIVE', 'before_end', 'active', 'DONE', 'UNDONE', 'IN_PROGRESS'],
      ['ACTIVE', null, 'active', 'DONE', 'UNDONE', 'DONE'],
    ],
    [
      'end',
      active(),
      ['TERMINATING', 'end', 'active', 'DONE', 'IN_PROGRESS', 'UNDONE'],
      ['TERMINATED', null, 'deleted', 'DONE', 'DONE', 'UNDONE'],
    ],
    [
      'end',
      failed(),
      ['ERROR', 'end', 'error', 'ERROR', 'IN_PROGRESS', 'UNDONE'],
      ['ERROR', null, 'deleted', 'ERROR', 'DONE', 'UNDONE'],
    ],
    [
      'update',
      updating,
      ['UPDATING', null, 'active', 'DONE', 'UNDONE', 'UNDONE'],
      ['ACTIVE', null, 'active', 'DONE', 'UNDONE', 'UNDONE'],
    ],
    [
      'lapse',
      pending(),
      ['PENDING', null, 'pending', 'UNDONE', 'UNDONE', 'UNDONE'],
      ['TERMINATED', null, 'deleted', 'DONE', 'DONE', 'DONE'],
    ],
  ]
  it.each(table)('%s of a lease: what it is meanwhile, and after it', (step, lease, begun, done) => {
    const meanwhile = stepped(lease, step, 'begun', at('12:00'))
    expect(statuses(meanwhile)).toEqual(begun)
    expect(stepped(meanwhile, step, 'begun', at('12:01'))).toBe(meanwhile)
    expect(statuses(stepped(meanwhile, step, 'done', at('12:00')))).toEqual(done)
  })

  it('that ends what was starting leaves nothing in progress', () => {
    const starting = withStatus(pending({ status: 'STARTING' }), 'start_lease', 'IN_PROGRESS')
    const ended = stepped(stepped(starting, 'end', 'begun', at('12:00')), 'end', 'done', at('12:00'))
    expect(statuses(ended)).toEqual(['TERMINATED', null, 'deleted', 'DONE', 'DONE', 'UNDONE'])
  })

  it('tells of each event for itself, though another is called the same', () => {
    const events = [...active().events, event('hello', '10:20'), event('hello', '11:20')]
    const told = stepped(active({ events }), 'tell', 'done', at('10:30'))
    expect(told.events.slice(3).map(one => one.status)).toEqual(['DONE', 'UNDONE'])
  })

  it('clears the word about why it took long; a lease in ERROR keeps its own', () => {
    const late = { ...active(), statusReason: 'waits' }
    expect(stepped(late, 'end', 'begun', at('12:00')).statusReason).toBeNull()
    expect(stepped(failed(), 'end', 'done', at('12:00')).statusReason).toBe('Nova said no')
  })
})

describe('a step that fails', () => {
  const { first, last } = { first: 599_999, last: 600_000 }
  it.each(['start', 'update'] as const)(
    '%s: is tried again for so long, then the lease is in ERROR',
    step => {
      const lease = step === 'start' ? withStatus(pending(), 'start_lease', 'IN_PROGRESS') : updating
      expect(lapsed(lease, step, first, 600_000, at('10:09'))).toBeNull()
      const error = lapsed(lease, step, last, 600_000, at('10:10'))!
      expect([error.status, error.action, error.reservations[0]!.status]).toEqual(['ERROR', null, 'error'])
      expect(error.events[0]!.status).toBe(step === 'start' ? 'ERROR' : 'DONE')
    },
  )

  it.each(['end', 'remove'] as const)('%s: is tried for ever', step => {
    expect(lapsed(active(), step, 1e12, 600_000, at('23:00'))).toBeNull()
  })

  it('before the end: is given up when the end is due', () => {
    expect(lapsed(active(), 'before_end', last, 600_000, at('11:59'))).toBeNull()
    const given = lapsed(active(), 'before_end', last, 600_000, at('12:00'))!
    expect([given.status, given.events[2]!.status]).toEqual(['ACTIVE', 'ERROR'])
    expect(stepOf(given, at('12:00'))).toBe('end')
  })
})
