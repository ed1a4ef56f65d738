// Reads bodies of the Promise API: whatever is unambiguous is accepted in any form, and no amount is ever
// guessed.

import { type AmountName, type Amounts, amountNames } from '../../core/capacity/amounts.ts'
import { malformed } from '../../core/error.ts'
import { forever } from '../../core/ledger/ledger.ts'
import { isObject, kindOf, type Request } from '../request.ts'

export type BodyFields = Readonly<Record<string, unknown>>

/** What a RESTCONF client wraps its body in. */
const wrappers: readonly string[] = ['input', 'opnfv-promise:input']

/** The fields of a body, out of a RESTCONF wrapper; no body has no fields. Throws `invalid` (malformed). */
export function fieldsOf({ body }: Pick<Request, 'body'>): BodyFields {
  if (body === undefined || body === null) return {}
  if (!isObject(body)) throw malformed(`the body must be an object, not ${kindOf(body)}`)
  const [only, ...others] = Object.keys(body)
  const inner = only === undefined ? undefined : body[only]
  return others.length === 0 && wrappers.includes(only ?? '') && isObject(inner) ? inner : body
}

/** The keys that objects in a body may have, by the object's own key. */
const inner: Readonly<Record<string, readonly string[]>> = {
  capacity: amountNames,
  window: ['start', 'end', 'scope'],
  elements: ['some', 'every'],
  tenant: ['id', 'name'],
  project: ['id', 'name', 'domain-name'],
}

/**
 * Keys of a body that the operation does not have: the answer warns of them, or they are refused where the
 * client asks for that. Throws `invalid` (malformed).
 */
export function unknownKeys(request: Request, known: readonly string[]): string[] {
  const fields = fieldsOf(request)
  const unknown = Object.entries(fields).flatMap(([key, value]) => {
    if (!known.includes(key)) return [key]
    const names = Object.hasOwn(inner, key) && isObject(value) ? Object.keys(value) : []
    return names.filter(name => !inner[key]!.includes(name)).map(name => `${key}.${name}`)
  })
  if (unknown.length > 0 && /(^|[,\s])handling=strict\b/.test(request.header('prefer') ?? ''))
    throw malformed(`there is no such parameter: ${unknown.slice(0, 10).join(', ')}`)
  return unknown.slice(0, mostWarnings)
}

const mostWarnings = 100

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

/** A text field; null when it is absent. A number is taken as the text of it. */
export function textOf(fields: BodyFields, key: string, most = 1000): string | null {
  const value = fields[key]
  if (isAbsent(value)) return null
  if (typeof value !== 'string' && typeof value !== 'number')
    throw malformed(`'${key}' must be a string, not ${kindOf(value)}`)
  const text = String(value)
  if (text.length > most) throw malformed(`'${key}' is longer than ${most} characters`)
  return text
}

export function requiredText(fields: BodyFields, key: string): string {
  const text = textOf(fields, key)
  if (text === null || text === '') throw malformed(`'${key}' is required`)
  return text
}

/** The bare id of `Type:id` and of `id`. */
export const bareId = (text: string): string => text.replace(/^Resource[A-Za-z]*:/, '')

export const idOf = (fields: BodyFields, key: string): string | null => {
  const text = textOf(fields, key)
  return text === null || text === '' ? null : bareId(text)
}

const mostItems = 1000

/** A list of texts; a single value is taken as a list of one. */
export function textsOf(fields: BodyFields, key: string): string[] {
  const value = fields[key]
  if (isAbsent(value)) return []
  const items: unknown[] = Array.isArray(value) ? value : [value]
  if (items.length > mostItems) throw malformed(`'${key}' has more than ${mostItems} items`)
  return items.map(item => textOf({ [key]: item }, key) ?? '').filter(text => text !== '')
}

export const idsOf = (fields: BodyFields, key: string): string[] => textsOf(fields, key).map(bareId)

/** The ids of elements, without the type's name that may stand before each. */
export const elementsOf = (fields: BodyFields, key: string): string[] =>
  textsOf(fields, key).map(text => text.replace(/^[A-Za-z]+:/, ''))

/** The object under a key; an absent one has no fields. */
export function objectOf(fields: BodyFields, key: string): BodyFields {
  const value = fields[key]
  if (isAbsent(value)) return {}
  if (!isObject(value)) throw malformed(`'${key}' must be an object, not ${kindOf(value)}`)
  return value
}

export function booleanOf(fields: BodyFields, key: string, otherwise: boolean): boolean {
  const value = fields[key]
  if (isAbsent(value)) return otherwise
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw malformed(`'${key}' must be true or false`)
}

export function choiceOf<Choice extends string>(
  fields: BodyFields,
  key: string,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  const text = textOf(fields, key)
  if (text === null) return otherwise
  const found = choices.find(choice => choice === text)
  if (!found) throw malformed(`'${key}' must be one of ${choices.join(', ')}`)
  return found
}

const mostAmount = 2 ** 31 - 1

/** A whole number from `least`, or the digits of one. */
export function countOf(fields: BodyFields, key: string, least = 0, most = mostAmount): number | null {
  const value = fields[key]
  if (isAbsent(value)) return null
  const number = typeof value === 'string' && /^\s*\d{1,12}\s*$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most)
    throw malformed(`'${key}' must be a whole number from ${least} to ${most}, not ${shown(value)}`)
  return number
}

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 100)

/** The amounts in an object; those that are absent are not in the result. */
export function amountsOf(fields: BodyFields): Partial<Amounts> {
  const given = objectOf(fields, 'capacity')
  const amounts: Partial<Record<AmountName, number>> = {}
  for (const name of amountNames) {
    const amount = countOf(given, name)
    if (amount !== null) amounts[name] = amount
  }
  return amounts
}

const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,12})?(Z|[+-]\d{2}:\d{2})$/

/** An instant: `2015-12-24T11:37:55.329Z`, or with an offset. Null when it is absent. */
export function dateOf(fields: BodyFields, key: string): Date | null {
  const value = fields[key]
  if (isAbsent(value)) return null
  const date = typeof value === 'string' && dateTime.test(value) ? realDate(value) : null
  if (!date || date >= forever)
    throw malformed(
      `'${key}' must be a date and time with its offset, for instance 2027-02-21T20:00:00Z, not ${shown(value)}`,
    )
  return date
}

/**
 * A date, or null for one that does not exist: Date takes the 30th of February for the 2nd of March, and
 * 24:00 for the next day.
 */
function realDate(text: string): Date | null {
  const date = new Date(text)
  const asWritten = new Date(`${text.slice(0, 19)}Z`)
  const isReal = !Number.isNaN(date.getTime()) && asWritten.toISOString().slice(0, 19) === text.slice(0, 19)
  return isReal ? date : null
}
