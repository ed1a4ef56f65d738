// The check of the Accept header, for faces that have one.

import { AppError } from '../core/error.ts'
import type { Head, Route } from './route.ts'

/**
 * Throws `invalid` (`not_acceptable`) where the client's Accept header names none of the content types that
 * the route answers in.
 */
export function requireJsonAccepted({ header }: Head, { alsoAnswers }: Pick<Route, 'alsoAnswers'>): void {
  const accept = header('accept')
  if (accept === undefined || /(^|[\s,])(\*\/\*|application\/(\*|json))/i.test(accept)) return
  if (alsoAnswers !== undefined && accept.toLowerCase().includes(alsoAnswers)) return
  const answers = ['application/json', ...(alsoAnswers ? [alsoAnswers] : [])].join(' or ')
  throw new AppError('invalid', `Answers of this API are ${answers}`, { reason: 'not_acceptable' })
}
