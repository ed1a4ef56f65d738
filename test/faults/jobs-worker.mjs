// A worker process, put together as compose.ts does it, with one handler more that makes a network in the job's region.
//
// It tells its parent the number of each worker that it becomes, and every run. With `--no-fence` the statements that
// write a result no longer ask whether the turn is still this worker's: the tests must notice.

import pg from 'pg'
import { pino } from 'pino'
import { createApp, createClockwork, openCloud } from '../../dist/src/compose.js'
import { loadConfig } from '../../dist/src/config/config.js'
import { makerOf, realise } from '../../dist/src/core/network/copies/realise.js'
import { openDatabase } from '../../dist/src/store/database.js'

const isFenced = !process.argv.includes('--no-fence')
const tell = message => process.connected && process.send(message)
// Without its parent nobody would end it.
process.once('disconnect', () => process.exit())

/** The text with its fence always true; the parameters stay, so that their number does. */
const unfenced = text =>
  text
    .replace(
      /turn\.worker is not distinct from \$(\d+) and turn\.epoch = \$(\d+)/g,
      '$$$1::int is not null and $$$2::bigint is not null',
    )
    .replace(/turn\.worker is not distinct from (\w+)\.worker\s+and turn\.epoch = \1\.epoch/g, 'true')

const { query } = pg.Client.prototype
let rewritten = 0
pg.Client.prototype.query = function (config, ...rest) {
  const text = typeof config === 'string' ? config : config?.text
  if (!isFenced && text?.includes('turn.epoch = ')) {
    const changed = unfenced(text)
    if (changed.includes('turn.epoch = ')) tell({ error: `this statement keeps its fence: ${text}` })
    rewritten += 1
    if (rewritten === 1) tell({ planted: true })
    return query.call(this, typeof config === 'string' ? changed : { ...config, text: changed }, ...rest)
  }
  const answer = query.call(this, config, ...rest)
  if (text?.includes("nextval('turn_worker')")) answer.then(({ rows }) => tell({ worker: rows[0].worker }))
  return answer
}

/** Makes one network for the job's router, in the job's region. */
async function makeNetwork(app, job) {
  const name = job.resource.router_id
  const networking = app.cloud.networking(job.region, `req-${job.id}`)
  const { projectId } = job
  const maker = makerOf(networking, 'network', { name, projectId }, { projectId, name })
  const intent = { region: job.region, resourceType: 'network', purpose: name, owner: name }
  const { surplus } = await realise(app, intent, maker)
  if (surplus > 0) tell({ surplus, by: 'realise' })
}

const config = loadConfig(undefined, process.env)
const log = pino({ base: null }, { write: line => tell({ log: JSON.parse(line) }) })
const { regions } = openCloud(config)
const database = openDatabase(config.database.url, {
  connections: config.database.connections,
  name: 'atoll test worker',
  onError: error => tell({ error: error.message }),
})
const created = createApp(config, database, regions, log)
const app = { ...created, jobHandlers: { ...created.jobHandlers, configure_route: makeNetwork } }
const clockwork = createClockwork({
  config,
  log,
  app,
  databaseUrl: config.database.url,
  metrics: {
    observeJob: ({ job, outcome }) => tell({ run: { id: job.id, attempts: job.attempts, outcome } }),
    countSurplus: (_region, surplus) => surplus > 0 && tell({ surplus, by: 'tidy' }),
  },
})
await clockwork.start()
tell({ ready: true })
