// Roles of users: grants, and the roles that they imply.

import { type Grant, isSameScope, type Role, type Scope, type State } from './state.ts'

export function findGrant(state: State, userId: string, roleId: string, scope: Scope): Grant | undefined {
  return state.grants.find(
    grant => grant.userId === userId && grant.roleId === roleId && isSameScope(grant.scope, scope),
  )
}

/** The roles granted to a user on a scope, without those that they imply. */
export function grantedRoles(state: State, userId: string, scope: Scope): Role[] {
  return state.grants
    .filter(grant => grant.userId === userId && isSameScope(grant.scope, scope))
    .map(grant => state.roles.get(grant.roleId)!)
}

/** The roles that a token of this user and scope has. */
export function effectiveRoles(state: State, userId: string, scope: Scope): Role[] {
  const granted = grantedRoles(state, userId, scope)
  return [...new Set([...granted, ...granted.flatMap(role => rolesImpliedBy(state, role.id))])]
}

export function rolesImpliedBy(state: State, roleId: string): Role[] {
  return (state.implied.get(roleId) ?? []).flatMap(id => [state.roles.get(id)!, ...rolesImpliedBy(state, id)])
}

export function addGrant(state: State, userId: string, roleId: string, scope: Scope): void {
  if (findGrant(state, userId, roleId, scope) === undefined) state.grants.push({ userId, roleId, scope })
}

export function removeGrants(state: State, isGone: (grant: Grant) => boolean): void {
  state.grants = state.grants.filter(grant => !isGone(grant))
}
