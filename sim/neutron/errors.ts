// Neutron's refusals: the status, the name and the words of those that more than one place needs.

import { Refusal } from '../http.ts'

export const refusal = (status: number, type: string, message: string) => new Refusal(status, message, type)

/** The refusal of a body or a query that the API layer cannot use. */
export const malformed = (message: string) => refusal(400, 'HTTPBadRequest', message)

export const invalidInput = (reason: string) =>
  refusal(400, 'InvalidInput', `Invalid input for operation: ${reason}.`)

export const badRequest = (resource: string, reason: string) =>
  refusal(400, 'BadRequest', `Bad ${resource} request: ${reason}.`)

export const unknownPath = () => refusal(404, 'HTTPNotFound', 'The resource could not be found.')

export const wrongMethod = () =>
  refusal(
    405,
    'HTTPMethodNotAllowed',
    'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  )

export const internalError = () =>
  refusal(
    500,
    'HTTPInternalServerError',
    'Request Failed: internal server error while processing your request.',
  )

export const unauthenticated = (authUrl: string) =>
  new Refusal(401, 'The request you have made requires authentication.', 'Unauthorized', {
    'www-authenticate': `Keystone uri="${authUrl}"`,
  })

export const wrongRevision = (wanted: number, actual: number) =>
  refusal(
    412,
    'RevisionNumberConstraintFailed',
    `Constrained to ${wanted}, but current revision is ${actual}`,
  )

export const networkNotFound = (id: string) =>
  refusal(404, 'NetworkNotFound', `Network ${id} could not be found.`)

export const subnetNotFound = (id: string) =>
  refusal(404, 'SubnetNotFound', `Subnet ${id} could not be found.`)

export const portNotFound = (id: string) => refusal(404, 'PortNotFound', `Port ${id} could not be found.`)

export const routerNotFound = (id: string) =>
  refusal(404, 'RouterNotFound', `Router ${id} could not be found`)

export const groupNotFound = (ids: string) =>
  refusal(404, 'SecurityGroupNotFound', `Security group ${ids} does not exist`)

export const addressGroupNotFound = (id: string) =>
  refusal(404, 'AddressGroupNotFound', `Address group ${id} could not be found.`)

export const subnetInUse = (id: string) =>
  refusal(
    409,
    'SubnetInUse',
    `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
  )

/** Neutron's names for errors that have only a status. */
const names: Record<number, string> = {
  400: 'HTTPBadRequest',
  403: 'HTTPForbidden',
  404: 'HTTPNotFound',
  409: 'HTTPConflict',
  429: 'HTTPTooManyRequests',
  503: 'HTTPServiceUnavailable',
}

/** The body of a refusal as Neutron sends it; without a token it is the middleware that answers. */
export function envelope({ status, message, type }: Refusal): unknown {
  if (type === 'Unauthorized') return { error: { code: status, title: type, message } }
  if (type === 'MalformedJson') return envelope(malformed('Body contains invalid data'))
  const name = type || (names[status] ?? 'HTTPInternalServerError')
  return { NeutronError: { type: name, message, detail: '' } }
}
