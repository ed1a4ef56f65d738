// Housekeeping: whoever stops a process does not wait for years of lines to be removed.

import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { startHousekeeping } from '../../src/worker/housekeeping.ts'
import { until } from '../wait.ts'

it('stops in the middle of what has no end, and what fails after that is told nobody', async () => {
  const told: unknown[] = []
  let steps = 0
  let failures = 0
  let isClosed = false
  const removeBefore = async (_: Date, limit: number) => {
    await turn()
    if (isClosed) {
      failures += 1
      throw new Error('the database is closed')
    }
    steps += 1
    return limit
  }
  const none = async () => 0
  const app = {
    now: () => new Date(),
    store: {
      jobs: { expire: none, forget: none },
      audit: { removeBefore },
    },
  } as unknown as App
  const days = { auditDays: 1, journalDays: 1, jobLogDays: 1, eventDays: 1 }
  const housekeeping = startHousekeeping({
    app,
    ...days,
    newJobSeconds: 1,
    everyMs: 60_000,
    onError: error => told.push(error),
  })
  await until(() => steps > 2, { what: 'it is at work', seen: () => steps })
  // There is always one more line to remove: waiting for the last one would never end.
  await housekeeping.stop()
  isClosed = true
  await until(() => failures > 0, { what: 'a step finds the database closed' })
  await turn()
  expect(told).toEqual([])
})
