// core's port ProviderCloud: an OpenStack cloud that a user's own credentials open, and whose answers are not
// trusted.
import type { Dispatcher } from 'undici'
import type { Amounts } from '../core/capacity/amounts.ts'
import type { ProviderCloud, ProviderLogin, ProviderSight } from '../core/capacity/provider-cloud.ts'
import { type Catalog, createCatalog } from './catalog.ts'
import { createEgress, type Egress, type EgressSettings } from './egress.ts'
import { createDispatcher } from './http.ts'
import {
  createServer,
  getComputeLimits,
  getNetworkLimits,
  getServer,
  getVolumeLimits,
  isText,
  listFlavors,
  listMarkedServers,
  removeServer,
  usableNetworks,
} from './provider-calls.ts'
import { endpointRefused, failed, noEndpoint, noProject, told, whyDenied } from './provider-errors.ts'
import { authUrlOf, fingerprint, loginBody } from './provider-login.ts'
import { createRegions, type RegionClient, type Regions } from './region.ts'
import type { ServiceType } from './services.ts'
import { createSession, type Session } from './session.ts'
import type { CatalogService } from './token.ts'
import { isId } from './wire-fields.ts'

export interface ProvidersSettings extends EgressSettings {
  /** The time-out of one verb with all its calls; 15 s by default. */
  readonly timeoutMs?: number
  /** The authorities (PEM) to trust for all providers, instead of the system's. */
  readonly caFile?: string
  /** Called for every address that the guard refused. */
  readonly onRefusal?: (refusal: EgressRefusal) => void
}

export interface EgressRefusal {
  /** The URL of the provider's Keystone as the user wrote it, without characters that a URL cannot have. */
  readonly endpoint: string
  readonly why: string
  readonly requestId: string
}

export interface Providers {
  provider(login: ProviderLogin, requestId: string): ProviderCloud
  /** Lets go of all connections; calls under way fail. */
  close(): Promise<void>
}

/** A provider's log-in, catalog and connections, kept between calls. */
interface Entry {
  readonly dispatcher: Dispatcher
  readonly session: Session
  readonly catalog: Catalog
  readonly regions: Regions
}

/** How many providers are kept logged in. */
const mostEntries = 100

/** The most bytes of one answer. */
const maxBytes = 4 * 1024 * 1024

/** The most bytes of a log-in's answer: the catalog in it is kept. */
const maxLoginBytes = 1024 * 1024

/**
 * The part of the time-out after which calls are aborted, so that the error names the call and not the
 * log-in.
 */
const callsPart = 0.97

/** Connections to one origin of one provider. */
const connections = 4

/** Throws `invalid` for a line of `providers.allow` or a CA file that cannot be read. */
export function createProviders(settings: ProvidersSettings): Providers {
  const egress = createEgress(settings)
  const { timeoutMs = 15_000, caFile } = settings
  const entries = new Map<string, Entry>()
  const newDispatcher = (): Dispatcher =>
    createDispatcher({ connections, through: egress.through, ...(caFile ? { caFile } : {}) })
  // Opened once, so that a CA file that cannot be read fails at start.
  void newDispatcher().close()

  /**
   * The kept log-in of a provider. The map is in the order of use: beyond the limit the first goes, when its
   * calls are over.
   */
  function entryOf(login: ProviderLogin): Entry {
    const key = fingerprint(login)
    const entry = entries.get(key) ?? openEntry(login, { egress, newDispatcher, timeoutMs })
    entries.delete(key)
    entries.set(key, entry)
    const [oldest] = entries
    if (entries.size > mostEntries && oldest) {
      entries.delete(oldest[0])
      void oldest[1].dispatcher.close()
    }
    return entry
  }

  return {
    provider: (login, requestId) =>
      providerCloud({
        login,
        requestId,
        timeoutMs,
        entry: () => entryOf(login),
        onDenied: why => settings.onRefusal?.({ endpoint: shown(login.endpoint), why, requestId }),
      }),
    async close() {
      const open = [...entries.values()]
      entries.clear()
      await Promise.all(open.map(entry => entry.dispatcher.destroy()))
    },
  }
}

/**
 * A provider's URL for the log: in one line, and without a password or query that somebody may have put in.
 */
