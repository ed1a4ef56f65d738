// Calls to regions: the endpoint, the token, time-outs, further tries where they do no harm, errors in our
// words.
import type { Dispatcher } from 'undici'
import type { z } from 'zod'
import type { AppError } from '../core/error.ts'
import type { Catalog } from './catalog.ts'
import { type Clock, readClock } from './clock.ts'
import { type Asked, badAnswer, noAnswer, refusal } from './fault.ts'
import { CallError, createDispatcher, type Method, type Reply } from './http.ts'
import { retrying } from './retry.ts'
import { apiUrl, rootUrl, type ServiceType, serviceName } from './services.ts'
import type { LoginFacts, Session } from './session.ts'
import { problem } from './wire-fields.ts'

export interface RegionsSettings {
  readonly session: Session
  readonly catalog: Catalog
  /** The time-out of one call with all its tries; 60 s by default. */
  readonly timeoutMs?: number
  /** Connections to one service of one region; 8 by default. More calls wait, inside their own time-out. */
  readonly connections?: number
  /** How many rows of a list are asked for at a time; 200 by default (so many groups of 100 rules weigh 10 MB). */
  readonly pageSize?: number
  /** PEM files: the authorities to trust for a region, by its name, instead of the system's. */
  readonly caFiles?: Readonly<Record<string, string>>
  /** The most bytes of one answer; 12 MB by default. */
  readonly maxBytes?: number
  /** The dispatcher of a caller who also closes it, for all regions; by default each has its own. */
  readonly dispatcher?: Dispatcher
}

/** On whose behalf calls are made. */
export interface CallContext {
  readonly requestId?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** The time-out of one call, instead of the settings' own. */
  readonly timeoutMs?: number | undefined
}

export type QueryItem = [name: string, value: string]

export interface RegionCall {
  readonly method: Method
  /** The path below the service's API (`/ports`). */
  readonly path: string
  /** True when `path` is below the service's root, beside its versions. */
  readonly fromRoot?: boolean
  readonly query?: readonly QueryItem[]
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly timeoutMs?: number
  /** Which answers beside 2xx are returned and not thrown. */
  readonly accept?: (reply: Reply) => boolean
}

export interface RegionReply extends Reply {
  readonly url: string
  /**
   * The value under a key of the body, or the whole body. Throws `upstream` when it does not fit `schema`.
   */
  read<T>(schema: z.ZodType<T>, key?: string): T
  /** The error to throw when this answer is nonsense in another way; `what` ends the sentence. */
  unexpected(what: string): AppError
}

export interface RegionClient {
  readonly name: string
  readonly timeoutMs: number
  readonly pageSize: number
  /**
   * One call to a service. GET, DELETE and PUT with If-Match are tried up to four times when no answer comes or the
   * answer is 429, 502, 503 or 504; anything else is tried once.
   *
   * Throws `upstream` for a refusal (reason: the service's own word for it), for no answer (`timeout`, `refused`,
   * `unresolved`, `reset`, `tls`, `garbage`, `too_big`, `aborted`), for a lost answer to what was tried once
   * (`maybe_done`), for a missing endpoint (`no_endpoint`, `endpoint_refused`); `unavailable` when Keystone is away.
   */
  call(service: ServiceType, request: RegionCall): Promise<RegionReply>
  /**
   * The clock of a service by its last answer; null before the first, and for services that send no `Date`.
   */
  clock(service: ServiceType): Clock | null
}

export interface Regions {
  /** A client of one region. Makes no call by itself: whether there is such a region, its first call tells. */
  region(name: string, context?: CallContext): RegionClient
  /** The project that all calls are made in; null when the token has none. Throws `unavailable`. */
  projectId(): Promise<string | null>
  /**
   * The log-in that calls are made with now. One without the role that a service user needs is made anew first: that may
   * have been given back. Throws `unavailable`.
   */
  login(role: string): Promise<LoginFacts>
  /** Lets go of all connections; calls under way fail. */
  close(): Promise<void>
}

const tries = 4

/** An answer takes some four times its size in memory while it is read. */
const defaultMaxBytes = 12 * 1024 * 1024

