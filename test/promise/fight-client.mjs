// A process of clients that promise, lease, and change what there is, without rest, and tell of everything that they begin
// and end; with a clockwork beside them, as any process of Atoll has one.
//
// `--no-lock`: a store whose `lock` does nothing. The tests must notice.

import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { createApp, createClockwork, openCloud } from '../../dist/src/compose.js'
import { loadConfig } from '../../dist/src/config/config.js'
import { openProviders } from '../../dist/src/configured.js'
import {
  cancelCapacityReservation,
  createCapacityReservation,
  updateCapacityReservation,
} from '../../dist/src/core/capacity/capacity-reservations.js'
import { discoverRegion } from '../../dist/src/core/capacity/general.js'
import { createInstance, destroyInstance } from '../../dist/src/core/capacity/instances.js'
import { decreaseCapacity, increaseCapacity } from '../../dist/src/core/capacity/pools.js'
import { AppError } from '../../dist/src/core/error.js'
import { enrolHost, removeHost } from '../../dist/src/core/hosts/enrolment.js'
import { createLease, listLeases, removeLease, updateLease } from '../../dist/src/core/leases/leases.js'
import { openDatabase } from '../../dist/src/store/database.js'

const [, , spec, ...options] = process.argv
const { url, settings, seed, first, promising, leasing, expiryMs, image, regions } = JSON.parse(spec)
const isLocking = !options.includes('--no-lock')
const tell = message => process.connected && process.send(message)
// Without its parent nobody would end it.
process.once('disconnect', () => process.exit())

