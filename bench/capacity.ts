// Promises of capacity: how the time to make one, and to ask what is available, grows with the reservations that live; of
// an operator with a provider in each of thirty regions, and of one provider that has them all.

import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { startCloud } from '../sim/cloud.ts'
import { createMetrics } from '../src/api/metrics.ts'
import { createApi, createApp, openCloud } from '../src/compose.ts'
import { loadConfig } from '../src/config.ts'
import type { Caller } from '../src/core/caller.ts'
import { createCapacityReservation } from '../src/core/capacity/capacity-reservations.ts'
import { type CapacityQuery, queryCapacity } from '../src/core/capacity/query.ts'
import type { App, Store } from '../src/core/ports.ts'
import { openDatabase } from '../src/store/database.ts'
import { fill, type Size } from './capacity-fill.ts'
import { type Ground, openGround } from './ground.ts'
import { countStatements } from './ledger.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { statementsOf, type Touched, touchedBy } from './routings.ts'

const options = {
  small: { type: 'string', default: '10000' },
  large: { type: 'string', default: '1000000' },
  /** Shapes: how many providers the reservations are of. */
  providers: { type: 'string', default: '30,1' },
  rounds: { type: 'string', default: '9' },
  /** How often each question is asked in a round. */
  times: { type: 'string', default: '6' },
} as const

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const yearDays = 365

/** Where the reservations are few or none: long after the last of them. */
const emptyDays = 600

interface Place {
  readonly size: Size
  readonly url: string
  /** The first day with reservations. */
  readonly start: Date
  readonly app: App
  readonly caller: Caller
  readonly server: FastifyInstance
  readonly headers: Record<string, string>
  statements(): number
}

interface Question {
  readonly name: string
  /** Asked the n-th time, over the API; what comes back is looked at. */
  ask(place: Place, n: number): Promise<void>
  /** The same as its verb: what it changes is undone. */
  verb(app: App, place: Place): Promise<unknown>
}

/** Returns for each shape the time of each question at both sizes, its growth, and what it touches. */
export async function capacity(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options })
  const settings = { rounds: Number(values.rounds), times: Number(values.times) }
  const shapes: object[] = []
  for (const providers of values.providers.split(',').map(Number)) {
    await using ground = await openGround()
    const open = await opening(ground)
    const small = await open({ providers, reservations: Number(values.small) })
    const large = await open({ providers, reservations: Number(values.large) })
    shapes.push({ providers, ...(await measureAll(small, large, settings)) })
  }
  return { small: Number(values.small), large: Number(values.large), ...settings, shapes }
}

/** Opens Atoll's API in this process over a database that is filled first. */
async function opening(ground: Ground): Promise<(size: Size) => Promise<Place>> {
  const cloud = await startCloud({ regions: ['CentralRegion'] })
  ground.defer(() => cloud.close())
  const { keystone, authUrl } = cloud
  const projectId = keystone.projectId('admin')
  const userId = keystone.userId('admin')
  const headers = { 'x-auth-token': keystone.issue(userId, projectId), accept: 'application/json' }
  const requestId = 'req-bench'
  const caller = { userId, userName: 'admin', projectId, projectName: 'admin', roles: ['admin'], requestId }
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
  })
  const log = pino({ level: 'silent' })
  return async size => {
    const url = await ground.database(`reservations_${size.reservations}`)
    const startedAt = Date.now()
    const start = await fill(url, size, projectId)
    const seconds = rounded((Date.now() - startedAt) / 1000, 1)
    console.log(`${nameOf(size)} appended in ${seconds} s`)
    const ports = openCloud(config)
    ground.defer(() => ports.close())
    const database = openDatabase(url, { connections: 4, name: 'bench', onError: () => {} })
    ground.defer(() => database.close())
    const statements = countStatements(database)
    const app = createApp(config, database, ports.regions, log)
    const server = createApi({ config, log, app, identity: ports.identity, metrics: createMetrics() })
    ground.defer(() => server.close())
    return { size, url, start, app, caller, server, headers, statements }
  }
}

const nameOf = ({ providers, reservations }: Size): string =>
  `${reservations} reservations of ${providers} ${providers === 1 ? 'provider' : 'providers'}`

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes are looked into
async function post(place: Place, operation: string, payload: object): Promise<any> {
  const { server, headers } = place
  const reply = await server.inject({ method: 'POST', url: `/promise/${operation}`, headers, payload })
  if (reply.statusCode !== 200) throw new Error(`${operation}: ${reply.statusCode} ${reply.body}`)
  return JSON.parse(reply.body)
}

/** The same hour of the year for both sizes, another one each time. */
const hourOf = (n: number): number => (n * 2_654_435_761) % ((yearDays - 3) * 24)

const windowFrom = ({ start }: Place, n: number, days: number) => {
  const from = new Date(start.getTime() + hourOf(n) * hourMs)
  return { start: from, end: new Date(from.getTime() + days * dayMs) }
}

const amounts = { cores: 4, ram: 8192, instances: 2 }

class Undone extends Error {}

/** What it does is undone when it has asked for its turn, which is the last of it. */
const undoing = (store: Store): Store => ({
  ...store,
  transact: work =>
    store.transact(tx =>
      work({
        ...tx,
        turns: {
          ...tx.turns,
          async ask(asks) {
            await tx.turns.ask(asks)
            throw new Undone()
          },
        },
      }),
    ),
})

