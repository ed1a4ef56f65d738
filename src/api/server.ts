// The one listener: path normalisation, faces at their prefixes, authentication, policy, bodies, errors, request log.

import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import type { App } from '../core/app.ts'
import type { Caller } from '../core/caller.ts'
import { AppError, malformed } from '../core/error.ts'
import type { Credentials } from './auth.ts'
import { publicUrl, trusting } from './forwarded.ts'
import { begin } from './guards.ts'
import { readJson } from './json.ts'
import type { HttpMetrics } from './metrics.ts'
import { OtherMethods } from './other-methods.ts'
import { normalisePath, pathOf } from './path.ts'
import { Pieces } from './pieces.ts'
import { authorise, type PolicyTable } from './policy.ts'
import { parseQuery } from './request.ts'
import type { ErrorAnswer, Face, Head, Mount, Route } from './route.ts'
import { Streams, TextStream } from './streams.ts'
import { toAppError } from './thrown.ts'
import { refuseUnreadable } from './unreadable.ts'

export interface ServerOptions {
  readonly app: App
  readonly mounts: readonly Mount[]
  readonly authenticate: (credentials: Credentials) => Promise<Caller>
  /** Counts a caller's request against the rate limits; throws `invalid` for one too many. */
  readonly count: (caller: Caller) => void
  /** The face's policy table with the operator's lines in it. */
  readonly policyOf: (face: Face) => PolicyTable
  /** The URL of Keystone that `WWW-Authenticate` names. */
  readonly identityUrl: string
  readonly log: FastifyBaseLogger
  readonly metrics: HttpMetrics
  readonly bodyLimit: number
  /** The most streams that may be open at once. */
  readonly mostStreams: number
  readonly trustedProxies: readonly string[]
  readonly tls: { cert: string; key: string } | null
  /**
   * How long a client may take to send a request: otherwise one that sends a byte now and then would hold a
   * connection for ever.
   */
  readonly requestMs: number
}

/** The server's options, and objects that are made of them once. */
interface Serving extends ServerOptions {
  readonly isTrusted: (address: string) => boolean
  readonly streams: Streams
  readonly otherMethods: OtherMethods
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
  interface FastifyContextConfig {
    route?: Route | undefined
    face?: Face
  }
}

/** How long requests under way may take when the server stops. */
const drainMs = 5_000

export function createServer(given: ServerOptions): FastifyInstance {
  const streams = new Streams({
    most: given.mostStreams,
    onError: error => given.log.error({ err: error }, 'a stream broke off'),
  })
  const otherMethods = new OtherMethods(given.mounts)
  const options: Serving = { ...given, isTrusted: trusting(given.trustedProxies), streams, otherMethods }
  const settings: FastifyServerOptions = {
    loggerInstance: options.log,
    genReqId: () => `req-${randomUUID()}`,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: options.bodyLimit,
    requestTimeout: options.requestMs,
    trustProxy: options.isTrusted,
    rewriteUrl(request) {
      otherMethods.disguise(request)
      return normalisePath(request.url ?? '/')
    },
    // Queries are parsed by parseQuery, which knows repeated parameters and says what is wrong with a bad
    // one. A path parameter may be as long as a path: a text that is no id of ours is not found, like any
    // other.
    routerOptions: { querystringParser: () => ({}), maxParamLength: 16_384 },
    exposeHeadRoutes: false,
    // While the server stops, requests on open connections are still answered.
    return503OnClosing: false,
    frameworkErrors: async (_error, request, reply) => {
      // Fastify runs no hooks for its own errors, so the request is logged here.
      otherMethods.unmask(request.raw)
      await fail(options, rootFace(options))(badPath(), request, reply)
      report(options, request, reply)
    },
    clientErrorHandler: refuseUnreadable(rootFace(options), options.log),
  }
  const server = Fastify({ ...settings, ...listener(options) } as FastifyServerOptions)
  server.server.on('checkExpectation', (...exchange) => server.server.emit('request', ...exchange))
  server.decorateRequest('caller', null)
  readBodies(server, bytes => readJson(bytes))
  server.addHook('onRequest', async (request, reply) => {
    otherMethods.unmask(request.raw)
    begin(reply, request)
    checkTarget(request)
  })
  server.addHook('onResponse', async (request, reply) => report(options, request, reply))
  endSoon(server, streams)
  // The root face, which owns every path of no other face, is mounted last.
  for (const mount of [...options.mounts].sort((a, b) => b.prefix.length - a.prefix.length)) {
    server.register(async scope => mountFace(scope, mount, options), { prefix: mount.prefix })
  }
  return server
}

