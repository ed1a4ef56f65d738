// The caller of a request to Keystone, and the check of its policy.

import type { FastifyRequest } from 'fastify'
import { Refusal } from '../http.ts'
import { forbidden, unauthorized } from './refusals.ts'
import type { Context, Token } from './state.ts'
import { findToken, rolesOf } from './tokens.ts'

export interface Caller {
  token: Token
  userId: string
  /** Null unless the token is of a project. */
  projectId: string | null
  isAdmin: boolean
  isService: boolean
  /** Whether the caller has role reader on the system, and so may read as an admin. */
  isSystemReader: boolean
}

/** Throws 401 unless the request carries a good token. */
export function callerOf(context: Context, request: FastifyRequest): Caller {
  const token = tokenOf(context, request)
  const roles = rolesOf(context.state, token).map(role => role.name)
  return {
    token,
    userId: token.userId,
    projectId: token.scope?.kind === 'project' ? token.scope.id : null,
    isAdmin: roles.includes('admin'),
    isService: roles.includes('service'),
    isSystemReader: token.scope?.kind === 'system' && roles.includes('reader'),
  }
}

function tokenOf(context: Context, request: FastifyRequest): Token {
  try {
    return findToken(context, headerOf(request, 'x-auth-token'))
  } catch (error) {
    throw error instanceof Refusal && error.type === 'TokenNotFound' ? unauthorized() : error
  }
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  return request.headers[name]?.toString().trim()
}

/** Throws 403 naming the action, as Keystone's policy does. */
export function allow(action: string, isAllowed: boolean): void {
  if (!isAllowed) throw forbidden(`identity:${action}`)
}