export function createRegions(settings: RegionsSettings): Regions {
  const clocks = new Map<string, Clock>()
  const dispatchers = new Map<string, Dispatcher>()

  function dispatcherOf(name: string): Dispatcher {
    if (settings.dispatcher) return settings.dispatcher
    const caFile = settings.caFiles?.[name]
    // Regions without a CA of their own share one: it keeps connections apart by origin anyway.
    const key = caFile ?? ''
    const made =
      dispatchers.get(key) ??
      createDispatcher({ connections: settings.connections ?? 8, ...(caFile ? { caFile } : {}) })
    dispatchers.set(key, made)
    return made
  }

  return {
    region(name, context = {}) {
      const timeoutMs = context.timeoutMs ?? settings.timeoutMs ?? 60_000
      return {
        name,
        timeoutMs,
        pageSize: settings.pageSize ?? 200,
        clock: service => clocks.get(`${service} ${name}`) ?? null,
        async call(service, request) {
          const key = `${service} ${name}`
          const maxBytes = settings.maxBytes ?? defaultMaxBytes
          const path = { ...settings, name, service, dispatcher: dispatcherOf(name), maxBytes }
          return callRegion(path, { ...context, timeoutMs }, request, clock => clocks.set(key, clock))
        },
      }
    },
    projectId: () => settings.session.projectId(),
    async login(role) {
      const login = await settings.session.login()
      return login.roles.includes(role) ? login : settings.session.login({ fresh: true })
    },
    async close() {
      await Promise.all([...dispatchers.values()].map(dispatcher => dispatcher.destroy()))
    },
  }
}

interface Path {
  readonly session: Session
  readonly catalog: Catalog
  readonly name: string
  readonly service: ServiceType
  readonly dispatcher: Dispatcher
  readonly maxBytes: number
}

async function callRegion(
  { session, catalog, name, service, dispatcher, maxBytes }: Path,
  { requestId, signal, timeoutMs }: CallContext & { timeoutMs: number },
  request: RegionCall,
  onClock: (clock: Clock) => void,
): Promise<RegionReply> {
  const deadline = performance.now() + (request.timeoutMs ?? timeoutMs)
  const url = urlOf(service, await catalog.url(name, service, requestId), request)
  const asked = { ...askedFor(request, new URL(url)), region: name, service: serviceName(service) }
  let sentTimes = 0

  const once = async (remainingMs: number): Promise<Reply> => {
    const startedAt = Date.now()
    const { method, headers, json } = request
    const bounds = { timeoutMs: remainingMs, maxBytes, signal }
    sentTimes++
    const reply = await session.call({ method, url, headers, json, dispatcher, requestId, ...bounds })
    const clock = readClock(reply, startedAt, Date.now())
    if (clock) onClock(clock)
    return reply
  }

  const attempts = { tries: asked.repeatable ? tries : 1, deadline, signal }
  const reply = await retrying(attempts, once).catch(error => {
    throw error instanceof CallError ? noAnswer(asked, error) : error
  })
  const good = (reply.status >= 200 && reply.status < 300) || request.accept?.(reply)
  if (!good) throw refusal(asked, reply, sentTimes > 1)
  return readable(reply, url, what => badAnswer(asked, what, reply.status))
}

function readable(reply: Reply, url: string, unexpected: (what: string) => AppError): RegionReply {
  return {
    ...reply,
    url,
    unexpected,
    read(schema, key) {
      const body = reply.body as Readonly<Record<string, unknown>> | null | undefined
      const parsed = schema.safeParse(key === undefined ? body : body?.[key])
      if (!parsed.success) throw unexpected(problem(parsed.error, key))
      return parsed.data
    },
  }
}

function urlOf(service: ServiceType, endpoint: string, { path, query, fromRoot }: RegionCall): string {
  const search = query?.length ? `?${new URLSearchParams(query)}` : ''
  return (fromRoot ? rootUrl : apiUrl)(service, endpoint) + path + search
}

function askedFor({ method, headers }: RegionCall, url: URL): Pick<Asked, 'what' | 'repeatable'> {
  const ifMatch = Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'if-match')
  const repeatable = method === 'GET' || method === 'DELETE' || (method === 'PUT' && ifMatch)
  return { what: `${method} ${url.pathname}`, repeatable }
}
