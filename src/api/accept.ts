// What a face asks of the Accept header where it cares for it.

import { AppError } from '../core/error.ts'
import type { Head } from './route.ts'

/** Throws `invalid` (`not_acceptable`) where the client says what it takes, and JSON is none of it. */
export function requireJsonAccepted({ header }: Head): void {
  const accept = header('accept')
  if (accept === undefined || /(^|[\s,])(\*\/\*|application\/(\*|json))/i.test(accept)) return
  throw new AppError('invalid', 'Answers of this API are application/json', { reason: 'not_acceptable' })
}
