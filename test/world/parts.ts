// What a world is made of before anybody asks it anything: settings, database, ports, the application, its log.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { createMetrics } from '../../src/api/metrics.ts'
import { addOperations } from '../../src/api/operations.ts'
import { createApi, createApp, openCloud } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/config.ts'
import { openProviders } from '../../src/configured.ts'
import type { App } from '../../src/core/app.ts'
import { createRegions } from '../../src/openstack/region.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { testDatabase } from '../postgres.ts'
import { type Ask, type Call, parse, type Reply } from './person.ts'
import { logIn, openPlace, type Place, type PlaceSpec } from './place.ts'

export interface PartsSpec extends Partial<PlaceSpec> {
  /** Settings of Atoll by environment variable. */
  settings?: Record<string, string>
  /** Lists of regions come so many rows at a time, so that small ones have pages too. */
  pageSize?: number
  /** What the application has instead of its own. */
  parts?: Partial<App>
  /** The database has no schema yet: for processes only. */
  empty?: boolean
}

/** Notes how a part is closed, in the end. */
export type Open = <T>(part: T, close: (part: T) => PromiseLike<unknown>) => T

export type Line = Record<string, unknown>
export type Parts = Awaited<ReturnType<typeof openParts>>

export async function openParts(spec: PartsSpec, open: Open) {
  const place = open(await openPlace({ regions: ['Pod1', 'Pod2'], ...spec }), it => it.close())
  const folder = open(mkdtempSync(join(tmpdir(), 'atoll-world-')), async it =>
    rmSync(it, { recursive: true }),
  )
  const { url: databaseUrl } = await testDatabase({ empty: spec.empty ?? false })
  const settings: Record<string, string> = {
    ...settingsOf(place, folder),
    ATOLL_DATABASE_URL: databaseUrl,
    ...spec.settings,
  }
  const config = loadConfig(undefined, settings)
  const pool = { connections: 20, name: 'test', onError: () => {} }
  const database = open(openDatabase(databaseUrl, pool), it => it.close())
  const { pageSize } = spec
  const cloud = open(openCloud(config), it => it.close())
  const openstack = pageSize
    ? { ...cloud, regions: open(createRegions({ ...cloud, pageSize }), it => it.close()) }
    : cloud
  const logLines: Line[] = []
  const log = loggerOf(logLines)
  const providers = open(openProviders(config, databaseUrl, log), it => it.close())
  const clock: { time: Date | null } = { time: null }
  const app: App = {
    ...createApp(config, database, openstack.regions, log, providers),
    now: () => clock.time ?? new Date(),
    ...spec.parts,
  }
  return { place, settings, config, databaseUrl, database, openstack, logLines, log, clock, app }
}

export const loggerOf = (lines: Line[]): Logger =>
  pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })

function settingsOf({ authUrl, sim, logIn }: Place, folder: string): Record<string, string> {
  const { username, password, projectName = '' } = logIn('service')
  return {
    ATOLL_IDENTITY_AUTH_URL: authUrl,
    ATOLL_IDENTITY_USERNAME: username,
    ATOLL_IDENTITY_PASSWORD: password,
    ATOLL_IDENTITY_PROJECT_NAME: projectName,
    ATOLL_KEY_FILE: join(folder, 'secrets.key'),
    // Tests ask as fast as they can.
    ATOLL_API_USER_RATE: '0',
    ATOLL_API_PROJECT_RATE: '0',
    // The world's own regions, which listen on loopback only, may be providers.
    ATOLL_PROVIDERS_ALLOW: JSON.stringify(sim?.origins ?? ['http://127.0.0.1:1-65535']),
  }
}

/** An API over these parts; the server is not listening yet. */
export function apiOf(
  { config, openstack: { identity } }: Pick<Parts, 'config' | 'openstack'>,
  { app, database, log }: { app: App; database: Database; log: Logger },
  requestMs?: number,
) {
  const metrics = createMetrics()
  const api = createApi({ config, log, app, identity, metrics, ...(requestMs ? { requestMs } : {}) })
  addOperations(api, { metrics, ready: async () => void (await database.pool.query('select 1')) })
  return api
}

export type TokenOf = (as?: Ask['as']) => Promise<string | undefined>

/** Everybody logs in once. */
export function tokensOf({ authUrl, logIn: logInOf }: Place): TokenOf {
  const tokens = new Map<string, Promise<string>>()
  return async (as = 'admin') => {
    if (typeof as === 'object') return as.token
    if (as === 'nobody') return undefined
    const token = tokens.get(as) ?? logIn(authUrl, as, logInOf(as).password)
    tokens.set(as, token)
    return token
  }
}

/** Asks an API in this process, as it would be asked over a socket. */
export const callOf =
  (api: ReturnType<typeof apiOf>, tokenOf: TokenOf): Call =>
  async (method, url, { as = 'admin', body, raw, headers = {} } = {}) => {
    const secret = await tokenOf(as)
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const { statusCode, ...reply } = await api.inject({
      method: method as 'GET',
      url,
      headers: {
        accept: 'application/json',
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(secret === undefined ? {} : { 'x-auth-token': secret }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    })
    const text = reply.body
    return { status: statusCode, headers: reply.headers as Reply['headers'], text, json: parse(text) }
  }
