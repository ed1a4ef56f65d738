// The HTTP side of Placement: the caller, the microversion, the route and its answer.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Person } from '../../faults.ts'
import { isAdmin, isOfFaults, Refusal, tokenOf } from '../../http.ts'
import type { TokenFacts } from '../../keystone/keystone.ts'
import { askedVersion } from '../../microversion.ts'
import { forbidden, notFound, unauthenticated, versions } from '../refusals.ts'
import { PlacementRegion } from '../region.ts'
import { allocationRoutes } from './allocations.ts'
import type { Answer, Routes } from './asked.ts'
import { candidateRoutes } from './candidates.ts'
import { inventoryRoutes } from './inventories.ts'
import { providerRoutes } from './providers.ts'
import { nameRoutes } from './traits.ts'

export interface Shell {
  inspectToken(token: string): (Pick<TokenFacts, 'roles'> & Person) | null
  authUrl: string
}

const routes: Routes = {
  ...providerRoutes,
  ...inventoryRoutes,
  ...nameRoutes,
  ...allocationRoutes,
  ...candidateRoutes,
}

export function addRoutes(app: FastifyInstance, region: PlacementRegion, shell: Shell): void {
  const admins = new WeakSet<FastifyRequest>()

  app.addHook('onRequest', async request => {
    if (isOpen(request)) return
    const facts = shell.inspectToken(tokenOf(request))
    if (facts === null) throw unauthenticated(shell.authUrl)
    if (isAdmin(request, facts)) admins.add(request)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === 401) return payload
    const { minor, text } = askedVersion(request, versions)
    if (minor !== null) {
      reply.headers({ 'openstack-api-version': `placement ${text}`, vary: 'openstack-api-version' })
    }
    return payload
  })

  app.get('/', () => ({ versions: [version] }))
  for (const [path, methods] of Object.entries(routes)) {
    app.all(path, { bodyLimit: 2 ** 26 }, (request, reply) => {
      const minor = minorOf(request)
      const route = methods[request.method]
      if (route === undefined) throw wrongMethod(request.method, Object.keys(methods))
      if (!admins.has(request)) throw forbidden(route.rule)
      if ((route.since ?? 0) > minor) throw notFound('')
      const seen = request.isBlind ? new PlacementRegion() : region
      const params = request.params as Record<string, string>
      const query = new URLSearchParams(request.url.split('?')[1] ?? '')
      return send(request, reply, route.answer({ region: seen, params, query, body: request.body, minor }))
    })
  }
}

const version = {
  id: 'v1.0',
  max_version: '1.39',
  min_version: '1.0',
  status: 'CURRENT',
  links: [{ rel: 'self', href: '' }],
}

/** Whether a request needs no token: one for the versions or the faults. */
const isOpen = (request: FastifyRequest): boolean => isOfFaults(request) || request.url.split('?')[0] === '/'

function minorOf(request: FastifyRequest): number {
  const { minor, text } = askedVersion(request, versions)
  if (minor === null) throw new Refusal(406, `Invalid microversion: Unacceptable version header: ${text}`)
  return minor
}

function wrongMethod(method: string, allowed: readonly string[]): Refusal {
  const words = `The method ${method} is not allowed for this resource. `
  return new Refusal(405, words, '', { allow: allowed.join(', ') })
}

function send(request: FastifyRequest, reply: FastifyReply, { status, body, location }: Answer) {
  reply.code(status)
  if (location !== undefined) reply.header('location', `${request.protocol}://${request.host}${location}`)
  return body === undefined
    ? reply.send()
    : reply.header('content-type', 'application/json').send(JSON.stringify(body))
}
