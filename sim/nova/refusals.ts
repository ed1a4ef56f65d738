// How Nova says no: its words, and the body they come in.

import { Refusal } from '../http.ts'
import type { Microversions } from '../microversion.ts'
import { printed } from '../python.ts'

export const versions: Microversions = {
  service: 'compute',
  major: 2,
  min: 1,
  max: 93,
  header: 'x-openstack-nova-api-version',
}

const names: Record<number, string> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  413: 'overLimit',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

export function envelope({ status, message, type }: Refusal): unknown {
  if (type === 'Unauthorized') return { error: { code: status, title: type, message } }
  const words = type === 'MalformedJson' ? 'Malformed request body' : message
  return { [names[status] ?? 'computeFault']: { code: status, message: words } }
}

export const badRequest = (message: string) => new Refusal(400, message)
export const notFound = (message: string) => new Refusal(404, message)
export const conflict = (message: string) => new Refusal(409, message)

export const forbidden = (rule: string) =>
  new Refusal(
    403,
    `Policy doesn't allow ${rule.startsWith('compute:') ? '' : 'os_compute_api:'}${rule} to be performed.`,
  )

export const unauthenticated = (authUrl: string) =>
  new Refusal(401, 'The request you have made requires authentication.', 'Unauthorized', {
    'www-authenticate': `Keystone uri="${authUrl}"`,
  })

export const invalidField = (field: string, value: unknown, why: string) =>
  badRequest(`Invalid input for field/attribute ${field}. Value: ${printed(value)}. ${why}`)
