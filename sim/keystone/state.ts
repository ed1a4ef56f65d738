// The simulated Keystone's state, in the form that it has on the wire.

import { randomBytes, randomUUID } from 'node:crypto'

export interface Domain {
  id: string
  name: string
  description: string
  enabled: boolean
  tags: string[]
  options: object
}

export interface Project extends Domain {
  domain_id: string
  parent_id: string
  is_domain: boolean
}

export interface User {
  id: string
  name: string
  domain_id: string
  enabled: boolean
  default_project_id?: string
  password_expires_at: null
  options: object
}

export interface Role {
  id: string
  name: string
  domain_id: string | null
  description: string | null
  options: { immutable?: boolean }
}

export interface Region {
  id: string
  description: string
  parent_region_id: string | null
}

export interface Service {
  id: string
  name: string
  type: string
  enabled: boolean
  description?: string
}

export interface Endpoint {
  id: string
  interface: 'public' | 'internal' | 'admin'
  region_id: string | null
  service_id: string
  url: string
  enabled: boolean
  region: string | null
}

export interface AccessRule {
  id: string
  service: string
  path: string
  method: string
}

export interface ApplicationCredential {
  id: string
  name: string
  description: string | null
  user_id: string
  project_id: string
  system: null
  /** The expiry in ISO 8601, without a time zone. */
  expires_at: string | null
  unrestricted: boolean | null
  roles: Role[]
  access_rules?: AccessRule[]
}

/** The scope of a role or a token. */
export type Scope = { kind: 'project' | 'domain'; id: string } | { kind: 'system' }

export interface Grant {
  userId: string
  roleId: string
  scope: Scope
}

export interface Token {
  id: string
  userId: string
  methods: string[]
  /** The token's scope; null when it is unscoped. */
  scope: Scope | null
  auditIds: string[]
  issuedAt: Date
  expiresAt: Date
  credentialId: string | null
  isRevoked: boolean
}

export interface State {
  domains: Map<string, Domain>
  projects: Map<string, Project>
  users: Map<string, User>
  /** Passwords by user. */
  passwords: Map<string, string>
  roles: Map<string, Role>
  /** For each role, the roles that it implies directly. */
  implied: Map<string, string[]>
  grants: Grant[]
  regions: Map<string, Region>
  services: Map<string, Service>
  endpoints: Map<string, Endpoint>
  credentials: Map<string, ApplicationCredential>
  /** Secrets by application credential. */
  secrets: Map<string, string>
  accessRules: Map<string, { userId: string; rule: AccessRule }>
  tokens: Map<string, Token>
}

/** The state and helpers that the parts of the service share. */
export interface Context {
  readonly state: State
  readonly tokenLifeMs: number
  now(): Date
  /** Keystone's URL, which ends in `/v3`. */
  url(): string
}

export function createState(): State {
  return {
    domains: new Map(),
    projects: new Map(),
    users: new Map(),
    passwords: new Map(),
    roles: new Map(),
    implied: new Map(),
    grants: [],
    regions: new Map(),
    services: new Map(),
    endpoints: new Map(),
    credentials: new Map(),
    secrets: new Map(),
    accessRules: new Map(),
    tokens: new Map(),
  }
}

export function newId(): string {
  return randomUUID().replaceAll('-', '')
}

export function newSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

export function isSameScope(one: Scope, other: Scope): boolean {
  return one.kind === other.kind && scopeId(one) === scopeId(other)
}

export function scopeId(scope: Scope): string {
  return scope.kind === 'system' ? 'system' : scope.id
}
