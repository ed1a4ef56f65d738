// Promises of capacity: how the time to make one, and to ask what is available, grows with the reservations that live; of
// an operator with a provider in each of thirty regions, and of one provider that has them all.

import { pino } from 'pino'
import { startCloud } from '../sim/cloud.ts'
import { createMetrics } from '../src/api/metrics.ts'
import { createApi, createApp, openCloud } from '../src/compose.ts'
import { loadConfig } from '../src/config/config.ts'
import { openDatabase } from '../src/store/database.ts'
import { defineBenchmark } from './benchmark.ts'
import { fill, type Size } from './capacity-fill.ts'
import { type Place, type Question, questionsOf } from './capacity-questions.ts'
import type { Ground } from './ground.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { countStatements, statementsOf, type Touched, touchedBy } from './routings.ts'

const options = {
  small: { usual: '10000', smallest: '1000' },
  large: { usual: '1000000', smallest: '1500' },
  /** Shapes: how many providers the reservations are of. */
  providers: { usual: '30,1', smallest: '2' },
  /** How many reservations a list is asked for, and has. */
  page: { usual: '100', smallest: '2' },
  rounds: { usual: '9', smallest: '1' },
  /** How often each question is asked in a round. */
  times: { usual: '6', smallest: '1' },
}

/** Returns for each shape the time of each question at both sizes, its growth, and what it touches. */
export const benchmark = defineBenchmark(options, async (values, openGround) => {
  const settings = {
    page: Number(values.page),
    rounds: Number(values.rounds),
    times: Number(values.times),
  }
  const shapes: object[] = []
  for (const providers of values.providers.split(',').map(Number)) {
    await using ground = await openGround()
    const open = await opening(ground)
    const small = await open({ providers, reservations: Number(values.small) })
    const large = await open({ providers, reservations: Number(values.large) })
    shapes.push({ providers, ...(await measureAll(small, large, settings)) })
  }
  return { small: Number(values.small), large: Number(values.large), ...settings, shapes }
})

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

interface Settings {
  readonly page: number
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
  for (const question of questionsOf(settings.page)) {
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
