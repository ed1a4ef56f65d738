// Housekeeping: whoever stops a process does not wait for years of lines to be removed.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { startHousekeeping } from '../../src/worker/housekeeping.ts'

it('stops soon in the middle of much to remove, and what fails after that is told nobody', async () => {
  const told: unknown[] = []
  let steps = 0
  let isClosed = false
  const removeBefore = async (_: Date, limit: number) => {
    await sleep(20)
    if (isClosed) throw new Error('the database is closed')
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
  await expect.poll(() => steps).toBeGreaterThan(2)
  const begun = Date.now()
  await housekeeping.stop()
  expect(Date.now() - begun).toBeLessThan(5_000)
  isClosed = true
  await sleep(100)
  expect(told).toEqual([])
})
