// A whole Atoll over several regions, with its clockwork running: simulated ones, or those of the lab (ATOLL_LAB).

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect } from 'vitest'
import { type CloudSpec, type Cloud as SimCloud, startCloud } from '../../sim/cloud.ts'
import { createMetrics } from '../../src/api/metrics.ts'
import { createApi, createApp, createClockwork, openCloud } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/config.ts'
import { openProviders } from '../../src/configured.ts'
import type { App } from '../../src/core/app.ts'
import type { Caller } from '../../src/core/caller.ts'
import type { Job } from '../../src/core/jobs/job.ts'
import { intentOf } from '../../src/core/network/copies/intent.ts'
import type { RegionNetworking, RegionPort } from '../../src/core/network/copies/region-rows.ts'
import { askForAll } from '../../src/core/network/watch/ask.ts'
import { type Sighting, watchRegion } from '../../src/core/network/watch/watch.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import type { SessionSettings } from '../../src/openstack/session.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import type { Clockwork } from '../../src/worker/clockwork.ts'
import { testDatabase } from '../postgres.ts'
import { logIn } from '../world.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Json = any

export interface Planet extends AsyncDisposable {
  readonly kind: 'sim' | 'lab'
  /** Null where the regions are the lab's. */
  readonly sim: SimCloud | null
  readonly config: Config
  readonly app: App
  readonly database: Database
  readonly databaseUrl: string
  /** The names of the regions that hold things. */
  readonly regions: readonly string[]
  readonly admin: Caller
  readonly demo: Caller
  /** How Atoll's own user, and the caller `demo`, get their tokens. */
  readonly logIns: Readonly<
    Record<'service' | 'demo', SessionSettings & { readonly username: string; readonly password: string }>
  >
  /** A call of any API: status and body. */
  send(
    method: string,
    url: string,
    body?: unknown,
    as?: 'admin' | 'demo',
  ): Promise<{ status: number; json: Json }>
  /** A call of the central Networking API: status and body. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    as?: 'admin' | 'demo',
  ): Promise<{ status: number; json: Json }>
  /** As `ask`, but what is not good is thrown; returns the one thing of the body. */
  call(method: string, path: string, body?: unknown, as?: 'admin' | 'demo'): Promise<Json>
  /** What is in a region, as its own Neutron says. */
  region(name: string): RegionNetworking
  startWork(): Promise<void>
  stopWork(): Promise<void>
  /** Waits until every job is done; fails with the errors of those that are not within the time. */
  settle(timeoutMs?: number): Promise<void>
  /** Does to a region what its Nova does when a server is booted on a port there; returns the port as it then is. */
  plug(region: string, portId: string): Promise<RegionPort>
  /** As `plug`, of a server that was given a network only: Nova makes the port. */
  plugInto(region: string, networkId: string, projectId: string): Promise<RegionPort>
  /** Asks for every aspect of everything that the model has in a region, as if all of it had just changed. */
  askForAll(region: Region): Promise<number>
  /** Looks at every region now, at what came and at what went: all ids are compared as well, unless that was less than so long ago. */
  look(sweepEveryMs?: number): Promise<Sighting[]>
  /** What in a region bears a mark of Atoll's. */
  marked(region: string): Promise<string[]>
}

export interface PlanetSpec {
  readonly regions?: readonly string[]
  readonly settings?: Record<string, string>
  /** What else the simulated cloud is to be like. */
  readonly sim?: Partial<CloudSpec>
}

