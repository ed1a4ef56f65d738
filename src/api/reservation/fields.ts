// Reading the fields of a body of the Reservation API, and the ids in its paths and queries.

import { type AppError, invalid } from '../../core/error.ts'
import { isObject, kindOf, type Request } from '../request.ts'

export type BodyFields = Readonly<Record<string, unknown>>

/** The original's sentence, which clients compare; a hint may follow where the original says nothing else. */
export const malformedParameter = (name: string, hint?: string): AppError =>
  invalid(hint ? `Malformed parameter ${name} (${hint})` : `Malformed parameter ${name}`)

/** The fields of the body; none when there is no body. Throws `invalid` when it is no object. */
export function fieldsOf({ body }: Request): BodyFields {
  if (body === undefined) return {}
  if (!isObject(body)) throw invalid(`The body must be a JSON object, not ${kindOf(body)}`)
  return body
}

/** Throws `invalid` with the names of all required fields that are missing. */
export function requireParameters(fields: BodyFields, names: readonly string[]): void {
  const missing = names.filter(name => !Object.hasOwn(fields, name))
  if (missing.length > 0) throw invalid(`Missing parameter ${missing.join(', ')}`)
}

/** Throws `invalid` with the name of a field that only the server may set. */
export function refuseOwn(fields: BodyFields, names: readonly string[]): void {
  const own = names.find(name => Object.hasOwn(fields, name))
  if (own) throw invalid(`The parameter ${own} is set by the server: leave it out`)
}

/**
 * A text field as it was sent, with its blanks. Throws `invalid` for anything but a text of at most so many
 * characters.
 */
export function textField(fields: BodyFields, name: string, maxLength: number): string {
  const value = fields[name]
  if (typeof value !== 'string') throw malformedParameter(name, `must be a string, not ${kindOf(value)}`)
  if ([...value].length > maxLength) throw malformedParameter(name, `at most ${maxLength} characters`)
  return value
}

/** The objects of a list; throws `invalid` when it is none, or when it holds something else. */
export function objectsField(fields: BodyFields, name: string): BodyFields[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw malformedParameter(name, `must be a list, not ${kindOf(value)}`)
  for (const item of value) {
    if (!isObject(item))
      throw malformedParameter(name, `must be a list of objects, and holds ${kindOf(item)}`)
  }
  return value
}
