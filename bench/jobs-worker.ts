// A process that does jobs which do nothing, Atoll's or graphile-worker's, and tells its parent how many it has done.

import { Logger, run } from 'graphile-worker'
import { pino } from 'pino'
import { createApp } from '../src/compose.ts'
import { loadConfig } from '../src/config/config.ts'
import type { App } from '../src/core/app.ts'
import { openDatabase } from '../src/store/database.ts'
import { enlist } from '../src/store/turns.ts'
import { createBreakers } from '../src/worker/breakers.ts'
import { Clockwork } from '../src/worker/clockwork.ts'
import { jobTurns } from '../src/worker/jobs.ts'

/** How many jobs one process of graphile-worker has under way. */
const graphileConcurrency = 10

const [kind, url] = process.argv.slice(2) as ['atoll' | 'graphile', string]
const stop = kind === 'atoll' ? await startAtoll() : await startGraphile()

let [done, told] = [0, 0]
setInterval(() => {
  if (done > told) process.send!({ done })
  told = done
}, 5)
process.once('message', async () => {
  await stop()
  process.exit()
})
process.once('disconnect', () => process.exit())
process.send!({ done: 0 })

/** As compose.ts does it, but for the regions. */
async function startAtoll(): Promise<() => Promise<void>> {
  const log = pino({ level: 'warn' })
  const database = openDatabase(url, { connections: 20, name: 'bench', onError: () => {} })
  const created: App = createApp(loadConfig(undefined, {}), database, null as never, log)
  const app: App = { ...created, jobHandlers: { configure_route: async () => {} } }
  const clockwork = new Clockwork({
    turns: app.store.turns,
    kinds: [
      jobTurns({
        app,
        retryForMs: 1,
        onRun: ({ outcome }) => {
          if (outcome === 'succeeded') done += 1
        },
      }),
    ],
    breakers: createBreakers({ failures: 3, openMs: 5_000, maxOpenMs: 60_000, now: Date.now }),
    enlist: events => enlist(url, events),
    slots: 64,
    laneSlots: 8,
    onError: (error, what) => log.warn({ err: error }, what),
  })
  await clockwork.start()
  return () => clockwork.stop()
}

async function startGraphile(): Promise<() => Promise<void>> {
  const runner = await run({
    connectionString: url,
    concurrency: graphileConcurrency,
    maxPoolSize: 20,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: { nothing: async () => {} },
  })
  runner.events.on('job:success', () => {
    done += 1
  })
  return () => runner.stop()
}