/** Regions that hold things are those given, or in the lab those that are there. */
export async function planet({
  regions = ['Pod1', 'Pod2', 'Pod3'],
  settings = {},
  sim = {},
}: PlanetSpec = {}): Promise<Planet> {
  const closers: (() => PromiseLike<unknown>)[] = []
  const lab = process.env.ATOLL_LAB
  const place = lab ? theLab(lab) : await theSimulator(regions, sim)
  closers.unshift(place.close)
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: place.authUrl,
    ATOLL_IDENTITY_USERNAME: place.service.user,
    ATOLL_IDENTITY_PASSWORD: place.service.password,
    ATOLL_IDENTITY_PROJECT_NAME: 'service',
    ATOLL_API_USER_RATE: '0',
    ATOLL_API_PROJECT_RATE: '0',
    // The regions' own services, which listen on loopback only, may be providers.
    ATOLL_PROVIDERS_ALLOW: '["http://127.0.0.1:1-65535"]',
    ...settings,
  })
  const { url } = await testDatabase()
  const database = openDatabase(url, { connections: 10, name: 'test', onError: () => {} })
  closers.unshift(() => database.close())
  const cloud = openCloud(config)
  closers.unshift(() => cloud.close())
  const log = pino({ level: process.env.LOG ?? 'fatal' })
  const providers = openProviders(config, url, log)
  closers.unshift(() => providers.close())
  const app = createApp(config, database, cloud.regions, log, providers)
  const server = createApi({ config, log, app, identity: cloud.identity, metrics: createMetrics() })
  closers.unshift(() => server.close())
  const tokens = {
    admin: await logIn(place.authUrl, 'admin', place.password),
    demo: await logIn(place.authUrl, 'demo', place.password),
  }
  const callers = {
    admin: await callerOf(cloud.identity, tokens.admin),
    demo: await callerOf(cloud.identity, tokens.demo),
  }
  for (const [index, name] of place.regions.entries()) {
    const zone = { availabilityZone: `az${index + 1}`, localAvailabilityZone: '', dataCenter: '' }
    await createRegion(app, callers.admin, { name, ...zone })
  }
  let clockwork: Clockwork | null = null
  const made: Planet = {
    kind: lab ? 'lab' : 'sim',
    sim: place.sim,
    config,
    app,
    database,
    databaseUrl: url,
    regions: place.regions,
    ...callers,
    logIns: {
      service: logInOf(place.authUrl, place.service.user, place.service.password, 'service'),
      demo: logInOf(place.authUrl, 'demo', place.password, 'demo'),
    },
    async send(method, url, body, as = 'demo') {
      const reply = await server.inject({
        method: method as 'GET',
        url,
        headers: { 'x-auth-token': tokens[as], accept: 'application/json' },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      })
      return { status: reply.statusCode, json: reply.body === '' ? undefined : JSON.parse(reply.body) }
    },
    ask: (method, path, body, as) => made.send(method, `/network/v2.0${path}`, body, as),
    async call(method, path, body, as) {
      const { status, json } = await made.ask(method, path, body, as)
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`)
      const [key, ...more] = Object.keys(json ?? {})
      return key && more.length === 0 ? json[key] : json
    },
    region: name => app.cloud.networking(name, requestId),
    async startWork() {
      const metrics = { observeJob: () => {}, countSurplus: () => {} }
      clockwork = createClockwork({ config, log, app, databaseUrl: url, metrics })
      await clockwork.start()
    },
    async stopWork() {
      const running = clockwork
      clockwork = null
      await running?.stop()
    },
    async plug(name, portId) {
      return made.region(name).update('port', portId, await deviceIn(made.region(name)))
    },
    async plugInto(name, networkId, projectId) {
      const region = made.region(name)
      return region.create('port', { networkId, projectId, ...(await deviceIn(region)) })
    },
    askForAll: region => askForAll(app, region),
    async look(sweepEveryMs = 0) {
      const regions = (await app.store.regions.list()).filter(({ name }) => place.regions.includes(name))
      return Promise.all(regions.map(region => watchRegion(app, region, sweepEveryMs)))
    },
    settle: timeoutMs => settle(app, timeoutMs),
    marked: region => marked(made.region(region)),
    async [Symbol.asyncDispose]() {
      await made.stopWork()
      for (const close of closers) await close()
    },
  }
  return made
}

const logInOf = (authUrl: string, username: string, password: string, projectName: string) => ({
  authUrl,
  username,
  password,
  projectName,
})

/** What a server's port has of its server. */
async function deviceIn(region: RegionNetworking) {
  const agents = await region.list('agent', { where: { agentType: 'Open vSwitch agent' } })
  const host = agents.find(agent => /compute/.test(agent.host))!.host
  return { deviceId: randomUUID(), deviceOwner: 'compute:nova', hostId: host }
}

function theLab(folder: string) {
  const endpoints = JSON.parse(readFileSync(join(folder, 'etc/endpoints.json'), 'utf8'))
  const regions = endpoints.regions as Record<string, Record<string, string>>
  return {
    sim: null,
    authUrl: endpoints.keystone as string,
    service: { user: 'product', password: 'secret' },
    password: 'secret',
    regions: Object.keys(regions).filter(name => regions[name]?.network),
    close: async () => {},
  }
}

async function theSimulator(names: readonly string[], spec: Partial<CloudSpec>) {
  const sim = await startCloud({
    regions: ['CentralRegion', ...names],
    atoll: { url: 'http://127.0.0.1:19999', region: 'CentralRegion' },
    ...spec,
  })
  return {
    sim,
    authUrl: sim.authUrl,
    service: { user: 'atoll', password: 'atoll' },
    password: 'atoll',
    regions: names,
    close: () => sim.close(),
  }
}

const requestId = 'req-00000000-0000-4000-8000-000000000000'

type Identity = ReturnType<typeof openCloud>['identity']

async function callerOf(identity: Identity, token: string): Promise<Caller> {
  const facts = await identity.validate(token, { allowExpired: false, requestId })
  if (!facts) throw new Error('the token is not valid')
  return { ...facts, requestId }
}

async function settle(app: App, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const open = await openJobs(app)
    if (open.length === 0) return
    if (Date.now() > deadline) {
      expect.fail(
        open
          .map(({ type, region, status, lastError }) => `${type} ${region} ${status}: ${lastError}`)
          .join('\n'),
      )
    }
    await sleep(50)
  }
}

/** By one question: a job that began between two of them would be in neither answer. */
async function openJobs(app: App): Promise<Job[]> {
  const jobs = await app.store.jobs.list({}, { limit: 1000, marker: null })
  return (jobs ?? []).filter(({ status }) => status !== 'SUCCESS')
}

const kinds = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'address_group',
] as const

async function marked(region: RegionNetworking): Promise<string[]> {
  const lists = await Promise.all(
    kinds.map(async kind => {
      const rows = await region.list(kind, { fields: ['id', 'description'] as never })
      return (rows as unknown as { id: string; description: string | null }[])
        .filter(row => intentOf(row.description) !== null)
        .map(row => `${kind} ${row.id}`)
    }),
  )
  return lists.flat()
}
