// Refusals of the Networking face itself, in Neutron's words. A reason in capitals is Neutron's own name for
// an error.

import { type AppError, invalid } from '../../core/error.ts'

/** The refusal of a body or a query that cannot be used. */
export const unusable = (message: string): AppError => invalid(message, 'HTTPBadRequest')

/** The refusal of a value that an attribute may not have. */
export const wrongValue = (name: string, reason: string): AppError =>
  unusable(`Invalid input for ${name}. Reason: ${reason}.`)

/** The refusal of a value that cannot be converted. */
export const invalidInput = (reason: string): AppError =>
  invalid(`Invalid input for operation: ${reason}.`, 'InvalidInput')

export const badRequest = (what: string, reason: string): AppError =>
  invalid(`Bad ${what} request: ${reason}.`, 'BadRequest')

/** The refusal of an attribute or value that Neutron has and Atoll does not. */
export const notOffered = (name: string): AppError =>
  invalid(`${name} is not offered here: leave it out`, 'not_supported')

/**
 * The most characters of a client's value in a refusal: Neutron's longest name, and a few more that show it
 * was exceeded.
 */
const longestEcho = 300

/** A value as Neutron's sentences show it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > longestEcho ? `${text.slice(0, longestEcho).toWellFormed()}…` : text
}
