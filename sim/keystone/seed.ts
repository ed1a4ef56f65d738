// Keystone's state at the start, as `keystone-manage bootstrap` leaves it, and the users of the simulation.

import { createHash } from 'node:crypto'
import { addRegion } from './catalog.ts'
import { addGrant } from './roles.ts'
import { newId, type Role, type Scope, type State } from './state.ts'

/** Every user's password at the start. */
const password = 'atoll'

/**
 * The id of a seeded project or user, which is the same at every start: Atoll's records of them outlive a
 * simulation.
 */
const seededId = (kind: string, name: string): string =>
  createHash('md5').update(`${kind} ${name}`).digest('hex')

export function seed(state: State, regions: readonly string[]): void {
  const description = 'The default domain'
  state.domains.set('default', {
    id: 'default',
    name: 'Default',
    description,
    enabled: true,
    tags: [],
    options: {},
  })
  addRoles(state)
  for (const region of regions) addRegion(state, region)
  const seedProject = (name: string): string => addProject(state, name, 'default', seededId('project', name))
  const seedUser = (spec: UserSpec): string => addUser(state, { ...spec, id: seededId('user', spec.name) })
  const admin = seedUser({
    name: 'admin',
    password,
    projectId: seedProject('admin'),
    roles: ['admin'],
  })
  grant(state, admin, 'admin', { kind: 'system' })
  seedUser({ name: 'demo', password, projectId: seedProject('demo') })
  const service = seedProject('service')
  seedUser({ name: 'atoll', password, projectId: service, roles: ['admin', 'service'] })
}

/** Adds the roles admin, manager, member and reader, each of which implies the next. */
function addRoles(state: State): void {
  const chain = ['admin', 'manager', 'member', 'reader'].map(name => addRole(state, name, true))
  for (const [index, role] of chain.entries()) {
    const next = chain[index + 1]
    if (next !== undefined) state.implied.set(role.id, [next.id])
  }
  addRole(state, 'service', false)
}

export function addRole(state: State, name: string, isImmutable: boolean): Role {
  const options = isImmutable ? { immutable: true } : {}
  const role: Role = { id: newId(), name, domain_id: null, description: null, options }
  state.roles.set(role.id, role)
  return role
}

export function addProject(state: State, name: string, domainId = 'default', id = newId()): string {
  state.projects.set(id, {
    id,
    name,
    domain_id: domainId,
    description: '',
    enabled: true,
    parent_id: domainId,
    is_domain: false,
    tags: [],
    options: {},
  })
  return id
}

export interface UserSpec {
  id?: string | undefined
  name: string
  password: string
  domainId?: string | undefined
  /** The user's default project, for log-ins that ask for no scope. */
  projectId?: string | undefined
  /** The user's roles on that project; member by default. */
  roles?: readonly string[] | undefined
}

export function addUser(state: State, spec: UserSpec): string {
  const { id = newId(), name, domainId = 'default', projectId, roles = ['member'] } = spec
  const home = projectId === undefined ? {} : { default_project_id: projectId }
  const user = {
    id,
    name,
    domain_id: domainId,
    enabled: true,
    ...home,
    password_expires_at: null,
    options: {},
  }
  state.users.set(id, user)
  state.passwords.set(id, spec.password)
  if (projectId === undefined) return id
  for (const role of roles) grant(state, id, role, { kind: 'project', id: projectId })
  return id
}

/** Grants a role by its name; an unknown role is made first. */
export function grant(state: State, userId: string, roleName: string, scope: Scope): void {
  const role = roleByName(state, roleName) ?? addRole(state, roleName, false)
  addGrant(state, userId, role.id, scope)
}

export function roleByName(state: State, name: string): Role | undefined {
  return [...state.roles.values()].find(role => role.name === name)
}
