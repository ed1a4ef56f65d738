// Domains, projects, users and roles: the attributes of each, and the dependent resources that are deleted
// with it.

import type { Collection } from './collections.ts'
import { conflict, invalid, notAllowed, notFound } from './refusals.ts'
import { removeGrants } from './roles.ts'
import type { Schema } from './schema.ts'
import { type Domain, newId, type Project, type Role, type State, type User } from './state.ts'
import { revokeTokens } from './tokens.ts'

const flag: Schema = { type: 'boolean' }
const name: Schema = { type: 'string', minLength: 1 }
const note: Schema = { type: ['string', 'null'] }

export const domains: Collection<Domain> = {
  one: 'domain',
  many: 'domains',
  table: state => state.domains,
  filters: ['name', 'enabled'],
  missedFirst: 'write',
  schema: { type: 'object', required: ['name'], properties: { name, description: note, enabled: flag } },
  make({ state }, _caller, input) {
    requireDomainName(state, input.name!)
    const { name, description, enabled = true, tags = [] } = input
    return { ...input, id: newId(), name: name!, description: description ?? '', enabled, tags, options: {} }
  },
  change({ state }, domain, changes) {
    if (changes.name !== undefined && changes.name !== domain.name) requireDomainName(state, changes.name)
  },
  remove({ state }, domain) {
    if (domain.enabled) throw notAllowed('Cannot delete a domain that is enabled, please disable it first.')
    for (const user of [...state.users.values()]) if (user.domain_id === domain.id) removeUser(state, user)
    for (const one of [...state.projects.values()]) if (one.domain_id === domain.id) removeProject(state, one)
    removeGrants(state, ({ scope }) => scope.kind === 'domain' && scope.id === domain.id)
  },
  isShownTo({ state }, { token: { scope } }, domain) {
    if (scope?.kind === 'domain') return scope.id === domain.id
    return scope?.kind === 'project' && state.projects.get(scope.id)?.domain_id === domain.id
  },
}

function requireDomainName(state: State, wanted: string): void {
  if (![...state.domains.values()].some(domain => domain.name === wanted)) return
  throw conflict(
    'project',
    `it is not permitted to have two projects acting as domains with the same name: ${wanted}`,
  )
}

export const projects: Collection<Project> = {
  one: 'project',
  many: 'projects',
  table: state => state.projects,
  filters: ['name', 'domain_id', 'enabled', 'parent_id', 'is_domain'],
  columns: ['id', 'name', 'domain_id', 'description', 'enabled', 'parent_id', 'is_domain', 'tags', 'options'],
  schema: {
    type: 'object',
    required: ['name'],
    properties: { name, description: note, domain_id: note, parent_id: note, enabled: flag, is_domain: flag },
  },
  make({ state }, _caller, input) {
    const parent = input.parent_id ?? input.domain_id ?? 'default'
    const domainId = state.domains.has(parent) ? parent : state.projects.get(parent)?.domain_id
    if (domainId === undefined) {
      throw invalid(notFound(input.parent_id === undefined ? 'domain' : 'project', parent).message)
    }
    requireProjectName(state, input.name!, domainId)
    return {
      ...input,
      id: newId(),
      name: input.name!,
      domain_id: domainId,
      description: input.description ?? '',
      enabled: input.enabled ?? true,
      parent_id: parent,
      is_domain: false,
      tags: input.tags ?? [],
      options: {},
    }
  },
  change({ state }, project, changes) {
    if (changes.name !== undefined && changes.name !== project.name) {
      requireProjectName(state, changes.name, project.domain_id)
    }
  },
  remove({ state }, project) {
    removeProject(state, project)
  },
  isShownTo(_context, caller, project) {
    return caller.projectId === project.id
  },
}

function requireProjectName(state: State, wanted: string, domainId: string): void {
  const known = [...state.projects.values()].find(one => one.name === wanted && one.domain_id === domainId)
  if (known === undefined) return
  throw conflict(
    'project',
    'it is not permitted to have two projects with either the same name or same id in the same domain: ' +
      `name is ${wanted}, project id ${known.id}`,
  )
}

