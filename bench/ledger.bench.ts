// The ledger's questions: how their time grows from a thousand hosts with ten thousand holds to ten thousand hosts with a
// million, and how far the original is behind at the smaller size.

import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { startCloud } from '../sim/cloud.ts'
import { createMetrics } from '../src/api/metrics.ts'
import { createApi, createApp, openCloud } from '../src/compose.ts'
import { loadConfig } from '../src/config/config.ts'
import type { App } from '../src/core/app.ts'
import { ownCaller } from '../src/core/caller.ts'
import { listSlots } from '../src/core/capacity/questions.ts'
import { openDatabase } from '../src/store/database.ts'
import { defineBenchmark } from './benchmark.ts'
import type { Ground as Base } from './ground.ts'
import { fill, type Size } from './ledger-fill.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { buffersOf, countStatements, statementsOf } from './routings.ts'

const options = {
  small: { usual: '1000,10000', smallest: '200,500' },
  large: { usual: '10000,1000000', smallest: '300,1000' },
  /** How many leases a page has, and how many hosts of one region a slot is looked for. */
  page: { usual: '100', smallest: '10' },
  wanted: { usual: '100', smallest: '10' },
  rounds: { usual: '9', smallest: '1' },
  /** How often each question is asked in a round. */
  times: { usual: '8', smallest: '1' },
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const yearDays = 365

/** What was measured of the original, at the smaller of the usual sizes, in milliseconds. */
const original = { create: 5900, page: 6000, hosts: 3000 }
const unknown = { create: null, page: null, hosts: null }
const originalStatements = 8050

interface Place {
  readonly size: Size
  readonly url: string
  /** The first day with leases. */
  readonly start: Date
  readonly app: App
  readonly server: FastifyInstance
  readonly headers: Record<string, string>
  /** A lease in the middle of the list. */
  readonly middle: string
  /** How many statements it has sent so far, `begin` and `commit` among them. */
  statements(): number
}

/** Asked the n-th time; what comes back is looked at. */
type Question = (place: Place, n: number) => Promise<void>

/** Returns for each question its time at both sizes, its growth, and the original's factor. */
export const benchmark = defineBenchmark(options, async (values, open) => {
  const sizes = [values.small, values.large].map(text => {
    const [hosts = 0, holds = 0] = text.split(',').map(Number)
    return { hosts, holds }
  })
  const settings = {
    page: Number(values.page),
    wanted: Number(values.wanted),
    rounds: Number(values.rounds),
    times: Number(values.times),
  }
  await using ground = await prepare(await open(), sizes as [Size, Size])
  const figures = await measureAll(ground, settings)
  return { sizes, ...settings, ...figures }
})

interface Ground extends AsyncDisposable {
  readonly small: Place
  readonly large: Place
}

async function prepare(base: Base, [smallSize, largeSize]: [Size, Size]): Promise<Ground> {
  const close = () => base[Symbol.asyncDispose]()
  try {
    const cloud = await startCloud({ regions: ['CentralRegion'] })
    base.defer(() => cloud.close())
    const { keystone, authUrl } = cloud
    const projectId = keystone.projectId('admin')
    const token = keystone.issue(keystone.userId('admin'), projectId)
    const place = async (size: Size): Promise<Place> => {
      const url = await base.database(`hosts_${size.hosts}`)
      const startedAt = Date.now()
      const start = await fill(url, size, projectId)
      const seconds = rounded((Date.now() - startedAt) / 1000, 1)
      console.log(`${size.hosts} hosts and ${size.holds} holds appended in ${seconds} s`)
      return open({ size, url, start, token, authUrl, base })
    }
    return { small: await place(smallSize), large: await place(largeSize), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Opening extends Pick<Place, 'size' | 'url' | 'start'> {
  readonly token: string
  readonly authUrl: string
  readonly base: Base
}

/** Atoll's API over a database, in this process. */
async function open({ size, url, start, token, authUrl, base }: Opening): Promise<Place> {
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
  })
  const log = pino({ level: 'silent' })
  const ports = openCloud(config)
  base.defer(() => ports.close())
  const database = openDatabase(url, { connections: 4, name: 'bench', onError: () => {} })
  base.defer(() => database.close())
  const statements = countStatements(database)
  const app = createApp(config, database, ports.regions, log)
  const server = createApi({ config, log, app, identity: ports.identity, metrics: createMetrics() })
  base.defer(() => server.close())
  const { rows } = await database.pool.query<{ id: string }>(
    'select id from lease order by created_at, id offset (select count(*) / 2 from lease) limit 1',
  )
  const headers = { 'x-auth-token': token, accept: 'application/json' }
  return { size, url, start, app, server, headers, middle: rows[0]!.id, statements }
}

async function ask(place: Place, method: 'GET' | 'POST', path: string, body?: object): Promise<string> {
  const { server, headers } = place
  const reply = await server.inject({
    method,
    url: `/reservation/v1${path}`,
    headers,
    ...(body === undefined ? {} : { payload: body }),
  })
  if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode} ${reply.body}`)
  return reply.body
}

/** A search for hosts of one region that are free at once. */
interface Slot {
  readonly wanted: number
  readonly days: number
}

/** The same hour of the year for both sizes, another one each time. */
const hourOf = (n: number): number => (n * 2_654_435_761) % ((yearDays - 3) * 24)

const dateText = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ')

const create: Question = async (place, n) => {
  const from = place.start.getTime() + hourOf(n) * hourMs
  await ask(place, 'POST', '/leases', {
    name: `lease-${n}`,
    start_date: dateText(new Date(from)),
    end_date: dateText(new Date(from + 3 * dayMs)),
    reservations: [
      {
        resource_type: 'physical:host',
        min: 10,
        max: 10,
        hypervisor_properties: '',
        resource_properties: '',
      },
    ],
    events: [],
  })
}

const page =
  (limit: number): Question =>
  async place => {
    const { leases } = JSON.parse(await ask(place, 'GET', `/leases?limit=${limit}&marker=${place.middle}`))
    if (leases.length !== limit) throw new Error(`a page has ${leases.length} leases`)
  }

const hosts: Question = async place => {
  const found = JSON.parse(await ask(place, 'GET', '/os-hosts'))
  if (found.hosts.length !== place.size.hosts) throw new Error(`a list has ${found.hosts.length} hosts`)
}

const searchFrom = (place: Place, n: number, { wanted, days }: Slot) => {
  const notBefore = new Date(place.start.getTime() + (n % 30) * dayMs)
  return {
    filter: { op: 'all' },
    hosts: wanted,
    lengthMs: days * dayMs,
    notBefore,
    notAfter: new Date(notBefore.getTime() + yearDays * dayMs),
    region: null,
  } as const
}

const slotFor =
  (slot: Slot): Question =>
  async (place, n) =>
    void (await listSlots(place.app, ownCaller('req-bench'), { ...searchFrom(place, n, slot), limit: 1 }))

interface Figure {
  readonly question: string
  readonly smallMs: number
  readonly largeMs: number | null
  readonly growth: number | null
  readonly originalMs: number | null
  /** How often the original's time is ours, at the smaller size. */
  readonly factor: number | null
}

interface Settings {
  readonly page: number
  readonly wanted: number
  readonly rounds: number
  readonly times: number
}

async function measureAll({ small, large }: Ground, settings: Settings): Promise<object> {
  const compare = (name: string, question: Question, originalMs: number | null = null): Promise<Figure> =>
    measure({ name, question, originalMs }, [small, large], settings)
  const { wanted } = settings
  const slot = { wanted, days: 7 }
  const known = Object.values(small.size).join() === options.small.usual ? original : unknown
  const figures = [
    await compare('create a lease of 10 hosts', create, known.create),
    await compare(`a page of ${settings.page} leases`, page(settings.page), known.page),
    await compare(`earliest slot of ${wanted} hosts for 7 days`, slotFor(slot)),
    await compare('the same for 30 days, where there may be none', slotFor({ wanted, days: 30 })),
    await measure({ name: 'all hosts', question: hosts, originalMs: known.hosts }, [small], settings),
  ]
  const before = large.statements()
  await create(large, 0)
  const statements = large.statements() - before
  const slotBuffers = [await searchBuffers(small, slot), await searchBuffers(large, slot)]
  printTable(
    `Milliseconds at ${nameOf(small)} and at ${nameOf(large)}, median of ${settings.rounds} rounds in turns`,
    ['', 'small', 'large', 'growth', 'original, small', 'factor'],
    figures.map(({ question, smallMs, ...others }) => [
      question,
      smallMs,
      ...Object.values(others).map(value => value ?? '-'),
    ]),
  )
  console.log(`  A lease is created by ${statements} statements; the original needs ${originalStatements}.`)
  console.log(`  The search for the slot of 7 days touches ${slotBuffers.join(' and ')} buffers.`)
  return { figures, statements, originalStatements, slotBuffers }
}

interface Asked {
  readonly name: string
  readonly question: Question
  readonly originalMs: number | null
}

/** Two rounds warm up. */
const warmUps = 2

async function measure(
  { name, question, originalMs }: Asked,
  [small, large]: readonly [Place, Place?],
  { rounds, times }: Settings,
): Promise<Figure> {
  const timed = (place: Place) => {
    let round = 0
    return () => medianTime(question, place, round++ * times, times)
  }
  const other = large ? timed(large) : async () => 0
  const counted = (await inTurns(rounds + warmUps, timed(small), other)).slice(warmUps)
  const smallMs = median(counted.map(([one]) => one))
  return {
    question: name,
    smallMs: rounded(smallMs),
    largeMs: large ? rounded(median(counted.map(([, other]) => other))) : null,
    growth: large ? rounded(median(counted.map(([one, other]) => other / one))) : null,
    originalMs,
    factor: originalMs && Math.round(originalMs / smallMs),
  }
}

/** Of so many askings, beginning with the given number. */
async function medianTime(question: Question, place: Place, first: number, times: number): Promise<number> {
  const spent: number[] = []
  for (let n = first; n < first + times; n++) {
    const startedAt = performance.now()
    await question(place, n)
    spent.push(performance.now() - startedAt)
  }
  return median(spent)
}

const nameOf = ({ size }: Place): string => `${size.hosts} hosts with ${size.holds} holds`

/** What the search for the slot reads. */
async function searchBuffers(place: Place, slot: Slot): Promise<number> {
  const search = searchFrom(place, 0, slot)
  return buffersOf(place.url, await statementsOf(place.url, store => store.capacity.earliestHosts(search)))
}
