// Where services are: endpoints by service type, region and interface, out of the session's catalog.
import { AppError } from '../core/error.ts'
import type { Endpoint } from '../core/identity.ts'
import type { Session } from './session.ts'
import type { CatalogService } from './token.ts'

export interface Catalog {
  /**
   * The endpoint's URL, without a slash at its end. Throws `upstream` with a reason: `no_endpoint` when the catalog has
   * none (Keystone is asked again every few seconds), `endpoint_refused` when its URL is none that may be called; `unavailable` when
   * Keystone gives no catalog.
   */
  url(region: string, serviceType: string, requestId?: string): Promise<string>
  /** Every endpoint of the interface whose URL may be called. Throws `unavailable`. */
  endpoints(requestId?: string): Promise<readonly Endpoint[]>
}

export interface CatalogOptions {
  /** `public` by default. */
  readonly interface?: 'public' | 'internal' | 'admin'
  /** Whether a URL that the catalog gives may be called at all; every http(s) URL by default. */
  readonly allowed?: (url: URL) => boolean
}

/** Endpoints change rarely, but a region that was moved must be found again without a restart. */
const ttlMs = 300_000

/** How often a missing endpoint makes Keystone be asked again. */
const missMs = 5_000

export function createCatalog(session: Session, options: CatalogOptions = {}): Catalog {
  const wanted = options.interface ?? 'public'
  const allowed = options.allowed ?? (() => true)
  let services: readonly CatalogService[] | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined

  function ask(requestId?: string): Promise<void> {
    asking ??= session
      .catalog({ fresh: services !== null, ...(requestId ? { requestId } : {}) })
      .then(answer => {
        services = answer
      })
      .finally(() => {
        askedAt = performance.now()
        asking = undefined
      })
    return asking
  }

  /**
   * Waits for Keystone's catalog the first time only; later an old catalog is used while a new one is
   * fetched.
   */
  async function ready(requestId?: string): Promise<void> {
    if (services === null) await ask(requestId)
    else if (performance.now() - askedAt > ttlMs) void ask(requestId).catch(() => undefined)
  }

  const of = (serviceType: string): Endpoint[] =>
    (services ?? [])
      .filter(service => service.type === serviceType)
      .flatMap(service => service.endpoints)
      .filter(endpoint => endpoint.interface === wanted)
      .map(({ region, url }) => ({ region, serviceType, url: url.replace(/\/+$/, '') }))

  async function url(region: string, serviceType: string, requestId?: string): Promise<string> {
    const find = () => of(serviceType).find(endpoint => endpoint.region === region)
    await ready(requestId)
    if (!find() && performance.now() - askedAt > missMs) await ask(requestId).catch(() => undefined)
    const found = find()
    if (!found) throw missing(region, serviceType, wanted, of(serviceType))
    if (!callable(found.url, allowed)) throw refused(found)
    return found.url
  }

  async function endpoints(requestId?: string): Promise<Endpoint[]> {
    await ready(requestId)
    const types = new Set((services ?? []).map(service => service.type))
    return [...types].flatMap(of).filter(endpoint => callable(endpoint.url, allowed))
  }

  return { url, endpoints }
}

function callable(text: string, allowed: (url: URL) => boolean): boolean {
  // The text is checked, not the parsed URL: the parser has dropped some of these characters.
  if (!/^https?:\/\/[^/@]+(\/|$)/i.test(text) || !/^[!-~]+$/.test(text) || /[?#\\]/.test(text)) return false
  return URL.canParse(text) && allowed(new URL(text))
}

function missing(region: string, serviceType: string, wanted: string, others: readonly Endpoint[]): AppError {
  const elsewhere = others.map(endpoint => endpoint.region).join(', ')
  const where = elsewhere ? `it has one in ${elsewhere}` : 'no region has one'
  const message = `the catalog has no ${wanted} endpoint of type ${serviceType} in region ${region}; ${where}`
  return new AppError('upstream', message, { region, service: serviceType, reason: 'no_endpoint' })
}

function refused({ region, serviceType, url }: Endpoint): AppError {
  const shown = url.replace(/\/\/[^/]*@/, '//')
  const message = `the ${serviceType} endpoint of region ${region} in the catalog, ${shown}, is none that may be called`
  return new AppError('upstream', message, { region, service: serviceType, reason: 'endpoint_refused' })
}
