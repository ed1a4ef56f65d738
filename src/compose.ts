// Builds Atoll from its settings: the only file that knows all parts.

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createAuthenticator } from './api/auth.ts'
import { createMetrics, type Metrics } from './api/metrics.ts'
import { addOperations, createOperations } from './api/operations.ts'
import { overridePolicy, type PolicyTable } from './api/policy.ts'
import { createRates } from './api/rates.ts'
import type { Face } from './api/route.ts'
import { createServer } from './api/server.ts'
import { type Config, ConfigError, regionSettings } from './config/config.ts'
import { checkFiles, listenerTls } from './config/files.ts'
import {
  cannotListen,
  leaseRules,
  networkRules,
  openProviders,
  parseAddress,
  promiseRules,
  regionRules,
} from './configured.ts'
import type { App } from './core/app.ts'
import type { Identity } from './core/identity.ts'
import { jobHandlers } from './core/network/job-handlers.ts'
import { checkMounts, mounts } from './mounts.ts'
import { createCatalog } from './openstack/catalog.ts'
import { createCloud } from './openstack/cloud.ts'
import { createIdentity } from './openstack/keystone.ts'
import type { Providers } from './openstack/provider.ts'
import { createRegions, type Regions } from './openstack/region.ts'
import { createSession } from './openstack/session.ts'
import { type Database, openDatabase } from './store/database.ts'
import { type EmbeddedPostgres, startEmbedded } from './store/embedded/start.ts'
import { migrate } from './store/migrations.ts'
import { checkKey, loadSecrets } from './store/secrets.ts'
import { createStore } from './store/store.ts'
import { enlist } from './store/turns.ts'
import { createBreakers } from './worker/breakers.ts'
import { capacityTurns } from './worker/capacity.ts'
import { Clockwork } from './worker/clockwork.ts'
import { hostTurns } from './worker/hosts.ts'
import { type Housekeeping, startHousekeeping, startNumbering } from './worker/housekeeping.ts'
import { jobTurns } from './worker/jobs.ts'
import { leaseTurns } from './worker/leases.ts'
import { addQueueMetrics, addRegionMetrics, createWorkMetrics, type WorkMetrics } from './worker/metrics.ts'
import { askForUpkeep, upkeepTurns } from './worker/upkeep.ts'
import { providerLog, upkeepLog } from './worker/upkeep-log.ts'

export type Role = 'all' | 'api' | 'worker'

/** The face's policy with the operator's lines in it. */
export const policyOf = (config: Config, face: Face): PolicyTable =>
  overridePolicy(face.policy, config.policy)

/** The database that the settings name, the embedded one started where they name none. Throws AppError. */
export async function openServer(
  config: Config,
  log: Logger,
): Promise<EmbeddedPostgres | { url: string; stop(): Promise<void> }> {
  if (config.database.url) return { url: config.database.url, stop: async () => {} }
  return startEmbedded({ dataDir: config.data_dir, log, maxConnections: 200 })
}

export const keyFile = (config: Config): string => config.key_file ?? join(config.data_dir, 'secrets.key')

/** The clients of Keystone and of regions; throws ConfigError when no identity is configured. */
export function openCloud(config: Config) {
  const { identity } = config
  if (!identity.auth_url) {
    throw new ConfigError(
      'No identity is configured: set identity.auth_url (ATOLL_IDENTITY_AUTH_URL) with the service user’s identity.username and identity.password, or run `atoll serve --demo`.',
    )
  }
  const session = createSession(
    defined({
      authUrl: identity.auth_url,
      username: identity.username,
      password: identity.password,
      userDomain: identity.user_domain_name,
      projectName: identity.project_name,
      projectDomain: identity.project_domain_name,
      applicationCredentialId: identity.application_credential_id,
      applicationCredentialSecret: identity.application_credential_secret,
      caFile: identity.ca_file,
      timeoutMs: identity.timeout_seconds * 1000,
    }),
  )
  const catalog = createCatalog(session)
  const caFiles = Object.entries(regionSettings(config)).flatMap(([name, { ca_file }]) =>
    ca_file ? [[name, ca_file]] : [],
  )
  const regions = createRegions({ session, catalog, caFiles: Object.fromEntries(caFiles) })
  const close = async (): Promise<void> => {
    await regions.close()
    await session.close()
  }
  return { session, catalog, regions, identity: createIdentity(session), close }
}

