// How Keystone says no: its words, and the body they come in.

import { STATUS_CODES } from 'node:http'
import { Refusal } from '../http.ts'

const blame =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. ' +
  'The client is assumed to be in error.'

/** A 401 that says which methods of authentication there are, or nothing about them. */
class MethodRefusal extends Refusal {
  readonly identity: object

  constructor(message: string, identity: object) {
    super(401, message)
    this.identity = identity
  }
}

export function envelope(refusal: Refusal): unknown {
  const { status: code } = refusal
  const message =
    refusal.type === 'MalformedJson' ? missing('valid JSON', 'request body').message : refusal.message
  const identity = refusal instanceof MethodRefusal ? { identity: refusal.identity } : {}
  return { error: { code, ...identity, message, title: STATUS_CODES[code] ?? 'Error' } }
}

export function unauthorized(): Refusal {
  return new Refusal(401, 'The request you have made requires authentication.')
}

export function unsupportedMethod(): Refusal {
  const methods = ['external', 'password', 'token', 'oauth1', 'mapped', 'application_credential']
  return new MethodRefusal('Attempted to authenticate with an unsupported method.', { methods })
}

export function credentialRefused(detail: string): Refusal {
  return new MethodRefusal(`Error authenticating with application credential: ${detail}`, {})
}

export function forbidden(action?: string): Refusal {
  const which = action === undefined ? '' : `: ${action}`
  return new Refusal(403, `You are not authorized to perform the requested action${which}.`)
}

/** A 403 that gives its reason. */
export function notAllowed(reason: string): Refusal {
  return new Refusal(403, reason)
}

export function invalid(message: string): Refusal {
  return new Refusal(400, message)
}

export function missing(attribute: string, target: string): Refusal {
  return invalid(`Expecting to find ${attribute} in ${target}. ${blame}`)
}

export function badTime(): Refusal {
  return invalid(`Timestamp not in expected format. ${blame}`)
}

export function pastTime(): Refusal {
  return invalid(`The 'expires_at' must not be before now. ${blame}`)
}

export function conflict(type: string, details: string): Refusal {
  return new Refusal(409, `Conflict occurred attempting to store ${type} - ${details}.`)
}

export function notFound(what: string, id: string): Refusal {
  return new Refusal(404, `Could not find ${what}: ${id}.`)
}

export function grantNotFound(roleId: string, userId: string, target: string): Refusal {
  const who = `role: ${roleId}, user or group: ${userId}, project, domain, or system: ${target}`
  return new Refusal(404, `Could not find role assignment with ${who}.`)
}

/** The refusal of an invalid token: 404 for a request about it, 401 for one that uses it. */
export function tokenNotFound(message = 'Failed to validate token'): Refusal {
  return new Refusal(404, message, 'TokenNotFound')
}
