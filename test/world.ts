// A world for one test: a whole Atoll, and all that it runs on.
//
//     await using w = await world({ regions: ['Pod1', 'Pod2'], hosts: 2, workers: true })
//     const network = await w.demo.make('network', { name: 'n1' })
//
// A *world* is a cloud, a database of its own and Atoll's API in this process. Its *regions* are simulated, or those of
// the lab where the world may be there (`lab`); they have joined Atoll if that is asked for (`joined`), and then hosts of
// them may be enrolled (`hosts`). Its *persons*, admin and demo, are callers for the verbs of core and *call* the API
// (`w.demo.get`, `w.call`). *Workers* are one clockwork in this process, as a process with workers has it. Of further
// processes (`w.process`) and sockets (`w.listen`) there may be any number. All of it ends with the world.
// What is said of one thing in a few words (a lease, a promise) is a function of a world: in test/world, or in its folder.

import { randomUUID } from 'node:crypto'
import { type Logger, pino } from 'pino'
import { afterAll } from 'vitest'
import type { Cloud } from '../sim/cloud.ts'
import type { NeutronService } from '../sim/neutron/service.ts'
import type { NovaService } from '../sim/nova/service.ts'
import { createClockwork } from '../src/compose.ts'
import type { Config } from '../src/config/config.ts'
import type { App } from '../src/core/app.ts'
import type { Caller } from '../src/core/caller.ts'
import { enrolHost } from '../src/core/hosts/enrolment.ts'
import type { Host } from '../src/core/hosts/host.ts'
import type { RegionNetworking } from '../src/core/network/copies/region-rows.ts'
import type { Region } from '../src/core/regions/region.ts'
import { createRegion } from '../src/core/regions/regions.ts'
import type { RegionClient } from '../src/openstack/region.ts'
import type { Database } from '../src/store/database.ts'
import { createStore } from '../src/store/store.ts'
import type { Clockwork } from '../src/worker/clockwork.ts'
import { until } from './wait.ts'
import {
  apiOf,
  callOf,
  loggerOf,
  type Open,
  openParts,
  type Parts,
  type PartsSpec,
  type TokenOf,
  tokensOf,
} from './world/parts.ts'
import { type Call, newcomer, type Person, personOf } from './world/person.ts'
import { central, type LogIn, logIn, type Place, requestId } from './world/place.ts'
import { type Process, startProcess } from './world/serving.ts'
import { type Served, socketOf } from './world/socket.ts'

export type { Ask, Json, Person, Reply } from './world/person.ts'
export type { Process } from './world/serving.ts'
export type { Served } from './world/socket.ts'
export { logIn, requestId }

export interface WorldSpec extends PartsSpec {
  /** The regions have joined Atoll, the central one too, each as an availability zone: az1, az2, … */
  joined?: boolean
  /** So many hosts of each region are enrolled; the regions have joined, then. */
  hosts?: number
  /** The workers have begun. */
  workers?: boolean
}

export interface ListenSpec {
  app?: App
  database?: Database
  requestMs?: number
}

