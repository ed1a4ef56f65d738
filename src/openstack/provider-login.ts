// Logging in to a provider: its Keystone's URL, in whatever form people write it, and the body of the log-in.
import { createHash } from 'node:crypto'
import type { ProviderLogin } from '../core/capacity/provider-cloud.ts'

/** Paths that people leave at the end of Keystone's URL, from clients of its v2.0 and v3 APIs. */
const ending = /(\/v2\.0(\/tokens)?|\/v3(\/auth(\/tokens)?)?|(\/auth)?\/tokens)?\/*$/

/**
 * The URL of Keystone's v3 API, which ends in `/v3`; null for a text that is no plain http or https URL: with
 * a user name, a query, a fragment, a blank, a line's end or a backslash in it.
 */
export function authUrlOf(endpoint: string): string | null {
  if (!/^https?:\/\/[!-~]{1,2000}$/i.test(endpoint) || /[@?#\\]/.test(endpoint)) return null
  if (!URL.canParse(endpoint)) return null
  const { origin, pathname } = new URL(endpoint)
  return `${origin}${pathname.replace(/\/+$/, '').replace(ending, '')}/v3`
}

const inDomain = (name: string | null) => ({ domain: { name: name ?? 'Default' } })

/** The body of a log-in. Without a project Keystone takes the user's default one. */
export function loginBody({ username, password, userDomain, project }: ProviderLogin): object {
  const user = { name: username, password, ...inDomain(userDomain) }
  const identity = { methods: ['password'], password: { user } }
  if (project.id !== null) return { auth: { identity, scope: { project: { id: project.id } } } }
  if (project.name === null) return { auth: { identity } }
  const named = { name: project.name, ...inDomain(project.domain) }
  return { auth: { identity, scope: { project: named } } }
}

/** A hash of the credentials: the same for the same ones, and it tells nothing of them. */
export const fingerprint = (login: ProviderLogin): string =>
  createHash('sha256')
    .update(JSON.stringify([login.endpoint, loginBody(login)]))
    .digest('hex')
