// Who asks: one token for every persona, scope and state of a token, made in the simulated Keystone.

import { randomUUID } from 'node:crypto'
import { newcomer } from '../world/person.ts'
import type { World } from '../world.ts'

/** In the order of the columns of the policy table. */
export const people = [
  'admin',
  'manager',
  'member',
  'reader',
  'service',
  'unscoped',
  'domain',
  'system',
  'none',
  'expired',
  'revoked',
  'deleted',
] as const
export type Person = (typeof people)[number]

/** Those whose token Keystone does not vouch for, or who have none. */
export const strangers: readonly Person[] = ['none', 'expired', 'revoked', 'deleted']

/** A token of a user with these roles in a project of its own. */
export const tokenWith = ({ cloud }: World, name: string, roles: readonly string[]): string =>
  newcomer(cloud, name, roles).token

/**
 * Everybody's token; nobody's is undefined. The unscoped, the domain's and the system's are those of a user who is
 * admin everywhere, so that nothing but the scope tells them from the admin's. Puts the world's clock past the cache
 * time of the revoked token, which was good and remembered before.
 */
export async function tokens(w: World): Promise<Record<Person, string | undefined>> {
  const { keystone } = w.cloud
  const admin = keystone.userId('admin')
  const project = keystone.projectId('admin')
  keystone.grant(admin, 'admin', { kind: 'domain', id: 'default' })
  const expired = keystone.issue(admin, project)
  keystone.expire(expired)
  const revoked = keystone.issue(admin, project)
  const before = await w.call('GET', '/v1.0', { as: { token: revoked } })
  if (before.status !== 200) throw new Error(`a token that is still good got ${before.status}`)
  keystone.revoke(revoked)
  w.setTime(new Date(Date.now() + w.config.identity.token_cache_seconds * 1000 + 1000))
  const deleted = tokenWith(w, 'deleted', ['admin'])
  keystone.state.users.delete(keystone.userId('deleted'))
  return {
    admin: keystone.issue(admin, project),
    manager: tokenWith(w, 'manager', ['manager']),
    member: tokenWith(w, 'member', ['member']),
    reader: tokenWith(w, 'reader', ['reader']),
    service: tokenWith(w, 'service-only', ['service']),
    unscoped: keystone.issue(admin),
    domain: keystone.issue(admin, { kind: 'domain', id: 'default' }),
    system: keystone.issue(admin, { kind: 'system' }),
    none: undefined,
    expired,
    revoked,
    deleted,
  }
}

export interface Rule {
  service: string
  method: string
  path: string
}

/** A token of an application credential of the admin's; with rules it may send only these requests. */
export async function restricted(w: World, rules?: readonly Rule[]): Promise<string> {
  const { keystone } = w.cloud
  const admin = keystone.userId('admin')
  const token = keystone.issue(admin, keystone.projectId('admin'))
  const name = randomUUID()
  const made = await post(`${keystone.url}/users/${admin}/application_credentials`, token, {
    application_credential: { name, ...(rules ? { access_rules: rules } : {}) },
  })
  const { application_credential: credential } = (await made.json()) as {
    application_credential: { id: string; secret: string }
  }
  const reply = await post(`${keystone.url}/auth/tokens`, undefined, {
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { id: credential.id, secret: credential.secret },
      },
    },
  })
  const secret = reply.headers.get('x-subject-token')
  if (!secret) throw new Error(`no token: ${await reply.text()}`)
  return secret
}

const post = (url: string, token: string | undefined, body: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { 'x-auth-token': token } : {}) },
    body: JSON.stringify(body),
  })