export interface World extends AsyncDisposable {
  readonly kind: Place['kind']
  /** What Atoll is told here, by environment variable: for programs that a test starts. */
  readonly settings: Readonly<Record<string, string>>
  readonly config: Config
  readonly app: App
  /** The simulated cloud: there is none in the lab. */
  readonly cloud: Cloud
  readonly database: Database
  readonly databaseUrl: string
  /** Atoll's own session, catalog and regions. */
  readonly openstack: Parts['openstack']
  /** Begins the names of what is made where others may be too. */
  readonly prefix: string
  /** By name, those that hold things; as the store has them, once they have joined. */
  readonly regions: readonly string[]
  readonly joined: readonly Region[]
  readonly hosts: readonly Host[]
  readonly admin: Person
  readonly demo: Person
  readonly log: Logger
  /** What it has been told, newest last. */
  readonly logLines: Record<string, unknown>[]
  /** Somebody else, with these roles in a project of the same name: of a simulated cloud. */
  person(name: string, roles: readonly string[]): Person
  call: Call
  /** As `call`, of an API in this process that is made of other parts. */
  over(app: App): Call
  token(user: 'admin' | 'demo'): Promise<string>
  logIn(user: 'service' | 'admin' | 'demo'): LogIn
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  /** What the clock says from now on; null for the time that it is. */
  setTime(at: Date | null): void
  /** What is in a region, as its own Neutron says. */
  region(name: string): RegionNetworking
  /** A region's services as src/openstack calls them; the first region's unless told. */
  services(region?: string): RegionClient
  /** Whether a region has services of these types, the first unless told: the lab may run without Nova. */
  has(types: readonly string[], region?: string): Promise<boolean>
  /** Is done before the world ends, the latest first. */
  after(undo: () => PromiseLike<unknown>): void
  /** A region's simulated Nova and Neutron, from behind. */
  nova(region: string): NovaService
  neutron(region: string): NeutronService
  /** Waits until every job is done. */
  settle(): Promise<void>
  startWork(): Promise<void>
  /** As a process that ends, which gives its turns so long. */
  stopWork(graceMs?: number): Promise<void>
  /** The same Atoll behind a socket; over other parts where they are given. */
  listen(spec?: ListenSpec): Promise<Served>
  /** A further process; `planted` is a program that it runs before its own. */
  process(planted?: string): Promise<Process>
}

type Closers = (() => PromiseLike<unknown>)[]

/** What was opened is closed when a later part fails. */
export async function world(spec: WorldSpec = {}): Promise<World> {
  const closers: Closers = []
  try {
    return await build(spec, closers)
  } catch (error) {
    for (const close of closers) await close()
    throw error
  }
}

/** A world for all tests of a file, which ends after them. */
export async function fileWorld(spec: WorldSpec = {}): Promise<World> {
  const w = await world(spec)
  afterAll(() => w[Symbol.asyncDispose]())
  return w
}

async function build(spec: WorldSpec, closers: Closers): Promise<World> {
  const open: Open = (part, close) => {
    closers.unshift(() => close(part))
    return part
  }
  const parts = await openParts(spec, open)
  const { place, settings, app, config, database, databaseUrl, log, clock } = parts
  const tokenOf = tokensOf(place)
  const over = (other: App): Call => {
    // Made when it is first asked: many a world is used without its API, which takes longest to make.
    let call: Call | null = null
    const made = () => open(apiOf(parts, { app: other, database, log }), it => it.close())
    return (...ask) => {
      call ??= callOf(made(), tokenOf)
      return call(...ask)
    }
  }
  const call = over(app)
  const undone: Closers = []
  let clockwork: Clockwork | null = null
  const person = async (name: 'admin' | 'demo') => personOf(call, await callerOf(name, parts, tokenOf), name)
  const w: Omit<World, 'joined' | 'hosts'> = {
    ...parts,
    kind: place.kind,
    cloud: place.sim as Cloud,
    prefix: `world-${randomUUID().slice(0, 8)}`,
    regions: place.regions,
    admin: await person('admin'),
    demo: await person('demo'),
    person: (name, roles) => {
      const { userId, projectId, token } = newcomer(place.sim!, name, roles)
      return personOf(
        call,
        { ...w.demo, userId, userName: name, projectId, projectName: name, roles },
        { token },
      )
    },
    call,
    over,
    token: async user => (await tokenOf(user))!,
    logIn: place.logIn,
    query: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await database.pool.query<Row>(text, values)).rows,
    setTime(at) {
      clock.time = at
    },
    region: name => app.cloud.networking(name, requestId),
    services: (region = place.regions[0]!) => parts.openstack.regions.region(region, { requestId }),
    async has(types, region = place.regions[0]!) {
      const there = await parts.openstack.catalog.endpoints(requestId)
      const has = (type: string) => there.some(one => one.serviceType === type && one.region === region)
      const isThere = types.every(has)
      if (!isThere)
        console.warn(`NOT RUN: in the ${place.kind}, ${region} has not all of ${types.join(', ')}`)
      return isThere
    },
    after: undo => void undone.unshift(undo),
    nova: region => place.sim!.novas.get(region)!,
    neutron: region => place.sim!.neutrons.get(region)!,
    settle: () => settle(app),
    async startWork() {
      const metrics = { observeJob: () => {}, countSurplus: () => {} }
      clockwork = createClockwork({ config, app, databaseUrl, metrics, log: pino({ level: 'fatal' }) })
      await clockwork.start()
    },
    async stopWork(graceMs = 5_000) {
      const running = clockwork
      clockwork = null
      await running?.stop(graceMs)
    },
    async listen({ database: other = database, requestMs, app: given } = {}) {
      const logLines: World['logLines'] = []
      const made = given ?? (other === database ? app : { ...app, store: createStore(other.db) })
      const told = { app: made, database: other, log: loggerOf(logLines) }
      const served = open(apiOf(parts, told, requestMs), it => it.close())
      await served.listen({ host: '127.0.0.1', port: 0 })
      const { port } = served.server.address() as { port: number }
      return { ...socketOf(port), logLines, [Symbol.asyncDispose]: () => served.close() }
    },
    async process(planted) {
      return open(await startProcess({ settings, planted, tokenOf }), it => it.kill())
    },
    async [Symbol.asyncDispose]() {
      for (const undo of undone.splice(0)) await undo()
      await w.stopWork(500)
      for (const close of closers.splice(0)) await close()
    },
  }
  const whole = Object.assign(w, await populate(w, spec))
  if (spec.workers) await w.startWork()
  return whole
}

