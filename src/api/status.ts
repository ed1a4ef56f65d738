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

/** The status of refusals by the HTTP server before any route, and of reasons that have their own. */
const byReason: Readonly<Record<string, number>> = {
  method_not_allowed: 405,
  events_removed: 410,
  not_acceptable: 406,
  too_slow: 408,
  too_large: 413,
  too_often: 429,
  headers_too_large: 431,
}

/** The Retry-After in seconds: an outage may end at any moment, but asking at once only adds to it. */
const comeAgain: Readonly<Record<number, string>> = { 429: '1', 503: '5' }

/** The Retry-After header of an answer with this status. */
export const retryHeaders = (status: number): Readonly<Record<string, string>> => {
  const after = comeAgain[status]
  return after === undefined ? {} : { 'retry-after': after }
}

export const statusOf = ({ code, detail }: AppError): number => byReason[detail.reason ?? ''] ?? byCode[code]
