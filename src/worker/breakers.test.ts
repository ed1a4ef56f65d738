// When a region is left alone, and when it is tried again.

import { describe, expect, it } from 'vitest'
import { createBreakers } from './breakers.ts'

function setUp() {
  let time = 0
  const breakers = createBreakers({ failures: 3, openMs: 1000, maxOpenMs: 3000, now: () => time })
  const fail = (times: number) => {
    for (let i = 0; i < times; i += 1) breakers.tell('Pod1', false)
  }
  const pass = (ms: number) => {
    time += ms
  }
  return { breakers, fail, pass }
}

describe('a breaker', () => {
  it('stays closed until so many silences in a row', () => {
    const { breakers, fail } = setUp()
    fail(2)
    breakers.tell('Pod1', true)
    fail(2)
    expect(breakers.state('Pod1')).toBe('closed')
    fail(1)
    expect(breakers.state('Pod1')).toBe('open')
    expect(breakers.limits()).toEqual(new Map([['Pod1', 0]]))
  })

  it('lets one call try when its time is over, and closes on an answer', () => {
    const { breakers, fail, pass } = setUp()
    fail(3)
    pass(1000)
    expect(breakers.state('Pod1')).toBe('half-open')
    expect(breakers.limits()).toEqual(new Map([['Pod1', 1]]))
    breakers.tell('Pod1', true)
    expect(breakers.state('Pod1')).toBe('closed')
    expect(breakers.limits()).toEqual(new Map())
  })

  it('opens for twice as long each time the trial fails, up to a bound', () => {
    const { breakers, fail, pass } = setUp()
    fail(3)
    for (const openMs of [1000, 2000, 3000, 3000]) {
      pass(openMs - 1)
      expect(breakers.state('Pod1')).toBe('open')
      pass(1)
      expect(breakers.state('Pod1')).toBe('half-open')
      fail(1)
    }
  })

  it('counts the calls that were under way when it opened as nothing more', () => {
    const { breakers, fail, pass } = setUp()
    fail(8)
    pass(1000)
    expect(breakers.state('Pod1')).toBe('half-open')
  })

  it('never breaks for what needs no region', () => {
    const { breakers } = setUp()
    for (let i = 0; i < 10; i += 1) breakers.tell('', false)
    expect(breakers.state('')).toBe('closed')
  })
})
