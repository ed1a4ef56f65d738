// `/v3/auth`: tokens given, checked and revoked, and what a token opens.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { viewCatalog } from './catalog.ts'
import { viewList } from './collections.ts'
import { login } from './login.ts'
import { allow, type Caller, callerOf, headerOf } from './policy.ts'
import { forbidden, tokenNotFound } from './refusals.ts'
import { effectiveRoles } from './roles.ts'
import type { Context, Project, Token } from './state.ts'
import { findToken, viewToken } from './tokens.ts'

/** How long after its expiry a token is still shown to callers who ask for expired ones. */
const expiredWindowMs = 48 * 3600 * 1000

export function addAuthRoutes(app: FastifyInstance, context: Context): void {
  addTokenRoutes(app, context)
  addScopeRoutes(app, context)
}

function addTokenRoutes(app: FastifyInstance, context: Context): void {
  const path = '/v3/auth/tokens'
  const withCatalog = (request: FastifyRequest) => !('nocatalog' in (request.query as object))

  app.post(path, (request, reply) => {
    const token = login(context, (request.body as { auth?: unknown } | undefined)?.auth)
    const view = viewToken(context, token, withCatalog(request))
    return reply.code(201).header('x-subject-token', token.id).send(view)
  })

  app.get(path, (request, reply) => {
    const isCheck = request.method === 'HEAD'
    const token = subjectOf(context, request, isCheck ? 'check_token' : 'validate_token', caller =>
      isCheck ? caller.isSystemReader : caller.isSystemReader || caller.isService,
    )
    return reply.header('x-subject-token', token.id).send(viewToken(context, token, withCatalog(request)))
  })

  app.delete(path, (request, reply) => {
    subjectOf(context, request, 'revoke_token', () => false).isRevoked = true
    return reply.code(204).send()
  })
}

/**
 * The token that a request asks about, for an admin, for its own user, and for others that `isAllowed` lets.
 */
function subjectOf(
  context: Context,
  request: FastifyRequest,
  action: string,
  isAllowed: (caller: Caller) => boolean,
): Token {
  const caller = callerOf(context, request)
  const id = headerOf(request, 'x-subject-token')
  const { allow_expired = '' } = request.query as { allow_expired?: string }
  const windowMs = ['1', 'true', 'yes', 'on'].includes(allow_expired.toLowerCase()) ? expiredWindowMs : 0
  const knowsAccessRules = Number(headerOf(request, 'openstack-identity-access-rules') ?? 0) >= 1
  const token = id === undefined ? null : findToken(context, id, { windowMs, knowsAccessRules })
  allow(action, caller.isAdmin || token?.userId === caller.userId || isAllowed(caller))
  if (token === null) throw tokenNotFound('No token in the request')
  return token
}

function addScopeRoutes(app: FastifyInstance, context: Context): void {
  const { state, url } = context

  app.get('/v3/auth/catalog', request => {
    const { token, projectId } = callerOf(context, request)
    if (projectId === null) throw forbidden()
    return { catalog: viewCatalog(state, token), links: { self: `${url()}/auth/catalog` } }
  })

  app.get('/v3/auth/projects', request => {
    const { userId } = callerOf(context, request)
    return viewList(context, request, 'projects', projectsOf(context, userId))
  })

  app.get('/v3/auth/domains', request => {
    const { userId } = callerOf(context, request)
    const open = [...state.domains.values()].filter(
      ({ id }) => effectiveRoles(state, userId, { kind: 'domain', id }).length > 0,
    )
    return viewList(context, request, 'domains', open)
  })

  app.get('/v3/auth/system', request => {
    const { userId } = callerOf(context, request)
    const isOpen = effectiveRoles(state, userId, { kind: 'system' }).length > 0
    return { system: isOpen ? [{ all: true }] : [], links: { self: `${url()}/auth/system` } }
  })
}

/** The projects that a user has a role on. */
export function projectsOf({ state }: Context, userId: string): Project[] {
  return [...state.projects.values()].filter(
    ({ id }) => effectiveRoles(state, userId, { kind: 'project', id }).length > 0,
  )
}
