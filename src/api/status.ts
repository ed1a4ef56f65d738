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
  too_often: 429,
  headers_too_large: 431,
}

/** When to come again, in seconds: an outage may end any moment, but asking at once only adds to it. */
const comeAgain: Readonly<Record<number, string>> = { 429: '1', 503: '5' }

/** The headers by which a client is told so. */
export const retryHeaders = (status: number): Readonly<Record<string, string>> => {
  const after = comeAgain[status]
  return after === undefined ? {} : { 'retry-after': after }
}

export const statusOf = ({ code, detail }: AppError): number => byReason[detail.reason ?? ''] ?? byCode[code]