const shown = (endpoint: string): string =>
  endpoint
    .slice(0, 200)
    .replace(/\/\/[^/]*@/, '//')
    .replace(/[?#].*$/s, '')
    .replace(/[^!-~]/g, '?')

interface EntryParts {
  readonly egress: Egress
  readonly newDispatcher: () => Dispatcher
  readonly timeoutMs: number
}

function openEntry(login: ProviderLogin, { egress, newDispatcher, timeoutMs }: EntryParts): Entry {
  const authUrl = authUrlOf(login.endpoint)
  if (authUrl === null) throw endpointRefused('Keystone')
  egress.check(new URL(authUrl))
  const auth = loginBody(login)
  const dispatcher = newDispatcher()
  const session = createSession({ authUrl, auth, timeoutMs, dispatcher, maxBytes: maxLoginBytes })
  const catalog = createCatalog(session, { allowed: url => isAllowed(egress, url) })
  // A page of 100 servers, with all that users may put on them, stays below `maxBytes`.
  const regions = createRegions({ session, catalog, pageSize: 100, timeoutMs, maxBytes, dispatcher })
  return { dispatcher, session, catalog, regions }
}

function isAllowed(egress: Egress, url: URL): boolean {
  try {
    egress.check(url)
    return true
  } catch {
    return false
  }
}

interface Parts {
  readonly login: ProviderLogin
  readonly requestId: string
  readonly timeoutMs: number
  readonly entry: () => Entry
  readonly onDenied: (why: string) => void
}

/** The region that a verb works in, with its deadline. */
interface EnteredRegion {
  readonly session: Session
  readonly services: readonly CatalogService[]
  readonly regionName: string
  readonly region: RegionClient
  /**
   * The same region with a shorter deadline, for calls that may fail: so there is time left to answer without
   * them.
   */
  readonly hurried: RegionClient
}

function providerCloud({ login, requestId, timeoutMs, entry, onDenied }: Parts): ProviderCloud {
  const note = (error: unknown): void => {
    const why = whyDenied(error)
    if (why !== null) onDenied(why)
  }

  /** Runs a verb with one deadline, and words its errors for users. */
  async function run<T>(verb: (entered: EnteredRegion) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    // A log-in that other verbs wait for too cannot be aborted: this verb stops waiting for it at the
    // time-out.
    const timers = [setTimeout(() => stop.abort(), timeoutMs * callsPart)]
    const late = new Promise<never>((_, reject) => {
      timers.push(setTimeout(() => reject(failed('timeout', 'Keystone')), timeoutMs))
    })
    try {
      const work = enter(entry(), login, { requestId, timeoutMs, signal: stop.signal }).then(verb)
      return await Promise.race([work, late])
    } catch (error) {
      note(error)
      throw told(error)
    } finally {
      for (const timer of timers) clearTimeout(timer)
      stop.abort()
    }
  }

  return {
    look: () => run(entered => look(entered, note)),
    usableNetworks: ids =>
      run(async ({ session, region }) => {
        const project = await session.project()
        if (!project) throw noProject()
        return usableNetworks(region, project.id, ids)
      }),
    createServer: spec => run(({ region }) => createServer(region, spec)),
    listServers: () => run(({ region }) => listMarkedServers(region)),
    getServer: id => run(({ region }) => getServer(region, id)),
    removeServer: id => run(({ region }) => removeServer(region, id)),
  }
}

interface Context {
  readonly requestId: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

async function enter(
  { session, regions }: Entry,
  login: ProviderLogin,
  context: Context,
): Promise<EnteredRegion> {
  const endsAt = performance.now() + context.timeoutMs
  const services = await session.catalog({ requestId: context.requestId })
  const regionName = login.region ?? firstComputeRegion(services)
  if (regionName === null || !has(services, 'compute', regionName)) throw noEndpoint(login.region)
  if (!isText(regionName)) throw failed('garbage', 'Keystone')
  const leftMs = Math.max(1, endsAt - performance.now())
  const within = (part: number) => ({ ...context, timeoutMs: leftMs * part })
  return {
    session,
    services,
    regionName,
    region: regions.region(regionName, within(1)),
    hurried: regions.region(regionName, within(0.8)),
  }
}

const publicRegions = (services: readonly CatalogService[], type: ServiceType): string[] =>
  services
    .filter(service => service.type === type)
    .flatMap(service => service.endpoints)
    .filter(endpoint => endpoint.interface === 'public')
    .map(endpoint => endpoint.region)

const firstComputeRegion = (services: readonly CatalogService[]): string | null =>
  publicRegions(services, 'compute')[0] ?? null

const has = (services: readonly CatalogService[], type: ServiceType, regionName: string): boolean =>
  publicRegions(services, type).includes(regionName)

/**
 * Looks at a provider: its flavors and limits. Limits that cannot be had are left out, and `note` is called
 * with the error.
 */
async function look(
  { session, services, regionName, region, hurried }: EnteredRegion,
  note: (error: unknown) => void,
): Promise<ProviderSight> {
  const project = await session.project()
  if (!project) throw noProject()
  if (!isId(project.id) || !isText(project.name)) throw failed('garbage', 'Keystone')
  async function asFarAs(type: ServiceType, ask: () => Promise<Partial<Amounts>>): Promise<Partial<Amounts>> {
    if (!has(services, type, regionName)) return {}
    return ask().catch(error => {
      note(error)
      return {}
    })
  }
  const volumes: ServiceType = has(services, 'block-storage', regionName) ? 'block-storage' : 'volumev3'
  const [flavors, ...limits] = await Promise.all([
    listFlavors(region),
    getComputeLimits(region),
    asFarAs('network', () => getNetworkLimits(hurried, project.id)),
    asFarAs(volumes, () => getVolumeLimits(hurried, volumes, project.id)),
  ])
  return {
    projectId: project.id,
    projectName: project.name,
    isAdmin: (await session.login()).roles.includes('admin'),
    region: regionName,
    flavors,
    limits: Object.assign({}, ...limits),
  }
}
