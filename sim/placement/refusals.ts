// How Placement says no: its words, its codes, and the body they come in.

import { STATUS_CODES } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../http.ts'
import { askedVersion, type Microversions } from '../microversion.ts'

export const versions: Microversions = { service: 'placement', major: 1, min: 0, max: 39 }

export const codes = {
  concurrent: 'placement.concurrent_update',
  inUse: 'placement.inventory.inuse',
  duplicate: 'placement.duplicate_name',
  providerInUse: 'placement.resource_provider.inuse',
  isParent: 'placement.resource_provider.cannot_delete_parent',
  missingValue: 'placement.query.missing_value',
  badValue: 'placement.query.bad_value',
  none: 'placement.undefined_code',
} as const

/** The web framework's explanation of each status, which stands before Placement's own words. */
const explanations: Record<number, string> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
  405: 'The method specified is not allowed for this resource.',
  406: 'The resource could not be generated that was acceptable to your browser (content of type application/json. ',
  409: 'There was a conflict when trying to complete your request.',
}

export function envelope(refusal: Refusal, request: FastifyRequest): unknown {
  const { status, type, message } = refusal
  const title = STATUS_CODES[status] ?? 'Error'
  if (type === 'Unauthorized') return { error: { code: status, title, message } }
  const { minor } = askedVersion(request, versions)
  const words = type === 'MalformedJson' ? `Malformed JSON: ${message}` : message
  const explanation = explanations[status] ?? title
  // For a wrong method, Placement's words come first.
  const detail = status === 405 ? `${words}\n\n ${explanation}` : `${explanation}\n\n ${words}  `
  const code =
    minor !== null && minor >= 23 ? { code: type.startsWith('placement.') ? type : codes.none } : {}
  const range = status === 406 ? { max_version: '1.39', min_version: '1.0' } : {}
  return { errors: [{ status, title, detail, ...code, request_id: request.id, ...range }] }
}

export const invalid = (message: string, code: string = codes.none) => new Refusal(400, message, code)
export const notFound = (message: string) => new Refusal(404, message, codes.none)
export const conflict = (message: string, code: string = codes.none) => new Refusal(409, message, code)

export const unauthenticated = (authUrl: string) =>
  new Refusal(401, 'The request you have made requires authentication.', 'Unauthorized', {
    'www-authenticate': `Keystone uri="${authUrl}"`,
  })

export const forbidden = (rule: string) =>
  new Refusal(403, `Policy does not allow placement:${rule} to be performed.`)

export const providerNotFound = (uuid: string) => notFound(`No resource provider with uuid ${uuid} found`)

export const classNotFound = (name: string) => `No such resource class ${name}.`

export const generationMoved = () =>
  conflict(
    "Resource provider's generation already changed. Please update the generation and try again.",
    codes.concurrent,
  )

export const inventoryInUse = (resourceClass: string, uuid: string) =>
  `Inventory for '${resourceClass}' on resource provider '${uuid}' in use.`