/** The object without its undefined fields, as exact optional types want it. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}
const defined = <T extends object>(object: T): Defined<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>

type Closer = () => Promise<unknown>

export interface Atoll {
  readonly app: App
  /** The URL of the APIs; null in a process without them. */
  readonly url: string | null
  close(): Promise<void>
}

/** Starts everything that a role has; throws AppError or ConfigError. What was started is stopped when a later part fails. */
export async function startAtoll(config: Config, log: Logger, role: Role): Promise<Atoll> {
  checkMounts(config)
  checkFiles(config)
  const closers: Closer[] = []
  const drains: Closer[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const cloud = openCloud(config)
    closers.push(cloud.close)
    const server = await openServer(config, log)
    closers.push(() => server.stop())
    const database = await prepareDatabase(config, log, server.url, role)
    closers.push(database.close)
    const providers = openProviders(config, server.url, log)
    closers.push(providers.close)
    const app = createApp(config, database, cloud.regions, log, providers)
    const metrics = createMetrics()
    addQueueMetrics(metrics.registry, app)
    addRegionMetrics(metrics.registry, app)
    if (role !== 'api') {
      closers.push(startHousekeepingOf(config, log, app).stop)
      closers.push(
        startNumbering(app, error => log.warn({ err: error }, 'events wait for their numbers')).stop,
      )
    }
    // When the process stops, requests and turns are waited for at the same time.
    closers.push(() => Promise.all(drains.map(drain => drain())))
    if (role !== 'api') {
      const clockwork = createClockwork({
        config,
        log,
        app,
        databaseUrl: server.url,
        metrics: createWorkMetrics(metrics.registry),
      })
      drains.push(() => clockwork.stop())
      await clockwork.start()
      await askForUpkeep(app)
    }
    const api = role === 'worker' ? null : createApi({ config, log, app, identity: cloud.identity, metrics })
    const url = await listen(config, log, api, metrics, database, drains)
    return { app, url, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * The App that core's verbs get: the store, the cloud, the settings, the clock. Without `providers` no
 * provider may be called.
 */
export function createApp(
  config: Config,
  database: Database,
  regions: Regions,
  log: Logger,
  providers?: Providers,
): App {
  return {
    store: createStore(database.db),
    cloud: createCloud(regions, {
      blazarFilter: config.nova.blazar_filter,
      ...(providers ? { providers } : {}),
    }),
    jobHandlers,
    leaseRules: leaseRules(config),
    networkRules: networkRules(config),
    regionRules: regionRules(config),
    promiseRules: promiseRules(config),
    secrets: loadSecrets(keyFile(config)),
    now: () => new Date(),
    newId: randomUUID,
    chance: Math.random,
    pause: ms => sleep(ms),
    report: (error, what) => log.error({ err: error }, what),
  }
}

export interface ClockworkParts {
  readonly config: Config
  readonly log: Logger
  readonly app: App
  readonly databaseUrl: string
  readonly metrics: WorkMetrics
}

/** The clockwork with all kinds of turns, not yet started. */
export function createClockwork({ config, log, app, databaseUrl, metrics }: ClockworkParts): Clockwork {
  const { jobs } = config
  return new Clockwork({
    turns: app.store.turns,
    kinds: [
      jobTurns({ app, retryForMs: jobs.retry_for_seconds * 1000, onRun: metrics.observeJob }),
      ...upkeepTurns(app, upkeepLog(log, metrics)),
      leaseTurns(app),
      hostTurns(app),
      ...capacityTurns(app, providerLog(log)),
    ],
    breakers: createBreakers({ failures: 3, openMs: 5_000, maxOpenMs: 60_000, now: Date.now }),
    enlist: events => enlist(databaseUrl, events),
    slots: jobs.slots,
    laneSlots: jobs.slots_per_region,
    onError: (error, what) => log.warn({ err: error }, what),
  })
}

async function prepareDatabase(config: Config, log: Logger, url: string, role: Role): Promise<Database> {
  const applied = await migrate(url)
  if (applied.length > 0) log.info({ migrations: applied }, 'database migrated')
  const database = openDatabase(url, {
    // A worker process holds one more connection, for its advisory lock.
    connections: config.database.connections - (role === 'api' ? 0 : 1),
    name: `atoll ${role}`,
    onError: error => log.warn({ err: error }, 'a database connection was lost'),
  })
  try {
    await checkKey(database.db, loadSecrets(keyFile(config)), keyFile(config))
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

function startHousekeepingOf(config: Config, log: Logger, app: App): Housekeeping {
  return startHousekeeping({
    app,
    auditDays: config.retention.audit_days,
    journalDays: config.retention.journal_days,
    jobLogDays: config.retention.job_log_days,
    eventDays: config.retention.event_days,
    newJobSeconds: config.jobs.new_expires_after_seconds,
    everyMs: 60_000,
    onError: error => log.error({ err: error }, 'housekeeping failed; the next turn tries again'),
  })
}

export interface ApiParts {
  readonly config: Config
  readonly log: Logger
  readonly app: App
  readonly identity: Identity
  readonly metrics: Metrics
  /** How long a client may take to send a request; a minute by default. */
  readonly requestMs?: number
}

/** The server of all APIs, not yet listening. */
export function createApi({ config, log, app, identity, metrics, requestMs }: ApiParts): FastifyInstance {
  const authenticate = createAuthenticator(identity, {
    cacheMs: config.identity.token_cache_seconds * 1000,
    cacheSize: 10_000,
    now: () => app.now().getTime(),
  })
  const count = createRates({ user: config.api.user_rate, project: config.api.project_rate }, () =>
    performance.now(),
  )
  return createServer({
    app,
    mounts: mounts(config),
    policyOf: face => policyOf(config, face),
    authenticate,
    count,
    identityUrl: config.identity.www_authenticate_uri ?? config.identity.auth_url ?? '',
    log,
    metrics,
    bodyLimit: config.api.body_limit_bytes,
    mostStreams: config.api.streams,
    trustedProxies: config.trusted_proxies,
    tls: listenerTls(config),
    requestMs: requestMs ?? 60_000,
  })
}

/** Opens the listeners: the APIs', and the operations' at its own address or at the APIs'. */
async function listen(
  config: Config,
  log: Logger,
  api: FastifyInstance | null,
  metrics: Metrics,
  database: Database,
  drains: Closer[],
): Promise<string | null> {
  const ready = async (): Promise<void> => void (await database.pool.query('select 1'))
  const apart = config.operations_listen !== undefined || api === null
  if (!apart) addOperations(api, { metrics, ready })
  else {
    const operations = createOperations(log, { metrics, ready })
    drains.push(() => operations.close())
    await listenAt(operations, config, config.operations_listen ? 'operations_listen' : 'listen')
  }
  if (!api) return null
  drains.push(() => api.close())
  return listenAt(api, config, 'listen')
}

/** Opens one listener. Throws ConfigError where its address cannot be used. */
async function listenAt(
  server: Pick<FastifyInstance, 'listen'>,
  config: Config,
  key: 'listen' | 'operations_listen',
): Promise<string> {
  const address = config[key]!
  try {
    return await server.listen(parseAddress(address))
  } catch (error) {
    throw cannotListen(key, address, error)
  }
}
