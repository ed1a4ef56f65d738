// A process that writes events: jobs, posted in many small transactions that are held open for a while, each for another
// time, so that they commit in another order than they wrote. Tells which it has committed.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { openDatabase } from '../../dist/src/store/database.js'
import { createStore } from '../../dist/src/store/store.js'

const [, , url, name, events, size, writers] = process.argv
// Without its parent nobody would end it.
process.once('disconnect', () => process.exit())

const longestMs = 30
/** On a connection beside that of the transaction that is held open for so long. */
const rest = ms => sql`select pg_sleep(${ms / 1000})`.execute(database.db)
const database = openDatabase(url, {
  connections: 2 * Number(writers),
  name: `writer ${name}`,
  onError: () => {},
})
const store = createStore(database.db)
const caller = { userId: 'u', userName: 'u', projectId: 'p', projectName: 'p', roles: [], requestId: 'req-1' }
const now = new Date()

const job = () => ({
  id: randomUUID(),
  projectId: 'p',
  type: 'configure_route',
  resource: { router_id: randomUUID() },
  region: name,
  timestamp: now,
  status: 'NEW',
  attempts: 0,
  lastError: null,
  startedAt: null,
  nextTryAt: null,
  finishedAt: null,
})

let left = Number(events)
async function write() {
  while (left > 0) {
    const jobs = Array.from({ length: Math.min(Number(size), left) }, job)
    left -= jobs.length
    await store.transact(async tx => {
      await tx.jobs.post(jobs, { caller, at: new Date(), action: 'job.create' })
      await rest(Math.random() * longestMs)
    })
    process.send({ written: jobs.map(({ id }) => id) })
  }
}

await Promise.all(Array.from({ length: Number(writers) }, write))
await database.close()
process.send({ done: true })
process.disconnect()
