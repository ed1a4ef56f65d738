// Application credentials of users, and the access rules that narrow them.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bodyOf, filtered, mayRead, view, viewList } from './collections.ts'
import { allow, type Caller, callerOf } from './policy.ts'
import { badTime, conflict, forbidden, invalid, notAllowed, notFound, pastTime } from './refusals.ts'
import { check, type Schema } from './schema.ts'
import {
  type AccessRule,
  type ApplicationCredential,
  type Context,
  newId,
  newSecret,
  type Role,
  type State,
} from './state.ts'
import { rolesOf } from './tokens.ts'

const text: Schema = { type: 'string' }
const credentialSchema: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1 },
    description: { type: ['string', 'null'] },
    secret: { type: ['string', 'null'] },
    expires_at: { type: ['string', 'null'] },
    unrestricted: { type: 'boolean' },
    roles: {
      type: 'array',
      items: { type: 'object', minProperties: 1, properties: { id: text, name: text } },
    },
    access_rules: {
      type: 'array',
      items: {
        type: 'object',
        minProperties: 1,
        properties: {
          id: text,
          path: text,
          service: text,
          method: { type: 'string', pattern: '^(POST|GET|HEAD|PATCH|PUT|DELETE)$' },
        },
      },
    },
  },
}

interface CredentialInput {
  name: string
  description?: string | null
  secret?: string | null
  expires_at?: string | null
  unrestricted?: boolean
  roles?: { id?: string; name?: string }[]
  access_rules?: Partial<AccessRule>[]
}

interface UserParams {
  user: string
  id: string
}

export function addCredentialRoutes(app: FastifyInstance, context: Context): void {
  const { state } = context
  const path = '/v3/users/:user/application_credentials'
  const ask = (request: FastifyRequest) => {
    const params = request.params as UserParams
    const caller = callerOf(context, request)
    return { ...params, caller, isOwner: caller.userId === params.user }
  }
  const find = (id: string) => {
    const credential = state.credentials.get(id)
    if (credential === undefined) throw notFound('Application Credential', id)
    return credential
  }
  const show = (credential: ApplicationCredential) => view(context, 'application_credentials', credential)

  app.get(path, request => {
    const { user, caller, isOwner } = ask(request)
    allow('list_application_credentials', isOwner || mayRead(caller))
    const own = [...state.credentials.values()].filter(credential => credential.user_id === user)
    return viewList(context, request, 'application_credentials', filtered(request, ['name'], own))
  })

  app.get(`${path}/:id`, request => {
    const { id, caller, isOwner } = ask(request)
    allow('get_application_credential', isOwner || mayRead(caller))
    return { application_credential: show(find(id)) }
  })

  app.post(path, (request, reply) => {
    const { caller, isOwner } = ask(request)
    allow('create_application_credential', isOwner)
    const input = bodyOf(request, 'application_credential')
    check(input, credentialSchema)
    requireUnrestricted(state, caller)
    const { secret, ...credential } = createCredential(context, caller, input as unknown as CredentialInput)
    return reply.code(201).send({ application_credential: { ...show(credential), secret } })
  })

  app.delete(`${path}/:id`, (request, reply) => {
    const { id, caller, isOwner } = ask(request)
    allow('delete_application_credential', isOwner || caller.isAdmin)
    requireUnrestricted(state, caller)
    find(id)
    state.credentials.delete(id)
    state.secrets.delete(id)
    return reply.code(204).send()
  })

  addAccessRuleRoutes(app, context, ask)
}

function requireUnrestricted(state: State, { token }: Caller): void {
  if (token.credentialId === null || state.credentials.get(token.credentialId)?.unrestricted === true) return
  throw forbidden(
    "Using method 'application_credential' is not allowed for managing additional application credentials.",
  )
}

