// When a lease begins, ends and is told of its end.

import { describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { heldWindow } from '../../src/core/leases/claiming.ts'
import { instantOf, isBegun, isOver, nextDue, timesOf } from '../../src/core/leases/timing.ts'
import { active, at, failed, pending, rules, terminated } from './sample.ts'

const now = at('09:30:20')
const asked = (start: string | 'now', end: string, before?: string) => ({
  startAt: start === 'now' ? ('now' as const) : at(start),
  endAt: at(end),
  beforeEndAt: before === undefined ? null : at(before),
})

describe('the times of a new lease', () => {
  it('begin with the current minute when they begin now', () => {
    expect(instantOf('now', now)).toEqual(at('09:30'))
    expect(timesOf(asked('now', '12:00'), now, rules)).toEqual({
      startAt: at('09:30'),
      endAt: at('12:00'),
      beforeEndAt: at('11:00'),
    })
  })

  it('have what comes before the end at the start, where there is no room for it', () => {
    expect(timesOf(asked('10:00', '10:30'), now, rules).beforeEndAt).toEqual(at('10:00'))
    expect(timesOf(asked('10:00', '10:30', '10:20'), now, rules).beforeEndAt).toEqual(at('10:20'))
    expect(timesOf(asked('10:00', '12:00'), now, { ...rules, beforeEndMs: 0 }).beforeEndAt).toBeNull()
  })

  const refused: [what: string, times: ReturnType<typeof asked>, reason: string][] = [
    ['begin in the past', asked('09:29', '12:00'), 'start_in_past'],
    ['end at their start', asked('10:00', '10:00'), 'end_before_start'],
    ['end before their start', asked('10:00', '09:50'), 'end_before_start'],
    ['end within the minute that is now, and are over', asked('now', '09:30:10'), 'end_in_past'],
    ['are told of their end at their start', asked('10:00', '12:00', '10:00'), 'before_end_outside'],
    ['are told of their end at their end', asked('10:00', '12:00', '12:00'), 'before_end_outside'],
  ]
  it.each(refused)('are refused when they %s', (_what, times, reason) => {
    expect(() => timesOf(times, now, rules)).toThrow(expect.objectContaining({ detail: { reason } }))
  })

  it('are no longer than the operator allows', () => {
    const short = { ...rules, longestMs: 7_200_000 }
    expect(timesOf(asked('10:00', '12:00'), now, short).endAt).toEqual(at('12:00'))
    expect(() => timesOf(asked('10:00', '12:01'), now, short)).toThrow(
      expect.objectContaining({ code: 'forbidden', detail: { reason: 'too_long' } }),
    )
  })
})

describe('what a lease holds', () => {
  const app = (cleaningMs: number) => ({ leaseRules: { ...rules, cleaningMs } }) as App
  it('is its time and the hosts’ rest after it', () => {
    const window = heldWindow(app(60_000), pending())
    expect(window).toEqual({ from: at('10:00'), to: at('12:01') })
  })
  it('is nothing of the time before it was asked for', () => {
    const window = heldWindow(app(0), pending({ createdAt: at('10:00:30') }))
    expect(window).toEqual({ from: at('10:00:30'), to: at('12:00') })
  })
})

describe('a lease', () => {
  it('has begun when anything may have been done for it, and is over when nothing is left', () => {
    const leases = [pending(), active(), failed(), terminated()]
    expect(leases.map(isBegun)).toEqual([false, true, true, true])
    expect(leases.map(isOver)).toEqual([false, false, false, true])
  })
  it('is due at the first of what is not done', () => {
    expect(nextDue(pending())).toEqual(at('10:00'))
    expect(nextDue(active())).toEqual(at('11:00'))
    expect(nextDue(active(), at('11:30'))).toEqual(at('12:00'))
    expect(nextDue(terminated())).toBeNull()
  })
})
