// Errors that a handler or Fastify threw, in Atoll's own terms.

import { AppError, malformed } from '../core/error.ts'

/**
 * Any thrown error as an AppError: one of Fastify's with a 4xx is the client's fault, and any other is ours
 * and is not shown.
 */
export function toAppError(thrown: unknown, requestId: string): AppError {
  if (thrown instanceof AppError) return thrown
  const {
    statusCode = 500,
    code = '',
    message = '',
  } = thrown as { statusCode?: number; code?: string; message?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('invalid', message, { reason: 'too_large' })
  if (statusCode >= 400 && statusCode < 500) return malformed(message)
  return new AppError('internal', `Something went wrong on our side; the log has more under ${requestId}`)
}
