// The HTTP side of Nova: the caller, the microversion, the route and its answer.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Person } from '../../faults.ts'
import { isAdmin, isOfFaults, Refusal, tokenOf } from '../../http.ts'
import type { TokenFacts } from '../../keystone/keystone.ts'
import { askedVersion } from '../../microversion.ts'
import { forbidden, notFound, unauthenticated, versions } from '../refusals.ts'
import { createBlank, type NovaRegion } from '../region.ts'
import { actionRoutes } from './actions.ts'
import { aggregateRoutes } from './aggregates.ts'
import type { Answer, Caller, Route } from './asked.ts'
import { flavorRoutes } from './flavors.ts'
import { hypervisorRoutes } from './hypervisors.ts'
import { limitRoutes } from './limits.ts'
import { serverRoutes } from './servers.ts'
import { serviceRoutes } from './services.ts'

export interface Shell {
  /** The facts of a valid token; null for any other. */
  inspectToken(token: string): (Pick<TokenFacts, 'projectId' | 'userId' | 'roles'> & Person) | null
  isProject(id: string): boolean
  /** Keystone's URL, which the 401 for a request without a token names. */
  authUrl: string
}

const routes: readonly Route[] = [
  ...hypervisorRoutes,
  ...serviceRoutes,
  ...aggregateRoutes,
  ...flavorRoutes,
  ...serverRoutes,
  ...actionRoutes,
  ...limitRoutes,
]

export function addRoutes(app: FastifyInstance, region: NovaRegion, shell: Shell): void {
  const callers = new WeakMap<FastifyRequest, Caller>()

  app.addHook('onRequest', async request => {
    if (isOpen(request)) return
    const facts = shell.inspectToken(tokenOf(request))
    if (facts === null) throw unauthenticated(shell.authUrl)
    const { projectId, userId } = facts
    callers.set(request, { projectId: projectId ?? '', userId, isAdmin: isAdmin(request, facts) })
  })
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-compute-request-id', request.id)
    if (reply.statusCode !== 401 && !isOpen(request)) addVersion(request, reply)
    return payload
  })

  app.get('/', request => ({ versions: [oldVersion(request), version(request)] }))
  app.get('/v2.1', request => ({ version: { ...version(request), ...described(request) } }))
  for (const route of routes) {
    app.route({
      method: route.method,
      url: `/v2.1${route.path}`,
      handler: (request, reply) => {
        const seen = request.isBlind ? createBlank(region) : region
        const answer = answerOf(route, request, callers.get(request)!, seen, shell)
        send(reply, answer)
        region.settle()
        return reply
      },
    })
  }
}

function answerOf(
  route: Route,
  request: FastifyRequest,
  caller: Caller,
  region: NovaRegion,
  shell: Shell,
): Answer {
  const { minor, text } = askedVersion(request, versions)
  if (minor === null) {
    const words = `Version ${text} is not supported by the API. Minimum is 2.1 and maximum is 2.${versions.max}.`
    throw new Refusal(406, words)
  }
  if ((route.since ?? 0) > minor || (route.until ?? Infinity) < minor) {
    throw notFound('The resource could not be found.')
  }
  if (route.isAdmins && !caller.isAdmin) throw forbidden(route.rule)
  const [path = '', query = ''] = request.url.split('?', 2)
  return route.answer({
    region,
    params: request.params as Record<string, string>,
    query: new URLSearchParams(query),
    body: request.body,
    minor,
    caller,
    root: `${originOf(request)}/v2.1`,
    url: `${originOf(request)}${path}`,
    isEndless: request.isEndless,
    isProject: shell.isProject,
  })
}

const originOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`

/** Whether a request needs no token: one for the versions or the faults. */
const isOpen = (request: FastifyRequest): boolean =>
  isOfFaults(request) || ['/', '/v2.1', '/v2.1/'].includes(request.url.split('?')[0] ?? '')

function addVersion(request: FastifyRequest, reply: FastifyReply): void {
  const { text } = askedVersion(request, versions)
  reply.headers({
    'openstack-api-version': `compute ${text}`,
    'x-openstack-nova-api-version': text,
    vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
  })
}

function send(reply: FastifyReply, { status, body, location }: Answer): void {
  reply.code(status)
  if (location !== undefined) reply.header('location', location)
  if (body === undefined) reply.send()
  else reply.header('content-type', 'application/json').send(JSON.stringify(body))
}

const version = (request: FastifyRequest) => ({
  id: 'v2.1',
  status: 'CURRENT',
  version: `2.${versions.max}`,
  min_version: '2.1',
  updated: '2013-07-23T11:33:21Z',
  links: [{ rel: 'self', href: `${originOf(request)}/v2.1/` }],
})

const described = (request: FastifyRequest) => ({
  links: [
    ...version(request).links,
    { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
  ],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
})

const oldVersion = (request: FastifyRequest) => ({
  id: 'v2.0',
  status: 'SUPPORTED',
  version: '',
  min_version: '',
  updated: '2011-01-21T11:33:21Z',
  links: [{ rel: 'self', href: `${originOf(request)}/v2/` }],
})
