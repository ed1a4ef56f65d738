// A fleet of simulated regions under one Atoll: its database, its store and verbs in this process, and its workers.

import { pino } from 'pino'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import { startService } from '../../sim/http.ts'
import { envelope } from '../../sim/neutron/errors.ts'
import { createNeutron, type Neutron } from '../../sim/neutron/neutron.ts'
import { createApp, openCloud } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/config.ts'
import type { App, JobHandler } from '../../src/core/app.ts'
import type { Caller } from '../../src/core/caller.ts'
import type { Job, JobSpec } from '../../src/core/jobs/job.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import { createRegions } from '../../src/openstack/region.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { enlist } from '../../src/store/turns.ts'
import { createBreakers } from '../../src/worker/breakers.ts'
import { Clockwork, type ClockworkOptions } from '../../src/worker/clockwork.ts'
import { type JobRun, jobTurns } from '../../src/worker/jobs.ts'
import { testDatabase } from '../postgres.ts'

/** The simulated Neutron of one region, and how many of its requests are being answered now. */
export interface Pod extends Neutron {
  readonly name: string
  readonly open: number
  /** The most that were open at a time, and all that came, since the last `resetCounts`. */
  readonly mostOpen: number
  readonly came: number
  resetCounts(): void
  /** Awaited after a request has been read and before it takes effect, and between its effect and its answer. */
  intercept: { before?: Interception; after?: Interception }
}

type Interception = (method: string) => PromiseLike<unknown> | undefined

export interface FleetSpec {
  /** How many regions; their names are Pod1, Pod2, … */
  pods: number
  handlers?: Record<string, JobHandler>
  /** For one call into a region; the client's own unless told. */
  timeoutMs?: number
  chance?: () => number
}

export interface WorkerSpec extends Partial<Omit<ClockworkOptions, 'turns' | 'kinds'>> {
  retryForMs?: number
  onRun?(run: JobRun): void
  /** Calls into regions go through this one instead of the fleet's. */
  app?: App
}

export interface Fleet extends AsyncDisposable {
  readonly app: App
  readonly config: Config
  readonly cloud: Cloud
  readonly database: Database
  readonly databaseUrl: string
  readonly pods: readonly Pod[]
  /** As the store has them: the same order as `pods`. */
  readonly regions: readonly Region[]
  /** What the log has been told. */
  readonly logLines: { msg: string; err?: { message: string } }[]
  /** A client of the regions of its own; what is under way fails when it is closed. */
  client(timeoutMs: number): { app: App; close(): Promise<void> }
  worker(spec?: WorkerSpec): Promise<Clockwork>
  /** A job as the verbs make it. */
  job(spec: Partial<JobSpec>): Job
  /** Stores jobs and asks for their turns, so many in a statement. */
  post(jobs: readonly Job[], batch?: number): Promise<void>
  /** What the clock of the verbs says from now on; null for the real time. */
  setTime(at: Date | null): void
}

export const project = 'a0000000000000000000000000000001'

export const operator: Caller = {
  userId: 'operator',
  userName: 'operator',
  projectId: project,
  projectName: 'operator',
  roles: ['admin'],
  requestId: 'req-fleet',
}

