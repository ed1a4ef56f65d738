// Plain kinds of attribute values: how each is converted, and the refusal of a wrong one.

import { printed } from '../../python.ts'
import { invalidInput } from '../errors.ts'

/** Returns the message for a wrong value, undefined for a right one. */
export type Check = (value: unknown) => string | undefined

export interface Kind {
  /** Converts the value before the check, and may refuse it with a message of its own. */
  convert?(value: unknown): unknown
  check?: Check
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(value)
}

export const checkText =
  (longest: number): Check =>
  value => {
    if (typeof value !== 'string') return `'${printed(value)}' is not a valid string`
    return value.length > longest ? `'${value}' exceeds maximum length of ${longest}` : undefined
  }

export const checkUuid: Check = value =>
  isUuid(value) ? undefined : `'${printed(value)}' is not a valid UUID`

export const checkList =
  (check: Check): Check =>
  value => {
    if (!Array.isArray(value)) return `'${printed(value)}' is not a list`
    const seen = value.map(item => JSON.stringify(item))
    const twice = value.filter((_, index) => seen.indexOf(seen[index] ?? '') < index)
    if (twice.length > 0) return `Duplicate items in the list: '${twice.map(printed).join(', ')}'`
    return value.map(check).find(message => message !== undefined)
  }

export const text = (longest = 255): Kind => ({ check: checkText(longest) })
export const uuid: Kind = { check: checkUuid }
export const orNull = ({ convert, check }: Kind): Kind => ({
  ...(convert === undefined ? {} : { convert: value => (value === null ? null : convert(value)) }),
  check: value => (value === null ? undefined : check?.(value)),
})

export const oneOf = (...values: unknown[]): Kind => ({
  check: value => (values.includes(value) ? undefined : `${printed(value)} is not in valid_values`),
})

const truths = ['1', 't', 'true', 'on', 'y', 'yes']
const lies = ['0', 'f', 'false', 'off', 'n', 'no']

export const truth: Kind = {
  convert: value => {
    const word = printed(value).trim().toLowerCase()
    if (truths.includes(word)) return true
    if (lies.includes(word)) return false
    throw invalidInput(`'${printed(value)}' cannot be converted to boolean`)
  },
}

function toInteger(value: unknown): number {
  const isText = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)
  if (isText || typeof value === 'number' || typeof value === 'boolean') return Math.trunc(Number(value))
  throw invalidInput(`'${printed(value)}' is not an integer`)
}

export const integer: Kind = { convert: toInteger }

export const natural: Kind = {
  convert: toInteger,
  check: value => (Number(value) < 0 ? `'${value}' should be non-negative` : undefined),
}

export const integerBetween = (lowest: number, highest: number): Kind => ({
  convert: toInteger,
  check: value => {
    if (Number(value) < lowest) return `'${value}' is too small - must be at least '${lowest}'`
    return Number(value) > highest
      ? `'${value}' is too large - must be no larger than '${highest}'`
      : undefined
  },
})

export const listOf = ({ check = () => undefined }: Kind): Kind => ({ check: checkList(check) })

/** The same kind of list, where null counts as an empty one. */
export const orEmpty = (kind: Kind): Kind => ({
  ...kind,
  convert: value => (value === null ? [] : value),
})

export const dictionary: Kind = {
  check: value =>
    isDictionary(value) || value === null ? undefined : `'${printed(value)}' is not a dictionary`,
}

export function isDictionary(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const quoted = (names: readonly string[]) =>
  names.length === 0 ? 'set()' : `{${names.map(name => `'${name}'`).join(', ')}}`

/** Checks a dictionary's keys: they must be just these, or all of these and any more when that is allowed. */
export function checkKeys(
  wanted: readonly string[],
  value: unknown,
  mayHaveMore = false,
): string | undefined {
  if (!isDictionary(value)) {
    const keys = wanted.map(key => `'${key}'`).join(', ')
    return `Invalid input. '${printed(value)}' must be a dictionary with keys: [${keys}]`
  }
  const keys = Object.keys(value)
  const isRight = wanted.every(key => keys.includes(key)) && (mayHaveMore || keys.length === wanted.length)
  if (isRight) return undefined
  return `Validation of dictionary's keys failed. Expected keys: ${quoted(wanted)} Provided keys: ${quoted(keys)}`
}

/** A dictionary of these keys and no others; null is allowed too. */
export const record = (kinds: Record<string, Kind>, required: readonly string[]): Kind => ({
  check: value => {
    if (value === null || (isDictionary(value) && Object.keys(value).length === 0)) return undefined
    if (!isDictionary(value)) return `'${printed(value)}' is not a dictionary`
    const missing = checkKeys(required, value, true)
    if (missing !== undefined) return missing
    const unexpected = Object.keys(value).filter(key => !(key in kinds))
    if (unexpected.length > 0) return `Unexpected keys supplied: ${unexpected.join(', ')}`
    for (const key of Object.keys(value)) {
      const { convert, check } = kinds[key] ?? {}
      if (convert !== undefined) value[key] = convert(value[key])
      const message = check?.(value[key])
      if (message !== undefined) return message
    }
    return undefined
  },
})
