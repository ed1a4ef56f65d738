// Log-in: a request for a token is read and answered: its user, methods and scope.

import {
  credentialRefused,
  forbidden,
  invalid,
  missing,
  notFound,
  unauthorized,
  unsupportedMethod,
} from './refusals.ts'
import { effectiveRoles } from './roles.ts'
import { check, type Schema } from './schema.ts'
import type { ApplicationCredential, Context, Domain, Project, Scope, State, Token, User } from './state.ts'
import { findToken, issueToken } from './tokens.ts'

interface Reference {
  id?: string
  name?: string
  domain?: Reference
}

interface Identity {
  methods: string[]
  password?: { user?: Reference & { password?: string } }
  token?: { id: string }
  application_credential?: { id?: string; name?: string; secret?: string; user?: Reference }
}

interface Auth {
  identity: Identity
  scope?: 'unscoped' | { unscoped?: object; system?: object; project?: Reference; domain?: Reference }
}

const text: Schema = { type: 'string' }
const reference: Schema = { type: 'object', properties: { id: text, name: text } }
const nested: Schema = {
  type: 'object',
  properties: { id: text, name: text, password: text, domain: reference },
}
const authSchema: Schema = {
  type: 'object',
  required: ['identity'],
  properties: {
    identity: {
      type: 'object',
      required: ['methods'],
      properties: {
        methods: { type: 'array', items: text },
        password: { type: 'object', properties: { user: nested } },
        token: { type: 'object', properties: { id: text }, required: ['id'] },
      },
    },
    scope: {
      type: ['object', 'string'],
      properties: { project: nested, domain: reference, system: { type: 'object' } },
    },
  },
}

/** The result of one method of authentication. */
interface Proof {
  userId: string
  methods: string[]
  expiresAt?: Date
  chainId?: string
  credential?: ApplicationCredential
}

/**
 * Issues the token that `auth` asks for. Throws 400 for a body that makes no sense, 401 for a refused user.
 */
export function login(context: Context, auth: unknown): Token {
  if (auth !== undefined && auth !== null) check(auth, authSchema)
  if (typeof auth !== 'object' || auth === null) throw missing('auth', 'request body')
  const { identity, scope } = auth as Auth
  requireNames(auth as Auth)
  requireMethods(identity)
  const wanted = readScope(context.state, auth as Auth)
  const proofs = identity.methods.map(method => provers[method]!(context, auth as Auth))
  const [proof] = proofs
  if (proof === undefined || proofs.some(({ userId }) => userId !== proof.userId)) throw unauthorized()
  return issueToken(context, {
    userId: proof.userId,
    methods: [...new Set(proofs.flatMap(({ methods }) => methods))],
    scope: proof.credential
      ? projectScope(proof.credential.project_id)
      : (wanted ?? homeOf(context, proof, scope)),
    credentialId: proof.credential?.id ?? null,
    expiresAt: earliest(proofs.map(({ expiresAt }) => expiresAt)),
    chainId: proof.chainId,
  })
}

function requireNames({ identity, scope }: Auth): void {
  const given: [string, Reference | undefined][] = [
    ['identity/password/user', identity.password?.user],
    ['identity/password/user/domain', identity.password?.user?.domain],
  ]
  if (typeof scope === 'object') {
    given.push(
      ['scope/project', scope.project],
      ['scope/project/domain', scope.project?.domain],
      ['scope/domain', scope.domain],
    )
  }
  for (const [field, one] of given) {
    if (one === undefined || 'id' in one || 'name' in one) continue
    throw invalid(`Invalid input for field ${field}: id or name must be present.`)
  }
}

function requireMethods(identity: Identity): void {
  const absent = identity.methods.find(method => !(method in identity))
  if (absent !== undefined) throw missing(absent, 'identity')
  if (identity.methods.some(method => !Object.hasOwn(provers, method))) throw unsupportedMethod()
}