export async function fleet(spec: FleetSpec): Promise<Fleet> {
  const closers: (() => PromiseLike<unknown>)[] = []
  const open = <T>(part: T, close: (part: T) => PromiseLike<unknown>): T => {
    closers.unshift(() => close(part))
    return part
  }
  const cloud = open(await startCloud({ regions: ['CentralRegion'] }), it => it.close())
  const config = loadConfig(undefined, identityOf(cloud))
  const names = Array.from({ length: spec.pods }, (_, index) => `Pod${index + 1}`)
  const started = await Promise.all(names.map(name => startPod(cloud, name)))
  for (const { close } of started) open(close, it => it())
  const { url } = await testDatabase()
  const database = open(openDatabase(url, { connections: 20, name: 'test', onError: () => {} }), it =>
    it.close(),
  )
  const logLines: Fleet['logLines'] = []
  const log = pino({ base: null }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const ports = open(openCloud(config), it => it.close())
  let time: Date | null = null
  const client = (timeoutMs: number) => {
    const { session, catalog } = ports
    const regions = createRegions({ session, catalog, timeoutMs })
    const app: App = {
      ...createApp(config, database, regions, log),
      now: () => time ?? new Date(),
      jobHandlers: spec.handlers ?? createApp(config, database, regions, log).jobHandlers,
      ...(spec.chance ? { chance: spec.chance } : {}),
    }
    return { app, close: () => regions.close() }
  }
  const { app } = open(client(spec.timeoutMs ?? 60_000), it => it.close())
  const regions: Region[] = []
  for (const name of names) {
    const zone = { availabilityZone: `az-${name}`, localAvailabilityZone: '', dataCenter: '' }
    regions.push(await createRegion(app, operator, { name, ...zone }))
  }
  return {
    app,
    config,
    cloud,
    database,
    databaseUrl: url,
    pods: started.map(({ pod }) => pod),
    regions,
    logLines,
    client,
    worker: async spec => open(await startWorker(app, url, spec ?? {}), it => it.stop(0)),
    job: spec => jobOf(app, spec),
    async post(jobs, batch = 1000) {
      const note = { caller: operator, at: app.now(), action: 'job.create' }
      for (let at = 0; at < jobs.length; at += batch) {
        await app.store.jobs.post(jobs.slice(at, at + batch), note)
      }
    },
    setTime: at => {
      time = at
    },
    async [Symbol.asyncDispose]() {
      for (const close of closers) await close()
    },
  }
}

/** What a stock Neutron limits. */
const counted = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule']

/** The settings of whoever works with the cloud, by environment variable. */
export const identityOf = (cloud: Cloud): Record<string, string> => ({
  ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
  ATOLL_IDENTITY_USERNAME: 'atoll',
  ATOLL_IDENTITY_PASSWORD: 'atoll',
})

async function startPod(cloud: Cloud, name: string): Promise<{ pod: Pod; close(): Promise<void> }> {
  const { clock, faults, keystone, authUrl } = cloud
  const neutron = createNeutron({
    region: name,
    clock,
    authUrl,
    inspectToken: token => keystone.inspect(token),
    quotas: Object.fromEntries(counted.map(name => [name, -1])),
    vnis: [1, 1_000_000],
  })
  let [open, mostOpen, came] = [0, 0, 0]
  const intercept: Pod['intercept'] = {}
  const service = await startService({
    name: 'neutron',
    region: name,
    clock,
    faults,
    envelope,
    build(app, self) {
      // On the server itself: a request that hangs is open too, and it is until its connection ends.
      app.server.on('request', (_request, answer) => {
        open += 1
        came += 1
        mostOpen = Math.max(mostOpen, open)
        answer.once('close', () => {
          open -= 1
        })
      })
      // Once it is read, a request takes effect even if whoever sent it is gone: as Neutron has it.
      app.addHook('preHandler', async ({ method }) => void (await intercept.before?.(method)))
      app.addHook('onSend', async ({ method }) => void (await intercept.after?.(method)))
      neutron.build(app, self)
    },
  })
  keystone.registerEndpoint({ type: 'network', name: 'neutron', region: name, url: service.url })
  const counts = {
    name,
    intercept,
    get open() {
      return open
    },
    get mostOpen() {
      return mostOpen
    },
    get came() {
      return came
    },
    resetCounts() {
      ;[mostOpen, came] = [open, 0]
    },
  }
  return {
    pod: Object.defineProperties(counts, Object.getOwnPropertyDescriptors(neutron)) as Pod,
    close: service.close,
  }
}

async function startWorker(
  fleetApp: App,
  url: string,
  { retryForMs = 172_800_000, onRun = () => {}, app = fleetApp, ...options }: WorkerSpec,
): Promise<Clockwork> {
  const clockwork = new Clockwork({
    turns: app.store.turns,
    kinds: [jobTurns({ app, retryForMs, onRun })],
    breakers: createBreakers({ failures: 3, openMs: 5_000, maxOpenMs: 60_000, now: Date.now }),
    enlist: events => enlist(url, events),
    slots: 64,
    laneSlots: 8,
    onError: () => {},
    ...options,
  })
  await clockwork.start()
  return clockwork
}

function jobOf(app: App, spec: Partial<JobSpec>): Job {
  const now = app.now().getTime()
  return {
    id: app.newId(),
    projectId: project,
    type: 'configure_route',
    resource: { router_id: app.newId() },
    region: '',
    ...spec,
    timestamp: new Date(now - (now % 1000)),
    status: 'NEW',
    attempts: 0,
    lastError: null,
    startedAt: null,
    nextTryAt: null,
    finishedAt: null,
  }
}
