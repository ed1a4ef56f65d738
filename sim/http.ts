// One simulated HTTP service: JSON in and out, refusals in the service's own words, faults, request ids, its clock.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Clock } from './clock.ts'
import { addFaultRoutes } from './fault-routes.ts'
import type { FaultKind, FaultSpec, Faults, Person } from './faults.ts'

/** A service's refusal; `type` is the name that some services give to their errors. */
export class Refusal extends Error {
  readonly status: number
  readonly type: string
  readonly headers: Record<string, string>

  constructor(status: number, message: string, type = '', headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.type = type
    this.headers = headers
  }
}

export interface ServiceSpec {
  /** The service's name in faults and calls: keystone, neutron, nova, placement, glance. */
  name: string
  region?: string | undefined
  host?: string | undefined
  /** The port; 0, the default, picks a free one. */
  port?: number | undefined
  faults: Faults
  clock: Clock
  /** The user of a token, for faults that strike one user's calls only. */
  inspectToken?: ((token: string) => Person | null) | undefined
  /** The service's JSON body for a refusal. */
  envelope(refusal: Refusal, request: FastifyRequest): unknown
  /** Answers an unknown path; by default with the envelope of a 404. */
  notFound?: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined
  /** Adds the service's routes. */
  build(app: FastifyInstance, self: Self): void | Promise<void>
}

/** A service's own clock and URL. */
export interface Self {
  /** The service's time: the cloud's clock with this service's skew. */
  now(): Date
  /** The service's URL, without a slash at its end; known once it listens. */
  url(): string
}

export interface Service {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The faults that strike this request. */
    faults: FaultSpec[]
    /** True when the pages of this list shall never end. */
    isEndless: boolean
    /** True when a fault of kind blind strikes: rows that are read are not there. */
    isBlind: boolean
    /** True when the caller's admin role does not count. */
    isDemoted: boolean
  }
}

export function isAdmin(request: FastifyRequest, { roles }: { readonly roles: readonly string[] }): boolean {
  return roles.includes('admin') && !request.isDemoted
}

/** Whether a request is for `/_faults`, which needs no token and is no part of the service. */
export function isOfFaults({ url }: FastifyRequest): boolean {
  return url.startsWith('/_faults')
}

/** The token of a request; an empty text when there is none. */
export function tokenOf(request: FastifyRequest): string {
  return request.headers['x-auth-token']?.toString().trim() ?? ''
}

export async function startService(spec: ServiceSpec): Promise<Service> {
  const host = spec.host ?? '127.0.0.1'
  const app = fastify({
    forceCloseConnections: true,
    genReqId: () => `req-${randomUUID()}`,
    routerOptions: { ignoreTrailingSlash: true },
  })
  const now = () => new Date(spec.clock.now().getTime() + spec.faults.skewMs(spec.region ?? null, spec.name))

  readJson(app)
  addRefusals(app, spec)
  addHeaders(app, now)
  addFaults(app, spec)
  addFaultRoutes(app, spec.faults)
  let port = spec.port ?? 0
  const url = () => `http://${host}:${port}`
  await spec.build(app, { now, url })

  await app.listen({ host, port })
  port = (app.server.address() as { port: number }).port
  return { url: url(), port, close: () => app.close() }
}

/** Parses every body as JSON, whatever its content type, as the real services do; an empty one is no body. */
function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)))
    } catch {
      done(new Refusal(400, 'The body of the request is no JSON.', 'MalformedJson'))
    }
  })
}

function addRefusals(app: FastifyInstance, spec: ServiceSpec): void {
  app.setErrorHandler((error: FastifyError | Refusal, request, reply) => {
    const refusal =
      error instanceof Refusal ? error : new Refusal(error.statusCode ?? 500, error.message || String(error))
    return reply.code(refusal.status).headers(refusal.headers).send(spec.envelope(refusal, request))
  })
  app.setNotFoundHandler((request, reply) => {
    if (spec.notFound !== undefined) return spec.notFound(request, reply)
    throw new Refusal(404, 'The resource could not be found.')
  })
}

function addHeaders(app: FastifyInstance, now: () => Date): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-openstack-request-id': request.id, date: now().toUTCString() })
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    const type = reply.getHeader('content-type')
    if (type === 'application/json; charset=utf-8') reply.header('content-type', 'application/json')
    return payload
  })
}

function addFaults(app: FastifyInstance, spec: ServiceSpec): void {
  app.decorateRequest('isEndless', false)
  app.decorateRequest('isBlind', false)
  app.decorateRequest('isDemoted', false)
  app.decorateRequest('faults', null as unknown as FaultSpec[])

  app.addHook('onRequest', async (request, reply) => {
    const [path = '', query = ''] = request.url.split('?', 2)
    request.faults = []
    if (isOfFaults(request)) return
    const call = {
      at: spec.clock.now(),
      region: spec.region ?? null,
      service: spec.name,
      method: request.method,
      path,
      query,
      globalRequestId: request.headers['x-openstack-request-id']?.toString() ?? null,
    }
    request.faults = spec.faults.strike(call, () => spec.inspectToken?.(tokenOf(request)) ?? null)
    const strikes = (kind: FaultKind) => request.faults.some(fault => fault.kind === kind)
    request.isEndless = strikes('endless')
    request.isBlind = strikes('blind')
    request.isDemoted = strikes('demoted')
    for (const fault of request.faults.filter(fault => !isAfter(fault))) {
      const body = await suffer(fault, spec, request, reply)
      if (body !== undefined) return reply.send(body)
    }
  })

  app.addHook('onSend', async (request, reply, payload) => {
    let answer = payload
    for (const fault of request.faults.filter(isAfter)) {
      answer = (await suffer(fault, spec, request, reply)) ?? answer
    }
    return answer
  })
}

function isAfter(fault: FaultSpec): boolean {
  return fault.kind === 'lost' || fault.after === true
}

/** Lets a fault strike; returns a body if the fault is to be the answer. */
async function suffer(
  fault: FaultSpec,
  spec: ServiceSpec,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string | undefined> {
  switch (fault.kind) {
    case 'latency':
      await sleep(fault.ms ?? 0, undefined, { ref: false })
      return undefined
    case 'status': {
      const status = fault.status ?? 500
      const refusal = new Refusal(status, fault.message ?? `A fault was asked for: ${status}.`, fault.type)
      reply.code(status).type('application/json').removeHeader('content-length')
      return JSON.stringify(spec.envelope(refusal, request))
    }
    case 'garbage':
      if (fault.body !== undefined) {
        reply.code(200).type('application/json').removeHeader('content-length')
        return JSON.stringify(fault.body)
      }
      reply.code(200).type('text/html').removeHeader('content-length')
      return '<!DOCTYPE html><html><body><h1>It works!</h1></body></html>'
    case 'hang':
      return await never()
    case 'reset':
      request.raw.socket.resetAndDestroy()
      return await never()
    case 'lost':
      request.raw.socket.destroy()
      return await never()
    default:
      return undefined
  }
}

function never(): Promise<undefined> {
  return new Promise(() => {})
}
