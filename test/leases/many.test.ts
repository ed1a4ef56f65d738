// Leases that end and as many that start in the same second, back to back on the same hosts, over ten regions: every end
// comes before the start on its host, and none fails. `npm run bench -- leases` does the same with thousands.

import { expect, it } from 'vitest'
import { switchOver } from '../../bench/leases-switch.ts'
import { testDatabase } from '../postgres.ts'

it('200 leases end and 200 start in the same second', { timeout: 180_000 }, async () => {
  const { url } = await testDatabase()
  const figures = await switchOver({
    count: 200,
    regions: 10,
    databaseUrl: url,
    prepareMs: 30_000,
    cloudProgram: new URL('../../dist/bench/leases-cloud.js', import.meta.url),
    tell: () => {},
  })
  const { leases, lastStartSeconds, startedPerSecond, callsPerEnd, callsPerStart } = figures
  console.log(
    `${leases} leases ended and ${leases} started: the last ${lastStartSeconds.toFixed(1)} s late, ` +
      `${(2 * startedPerSecond).toFixed(0)} a second, ${callsPerEnd} calls an end, ${callsPerStart} a start`,
  )
  expect(figures).toMatchObject({ outOfOrder: 0, inError: 0, left: 0 })
  expect(lastStartSeconds).toBeLessThan(60)
})
