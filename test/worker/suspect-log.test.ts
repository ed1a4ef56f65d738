// What the log says of a region whose good name changes, while the clockwork watches it.

import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClockwork } from '../../src/compose.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import type { Clockwork } from '../../src/worker/clockwork.ts'
import { newRouting, operator } from '../api/requests.ts'
import { until } from '../wait.ts'
import { type World, world } from '../world.ts'

const lines: Record<string, unknown>[] = []
let w: World
let region: Region
let clockwork: Clockwork
beforeAll(async () => {
  w = await world()
  const zone = { availabilityZone: 'az1', localAvailabilityZone: '', dataCenter: '' }
  region = await createRegion(w.app, operator, { name: 'Pod1', ...zone })
  clockwork = createClockwork({
    config: w.config,
    app: w.app,
    databaseUrl: w.databaseUrl,
    metrics: { observeJob: () => {}, countSurplus: () => {} },
    log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  })
  await clockwork.start()
})
afterAll(async () => {
  await clockwork?.stop()
  await w?.[Symbol.asyncDispose]()
})

const look = () => w.app.store.turns.ask([{ kind: 'watch', key: 'Pod1', lane: 'Pod1' }])
const said = (message: RegExp) => lines.filter(({ msg }) => message.test(String(msg)))

it('warns once of a region that has become suspect, and says once that it is believed again', async () => {
  // The region has never heard of them.
  const routings = []
  for (let count = 0; count < 4; count += 1) routings.push(await newRouting(w, { regionId: region.id }))
  await look()
  await until(() => said(/^a region is suspect/).length === 1, { what: 'the log says so once' })
  const standing = (await w.app.store.suspicions.get(region.id, 'network'))!
  expect(said(/^a region is suspect/)[0]).toMatchObject({
    level: 40,
    region: 'Pod1',
    through: 'network',
    since: standing.since.toISOString(),
    reason: standing.reason,
    counts: { network: { missing: 4, known: 4 } },
  })
  await Promise.all(
    routings.map(({ id }) =>
      w.app.store.routings.remove(id, { caller: operator, at: w.app.now(), action: 'routing.remove' }),
    ),
  )
  await look()
  await until(() => said(/^a region is believed again/).length === 1, { what: 'the log says so once' })
  expect(said(/believed again/)[0]).toMatchObject({ level: 30, region: 'Pod1', through: 'network' })
  expect(said(/^a region is suspect/)).toHaveLength(1)
})
