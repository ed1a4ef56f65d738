// Keystone's description of a token (the body of GET and POST /v3/auth/tokens), read into our words.
import { z } from 'zod'
import type { AccessRule } from '../core/identity.ts'
import { instant, many, orNull } from './wire-fields.ts'

/** A service of the catalog, with its endpoints in all regions. */
export interface CatalogService {
  readonly type: string
  readonly endpoints: readonly CatalogEndpoint[]
}

export interface CatalogEndpoint {
  readonly interface: string
  readonly region: string
  readonly url: string
}

export interface TokenBody {
  readonly user: { readonly id: string; readonly name: string }
  readonly project: { readonly id: string; readonly name: string } | null
  readonly roles: readonly string[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly catalog: readonly CatalogService[]
  readonly accessRules: readonly AccessRule[] | null
}

/**
 * Matches texts that can be tokens: they go into a header. Fernet tokens have some 200 characters, JWS ones
 * under 2,000.
 */
export const tokenLike = /^[\x21-\x7e]{1,8192}$/

const text = z.string().max(4096)
const some = <T>(one: z.ZodType<T>) => orNull(many(one)).transform(values => values ?? [])
const named = z.object({ id: text.min(1), name: text })

const endpoint = z.object({
  interface: text,
  region_id: text.nullish(),
  region: text.nullish(),
  url: text,
})

const wire = z.object({
  token: z.object({
    user: named,
    project: named.nullish(),
    roles: some(z.object({ name: text })),
    issued_at: instant,
    expires_at: instant,
    catalog: some(z.object({ type: text, endpoints: some(endpoint) })),
    application_credential: z
      .object({ access_rules: orNull(many(z.object({ service: text, method: text, path: text }))) })
      .nullish(),
  }),
})

/** Null when `body` does not describe a token. */
export function parseTokenBody(body: unknown): TokenBody | null {
  const parsed = wire.safeParse(body)
  if (!parsed.success) return null
  const { token } = parsed.data
  return {
    user: token.user,
    project: token.project ?? null,
    roles: token.roles.map(role => role.name),
    issuedAt: token.issued_at,
    expiresAt: token.expires_at,
    catalog: token.catalog.map(service => ({
      type: service.type,
      endpoints: service.endpoints.map(one => ({
        interface: one.interface,
        region: one.region_id ?? one.region ?? '',
        url: one.url,
      })),
    })),
    accessRules: token.application_credential?.access_rules ?? null,
  }
}