/** Options that leave refusals to us: Node's own have no request id and no face's shape. */
function listener({ tls, requestMs }: ServerOptions): object {
  const own = {
    requireHostHeader: false,
    headersTimeout: requestMs,
    connectionsCheckingInterval: requestMs / 2,
  }
  return tls ? { https: { ...tls, ...own } } : { http: own }
}

/**
 * When the server stops, each connection ends with the answer under way on it, and all of them after a
 * time-out.
 */
function endSoon(server: FastifyInstance, streams: Streams): void {
  let isStopping = false
  server.addHook('preClose', async () => {
    isStopping = true
    streams.closeAll()
    setTimeout(() => server.server.closeAllConnections(), drainMs).unref()
  })
  server.addHook('onResponse', async () => {
    // The connection becomes idle after the answer, and Node would not close it any more.
    if (isStopping) setImmediate(() => server.server.closeIdleConnections())
  })
}

/** Reads bodies with the face's reader, whatever content type they have. */
function readBodies(
  server: FastifyInstance,
  read: (bytes: Uint8Array, contentType: string | undefined) => unknown,
  bodyLimit?: number,
): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    '*',
    { parseAs: 'buffer', ...(bodyLimit === undefined ? {} : { bodyLimit }) },
    async (request: FastifyRequest, body: Buffer) => read(body, request.headers['content-type']),
  )
}

/** Refuses a path that does not begin with a slash: the router would take any first character for one. */
function checkTarget({ raw, originalUrl }: FastifyRequest): void {
  if (raw.httpVersion === '1.1' && !raw.headers.host) throw malformed('The request names no host')
  if (!pathOf(originalUrl).startsWith('/')) throw malformed('The path does not begin with a slash')
}

const rootFace = ({ mounts }: ServerOptions): Face => mounts.find(({ prefix }) => prefix === '')!.face

const badPath = () => malformed('The path is not percent-encoded UTF-8')

function mountFace(scope: FastifyInstance, { prefix, face }: Mount, options: Serving): void {
  const policy = options.policyOf(face)
  scope.addHook('onRequest', async (request, reply) => {
    const route = request.routeOptions.config.route
    const isPublic = route !== undefined && policy[route.rule] === 'public'
    if (!isPublic) request.caller = await options.authenticate(credentialsOf(request, face))
    if (request.caller) options.count(request.caller)
    if (hasGap(request)) return reply.callNotFound()
    if (route) face.check(headOf(request), route)
    if (route && request.caller) authorise(request.caller, route.rule, policy, route.denied)
  })
  const { bodies } = face
  if (bodies) readBodies(scope, (...body) => bodies.read(...body), Math.min(bodies.limit, options.bodyLimit))
  scope.setErrorHandler(fail(options, face))
  scope.setNotFoundHandler((request, reply) =>
    fail(options, face)(new AppError('not_found', ''), request, reply),
  )
  for (const route of face.routes) {
    scope.route({
      method: route.method,
      url: route.path === '/' && prefix ? '' : route.path,
      config: { route, face },
      handler: (request, reply) => handle(options, route, { prefix, face }, request, reply),
    })
  }
  options.otherMethods.refuse(scope, { prefix, face })
}

/** Whether a path parameter is empty: `/leases/` is not the lease without an id. */
const hasGap = ({ routeOptions, params }: FastifyRequest): boolean =>
  routeOptions.config.face !== undefined && Object.values(params as object).includes('')

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

const headOf = (request: FastifyRequest): Head => ({
  method: request.method,
  path: pathOf(request.originalUrl),
  header: name => header(request, name),
})