let state = seed
/** The same numbers for the same seed. */
function chance() {
  state = (state + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(state ^ (state >>> 15), state | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
const whole = below => Math.floor(chance() * below)
const pick = from => from[whole(from.length)]

const config = loadConfig(undefined, settings)
// What its clockwork could not do, too.
const log = pino({ level: 'warn' }, { write: line => tell({ trouble: JSON.parse(line) }) })
const database = openDatabase(url, { connections: 8, name: 'fight client', onError: () => {} })
const cloud = openCloud(config)
const made = createApp(config, database, cloud.regions, log, openProviders(config, url, log))
const unlocked = tx => ({ ...tx, ledger: { ...tx.ledger, lock: async () => {} } })
const app = {
  ...made,
  promiseRules: { ...made.promiseRules, expiryMs },
  store: isLocking
    ? made.store
    : { ...made.store, transact: work => made.store.transact(tx => work(unlocked(tx))) },
}

const second = 1000
const hour = 3600 * second
const after = ms => new Date(Date.now() + ms)
const callerOf = (projectId, roles) => ({
  userId: 'user',
  userName: 'user',
  projectId,
  projectName: '',
  roles,
  requestId: `req-${randomUUID()}`,
})

/** Some of what is: from now on, soon, or in some hours; short ones end while the fight goes on. */
function window() {
  if (whole(3) === 0) return { start: null, end: after((2 + whole(4)) * second) }
  const from = whole(2) === 0 ? null : after((1 + whole(20)) * hour)
  return { start: from, end: new Date((from ?? new Date()).getTime() + (1 + whole(12)) * hour) }
}

const amounts = () => {
  const cores = 1 + whole(12)
  return { cores, ram: cores * 8192, instances: 1 + whole(4), gigabytes: 20 * whole(4) }
}

/** Verbs are given the id of what they make, so that it is known before it is there. */
const naming = id => ({ ...app, newId: () => id })

const living = async projectId =>
  (
    await database.pool.query(
      `select id, amounts, from_at <= now() as begun from capacity_reservation
       where project_id = $1 and state = 'living' order by created_at`,
      [projectId],
    )
  ).rows
const charged = async projectId =>
  (
    await database.pool.query(
      `select id from instance where project_id = $1 and status in ('building', 'active') order by created_at`,
      [projectId],
    )
  ).rows

const promises = {
  create: (caller, { id, amounts: asked }) =>
    createCapacityReservation(naming(id), caller, {
      ...window(),
      zone: null,
      amounts: asked,
      elements: [],
      guarantee: 'aggregate',
    }),
  update: (caller, { id, amounts: asked }) =>
    updateCapacityReservation(app, caller, {
      id,
      ...(whole(2) === 0 ? { end: after((1 + whole(24)) * hour) } : {}),
      amounts: asked,
    }),
  cancel: (caller, { id }) => cancelCapacityReservation(app, caller, id),
  boot: (caller, { id, reservation }) =>
    createInstance(naming(id), caller, {
      providerId: null,
      name: 'fighting',
      image,
      flavor: 'm1.small',
      networks: [],
      reservationId: reservation,
    }),
  destroy: (caller, { id }) => destroyInstance(app, caller, id),
}

/** What a project does next: more where it has little, less where it has much. */
async function nextPromise(projectId) {
  const [reservations, instances] = [await living(projectId), await charged(projectId)]
  const begun = reservations.filter(one => one.begun)
  const name = pick(
    reservations.length > 4 ? ['cancel', 'update', 'boot'] : ['create', 'create', 'update', 'cancel', 'boot'],
  )
  if (instances.length > 1 || (instances.length > 0 && whole(3) === 0))
    return { name: 'destroy', id: pick(instances).id }
  if (name === 'boot') {
    const reservation = begun.length > 0 && whole(4) > 0 ? pick(begun).id : null
    return { name, id: randomUUID(), reservation }
  }
  if (name === 'create' || reservations.length === 0)
    return { name: 'create', id: randomUUID(), amounts: amounts() }
  const { id, amounts: has } = pick(reservations)
  return { name, id, amounts: name === 'update' ? { ...has, ...amounts() } : null }
}

const reservation = () => {
  const min = 1 + whole(2)
  return {
    kind: 'physical:host',
    min,
    max: min + whole(2),
    hypervisorProperties: '',
    resourceProperties: '',
    beforeEnd: '',
  }
}

/** Leases of this fight begin after it: their turns have tests of their own. */
function leaseWindow() {
  const startAt = new Date(Math.ceil(Date.now() / hour) * hour + (1 + whole(36)) * hour)
  return { startAt, endAt: new Date(startAt.getTime() + (6 + whole(12)) * hour) }
}

const leases = {
  'create lease': caller =>
    createLease(app, caller, {
      name: 'fighting',
      ...leaseWindow(),
      beforeEndAt: null,
      reservations: [reservation()],
      events: [],
      region: null,
    }),
  'update lease': (caller, { id }) => updateLease(app, caller, { id, ...leaseWindow() }),
  'remove lease': (caller, { id }) => removeLease(app, caller, { id, region: null }),
}

const query = { filter: {}, sort: 'created_at', descending: false, limit: null, marker: null }
async function nextLease(caller) {
  const { items } = await listLeases(app, caller, query)
  if (items.length === 0 || (items.length < 5 && whole(3) === 0)) return { name: 'create lease' }
  return { name: pick(['update lease', 'remove lease']), id: pick(items).id }
}

const operator = callerOf('admin', ['admin'])
const operations = {
  async increase(caller, { id, source, amounts: asked }) {
    const start = whole(2) === 0 ? null : after(whole(20) * hour)
    await increaseCapacity(naming(id), caller, { source, start, end: null, amounts: asked, elements: [] })
  },
  async decrease(caller, { id, source, amounts: asked, force }) {
    const end = force ? after(hour) : null
    await decreaseCapacity(naming(id), caller, {
      source,
      start: null,
      end,
      amounts: asked,
      elements: [],
      force,
    })
  },
  enrol: (caller, { host, region }) => enrolHost(app, caller, { nameOrId: host, region, capabilities: {} }),
  'remove host': (caller, { id }) => removeHost(app, caller, { id, region: null }),
  discover: (_, { region }) => discoverRegion(app, region),
}

async function nextOperation() {
  const name = pick(Object.keys(operations))
  const region = pick(regions)
  const provider = pick(await app.store.providers.list())
  const source = { id: provider.id, text: provider.id }
  const hosts = (await app.store.hosts.list(region)).filter(({ state }) => state === 'enrolled')
  if (name === 'enrol' || (name === 'remove host' && hosts.length === 0))
    return { name: 'enrol', region, host: `${region.toLowerCase()}-host${1 + whole(8)}` }
  if (name === 'remove host') return { name, id: pick(hosts).id }
  if (name === 'discover') return { name, region }
  const cores = 1 + whole(6)
  return {
    name,
    id: randomUUID(),
    source,
    amounts: { cores, ram: cores * 4096 },
    force: whole(4) === 0,
  }
}

/** One client: does one thing after another for ever. */
async function client(caller, verbs, next) {
  for (;;) {
    let [what, key] = [{ name: 'look' }, randomUUID()]
    try {
      what = await next()
      tell({ begun: key, project: caller.projectId, ...what })
      await verbs[what.name](caller, what)
      tell({ ended: key, ...what, outcome: 'done' })
    } catch (error) {
      const { code, detail = {} } = error instanceof AppError ? error : { code: 'error' }
      tell({ ended: key, ...what, outcome: code, reason: detail.reason, message: `${error.stack}` })
    }
  }
}

const clockwork = createClockwork({
  config,
  log,
  app,
  databaseUrl: url,
  metrics: { observeJob: () => {}, countSurplus: () => {} },
})
await clockwork.start()
await Promise.all([
  ...Array.from({ length: promising }, (_, n) => {
    const caller = callerOf(`project-${first + n}`, ['member'])
    return client(caller, promises, () => nextPromise(caller.projectId))
  }),
  ...Array.from({ length: leasing }, (_, n) => {
    const caller = callerOf(`lessee-${first + n}`, ['member'])
    return client(caller, leases, () => nextLease(caller))
  }),
  client(operator, operations, nextOperation),
])
