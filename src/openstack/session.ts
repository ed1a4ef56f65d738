// Logs in to Keystone as one user, keeps the token fresh, and makes calls with it.
import type { Dispatcher } from 'undici'
import { AppError, unavailable } from '../core/error.ts'
import { type Call, CallError, call, createDispatcher, type Reply } from './http.ts'
import { retrying } from './retry.ts'
import { type CatalogService, parseTokenBody, type TokenBody, tokenLike } from './token.ts'

export interface SessionSettings {
  /** Keystone's URL, with or without the `/v3` at its end. */
  readonly authUrl: string
  /** Either these five (domains by name, `Default` when left out) … */
  readonly username?: string
  readonly password?: string
  readonly userDomain?: string
  readonly projectName?: string
  readonly projectDomain?: string
  /** … or an application credential. */
  readonly applicationCredentialId?: string
  readonly applicationCredentialSecret?: string
  /** … or the whole body of the log-in. */
  readonly auth?: object
  /** The authorities (PEM) to trust for `authUrl`, instead of the system's. */
  readonly caFile?: string
  /** The time-out of one question to Keystone with all its tries; 15 s by default. */
  readonly timeoutMs?: number
  /** The most bytes of the answer to a log-in; 32 MB by default. */
  readonly maxBytes?: number
  /** The dispatcher of a caller who also closes it; by default the session has its own. */
  readonly dispatcher?: Dispatcher
}

/** A call that the session completes with the token. */
export type SessionCall = Omit<Call, 'dispatcher'> & { readonly dispatcher?: Dispatcher }

/** The log-in whose token calls have now, and its roles. */
export interface LoginFacts {
  /** The number of the log-in, which changes with each. */
  readonly number: number
  readonly roles: readonly string[]
}

interface Login extends LoginFacts {
  readonly token: string
  /** When the token is to be renewed, by our monotonic clock, so that neither clock's setting matters. */
  readonly renewAt: number
  readonly project: Project | null
  readonly catalog: readonly CatalogService[]
}

export type Project = NonNullable<TokenBody['project']>

/** How long before its end a token is replaced: the calls that still carry it must arrive. */
const renewBeforeMs = 60_000

/** Throws `invalid` when the settings name no complete credential or the CA file cannot be read. Does no I/O else. */
export const createSession = (settings: SessionSettings): Session => new Session(settings)

export class Session {
  /** Ends in `/v3`. */
  readonly authUrl: string
  readonly timeoutMs: number
  readonly #auth: object
  readonly #maxBytes: number | undefined
  readonly #isOwn: boolean
  readonly #dispatcher: Dispatcher
  #login: Login | undefined
  #pending: Promise<Login> | undefined
  #logins = 0

  constructor(settings: SessionSettings) {
    if (!/^https?:/.test(settings.authUrl) || !URL.canParse(settings.authUrl)) {
      throw new AppError('invalid', `${settings.authUrl} is no URL of a Keystone`)
    }
    this.authUrl = `${settings.authUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/v3`
    this.timeoutMs = settings.timeoutMs ?? 15_000
    this.#auth = settings.auth ?? authBody(settings)
    this.#maxBytes = settings.maxBytes
    this.#isOwn = settings.dispatcher === undefined
    this.#dispatcher =
      settings.dispatcher ?? createDispatcher(settings.caFile ? { caFile: settings.caFile } : {})
  }

