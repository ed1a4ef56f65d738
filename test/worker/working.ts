// A world of jobs: its regions' Neutrons are watched, and its workers run jobs and nothing else.

import type { FastifyInstance } from 'fastify'
import type { NeutronService } from '../../sim/neutron/service.ts'
import { createApp } from '../../src/compose.ts'
import type { App, JobHandler } from '../../src/core/app.ts'
import type { Job, JobSpec } from '../../src/core/jobs/job.ts'
import { createRegions } from '../../src/openstack/region.ts'
import { enlist } from '../../src/store/turns.ts'
import { createBreakers } from '../../src/worker/breakers.ts'
import { Clockwork, type ClockworkOptions } from '../../src/worker/clockwork.ts'
import { type JobRun, jobTurns } from '../../src/worker/jobs.ts'
import { type World, world } from '../world.ts'

type Interception = (method: string) => PromiseLike<unknown> | undefined

interface Watch {
  /** How many of its requests are being answered now; the most that were at a time, and all that came, since `resetCounts`. */
  open: number
  mostOpen: number
  came: number
  resetCounts(): void
  /** Awaited after a request has been read and before it takes effect, and between its effect and its answer. */
  readonly intercept: { before?: Interception; after?: Interception }
}

/** The Neutron of one region. */
export type Watched = NeutronService & Watch & { readonly name: string }

export interface WorkingSpec {
  /** How many regions; their names are Pod1, Pod2, … */
  regions: number
  handlers?: Record<string, JobHandler>
  /** For one call into a region. */
  timeoutMs?: number
  chance?: () => number
}

export interface WorkerSpec extends Partial<Omit<ClockworkOptions, 'turns' | 'kinds'>> {
  retryForMs?: number
  onRun?(run: JobRun): void
  /** Calls into regions go through this one instead of the world's. */
  app?: App
}

export interface Working extends World {
  /** In the order of `regions` and `joined`. */
  readonly neutrons: readonly Watched[]
  /** A client of the regions of its own; what is under way fails when it is closed. */
  client(timeoutMs: number): { app: App; close(): Promise<void> }
  worker(spec?: WorkerSpec): Promise<Clockwork>
  /** A job as the verbs make it. */
  job(spec: Partial<JobSpec>): Job
  /** Stores jobs and asks for their turns, so many in a statement. */
  post(jobs: readonly Job[], batch?: number): Promise<void>
}

export const project = 'a0000000000000000000000000000001'

/** What a stock Neutron limits, without limits. */
const quotas = Object.fromEntries(
  ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule'].map(name => [
    name,
    -1,
  ]),
)

export async function working(spec: WorkingSpec): Promise<Working> {
  const watches = new Map<string, Watch>()
  const w = await world({
    regions: Array.from({ length: spec.regions }, (_, index) => `Pod${index + 1}`),
    joined: true,
    cloud: {
      hosts: { count: 0 },
      neutron: { quotas, vnis: [1, 1_000_000] },
      attend: (region, server) => void watches.set(region, watch(server)),
    },
  })
  const client = (timeoutMs: number) => {
    const regions = createRegions({ ...w.openstack, timeoutMs })
    const { cloud, jobHandlers } = createApp(w.config, w.database, regions, w.log)
    const { chance = w.app.chance, handlers = jobHandlers } = spec
    return { app: { ...w.app, cloud, jobHandlers: handlers, chance }, close: () => regions.close() }
  }
  const { app, close } = client(spec.timeoutMs ?? 60_000)
  w.after(close)
  return Object.assign(w, {
    app,
    neutrons: w.regions.map(name => {
      const all = { name: { value: name }, ...Object.getOwnPropertyDescriptors(w.neutron(name)) }
      return Object.defineProperties(watches.get(name)!, all) as Watched
    }),
    client,
    async worker(spec: WorkerSpec = {}) {
      const worker = await startWorker(app, w.databaseUrl, spec)
      w.after(() => worker.stop(0))
      return worker
    },
    job: (spec: Partial<JobSpec>) => jobOf(app, spec),
    async post(jobs: readonly Job[], batch = 1000) {
      const note = { caller: w.admin, at: app.now(), action: 'job.create' }
      for (let at = 0; at < jobs.length; at += batch) {
        await app.store.jobs.post(jobs.slice(at, at + batch), note)
      }
    },
  })
}

function watch(server: FastifyInstance): Watch {
  const seen: Watch = {
    open: 0,
    mostOpen: 0,
    came: 0,
    intercept: {},
    resetCounts() {
      Object.assign(seen, { mostOpen: seen.open, came: 0 })
    },
  }
  // On the server itself: a request that hangs is open too, and it is until its connection ends.
  server.server.on('request', (_request, answer) => {
    seen.open += 1
    seen.came += 1
    seen.mostOpen = Math.max(seen.mostOpen, seen.open)
    answer.once('close', () => {
      seen.open -= 1
    })
  })
  // Once it is read, a request takes effect even if whoever sent it is gone: as Neutron has it.
  server.addHook('preHandler', async ({ method }) => void (await seen.intercept.before?.(method)))
  server.addHook('onSend', async ({ method }) => void (await seen.intercept.after?.(method)))
  return seen
}

async function startWorker(
  own: App,
  url: string,
  { retryForMs = 172_800_000, onRun = () => {}, app = own, ...options }: WorkerSpec,
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