function createCredential(
  context: Context,
  caller: Caller,
  input: CredentialInput,
): ApplicationCredential & { secret: string } {
  const { state } = context
  if (caller.projectId === null)
    throw invalid('Invalid application credential: Could not find project: None.')
  const credential: ApplicationCredential = {
    id: newId(),
    name: input.name,
    description: input.description ?? null,
    user_id: caller.userId,
    project_id: caller.projectId,
    system: null,
    expires_at: readExpiry(input.expires_at ?? null, context.now()),
    unrestricted: input.unrestricted ?? null,
    roles: readRoles(rolesOf(state, caller.token), input.roles),
  }
  const own = [...state.credentials.values()].filter(one => one.user_id === caller.userId)
  if (own.some(one => one.name === input.name)) {
    throw conflict('application_credential', `Duplicate entry found with name ${input.name}`)
  }
  if (input.access_rules !== undefined && input.access_rules.length > 0) {
    credential.access_rules = input.access_rules.map(rule => findOrAddRule(state, caller.userId, rule))
  }
  const secret = input.secret || newSecret(64)
  state.credentials.set(credential.id, credential)
  state.secrets.set(credential.id, secret)
  return { ...credential, secret }
}

function readExpiry(expiry: string | null, now: Date): string | null {
  if (expiry === null) return null
  const time = new Date(/Z|[+-]\d\d:\d\d$/.test(expiry) ? expiry : `${expiry}Z`)
  if (Number.isNaN(time.getTime())) throw badTime()
  if (time <= now) throw pastTime()
  return time.toISOString().replace('Z', '000')
}

/** The roles that a new credential asks for, which the token must have; all of the token's by default. */
function readRoles(held: Role[], wanted: CredentialInput['roles'] = []): Role[] {
  if (wanted.length === 0) return held
  return wanted.map(({ id, name }) => {
    const role = held.find(one => (id === undefined ? one.name === name : one.id === id))
    if (role !== undefined) return role
    throw invalid(
      'Invalid application credential: Cannot create an application credential with unassigned role',
    )
  })
}

/** The access rule of a user with these values: an equal one is kept only once. */
function findOrAddRule(state: State, userId: string, wanted: Partial<AccessRule>): AccessRule {
  const own = [...state.accessRules.values()].filter(one => one.userId === userId).map(one => one.rule)
  if (wanted.id !== undefined) {
    const known = own.find(rule => rule.id === wanted.id)
    if (known === undefined) throw notFound('Access Rule', wanted.id)
    return known
  }
  const { service = '', path = '', method = '' } = wanted
  const known = own.find(rule => rule.service === service && rule.path === path && rule.method === method)
  if (known !== undefined) return known
  const rule: AccessRule = { id: newId(), service, path, method }
  state.accessRules.set(rule.id, { userId, rule })
  return rule
}

type Ask = (request: FastifyRequest) => UserParams & { caller: Caller; isOwner: boolean }

function addAccessRuleRoutes(app: FastifyInstance, context: Context, ask: Ask): void {
  const { state } = context
  const path = '/v3/users/:user/access_rules'
  const find = (id: string) => {
    const found = state.accessRules.get(id)
    if (found === undefined) throw notFound('Access Rule', id)
    return found.rule
  }

  app.get(path, request => {
    const { user, caller, isOwner } = ask(request)
    allow('list_access_rules', isOwner || caller.isSystemReader)
    const own = [...state.accessRules.values()].filter(one => one.userId === user).map(one => one.rule)
    return viewList(context, request, 'access_rules', filtered(request, ['service', 'path', 'method'], own))
  })

  app.get(`${path}/:id`, request => {
    const { id, caller, isOwner } = ask(request)
    allow('get_access_rule', isOwner || caller.isSystemReader)
    return { access_rule: view(context, 'access_rules', find(id)) }
  })

  app.delete(`${path}/:id`, (request, reply) => {
    const { id, caller, isOwner } = ask(request)
    allow('delete_access_rule', isOwner || (caller.isAdmin && caller.isSystemReader))
    const rule = find(id)
    const isUsed = [...state.credentials.values()].some(one =>
      one.access_rules?.some(used => used.id === rule.id),
    )
    if (isUsed) throw notAllowed('May not delete access rule in use')
    state.accessRules.delete(id)
    return reply.code(204).send()
  })
}