  /** A token that is good for a minute at least. Throws `unavailable`. */
  async token(requestId?: string): Promise<string> {
    return (await this.#current(requestId)).token
  }

  /** What the token's catalog says. `fresh` asks Keystone again. Throws `unavailable`. */
  async catalog(options: { fresh?: boolean; requestId?: string } = {}): Promise<readonly CatalogService[]> {
    const login = options.fresh ? this.#renewed(options.requestId) : this.#current(options.requestId)
    return (await login).catalog
  }

  /** The project that the user works in; null when the token has none. Throws `unavailable`. */
  async projectId(requestId?: string): Promise<string | null> {
    return (await this.project(requestId))?.id ?? null
  }

  /** `fresh` logs in again: a token has the roles of the moment at which it was made. Throws `unavailable`. */
  async login(options: { fresh?: boolean; requestId?: string } = {}): Promise<LoginFacts> {
    const { number, roles } = await (options.fresh
      ? this.#renewed(options.requestId)
      : this.#current(options.requestId))
    return { number, roles }
  }

  /** As `projectId`, with its name. */
  async project(requestId?: string): Promise<Project | null> {
    return (await this.#current(requestId)).project
  }

  /**
   * Makes a call with the token, and once more with a new one when the answer is a 401 (which means that nothing was
   * done); its time-out covers all of that. Throws `CallError` as `call` does, `unavailable` when there is no token
   * to be had in time.
   */
  async call(request: SessionCall): Promise<Reply> {
    const deadline = performance.now() + request.timeoutMs
    const first = await this.#currentBy(deadline, request.requestId)
    const reply = await this.#callWith(first, deadline, request)
    if (reply.status !== 401) return reply
    if (this.#login === first) this.#login = undefined
    return this.#callWith(await this.#currentBy(deadline, request.requestId), deadline, request)
  }

  /** Lets go of the connections to Keystone; calls under way fail. */
  async close(): Promise<void> {
    if (this.#isOwn) await this.#dispatcher.destroy()
  }

  #callWith(login: Login, deadline: number, request: SessionCall): Promise<Reply> {
    const headers = { ...request.headers, 'x-auth-token': login.token }
    const timeoutMs = Math.max(1, deadline - performance.now())
    return call({ dispatcher: this.#dispatcher, ...request, headers, timeoutMs })
  }

  /**
   * As `#current`; a caller whose deadline comes first gives up waiting, and the log-in goes on for the
   * others.
   */
  async #currentBy(deadline: number, requestId: string | undefined): Promise<Login> {
    const { promise: late, cancel } = failAt(deadline, tooLate)
    return Promise.race([this.#current(requestId), late]).finally(cancel)
  }

  async #current(requestId: string | undefined): Promise<Login> {
    if (this.#login && performance.now() < this.#login.renewAt) return this.#login
    return this.#renewed(requestId)
  }

  /** Logs in, once at a time: callers that come during a log-in wait for the same one. */
  #renewed(requestId: string | undefined): Promise<Login> {
    this.#pending ??= this.#logIn(requestId).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #logIn(requestId: string | undefined): Promise<Login> {
    const reply = await askKeystone(this.timeoutMs, timeoutMs =>
      call({
        method: 'POST',
        url: `${this.authUrl}/auth/tokens`,
        json: this.#auth,
        timeoutMs,
        ...(this.#maxBytes === undefined ? {} : { maxBytes: this.#maxBytes }),
        dispatcher: this.#dispatcher,
        requestId,
      }),
    )
    if (reply.status !== 201) throw refusal(this.authUrl, reply)
    const token = reply.headers['x-subject-token']
    const body = parseTokenBody(reply.body)
    if (!token || !tokenLike.test(token) || !body)
      throw unavailable(`Keystone at ${this.authUrl} answered a log-in with something else`)
    const lifeMs = body.expiresAt.getTime() - body.issuedAt.getTime()
    // A token that lives shorter than the margin is still used once rather than never.
    const renewAt = performance.now() + Math.max(lifeMs - renewBeforeMs, 1000)
    this.#logins += 1
    const { project, catalog, roles } = body
    this.#login = { number: this.#logins, token, renewAt, project, catalog, roles }
    return this.#login
  }
}

const tooLate = (): AppError =>
  new AppError('unavailable', 'Keystone gave no token in time', { service: 'Keystone', reason: 'timeout' })

function failAt(deadline: number, error: () => Error): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), Math.max(1, deadline - performance.now()))
  })
  return { promise, cancel: () => clearTimeout(timer) }
}

/**
 * Asks Keystone up to three times, each time with its share of `totalMs`. Throws `unavailable` when no answer came or
 * the last one was a 429 or 5xx.
 */
export async function askKeystone(
  totalMs: number,
  once: (timeoutMs: number) => Promise<Reply>,
): Promise<Reply> {
  const attempts = { tries: 3, deadline: performance.now() + totalMs }
  const reply = await retrying(attempts, (remainingMs, left) => once(remainingMs / left)).catch(cause => {
    if (cause instanceof CallError) throw unavailable(`Keystone does not answer: ${cause.message}`, cause)
    throw cause
  })
  if (reply.status === 429 || reply.status >= 500) {
    const detail = { service: 'Keystone', status: reply.status }
    throw new AppError('unavailable', `Keystone answered ${reply.status}`, detail)
  }
  return reply
}

function refusal(authUrl: string, reply: Reply): AppError {
  const what =
    reply.status === 401
      ? 'refused the name or the password of the service user'
      : `answered a log-in with ${reply.status}`
  return new AppError('unavailable', `Keystone at ${authUrl} ${what}`, {
    service: 'Keystone',
    status: reply.status,
    ...(reply.status === 401 ? { reason: 'credentials_refused' } : {}),
  })
}

function authBody(settings: SessionSettings): object {
  const { username, password, projectName, applicationCredentialId: id } = settings
  const secret = settings.applicationCredentialSecret
  if (id && secret) {
    const identity = { methods: ['application_credential'], application_credential: { id, secret } }
    return { auth: { identity } }
  }
  if (!username || !password || !projectName) {
    const needed = 'a user name, a password and a project, or an application credential with its secret'
    throw new AppError('invalid', `identity needs ${needed}`)
  }
  const user = { name: username, password, domain: { name: settings.userDomain ?? 'Default' } }
  const project = { name: projectName, domain: { name: settings.projectDomain ?? 'Default' } }
  return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } }
}
