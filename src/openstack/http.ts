// One outgoing HTTP call: JSON in and out, no redirects, bounded in time and size, its failures told apart.
import { readFileSync } from 'node:fs'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { AppError } from '../core/error.ts'
import { readJson } from './json.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Call {
  readonly method: Method
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The body, sent as JSON. */
  readonly json?: unknown
  /** For the whole exchange: waiting for a connection, connecting, headers and body. */
  readonly timeoutMs: number
  /** The most bytes of the reply's body; 32 MB by default. */
  readonly maxBytes?: number
  readonly dispatcher: Dispatcher
  /** `req-<uuid>`, our id of the request, which the service logs beside its own. */
  readonly requestId?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer, whatever its status. 3xx is an answer like any other: it is not followed. */
export interface Reply {
  readonly status: number
  /** Names in lower case; of a repeated header the first value. */
  readonly headers: Readonly<Record<string, string>>
  /** The parsed body; undefined when there is none, or when an error's body is no JSON (a proxy's HTML). */
  readonly body: unknown
}

export type Failure =
  | 'refused' // nobody listens there, or no route
  | 'unresolved' // the host name is unknown
  | 'tls' // no trust, no common protocol
  | 'reset' // the connection ended before the answer did
  | 'timeout'
  | 'garbage' // an answer that is no HTTP, or a success that is no JSON
  | 'too_big'
  | 'aborted' // by the caller's signal
  | 'denied' // an address that may not be called

/** A call that brought no usable answer. */
export class CallError extends Error {
  readonly failure: Failure
  /** True when the request may have reached the other side: it may have taken effect. */
  readonly sent: boolean
  /** The status of a reply that began. */
  readonly status: number | undefined

  constructor(failure: Failure, message: string, sent: boolean, status?: number, cause?: unknown) {
    super(message, { cause })
    this.name = 'CallError'
    this.failure = failure
    this.sent = sent
    this.status = status
  }
}

/** Opens one connection. */
export type Connector = buildConnector.connector

/** The code of the error with which a connector refuses an address. */
export const deniedCode = 'ERR_EGRESS_DENIED'

export interface DispatcherOptions {
  /** The only authorities (PEM) to trust. */
  readonly caFile?: string
  /** The most that are open to one origin (16); further calls wait inside their own time-out. */
  readonly connections?: number
  /** Wraps the connector of every new connection. */
  readonly through?: (connect: Connector) => Connector
}

/**
 * Connections to one identity service or region, kept alive between calls; `close()` or `destroy()` it when done.
 * Throws `invalid` when the CA file cannot be read.
 */
export function createDispatcher(options: DispatcherOptions = {}): Dispatcher {
  const connect = { timeout: 10_000, ...(options.caFile ? { ca: readCaFile(options.caFile) } : {}) }
  return new Agent({
    connections: options.connections ?? 16,
    connect: options.through ? options.through(buildConnector(connect)) : connect,
    // Idle connections are closed soon, whatever keep-alive the service offers: to a thousand regions
    // thousands of them would stay open.
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    // The time-out of the whole exchange is kept by Exchange, so undici's own two are turned off.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

const idleMs = 1_000

function readCaFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError(
      'invalid',
      `the CA file ${path} cannot be read: ${(cause as Error).message}`,
      {},
      { cause },
    )
  }
}

/** Sends one request and reads its answer whole. Throws `CallError` when there is no usable answer. */
export async function call(request: Call): Promise<Reply> {
  const { status, headers, bytes } = await new Exchange(request).run()
  if (bytes.length === 0) return { status, headers, body: undefined }
  try {
    return { status, headers, body: readJson(bytes) }
  } catch (cause) {
    if (status >= 300) return { status, headers, body: undefined }
    const message = `${withoutQuery(request)} answered ${status} with a body that is no JSON`
    throw new CallError('garbage', `${message}: ${(cause as Error).message}`, true, status, cause)
  }
}

/** The URL of a call for messages, without the query, which may hold names. */
function withoutQuery(request: Call): string {
  const url = new URL(request.url)
  return `${url.origin}${url.pathname}`
}

interface RawReply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly bytes: Buffer
}

/** One exchange on the wire, from waiting for a connection to the last byte. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: Call
  readonly #promise: Promise<RawReply>
  #resolve!: (reply: RawReply) => void
  #reject!: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  #over = false
  #status: number | undefined
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #size = 0

  constructor(request: Call) {
    this.#request = request
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  run(): Promise<RawReply> {
    const { method, url, json, timeoutMs, signal, dispatcher } = this.#request
    const { origin, pathname, search } = new URL(url)
    const body = json === undefined ? null : JSON.stringify(json)
    if (signal?.aborted) {
      this.#onAbort()
      return this.#promise
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setTimeout(() => {
      this.#fail('timeout', `gave no whole answer within ${Math.round(timeoutMs)} ms`)
    }, timeoutMs)
    dispatcher.dispatch(
      { method, origin, path: pathname + search, headers: this.#outgoing(body), body },
      this,
    )
    return this.#promise
  }

  #outgoing(body: string | null): Record<string, string> {
    const { headers, requestId } = this.#request
    return {
      accept: 'application/json',
      'user-agent': 'atoll',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...(requestId ? { 'x-openstack-request-id': requestId } : {}),
      ...headers,
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // The call timed out or was aborted while it waited for a connection: it must not be sent now.
    if (this.#over) controller.abort(new Error('given up'))
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return
    this.#status = status
    for (const [name, value] of Object.entries(headers)) {
      const first = Array.isArray(value) ? value[0] : value
      if (first !== undefined) this.#headers[name] = first
    }
    this.#checkSize(Number(this.#headers['content-length'] ?? 0))
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.#over) return
    this.#size += chunk.length
    this.#chunks.push(chunk)
    this.#checkSize(this.#size)
  }

  onResponseEnd(): void {
    if (this.#over || this.#status === undefined) return
    const reply = { status: this.#status, headers: this.#headers, bytes: Buffer.concat(this.#chunks) }
    this.#settle()
    this.#resolve(reply)
  }

  onResponseError(_: unknown, error: Error & { code?: string }): void {
    if (this.#over) return
    if (error.code === 'UND_ERR_INVALID_ARG') {
      this.#settle()
      this.#reject(error)
      return
    }
    this.#fail(failureOf(error), `failed: ${error.message || error.code}`, error)
  }

  #checkSize(bytes: number): void {
    const { maxBytes = 32 * 1024 * 1024 } = this.#request
    if (bytes > maxBytes) this.#fail('too_big', `answered with more than ${maxBytes} bytes`)
  }

  readonly #onAbort = (): void => this.#fail('aborted', 'was called off')

  #fail(failure: Failure, words: string, cause?: Error): void {
    if (this.#over) return
    const error = new CallError(
      failure,
      `${this.#request.method} ${withoutQuery(this.#request)} ${words}`,
      this.#controller !== undefined,
      this.#status,
      cause,
    )
    this.#settle()
    this.#controller?.abort(error)
    this.#reject(error)
  }

  #settle(): void {
    this.#over = true
    this.#chunks = []
    clearTimeout(this.#timer)
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function failureOf({ name, code = '' }: Error & { code?: string }): Failure {
  if (code === deniedCode) return 'denied'
  if (['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'].includes(code)) return 'refused'
  if (['ENOTFOUND', 'EAI_AGAIN'].includes(code)) return 'unresolved'
  if (['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'].includes(code)) return 'timeout'
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return 'garbage'
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_|EPROTO)/.test(code)) return 'tls'
  return 'reset'
}
