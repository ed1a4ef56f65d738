// The HTTP status of an error, the same in every face that has no reason for another.

import type { AppError, ErrorCode } from '../core/error.ts'

const byCode: Record<ErrorCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  no_capacity: 409,
  upstream: 502,
  unavailable: 503,
  internal: 500,
}

/** What the HTTP server refuses before any route is asked, and what has a status of its own. */
const byReason: Readonly<Record<string, number>> = {
  method_not_allowed: 405,
  events_removed: 410,
  not_acceptable: 406,
  too_slow: 408,
  too_large: 413,
  headers_too_large: 431,
}

export const statusOf = ({ code, detail }: AppError): number => byReason[detail.reason ?? ''] ?? byCode[code]
