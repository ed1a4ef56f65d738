// Grants of roles, on projects, domains and the system, and the list of all of them.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { listLinks, mayRead, viewList } from './collections.ts'
import { allow, callerOf } from './policy.ts'
import { grantNotFound, notFound } from './refusals.ts'
import { addGrant, findGrant, grantedRoles, removeGrants } from './roles.ts'
import { type Context, type Grant, isSameScope, type Scope, type State, scopeId } from './state.ts'
import { viewDomain } from './tokens.ts'

interface GrantParams {
  target?: string
  user: string
  role: string
}

export function addGrantRoutes(app: FastifyInstance, context: Context): void {
  addGrantsOn(app, context, '/v3/projects/:target', id => ({ kind: 'project', id }))
  addGrantsOn(app, context, '/v3/domains/:target', id => ({ kind: 'domain', id }))
  addGrantsOn(app, context, '/v3/system', () => ({ kind: 'system' }))
  app.get('/v3/role_assignments', request => {
    allow('list_role_assignments', mayRead(callerOf(context, request)))
    return { role_assignments: listAssignments(context, request), links: listLinks(context, request) }
  })
}

function addGrantsOn(
  app: FastifyInstance,
  context: Context,
  prefix: string,
  scopeOf: (target: string) => Scope,
): void {
  const { state } = context
  const suffix = prefix.endsWith('system') ? '_system_grant_for_user' : '_grant'

  function subjects(request: FastifyRequest): { user: string; role: string; scope: Scope } {
    const { target = '', user, role } = request.params as GrantParams
    const scope = scopeOf(target)
    if (scope.kind === 'project' && !state.projects.has(scope.id)) throw notFound('project', scope.id)
    if (scope.kind === 'domain' && !state.domains.has(scope.id)) throw notFound('domain', scope.id)
    if (!state.users.has(user)) throw notFound('user', user)
    return { user, role, scope }
  }

  function requireGrant(request: FastifyRequest): Grant {
    const { user, role, scope } = subjects(request)
    if (!state.roles.has(role)) throw notFound('role', role)
    const grant = findGrant(state, user, role, scope)
    if (grant === undefined) throw grantNotFound(role, user, scopeId(scope))
    return grant
  }

  app.get(`${prefix}/users/:user/roles`, request => {
    allow(`list${suffix.replace('grant', 'grants')}`, mayRead(callerOf(context, request)))
    const { user, scope } = subjects(request)
    return viewList(context, request, 'roles', grantedRoles(state, user, scope))
  })

  app.get(`${prefix}/users/:user/roles/:role`, (request, reply) => {
    allow(`check${suffix}`, mayRead(callerOf(context, request)))
    requireGrant(request)
    return reply.code(204).send()
  })

  app.put(`${prefix}/users/:user/roles/:role`, (request, reply) => {
    allow(`create${suffix}`, callerOf(context, request).isAdmin)
    const { user, role, scope } = subjects(request)
    if (!state.roles.has(role)) throw notFound('role', role)
    addGrant(state, user, role, scope)
    return reply.code(204).send()
  })

  app.delete(`${prefix}/users/:user/roles/:role`, (request, reply) => {
    allow(`revoke${suffix}`, callerOf(context, request).isAdmin)
    const gone = requireGrant(request)
    removeGrants(state, grant => grant === gone)
    return reply.code(204).send()
  })
}

/** A grant, or a role that another one implies: then with the role that implies it. */
type Assignment = Grant & { priorId?: string }

function listAssignments(context: Context, request: FastifyRequest): object[] {
  const { state } = context
  const query = request.query as Record<string, string | undefined>
  const assignments = isOn(query.effective)
    ? state.grants.flatMap(grant => withImplied(state, grant))
    : state.grants
  const wanted: [string | undefined, (assignment: Assignment) => string | null][] = [
    [query['user.id'], one => one.userId],
    [query['role.id'], one => one.roleId],
    [query['scope.project.id'], one => (one.scope.kind === 'project' ? one.scope.id : null)],
    [query['scope.domain.id'], one => (one.scope.kind === 'domain' ? one.scope.id : null)],
    [query['scope.system'], one => (one.scope.kind === 'system' ? (query['scope.system'] ?? '') : null)],
    [query['group.id'], () => null],
  ]
  return assignments
    .filter(one => wanted.every(([value, of]) => value === undefined || of(one) === value))
    .map(one => viewAssignment(context, one, isOn(query.include_names)))
}

/** Whether a query flag is set; one without a value is. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !['0', 'false'].includes(value.toLowerCase())
}

/** A grant with the roles that it implies; a role that two grants of a user imply is listed once. */
function withImplied(state: State, grant: Grant): Assignment[] {
  const found: Assignment[] = [grant]
  for (const one of found) {
    for (const roleId of state.implied.get(one.roleId) ?? []) {
      const isTold = state.grants.some(
        other =>
          other.userId === one.userId && other.roleId === roleId && isSameScope(other.scope, one.scope),
      )
      if (!isTold) found.push({ ...grant, roleId, priorId: one.roleId })
    }
  }
  return found
}

function viewAssignment({ state, url }: Context, assignment: Assignment, withNames: boolean): object {
  const { userId, roleId, scope, priorId } = assignment
  const where = scope.kind === 'system' ? 'system' : `${scope.kind}s/${scope.id}`
  const prior =
    priorId === undefined ? {} : { prior_role: `${url()}/prior_role/${priorId}/implies/${roleId}` }
  const user = state.users.get(userId)!
  const role = state.roles.get(roleId)!
  return {
    links: { assignment: `${url()}/${where}/users/${userId}/roles/${priorId ?? roleId}`, ...prior },
    scope: viewScope(state, scope, withNames),
    user: withNames
      ? { id: userId, name: user.name, domain: viewDomain(state, user.domain_id) }
      : { id: userId },
    role: withNames ? { id: roleId, name: role.name } : { id: roleId },
  }
}

function viewScope(state: State, scope: Scope, withNames: boolean): object {
  if (scope.kind === 'system') return { system: { all: true } }
  if (!withNames) return { [scope.kind]: { id: scope.id } }
  if (scope.kind === 'domain') return { domain: viewDomain(state, scope.id) }
  const { id, name, domain_id } = state.projects.get(scope.id)!
  return { project: { id, name, domain: viewDomain(state, domain_id) } }
}