const create: Question = {
  name: 'create a reservation of 3 days',
  async ask(place, n) {
    const { result } = await post(place, 'create-reservation', {
      ...windowFrom(place, n, 3),
      capacity: amounts,
    })
    if (result !== 'ok') throw new Error(`it was answered with ${result}`)
  },
  verb: (app, place) =>
    createCapacityReservation({ ...app, store: undoing(app.store) }, place.caller, {
      ...windowFrom(place, 0, 3),
      zone: null,
      amounts,
      elements: [],
      guarantee: 'aggregate',
    }).catch(error => {
      if (!(error instanceof Undone)) throw error
    }),
}

interface Query {
  readonly metric: 'available' | 'reserved'
  readonly days: number
  readonly points: number
  readonly limit: number
  /** How many it is to list at least. */
  readonly listed: number
  /** In days from the beginning; an hour of the year unless told. */
  readonly fromDay?: number
}

function query(name: string, { metric, days, points, limit, listed, fromDay }: Query): Question {
  const operation = metric === 'available' ? 'query-capacity' : 'query-reservation'
  const windowOf = (place: Place, n: number) => {
    if (fromDay === undefined) return windowFrom(place, n, days)
    const from = place.start.getTime() + fromDay * dayMs
    return { start: new Date(from), end: new Date(from + days * dayMs) }
  }
  return {
    name,
    async ask(place, n) {
      const { collections, reservations, utilization } = await post(place, operation, {
        window: windowOf(place, n),
        points,
        limit,
      })
      const found = (collections ?? reservations).length
      if (found < listed || utilization.length === 0 || utilization.length > points)
        throw new Error(`${name}: ${found} listed, ${utilization.length} points`)
    },
    verb: (app, place) => {
      const { start: from, end: to } = windowOf(place, 0)
      const all = {
        zone: null,
        providerId: null,
        without: [],
        some: [],
        every: [],
        marker: null,
        flavor: null,
      }
      const ask: CapacityQuery = {
        ...all,
        metric,
        from,
        to,
        inside: false,
        showUtilization: true,
        points,
        limit,
      }
      return queryCapacity(app, place.caller, ask)
    },
  }
}

const questions: readonly Question[] = [
  create,
  query('what is available over a year, 1000 points', {
    metric: 'available',
    days: yearDays,
    points: 1000,
    limit: 100,
    listed: 1,
    fromDay: 0,
  }),
  query('what is available over a day, 1000 points', {
    metric: 'available',
    days: 1,
    points: 1000,
    limit: 100,
    listed: 1,
  }),
  query('100 reservations of a week, and what they hold', {
    metric: 'reserved',
    days: 7,
    points: 1000,
    limit: 100,
    listed: 100,
  }),
  query('the same of a week that has none', {
    metric: 'reserved',
    days: 7,
    points: 1000,
    limit: 100,
    listed: 0,
    fromDay: emptyDays,
  }),
]

interface Settings {
  readonly rounds: number
  readonly times: number
}

/** Of one size. */
interface Exact extends Touched {
  readonly statements: number
}

interface Figure {
  readonly question: string
  readonly smallMs: number
  readonly largeMs: number
  readonly growth: number
  readonly small: Exact
  readonly large: Exact
}

async function measureAll(small: Place, large: Place, settings: Settings): Promise<object> {
  const figures: Figure[] = []
  for (const question of questions) {
    const figure = await measure(question, small, large, settings)
    console.error(`  ${figure.question}: ${figure.smallMs} and ${figure.largeMs} ms`)
    figures.push(figure)
  }
  printTable(
    `Milliseconds at ${nameOf(small.size)} and at ${large.size.reservations}, median of ${settings.rounds} rounds in turns`,
    ['', 'small', 'large', 'growth', 'statements', 'rows, small', 'large', 'buffers, small', 'large'],
    figures.map(one => [
      one.question,
      one.smallMs,
      one.largeMs,
      one.growth,
      one.large.statements,
      one.small.rows,
      one.large.rows,
      one.small.buffers,
      one.large.buffers,
    ]),
  )
  return { figures }
}

/** Two rounds warm up. */
const warmUps = 2

async function measure(
  question: Question,
  small: Place,
  large: Place,
  { rounds, times }: Settings,
): Promise<Figure> {
  const timed = (place: Place) => {
    let round = 0
    return () => medianTime(question, place, round++ * times, times)
  }
  const counted = (await inTurns(rounds + warmUps, timed(small), timed(large))).slice(warmUps)
  return {
    question: question.name,
    smallMs: rounded(median(counted.map(([one]) => one))),
    largeMs: rounded(median(counted.map(([, other]) => other))),
    growth: rounded(median(counted.map(([one, other]) => other / one))),
    small: await exactly(question, small),
    large: await exactly(question, large),
  }
}

/** Of so many askings, beginning with the given number. */
async function medianTime(question: Question, place: Place, first: number, times: number): Promise<number> {
  const spent: number[] = []
  for (let n = first; n < first + times; n++) {
    const startedAt = performance.now()
    await question.ask(place, n)
    spent.push(performance.now() - startedAt)
  }
  return median(spent)
}

/** How many statements a request sends, `begin` and `commit` among them, and what they touch. */
async function exactly(question: Question, place: Place): Promise<Exact> {
  const before = place.statements()
  await question.ask(place, 0)
  const statements = place.statements() - before
  const sent = await statementsOf(place.url, store => question.verb({ ...place.app, store }, place))
  return { statements, ...(await touchedBy(place.url, sent, { together: true })) }
}