/** The scope that a log-in asks for; null when it asks for none, or explicitly for an unscoped token. */
function readScope(state: State, { identity, scope }: Auth): Scope | null {
  if (identity.methods.includes('application_credential')) {
    if (scope !== undefined) throw credentialRefused('Application credentials cannot request a scope.')
    return null
  }
  if (scope === undefined || scope === 'unscoped') return null
  const kinds = ['system', 'project', 'domain', 'OS-TRUST:trust', 'unscoped']
  if (typeof scope !== 'object' || kinds.filter(kind => kind in scope).length !== 1) {
    throw missing('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  }
  if (scope.project !== undefined) return projectScope(findProject(state, scope.project).id)
  if (scope.domain !== undefined) return { kind: 'domain', id: findDomain(state, scope.domain).id }
  return scope.system !== undefined ? { kind: 'system' } : null
}

function projectScope(id: string): Scope {
  return { kind: 'project', id }
}

/** The default project of a user who asked for no scope, if the user has a role there. */
function homeOf({ state }: Context, { userId }: Proof, scope: Auth['scope']): Scope | null {
  const id = state.users.get(userId)?.default_project_id
  if (scope !== undefined || id === undefined || state.projects.get(id)?.enabled !== true) return null
  return effectiveRoles(state, userId, projectScope(id)).length === 0 ? null : projectScope(id)
}

const provers: Record<string, (context: Context, auth: Auth) => Proof> = {
  password({ state }, { identity }) {
    const claimed = identity.password?.user
    if (claimed === undefined) throw missing('user', 'None')
    const user = findUser(state, claimed)
    if (claimed.password === undefined || state.passwords.get(user.id) !== claimed.password)
      throw unauthorized()
    return { userId: user.id, methods: ['password'] }
  },

  token(context, { identity, scope }) {
    const token = findToken(context, identity.token?.id, { knowsAccessRules: false })
    const isNarrower = typeof scope === 'object' && ('project' in scope || 'domain' in scope)
    if (token.scope?.kind === 'system' && isNarrower) {
      throw forbidden(
        'Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.',
      )
    }
    if (token.credentialId !== null) {
      throw forbidden('Using a delegated token to create another token is not allowed.')
    }
    const { userId, methods, expiresAt, auditIds } = token
    return { userId, methods: ['token', ...methods], expiresAt, chainId: auditIds.at(-1)! }
  },

  application_credential(context, { identity }) {
    const { state } = context
    const claimed = identity.application_credential!
    const credential = findCredential(state, claimed)
    const user = findUser(state, { id: credential.user_id })
    const expiresAt = credential.expires_at === null ? null : new Date(`${credential.expires_at}Z`)
    const isExpired = expiresAt !== null && expiresAt <= context.now()
    if (isExpired || state.secrets.get(credential.id) !== claimed.secret) throw unauthorized()
    const life = context.now().getTime() + context.tokenLifeMs
    const isShort = expiresAt !== null && expiresAt.getTime() < life
    return {
      userId: user.id,
      methods: ['application_credential'],
      credential,
      ...(isShort ? { expiresAt } : {}),
    }
  },
}

function findCredential(
  state: State,
  { id, name, user }: { id?: string; name?: string; user?: Reference },
): ApplicationCredential {
  if (id !== undefined) {
    const credential = state.credentials.get(id)
    if (credential === undefined) throw notFound('Application Credential', id)
    return credential
  }
  if (name === undefined) throw missing('name or ID', 'application credential')
  if (user === undefined) throw missing('user', 'application credential')
  const owner = ownerOf(state, user)
  const found = [...state.credentials.values()].find(one => one.name === name && one.user_id === owner)
  if (found === undefined) throw unauthorized()
  return found
}

/**
 * The owner of an application credential. Unlike with a password, Keystone tells here that a user is unknown.
 */
function ownerOf(state: State, { id, name = '', domain }: Reference): string {
  if (id !== undefined) return id
  if (domain === undefined) throw missing('domain', 'user')
  const user = find(state.users, { name, domain_id: findDomain(state, domain).id })
  if (user === undefined) throw notFound('user', name)
  return user.id
}

/**
 * The user of a log-in. Throws 401 for one that is unknown or disabled, as for a wrong password, so that
 * nothing is told.
 */
function findUser(state: State, wanted: Reference): User {
  if (wanted.name !== undefined && wanted.domain === undefined) throw missing('domain', 'user')
  const user =
    wanted.name === undefined
      ? state.users.get(wanted.id ?? '')
      : find(state.users, { name: wanted.name, domain_id: findDomain(state, wanted.domain!).id })
  if (user === undefined || !user.enabled || !state.domains.get(user.domain_id)?.enabled) throw unauthorized()
  return user
}

function findProject(state: State, wanted: Reference): Project {
  if (wanted.name !== undefined && wanted.domain === undefined) throw missing('domain', 'project')
  const project =
    wanted.name === undefined
      ? state.projects.get(wanted.id ?? '')
      : find(state.projects, { name: wanted.name, domain_id: findDomain(state, wanted.domain!).id })
  if (project === undefined || !project.enabled || !state.domains.get(project.domain_id)?.enabled) {
    throw unauthorized()
  }
  return project
}

function findDomain(state: State, { id = '', name }: Reference): Domain {
  const domain = name === undefined ? state.domains.get(id) : find(state.domains, { name })
  if (domain === undefined || !domain.enabled) throw unauthorized()
  return domain
}

function find<T extends object>(table: Map<string, T>, wanted: Partial<T>): T | undefined {
  const pairs = Object.entries(wanted) as [keyof T, unknown][]
  return [...table.values()].find(one => pairs.every(([key, value]) => one[key] === value))
}

function earliest(times: (Date | undefined)[]): Date | undefined {
  const known = times.filter(time => time !== undefined).map(time => time.getTime())
  return known.length === 0 ? undefined : new Date(Math.min(...known))
}
