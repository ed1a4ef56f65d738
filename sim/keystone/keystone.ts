// The simulated Keystone as its neighbours see it: tokens inspected, endpoints registered, state changed by tests.

import type { EndpointSpec } from './catalog.ts'
import type { UserSpec } from './seed.ts'
import type { Scope, State } from './state.ts'

export interface TokenFacts {
  readonly userId: string
  readonly userName: string
  readonly userDomainId: string
  /** Null unless the token is of a project. */
  readonly projectId: string | null
  readonly projectName: string | null
  readonly projectDomainId: string | null
  /** Null unless the token is of a domain. */
  readonly domainId: string | null
  readonly isSystem: boolean
  /** Names of roles with the implied ones: an admin is manager, member and reader too. */
  readonly roles: readonly string[]
  readonly expiresAt: Date
  /**
   * The access rules of an application credential that may only send some requests; null when it may send
   * any.
   */
  readonly accessRules: readonly { service: string; method: string; path: string }[] | null
}

/** The controls by which other simulated services and tests use a Keystone in their own process. */
export interface Controls {
  /** Keystone's whole state; tests may read and change it. */
  readonly state: State
  /** The facts of a valid token; null when it is unknown, expired or revoked. */
  inspect(token: string): TokenFacts | null
  /** Adds a region's endpoints to the catalog, and the service and the region when they are new. */
  registerEndpoint(spec: EndpointSpec): void
  projectId(name: string): string
  userId(name: string): string
  /** Returns the id. */
  addProject(name: string, domainId?: string): string
  /** Returns the id. */
  addUser(spec: UserSpec): string
  /** Grants a role; a text as `scope` is the id of a project. */
  grant(userId: string, roleName: string, scope: string | Scope): void
  revokeGrant(userId: string, roleName: string, scope: string | Scope): void
  /** Issues a token without a log-in; unscoped by default. */
  issue(userId: string, scope?: string | Scope): string
  revoke(token: string): void
  expire(token: string): void
}

export interface Keystone extends Controls {
  /** Keystone's URL, which ends in `/v3`. */
  readonly url: string
  close(): Promise<void>
}
