// Tokens: issued, found again while they are good, shown, revoked.

import { Refusal } from '../http.ts'
import { viewCatalog } from './catalog.ts'
import { notFound, tokenNotFound, unauthorized } from './refusals.ts'
import { effectiveRoles } from './roles.ts'
import { type Context, newSecret, type Role, type Scope, type State, type Token } from './state.ts'

export interface TokenSpec {
  userId: string
  methods: string[]
  scope: Scope | null
  credentialId?: string | null
  /** For a token made with another: it expires with that one, and belongs to its chain. */
  expiresAt?: Date | undefined
  chainId?: string | undefined
}

/**
 * Issues a token. Throws 401 when the user has no role on its scope, 404 when the scope is gone or disabled.
 */
export function issueToken(context: Context, spec: TokenSpec): Token {
  const seconds = Math.floor(context.now().getTime() / 1000) * 1000
  const token: Token = {
    id: `gAAAAA${newSecret(120)}`,
    userId: spec.userId,
    methods: spec.methods,
    scope: spec.scope,
    auditIds: [newSecret(16), ...(spec.chainId === undefined ? [] : [spec.chainId])],
    issuedAt: new Date(seconds),
    expiresAt: spec.expiresAt ?? new Date(seconds + context.tokenLifeMs),
    credentialId: spec.credentialId ?? null,
    isRevoked: false,
  }
  requireSubjects(context.state, token)
  if (token.scope !== null && rolesOf(context.state, token).length === 0) throw unauthorized()
  context.state.tokens.set(token.id, token)
  return token
}

interface FindOptions {
  /** How long ago the token may have expired and is still found. */
  windowMs?: number
  /**
   * True when the caller says that it honours access rules; a token with such rules is not shown to others.
   */
  knowsAccessRules?: boolean
}

/** Finds a token. Throws 404 unless it is valid. */
export function findToken(context: Context, id: string | undefined, options: FindOptions = {}): Token {
  const { windowMs = 0, knowsAccessRules = true } = options
  const { state } = context
  if (id === undefined || id === '') throw tokenNotFound('No token in the request')
  const token = state.tokens.get(id)
  if (token === undefined) throw tokenNotFound('Could not recognize Fernet token')
  requireSubjects(state, token)
  if (token.scope !== null && rolesOf(state, token).length === 0)
    throw tokenNotFound(`Could not find token: ${id}.`)
  const isExpired = context.now().getTime() >= token.expiresAt.getTime() + windowMs
  if (isExpired || token.isRevoked) throw tokenNotFound()
  const rules =
    token.credentialId === null ? undefined : state.credentials.get(token.credentialId)?.access_rules
  if (rules !== undefined && !knowsAccessRules) throw tokenNotFound()
  return token
}

/**
 * Throws 404 when the user, project or domain of a token is gone or disabled, even for a request that uses
 * it.
 */
function requireSubjects(state: State, token: Token): void {
  const user = state.users.get(token.userId)
  if (user === undefined) throw tokenNotFound(notFound('user', token.userId).message)
  const { scope, credentialId } = token
  if (scope?.kind === 'project') {
    const project = state.projects.get(scope.id)
    if (project === undefined) throw notFound('project', scope.id)
    if (!project.enabled) throw disabled('project', project.id)
    requireDomain(state, project.domain_id)
  }
  if (scope?.kind === 'domain') requireDomain(state, scope.id)
  requireDomain(state, user.domain_id)
  if (credentialId !== null && !state.credentials.has(credentialId)) {
    throw notFound('Application Credential', credentialId)
  }
}

function requireDomain(state: State, id: string): void {
  const domain = state.domains.get(id)
  if (domain === undefined) throw notFound('domain', id)
  if (!domain.enabled) throw disabled('domain', id)
}

function disabled(what: string, id: string): Error {
  return new Refusal(404, `Unable to validate token because ${what} ${id} is disabled`)
}

/** The token's roles now: grants that came or went since it was issued count. */
export function rolesOf(state: State, token: Token): Role[] {
  if (token.scope === null) return []
  const held = effectiveRoles(state, token.userId, token.scope)
  if (token.credentialId === null) return held
  const lent = state.credentials.get(token.credentialId)?.roles ?? []
  return held.filter(role => lent.some(({ id }) => id === role.id))
}

export function revokeTokens(state: State, isGone: (token: Token) => boolean): void {
  for (const token of state.tokens.values()) if (isGone(token)) token.isRevoked = true
}

export function viewToken(context: Context, token: Token, withCatalog: boolean): object {
  const { state } = context
  const user = state.users.get(token.userId)!
  return {
    token: {
      methods: token.methods,
      user: {
        domain: viewDomain(state, user.domain_id),
        id: user.id,
        name: user.name,
        password_expires_at: null,
      },
      audit_ids: token.auditIds,
      expires_at: isoTime(token.expiresAt),
      issued_at: isoTime(token.issuedAt),
      ...viewScope(state, token),
      ...(withCatalog && token.scope !== null ? { catalog: viewCatalog(state, token) } : {}),
      ...viewCredential(state, token),
    },
  }
}

function viewScope(state: State, token: Token): object {
  const { scope } = token
  if (scope === null) return {}
  const roles = rolesOf(state, token).map(({ id, name }) => ({ id, name }))
  if (scope.kind === 'system') return { roles, system: { all: true } }
  if (scope.kind === 'domain') return { domain: viewDomain(state, scope.id), roles }
  const { id, name, domain_id, is_domain } = state.projects.get(scope.id)!
  return { project: { domain: viewDomain(state, domain_id), id, name }, is_domain, roles }
}

function viewCredential(state: State, token: Token): object {
  if (token.credentialId === null) return {}
  const { id, name, unrestricted, access_rules } = state.credentials.get(token.credentialId)!
  const rules = access_rules === undefined ? {} : { access_rules }
  return { application_credential: { id, name, restricted: unrestricted !== true, ...rules } }
}

export function viewDomain(state: State, id: string): object {
  return { id, name: state.domains.get(id)?.name }
}

function isoTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}
