// The simulated Keystone service: its state, its tokens and its routes, started.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Faults } from '../faults.ts'
import { Refusal, startService } from '../http.ts'
import { addAuthRoutes } from './auth-routes.ts'
import { registerEndpoint } from './catalog.ts'
import { addCollection } from './collections.ts'
import { createControls, inspect } from './controls.ts'
import { addCredentialRoutes } from './credentials.ts'
import { addGrantRoutes } from './grants.ts'
import type { Keystone } from './keystone.ts'
import { domains, projects, roles, users } from './people.ts'
import { endpoints, regions, services } from './places.ts'
import { envelope } from './refusals.ts'
import { seed } from './seed.ts'
import { type Context, createState } from './state.ts'
import { addUserRoutes } from './user-routes.ts'

export interface KeystoneSpec {
  regions: readonly string[]
  host?: string | undefined
  port?: number | undefined
  tokenLifeMs?: number | undefined
  clock: Clock
  faults: Faults
}

const hourMs = 3600 * 1000

export async function startKeystone(spec: KeystoneSpec): Promise<Keystone> {
  const state = createState()
  seed(state, spec.regions)
  let context: Context | undefined
  const service = await startService({
    name: 'keystone',
    host: spec.host,
    port: spec.port,
    faults: spec.faults,
    clock: spec.clock,
    inspectToken: token => (context === undefined ? null : inspect(context, token)),
    envelope,
    notFound,
    build(app, self) {
      context = {
        state,
        tokenLifeMs: spec.tokenLifeMs ?? hourMs,
        now: self.now,
        url: () => `${self.url()}/v3`,
      }
      addKeystone(app, context)
    },
  })
  const url = `${service.url}/v3`
  for (const region of spec.regions) {
    registerEndpoint(state, { type: 'identity', name: 'keystone', region, url })
  }
  return { url, ...createControls(context!), close: service.close }
}

function addKeystone(app: FastifyInstance, context: Context): void {
  app.addHook('preHandler', async request => {
    const isObject = typeof request.body === 'object' && !Array.isArray(request.body) && request.body !== null
    if (request.body !== undefined && !isObject) throw new Refusal(400, 'No JSON object.', 'MalformedJson')
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('vary', 'X-Auth-Token')
    if (reply.statusCode === 401) reply.header('www-authenticate', `Keystone uri="${context.url()}"`)
    return payload
  })
  addVersions(app, context)
  addAuthRoutes(app, context)
  addGrantRoutes(app, context)
  addUserRoutes(app, context)
  addCredentialRoutes(app, context)
  addCollection(app, context, domains)
  addCollection(app, context, projects)
  addCollection(app, context, users)
  addCollection(app, context, roles)
  addCollection(app, context, regions)
  addCollection(app, context, services)
  addCollection(app, context, endpoints)
}

function addVersions(app: FastifyInstance, { url }: Context): void {
  const version = () => ({
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${url()}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  })
  app.get('/', (_request, reply) =>
    reply
      .code(300)
      .header('location', `${url()}/`)
      .send({ versions: { values: [version()] } }),
  )
  app.get('/v3', () => ({ version: version() }))
}

/** The answer to an unknown path, which is the web server's and not Keystone's. */
function notFound(_request: FastifyRequest, reply: FastifyReply): unknown {
  const advice =
    'The requested URL was not found on the server. ' +
    'If you entered the URL manually please check your spelling and try again.'
  return reply
    .code(404)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>${advice}</p>\n`,
    )
}
