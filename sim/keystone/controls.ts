// The simulated Keystone from inside the process: what neighbours ask it, and what tests do to it.

import { registerEndpoint } from './catalog.ts'
import type { Controls, TokenFacts } from './keystone.ts'
import { removeGrants } from './roles.ts'
import { addProject, addUser, grant, roleByName } from './seed.ts'
import { type Context, isSameScope, type Scope, type State, type Token } from './state.ts'
import { findToken, issueToken, rolesOf } from './tokens.ts'

export function createControls(context: Context): Controls {
  const { state } = context
  const tokenOf = (id: string): Token => {
    const token = state.tokens.get(id)
    if (token === undefined) throw new Error('no such token')
    return token
  }
  return {
    state,
    inspect: id => inspect(context, id),
    registerEndpoint: spec => registerEndpoint(state, spec),
    projectId: name => byName(state.projects, name),
    userId: name => byName(state.users, name),
    addProject: (name, domainId) => addProject(state, name, domainId),
    addUser: spec => addUser(state, spec),
    grant: (userId, roleName, scope) => grant(state, userId, roleName, scopeOf(scope)),
    revokeGrant(userId, roleName, where) {
      const roleId = roleByName(state, roleName)?.id
      const scope = scopeOf(where)
      removeGrants(
        state,
        one => one.userId === userId && one.roleId === roleId && isSameScope(one.scope, scope),
      )
    },
    issue: (userId, scope) =>
      issueToken(context, {
        userId,
        methods: ['password'],
        scope: scope === undefined ? null : scopeOf(scope),
      }).id,
    revoke(id) {
      tokenOf(id).isRevoked = true
    },
    expire(id) {
      tokenOf(id).expiresAt = new Date(context.now().getTime() - 1000)
    },
  }
}

/** A project's id, unless it is a scope already. */
function scopeOf(scope: string | Scope): Scope {
  return typeof scope === 'string' ? { kind: 'project', id: scope } : scope
}

function byName(table: Map<string, { id: string; name: string }>, name: string): string {
  const found = [...table.values()].find(one => one.name === name)
  if (found === undefined) throw new Error(`nothing is called ${name}`)
  return found.id
}

/** The facts of a valid token. */
export function inspect(context: Context, id: string): TokenFacts | null {
  const token = tryToFind(context, id)
  return token === null ? null : factsOf(context.state, token)
}

function tryToFind(context: Context, id: string): Token | null {
  try {
    return findToken(context, id)
  } catch {
    return null
  }
}

function factsOf(state: State, token: Token): TokenFacts {
  const user = state.users.get(token.userId)!
  const { scope } = token
  const project = scope?.kind === 'project' ? state.projects.get(scope.id)! : null
  const credential = token.credentialId === null ? undefined : state.credentials.get(token.credentialId)
  return {
    userId: user.id,
    userName: user.name,
    userDomainId: user.domain_id,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    projectDomainId: project?.domain_id ?? null,
    domainId: scope?.kind === 'domain' ? scope.id : null,
    isSystem: scope?.kind === 'system',
    roles: rolesOf(state, token).map(role => role.name),
    expiresAt: token.expiresAt,
    accessRules: credential?.access_rules ?? null,
  }
}
