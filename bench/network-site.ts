// Atoll over simulated regions, in this process: its API, and a clockwork that does jobs and nothing else, so that every
// call to a region is one that somebody's request has led to.

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { type Cloud, startCloud } from '../sim/cloud.ts'
import { createMetrics } from '../src/api/metrics.ts'
import { createApi, createApp, openCloud } from '../src/compose.ts'
import { loadConfig } from '../src/config/config.ts'
import type { App } from '../src/core/app.ts'
import { ownCaller } from '../src/core/caller.ts'
import type { Job } from '../src/core/jobs/job.ts'
import { createRegion } from '../src/core/regions/regions.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { enlist } from '../src/store/turns.ts'
import { createBreakers } from '../src/worker/breakers.ts'
import { Clockwork } from '../src/worker/clockwork.ts'
import { jobTurns } from '../src/worker/jobs.ts'
import type { Ground } from './ground.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
export type Json = any

/** By region: how many calls of each method and resource (`POST ports`). */
export type Calls = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Atoll and its Networking API over a database, in this process. */
export interface Api {
  readonly app: App
  readonly database: Database
  /** A call of the central Networking API as an admin; returns the one thing of the answer. */
  call(method: string, path: string, body?: object): Promise<Json>
}

export interface ApiSpec {
  readonly cloud: Cloud
  readonly url: string
  /** By environment variable. */
  readonly settings?: Readonly<Record<string, string>>
}

/** With regions, and a clockwork. */
export interface Site extends Api {
  readonly cloud: Cloud
  readonly url: string
  /** Those that hold things. */
  readonly regions: readonly string[]
  /** Waits until every job is done. */
  settle(): Promise<void>
  /** What came to the regions while this was done. */
  callsOf(work: () => Promise<unknown>): Promise<Calls>
}

export interface SiteSpec {
  readonly name: string
  readonly regions: number
  /** How many routes a router may have; 30, as stock Neutron has it, unless told. */
  readonly mostRoutes?: number
}

/** No project is refused anything for its number. */
export const unlimited = Object.fromEntries(
  ['NETWORK', 'SUBNET', 'PORT', 'ROUTER', 'SECURITY_GROUP', 'SECURITY_GROUP_RULE'].map(kind => [
    `ATOLL_NETWORKING_QUOTA_${kind}`,
    '-1',
  ]),
)

export function openApi(ground: Ground, { cloud, url, settings }: ApiSpec): Api {
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    ATOLL_IDENTITY_PROJECT_NAME: 'service',
    ...settings,
  })
  const database = openDatabase(url, {
    connections: config.database.connections,
    name: 'bench',
    onError: () => {},
  })
  ground.defer(() => database.close())
  const ports = openCloud(config)
  ground.defer(() => ports.close())
  const log = pino({ level: 'error' }, pino.destination(2))
  const app = createApp(config, database, ports.regions, log)
  const server = createApi({ config, log, app, identity: ports.identity, metrics: createMetrics() })
  ground.defer(() => server.close())
  return { app, database, call: callerOf(server, adminToken(cloud)) }
}

export async function openSite(
  ground: Ground,
  { name, regions: count, mostRoutes = 30 }: SiteSpec,
): Promise<Site> {
  const regions = Array.from({ length: count }, (_, at) => `Pod${at + 1}`)
  const cloud = await startCloud({
    regions: ['CentralRegion', ...regions],
    hosts: { count: 1 },
    neutron: { quotas: {}, mostRoutes },
  })
  ground.defer(() => cloud.close())
  const url = await ground.database(name)
  await migrate(url)
  const limits = Object.fromEntries(regions.map(region => [region, { routes: mostRoutes }]))
  const spec = { cloud, url, settings: { ...unlimited, ATOLL_REGIONS: JSON.stringify(limits) } }
  const api = openApi(ground, spec)
  const { app } = api
  for (const [index, region] of regions.entries()) {
    const zone = { availabilityZone: `az${index + 1}`, localAvailabilityZone: '', dataCenter: '' }
    await createRegion(app, ownCaller('req-bench'), { name: region, ...zone })
  }
  // As in a process of its own, with connections of its own.
  const clockwork = clockworkOf(openApi(ground, spec).app, url)
  ground.defer(() => clockwork.stop())
  await clockwork.start()
  return {
    ...api,
    cloud,
    url,
    regions,
    settle: () => settle(app),
    async callsOf(work) {
      const before = countsOf(cloud)
      await work()
      return difference(before, countsOf(cloud))
    },
  }
}

export const adminToken = ({ keystone }: Cloud): string =>
  keystone.issue(keystone.userId('admin'), keystone.projectId('admin'))

function callerOf(server: FastifyInstance, token: string): Api['call'] {
  return async (method, path, body) => {
    const { statusCode, body: text } = await server.inject({
      method: method as 'GET',
      url: `/network/v2.0${path}`,
      headers: { 'x-auth-token': token, accept: 'application/json' },
      ...(body === undefined ? {} : { payload: body }),
    })
    if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`)
    const json = text === '' ? {} : JSON.parse(text)
    const [key, ...more] = Object.keys(json)
    return key !== undefined && more.length === 0 ? json[key] : json
  }
}

const clockworkOf = (app: App, url: string): Clockwork =>
  new Clockwork({
    turns: app.store.turns,
    kinds: [jobTurns({ app, retryForMs: 60_000, onRun: () => {} })],
    breakers: createBreakers({ failures: 3, openMs: 5_000, maxOpenMs: 60_000, now: Date.now }),
    enlist: events => enlist(url, events),
    slots: 64,
    laneSlots: 8,
    onError: (error, what) => console.error(what, error),
  })

const patienceMs = 600_000

async function settle(app: App): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (let open = await openJobs(app); open.length > 0; open = await openJobs(app)) {
    const [{ type, region, lastError }] = open as [Job]
    if (Date.now() > deadline) throw new Error(`${open.length} jobs are left: ${type} ${region} ${lastError}`)
    await sleep(20)
  }
}

async function openJobs(app: App): Promise<Job[]> {
  const page = { limit: 1, marker: null }
  const statuses = ['NEW', 'RUNNING', 'FAIL'] as const
  const lists = await Promise.all(statuses.map(status => app.store.jobs.list({ status }, page)))
  return lists.flatMap(jobs => jobs ?? [])
}

const countsOf = ({ neutrons }: Cloud): Calls =>
  new Map([...neutrons].map(([region, { counts }]) => [region, new Map(counts)]))

function difference(before: Calls, after: Calls): Calls {
  const since = (region: string, key: string, count: number) => count - (before.get(region)?.get(key) ?? 0)
  return new Map(
    [...after].map(([region, counts]) => [
      region,
      new Map(
        [...counts]
          .map(([key, count]) => [key, since(region, key, count)] as const)
          .filter(([, count]) => count > 0),
      ),
    ]),
  )
}

/** How many there were, in all regions or in those, of all methods and resources or of those. */
export const sumOf = (calls: Calls, isMeant: (region: string, key: string) => boolean = () => true): number =>
  [...calls].reduce(
    (sum, [region, counts]) =>
      [...counts].reduce((part, [key, count]) => part + (isMeant(region, key) ? count : 0), sum),
    0,
  )

export const isWrite = (key: string): boolean => !key.startsWith('GET ')
