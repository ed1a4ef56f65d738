// `limit` and `marker` as lists take them.

import { malformed } from '../core/error.ts'

/** An optional sign and digits with blanks around them, which clients of the original send as a number. */
const integer = /^\s*[+-]?\d+\s*$/

/** The number in a text, or null when it is no integer; beyond 2^53 the nearest one, which no row has. */
export const parseInteger = (text: string): number | null => (integer.test(text) ? Number(text) : null)

/**
 * The page size asked for: the maximum when none is given, when it is at most 0 and when it is beyond the
 * maximum. Throws `invalid` (malformed) when it is no integer.
 */
export function parseLimit(text: string | undefined, maximum: number): number {
  if (text === undefined) return maximum
  const limit = parseInteger(text)
  if (limit === null) throw notAnInteger('Limit', text)
  return limit <= 0 || limit > maximum ? maximum : limit
}

export const notAnInteger = (what: string, text: string) =>
  malformed(`${what} should be an integer or a valid literal for int() rather than '${text}'`)
