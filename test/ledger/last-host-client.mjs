// A process of clients that make, change and remove leases without rest, and tell of everything that they begin and end.
//
// `--no-lock`: a store whose `lock` does nothing. The tests must notice, or the constraint must hold.

import { randomUUID } from 'node:crypto'
import { AppError } from '../../dist/src/core/error.js'
import { createLease, listLeases, removeLease, updateLease } from '../../dist/src/core/leases/leases.js'
import { openDatabase } from '../../dist/src/store/database.js'
import { createStore } from '../../dist/src/store/store.js'

const [, , url, firstClient, clients, ...options] = process.argv
const isLocking = !options.includes('--no-lock')
const tell = message => process.connected && process.send(message)
// Without its parent nobody would end it.
process.once('disconnect', () => process.exit())

const hour = 3_600_000
const database = openDatabase(url, { connections: 6, name: 'lease client', onError: () => {} })
const store = createStore(database.db)
const unlocked = tx => ({ ...tx, ledger: { ...tx.ledger, lock: async () => {} } })
const app = {
  store: isLocking ? store : { ...store, transact: work => store.transact(tx => work(unlocked(tx))) },
  now: () => new Date(),
  newId: randomUUID,
  leaseRules: { beforeEndMs: hour, beforeEnd: '', cleaningMs: 0, longestMs: null, mostReservations: 10 },
}

const whole = below => Math.floor(Math.random() * below)
const pick = from => from[whole(from.length)]

/** Some hours of the next two days: every two of these windows have a good chance to meet. */
function window() {
  const startAt = new Date(Math.ceil(Date.now() / hour) * hour + (1 + whole(36)) * hour)
  return { startAt, endAt: new Date(startAt.getTime() + (6 + whole(12)) * hour) }
}

const reservation = () => {
  const min = 1 + whole(2)
  return {
    kind: 'physical:host',
    min,
    max: min + whole(3),
    hypervisorProperties: '',
    resourceProperties: '',
    beforeEnd: '',
  }
}

const does = {
  create: caller =>
    createLease(app, caller, {
      name: 'last host',
      ...window(),
      beforeEndAt: null,
      reservations: Array.from({ length: 1 + whole(2) }, reservation),
      events: [],
      region: null,
    }),
  update(caller, lease) {
    const { min, max } = reservation()
    const wanted = pick([
      { endAt: new Date(lease.endAt.getTime() + (whole(6) - 2) * hour) },
      window(),
      { reservations: [{ id: pick(lease.reservations).id, min, max }] },
    ])
    return updateLease(app, caller, { id: lease.id, ...wanted })
  },
  remove: (caller, lease) => removeLease(app, caller, { id: lease.id, region: null }),
}

/** One client: its own project, and the leases that are there of it. */
async function client(number) {
  const caller = {
    userId: 'user',
    userName: 'user',
    projectId: `project-${number}`,
    projectName: '',
    roles: ['member'],
    requestId: `req-${number}`,
  }
  const query = { filter: {}, sort: 'created_at', descending: false, limit: null, marker: null }
  for (;;) {
    const id = randomUUID()
    let name = 'list'
    tell({ begun: id })
    try {
      const { items } = await listLeases(app, caller, query)
      name = items.length === 0 ? 'create' : items.length > 6 ? 'remove' : pick(Object.keys(does))
      await does[name](caller, pick(items))
      tell({ ended: id, name, outcome: 'done' })
    } catch (error) {
      const { code, detail = {} } = error instanceof AppError ? error : { code: 'error' }
      tell({ ended: id, name, outcome: code, reason: detail.reason, message: `${error.stack}` })
    }
  }
}

await Promise.all(Array.from({ length: Number(clients) }, (_, index) => client(Number(firstClient) + index)))
