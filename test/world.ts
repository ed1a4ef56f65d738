// A whole Atoll for one test: its API in this process, a database of its own, a simulated cloud, a clock that can be set.

import { pino } from 'pino'
import { type Cloud, startCloud } from '../sim/cloud.ts'
import { createMetrics } from '../src/api/metrics.ts'
import { addOperations } from '../src/api/operations.ts'
import { createApi, createApp, createClockwork, openCloud } from '../src/compose.ts'
import { type Config, loadConfig } from '../src/config/config.ts'
import { openProviders } from '../src/configured.ts'
import type { App } from '../src/core/app.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import type { Clockwork } from '../src/worker/clockwork.ts'
import { testDatabase } from './postgres.ts'

export interface Ask {
  /** Who asks: a user of the simulated cloud, a token of one's own, or nobody. */
  as?: 'admin' | 'demo' | 'nobody' | { token: string } | undefined
  body?: unknown
  /** The body as it goes over the wire, instead of `body`. */
  raw?: string | Buffer | undefined
  headers?: Record<string, string> | undefined
}

export interface Reply {
  status: number
  headers: Record<string, string | undefined>
  /** The body as it came. */
  text: string
  /** The body as JSON, or undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any
}

export interface World extends AsyncDisposable {
  readonly config: Config
  readonly app: App
  readonly cloud: Cloud
  readonly database: Database
  readonly databaseUrl: string
  /** What the log has been told, newest last. */
  readonly logLines: Record<string, unknown>[]
  call(method: string, url: string, ask?: Ask): Promise<Reply>
  token(user: 'admin' | 'demo'): Promise<string>
  /** What the clock says from now on; null for the time that it is. */
  setTime(at: Date | null): void
}

export interface WorldSpec {
  regions?: string[]
  /** Settings by environment variable. */
  settings?: Record<string, string>
}

export async function world({
  regions = ['CentralRegion', 'Pod1', 'Pod2'],
  settings = {},
}: WorldSpec = {}): Promise<World> {
  const closers: (() => PromiseLike<unknown>)[] = []
  const open = <T>(part: T, close: (part: T) => PromiseLike<unknown>): T => {
    closers.unshift(() => close(part))
    return part
  }
  const cloud = open(
    await startCloud({ regions, atoll: { url: 'http://127.0.0.1:19999', region: 'CentralRegion' } }),
    it => it.close(),
  )
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    // Tests ask as fast as they can.
    ATOLL_API_USER_RATE: '0',
    ATOLL_API_PROJECT_RATE: '0',
    // The simulated cloud may be a provider.
    ATOLL_PROVIDERS_ALLOW: JSON.stringify(cloud.origins),
    ...settings,
  })
  const { url } = await testDatabase()
  const database = open(openDatabase(url, { connections: 10, name: 'test', onError: () => {} }), it =>
    it.close(),
  )
  const ports = open(openCloud(config), it => it.close())
  let time: Date | null = null
  const logLines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const providers = open(openProviders(config, url, log), it => it.close())
  const app: App = {
    ...createApp(config, database, ports.regions, log, providers),
    now: () => time ?? new Date(),
  }
  const metrics = createMetrics()
  const server = open(createApi({ config, log, app, identity: ports.identity, metrics }), it => it.close())
  addOperations(server, { metrics, ready: async () => void (await database.pool.query('select 1')) })
  const tokens = new Map<string, Promise<string>>()

  const token = (user: 'admin' | 'demo'): Promise<string> => {
    const known = tokens.get(user) ?? logIn(cloud.authUrl, user)
    tokens.set(user, known)
    return known
  }

  return {
    config,
    app,
    cloud,
    database,
    databaseUrl: url,
    logLines,
    token,
    setTime: at => {
      time = at
    },
    async call(method, target, { as = 'admin', body, raw, headers = {} } = {}) {
      const secret = typeof as === 'object' ? as.token : as === 'nobody' ? undefined : await token(as)
      const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
      const reply = await server.inject({
        method: method as 'GET',
        url: target,
        headers: {
          accept: 'application/json',
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...(secret === undefined ? {} : { 'x-auth-token': secret }),
          ...headers,
        },
        ...(payload === undefined ? {} : { payload }),
      })
      return {
        status: reply.statusCode,
        headers: reply.headers as Reply['headers'],
        text: reply.body,
        json: parse(reply.body),
      }
    },
    async [Symbol.asyncDispose]() {
      for (const close of closers) await close()
    },
  }
}

/** What a process with workers does beside its API, in this one. */
export async function startClockwork({ config, app, databaseUrl }: World): Promise<Clockwork> {
  const metrics = { observeJob: () => {}, countSurplus: () => {} }
  const clockwork = createClockwork({ config, app, databaseUrl, metrics, log: pino({ level: 'fatal' }) })
  await clockwork.start()
  return clockwork
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A token for a user of the simulated cloud, in the project of the same name. */
export async function logIn(authUrl: string, user: string, password = 'atoll'): Promise<string> {
  const domain = { id: 'default' }
  const reply = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
        scope: { project: { name: user, domain } },
      },
    }),
  })
  const token = reply.headers.get('x-subject-token')
  if (!token) throw new Error(`no token for ${user}: ${reply.status} ${await reply.text()}`)
  return token
}