/** Of the simulator it is known without asking, so that a test may count who asks. */
async function callerOf(
  name: 'admin' | 'demo',
  { place: { sim }, openstack: { identity } }: Parts,
  tokenOf: TokenOf,
): Promise<Caller> {
  if (sim) {
    const [userId, projectId] = [sim.keystone.userId(name), sim.keystone.projectId(name)]
    const roles = [name === 'admin' ? 'admin' : 'member']
    return { userId, userName: name, projectId, projectName: name, roles, requestId }
  }
  const facts = await identity.validate((await tokenOf(name))!, { allowExpired: false, requestId })
  if (!facts) throw new Error('the token is not valid')
  return { ...facts, requestId }
}

/** By one question at a time: a job that began between two would be in neither answer. */
async function settle({ store }: App): Promise<void> {
  const open = async (): Promise<string[]> => {
    const jobs = (await store.jobs.list({}, { limit: 1000, marker: null })) ?? []
    const left = jobs.filter(({ status }) => status !== 'SUCCESS')
    return left.map(({ type, region, status, lastError }) => `${type} ${region} ${status}: ${lastError}`)
  }
  await until(async () => (await open()).length === 0, { what: 'all jobs are done', seen: open })
}

/** Has the regions join and enrols their hosts, where that is asked for. */
async function populate(
  { app, admin, cloud, regions, kind }: Omit<World, 'joined' | 'hosts'>,
  { hosts: count = 0, joined: isAsked = count > 0 }: WorldSpec,
): Promise<Pick<World, 'joined' | 'hosts'>> {
  const [joined, hosts]: [Region[], Host[]] = [[], []]
  if (!isAsked) return { joined, hosts }
  const join = (name: string, availabilityZone: string) =>
    createRegion(app, admin, { name, availabilityZone, localAvailabilityZone: '', dataCenter: '' })
  if (kind === 'sim') await join(central, '')
  for (const [index, name] of regions.entries()) {
    joined.push(await join(name, `az${index + 1}`))
    for (const host of cloud?.novas.get(name)?.hosts().slice(0, count) ?? [])
      hosts.push(await enrolHost(app, admin, { nameOrId: host.name, region: name, capabilities: {} }))
  }
  return { joined, hosts }
}
