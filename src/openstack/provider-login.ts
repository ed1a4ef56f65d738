// How a provider is entered: its Keystone, from whatever form of URL people write, and the body of the log-in.
import { createHash } from 'node:crypto'
import type { ProviderLogin } from '../core/capacity/provider-cloud.ts'

/** What the older API's clients, and the newer's, have at the end of the URL. */
const ending = /(\/v2\.0(\/tokens)?|\/v3(\/auth(\/tokens)?)?|(\/auth)?\/tokens)?\/*$/

/**
 * The URL of the v3 API, which ends in `/v3`; null for what is no plain http or https URL: with a user name, a query, a
 * fragment, a blank, a line's end or a backslash in it.
 */
export function authUrlOf(endpoint: string): string | null {
  if (!/^https?:\/\/[!-~]{1,2000}$/i.test(endpoint) || /[@?#\\]/.test(endpoint)) return null
  if (!URL.canParse(endpoint)) return null
  const { origin, pathname } = new URL(endpoint)
  return `${origin}${pathname.replace(/\/+$/, '').replace(ending, '')}/v3`
}

const inDomain = (name: string | null) => ({ domain: { name: name ?? 'Default' } })

/** Without a project the user's own default one is meant, which Keystone knows. */
export function loginBody({ username, password, userDomain, project }: ProviderLogin): object {
  const user = { name: username, password, ...inDomain(userDomain) }
  const identity = { methods: ['password'], password: { user } }
  if (project.id !== null) return { auth: { identity, scope: { project: { id: project.id } } } }
  if (project.name === null) return { auth: { identity } }
  const named = { name: project.name, ...inDomain(project.domain) }
  return { auth: { identity, scope: { project: named } } }
}

/** The same for the same credentials; tells nothing of them. */
export const fingerprint = (login: ProviderLogin): string =>
  createHash('sha256')
    .update(JSON.stringify([login.endpoint, loginBody(login)]))
    .digest('hex')
