// The pure rules of jobs.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobTypes, retryDelayMs, turnKey } from './job.ts'

describe('the delay before a retry', () => {
  it('doubles from a second to ten minutes, give or take half', () => {
    expect([1, 2, 3, 4, 11, 60].map(attempts => retryDelayMs(attempts, 0.5))).toEqual([
      1000, 2000, 4000, 8000, 600_000, 600_000,
    ])
    expect([retryDelayMs(1, 0), retryDelayMs(1, 0.999)]).toEqual([500, 1499])
  })

  it('is never beyond its bounds', () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, chance) => {
          const delay = retryDelayMs(attempts, chance)
          return delay >= 500 && delay <= 900_000
        },
      ),
    )
  })
})

describe('two jobs', () => {
  it('have the same turn when they have the same type and the same values, in whatever order', () => {
    const one = turnKey({ type: 'port_delete', resource: { pod_id: 'p', port_id: 'q' } })
    expect(turnKey({ type: 'port_delete', resource: { port_id: 'q', pod_id: 'p' } })).toBe(one)
    expect(one).toBe('port_delete#p#q')
  })
})

describe('the types', () => {
  it('each name the resource whose project the job must have', () => {
    for (const { type, keys, owner } of jobTypes) {
      expect(owner === null ? ['project_id'] : keys, type).toContain(owner?.key ?? keys[0])
    }
  })
})
