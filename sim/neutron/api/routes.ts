// The HTTP side of Neutron: the caller, the resource that the path names, and the handler.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isAdmin, tokenOf } from '../../http.ts'
import type { TokenFacts } from '../../keystone/keystone.ts'
import { unauthenticated, unknownPath, wrongMethod } from '../errors.ts'
import type { Caller } from '../model/rules.ts'
import { createBlank, type Region } from '../region.ts'
import { resources } from '../resources.ts'
import type { Answer, Asked } from './answer.ts'
import { answerResource } from './collections.ts'
import { answerExtensions } from './extensions.ts'
import { answerQuotas } from './quotas.ts'
import { answerZones } from './zones.ts'

interface Shell {
  inspectToken(token: string): Pick<TokenFacts, 'projectId' | 'roles'> | null
  authUrl: string
  /** Notes a call, as `GET networks`. */
  count(key: string): void
}

/** The limit of the web server that Neutron runs in: a query with two hundred ids is too long. */
const longestRequestLine = 8192

/** The most bytes of a body, of which Neutron itself has no limit. */
const largestBody = 2 ** 26

export function addRoutes(app: FastifyInstance, region: Region, shell: Shell): void {
  const callers = new WeakMap<FastifyRequest, Caller>()

  // The token is checked before the body is read: a caller without one does not learn what is wrong with the
  // body.
  app.addHook('onRequest', async (request, reply) => {
    if (`${request.method} ${request.url} HTTP/1.1\r\n`.length >= longestRequestLine) {
      return reply.code(414).send()
    }
    if (isOpen(request)) return undefined
    const facts = shell.inspectToken(tokenOf(request))
    if (facts === null) throw unauthenticated(shell.authUrl)
    const roles = facts.roles.filter(role => role !== 'admin' || isAdmin(request, facts))
    callers.set(request, { projectId: facts.projectId, isAdmin: isAdmin(request, facts), roles })
    return undefined
  })

  app.all('/', (request, reply) => {
    if (request.method !== 'GET') throw wrongMethod()
    return send(reply, { status: 200, body: { versions: [versionOf(request)] } })
  })

  app.all('/v2.0', (request, reply) => {
    if (!pathOf(request).endsWith('/')) throw unknownPath()
    if (request.method !== 'GET') throw wrongMethod()
    return send(reply, { status: 200, body: { resources: coreOf(request) } })
  })

  app.all('/v2.0/*', { bodyLimit: largestBody }, (request, reply) => {
    const caller = callers.get(request) ?? { projectId: null, isAdmin: false }
    const seen = request.isBlind ? createBlank(region) : region
    const answer = answerPath(request, seen, caller, shell)
    untilAnswered(request, reply, region)
    region.settle()
    return send(reply, answer)
  })
}

/** Keeps in mind that a port is becoming a leg, until the caller has the answer. */
function untilAnswered(request: FastifyRequest, reply: FastifyReply, { joining }: Region): void {
  const { port_id: id } = (request.body ?? {}) as { port_id?: string }
  if (id === undefined || !pathOf(request).endsWith('/add_router_interface')) return
  joining.add(id)
  reply.raw.once('close', () => joining.delete(id))
}

/** Whether a request needs no token: one for the versions, or for a path outside of the API. */
function isOpen(request: FastifyRequest): boolean {
  return !pathOf(request).startsWith('/v2.0')
}

const pathOf = (request: FastifyRequest) => request.url.split('?')[0] ?? ''

const rootOf = (request: FastifyRequest) => `${request.protocol}://${request.host}`

/** Sends an answer: a text as a page of HTML, and anything else as JSON. */
function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  reply.code(status)
  if (body === undefined) return reply.send()
  if (typeof body === 'string') return reply.type('text/html').send(body)
  return reply.header('content-type', 'application/json').send(JSON.stringify(body))
}

function versionOf(request: FastifyRequest): object {
  const links = [{ rel: 'self', href: `${rootOf(request)}/v2.0/` }]
  return { id: 'v2.0', status: 'CURRENT', links }
}

function coreOf(request: FastifyRequest): object[] {
  return ['network', 'subnet', 'subnetpool', 'port'].map(name => {
    const links = [{ rel: 'self', href: `${rootOf(request)}/v2.0/${name}s` }]
    return { name, collection: `${name}s`, links }
  })
}

function answerPath(request: FastifyRequest, region: Region, caller: Caller, shell: Shell): Answer {
  const [path = '', query = ''] = request.url.split('?', 2)
  const [first = '', ...rest] = path
    .replace(/\.json$/, '')
    .split('/')
    .slice(2)
    .filter(part => part !== '')
    .map(decodeURIComponent)
  const asked: Asked = {
    method: request.method,
    path: rest,
    url: `${rootOf(request)}${path}`,
    query: new URLSearchParams(query),
    body: request.body,
    ifMatch: request.headers['if-match']?.toString(),
    isEndless: request.isEndless,
  }
  shell.count(`${request.method} ${[first, ...rest.slice(1, 2)].join('/')}`)
  if (first === 'extensions') return answerExtensions(asked)
  if (first === 'quotas') return answerQuotas(asked, region, caller)
  if (first === 'availability_zones') return answerZones(asked, region, caller)
  const resource = resources.find(({ path }) => path === first)
  if (resource === undefined) throw unknownPath()
  return answerResource(asked, resource, region, caller)
}