const credentialsOf = (request: FastifyRequest, face: Face): Credentials => ({
  token: header(request, 'x-auth-token'),
  serviceToken: header(request, 'x-service-token'),
  method: request.method,
  path: pathOf(request.originalUrl),
  serviceType: face.serviceType,
  requestId: request.id,
})

async function handle(
  options: Serving,
  route: Route,
  { prefix, face }: Mount,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const params = request.params as Record<string, string>
  const base = prefix.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!))
  const answer = await route.handle(options.app, request.caller, {
    method: request.method,
    params,
    query: parseQuery(request.originalUrl),
    body: request.body,
    applicationUrl: `${publicUrl(request, options.isTrusted)}${base}`,
    header: name => header(request, name),
  })
  reply.code(answer.status).headers(face.headers ?? {})
  // A 204 has a content type although it has no body, as the originals' do.
  if (answer.status === 204) return reply.header('content-type', 'application/json').send()
  if (answer.body === undefined) return reply.header('content-length', '0').send()
  if (answer.body instanceof TextStream) return stream(options, answer.body, route, face, request, reply)
  if (answer.body instanceof Pieces) {
    return reply.header('content-type', 'application/json').send(Readable.from(answer.body.texts))
  }
  return send(reply, 'application/json', JSON.stringify(answer.body))
}

function stream(
  { streams, authenticate, policyOf }: Serving,
  body: TextStream,
  route: Route,
  face: Face,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const stillAllowed = async (): Promise<Caller> => {
    const caller = await authenticate(credentialsOf(request, face))
    authorise(caller, route.rule, policyOf(face), route.denied)
    return caller
  }
  const texts = streams.open(body, request.caller!, stillAllowed)
  // `x-accel-buffering: no` lets proxies pass on each text of the stream at once.
  return reply
    .headers({ 'content-type': body.contentType, 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    .send(texts)
}

/**
 * Sends a text as bytes: Fastify would add a charset to the content type, which the originals' JSON does not
 * have.
 */
const send = (reply: FastifyReply, contentType: string, text: string): FastifyReply =>
  reply.header('content-type', contentType).send(Buffer.from(text))

/** Answers with an error, in the face's envelope. */
function fail(options: ServerOptions, face: Face) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const error = toAppError(thrown, request.id)
    const answer = describe(face, error, request)
    if (answer.status >= 500) request.log.error({ err: thrown }, error.message)
    reply.headers(answer.headers ?? {})
    if (answer.status === 401) reply.header('www-authenticate', `Keystone uri="${options.identityUrl}"`)
    await send(begin(reply, request).code(answer.status), answer.contentType, answer.body)
  }
}

/**
 * The answer to an error, in the face's words; a request without a valid token is refused everywhere as
 * keystonemiddleware does.
 */
function describe(face: Face, error: AppError, request: FastifyRequest): ErrorAnswer {
  if (error.code === 'unauthenticated') {
    const body = { error: { code: 401, title: 'Unauthorized', message: error.message } }
    return { status: 401, contentType: 'application/json', body: JSON.stringify(body) }
  }
  const route = request.routeOptions.config.route ?? null
  return face.describe({ error, route, method: request.method, accept: header(request, 'accept') })
}

function report(options: ServerOptions, request: FastifyRequest, reply: FastifyReply): void {
  const { route, face } = request.routeOptions.config
  // A stream's duration is not a response time, so it is not measured.
  const isStream = route?.alsoAnswers !== undefined && reply.getHeader('content-type') === route.alsoAnswers
  if (!isStream)
    options.metrics.observe(
      face?.name ?? 'none',
      request.method,
      route?.path ?? 'none',
      reply.statusCode,
      reply.elapsedTime / 1000,
    )
  options.log.info(
    {
      request_id: request.id,
      global_request_id: header(request, 'x-openstack-request-id'),
      method: request.method,
      path: pathOf(request.originalUrl),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      user: request.caller?.userId,
      project: request.caller?.projectId,
    },
    'request',
  )
}