function removeProject(state: State, { id }: Project): void {
  removeGrants(state, ({ scope }) => scope.kind === 'project' && scope.id === id)
  for (const user of state.users.values()) if (user.default_project_id === id) delete user.default_project_id
  state.projects.delete(id)
}

/** A user's password is never shown, so it is kept apart. */
type UserInput = Partial<User> & { password?: string | null }

export const users: Collection<User> = {
  one: 'user',
  many: 'users',
  table: state => state.users,
  filters: ['name', 'domain_id', 'enabled'],
  columns: ['id', 'name', 'domain_id', 'enabled', 'default_project_id', 'password_expires_at', 'options'],
  schema: {
    type: 'object',
    required: ['name'],
    properties: {
      name,
      description: note,
      domain_id: { type: 'string', minLength: 1 },
      default_project_id: note,
      enabled: flag,
      password: note,
    },
  },
  make({ state }, _caller, input) {
    const { password, ...rest } = input as UserInput
    const { domain_id = 'default' } = rest
    if (!state.domains.has(domain_id)) throw notFound('domain', domain_id)
    if (isUserName(state, rest.name!, domain_id)) {
      throw conflict('user', `Duplicate entry found with name ${rest.name} at domain ID ${domain_id}`)
    }
    const id = newId()
    if (typeof password === 'string') state.passwords.set(id, password)
    const { name, enabled = true, options = {} } = rest
    return { ...rest, id, name: name!, domain_id, enabled, password_expires_at: null, options }
  },
  change({ state }, user, changes) {
    const { password } = changes as UserInput
    delete (changes as UserInput).password
    if (
      changes.name !== undefined &&
      changes.name !== user.name &&
      isUserName(state, changes.name, user.domain_id)
    ) {
      throw conflict('user', `Duplicate entry found with name ${changes.name}`)
    }
    if (typeof password === 'string') changePassword(state, user.id, password)
    if (changes.enabled === false) revokeTokens(state, token => token.userId === user.id)
  },
  remove({ state }, user) {
    removeUser(state, user)
  },
  isShownTo(_context, caller, user) {
    return caller.userId === user.id
  },
}

function isUserName(state: State, wanted: string, domainId: string): boolean {
  return [...state.users.values()].some(user => user.name === wanted && user.domain_id === domainId)
}

export function changePassword(state: State, userId: string, password: string): void {
  state.passwords.set(userId, password)
  revokeTokens(state, token => token.userId === userId)
}

function removeUser(state: State, { id }: User): void {
  removeGrants(state, grant => grant.userId === id)
  for (const [key, one] of state.credentials) if (one.user_id === id) state.credentials.delete(key)
  for (const [key, one] of state.accessRules) if (one.userId === id) state.accessRules.delete(key)
  state.passwords.delete(id)
  state.users.delete(id)
}

export const roles: Collection<Role> = {
  one: 'role',
  many: 'roles',
  table: state => state.roles,
  filters: ['name', 'domain_id'],
  missedFirst: 'always',
  schema: { type: 'object', required: ['name'], properties: { name, description: note } },
  make({ state }, _caller, input) {
    requireRoleName(state, input.name!)
    const { name, description = null, options = {} } = input
    return { ...input, id: newId(), name: name!, domain_id: null, description, options }
  },
  change({ state }, role, changes) {
    if (role.options.immutable) throw notAllowed(immutable('update', role.id))
    if (changes.name !== undefined && changes.name !== role.name) requireRoleName(state, changes.name)
  },
  remove({ state }, role) {
    if (role.options.immutable) throw notAllowed(immutable('delete', role.id))
    removeGrants(state, grant => grant.roleId === role.id)
    state.implied.delete(role.id)
  },
}

function requireRoleName(state: State, wanted: string): void {
  if (![...state.roles.values()].some(role => role.name === wanted)) return
  throw conflict('role', `Duplicate entry found with name ${wanted}`)
}

function immutable(action: string, id: string): string {
  return `Unable to ${action} immutable role resource: \`${id}. Set resource option "immutable" to false first.`
}
