// Plain kinds of attribute values: how each is read, and the refusal of a wrong one.

import { isObject, isUuid } from '../request.ts'
import { invalidInput, notOffered, shown, wrongValue } from './refusals.ts'

/** A JSON schema, for OpenAPI. */
export type Schema = Readonly<Record<string, unknown>>

export interface AttributeKind<T = unknown> {
  /** Converts a client's value to core's; undefined for one that counts as not given. Throws `invalid`. */
  read(value: unknown, name: string): T | undefined
  /** Converts core's value back to the client's, where the two differ. */
  view?(value: T): unknown
  /** Converts the text of a filter to core's value, where the two differ. */
  filter?(text: string): unknown
  readonly schema: Schema
}

export const text = (longest = 255): AttributeKind<string> => ({
  read(value, name) {
    if (typeof value !== 'string') throw wrongValue(name, `'${shown(value)}' is not a valid string`)
    if ([...value].length > longest) {
      throw wrongValue(name, `'${shown(value)}' exceeds maximum length of ${longest}`)
    }
    return value
  },
  schema: { type: 'string', maxLength: longest },
})

export const uuid: AttributeKind<string> = {
  read(value, name) {
    if (typeof value === 'string' && isUuid(value)) return value
    throw wrongValue(name, `'${shown(value)}' is not a valid UUID`)
  },
  schema: { type: 'string', format: 'uuid' },
}

const truths: readonly string[] = ['1', 't', 'true', 'on', 'y', 'yes']
const lies: readonly string[] = ['0', 'f', 'false', 'off', 'n', 'no']

function readTruth(value: unknown): boolean {
  const word = shown(value).trim().toLowerCase()
  if (truths.includes(word)) return true
  if (lies.includes(word)) return false
  throw invalidInput(`'${shown(value)}' cannot be converted to boolean`)
}

export const truth: AttributeKind<boolean> = {
  read: readTruth,
  filter: readTruth,
  schema: { type: 'boolean' },
}

function readInteger(value: unknown): number {
  const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw invalidInput(`'${shown(value)}' is not an integer`)
}

/** The largest number that an integer column of the database holds. */
const greatest = 2_147_483_647

/** The number in a filter; null, which matches no row, for one outside of the column's bounds. */
const filterInteger = (text: string): number | null => {
  const number = readInteger(text)
  return Math.abs(number) <= greatest ? number : null
}

export const integer: AttributeKind<number> = {
  read(value, name) {
    const number = readInteger(value)
    if (number < 0) throw wrongValue(name, `'${number}' should be non-negative`)
    if (number <= greatest) return number
    throw wrongValue(name, `'${number}' is too large - must be no larger than '${greatest}'`)
  },
  filter: filterInteger,
  schema: { type: 'integer', minimum: 0, maximum: greatest },
}

export const oneOf = <T extends string>(...values: readonly T[]): AttributeKind<T> => ({
  read(value, name) {
    const known = values.find(one => one === value)
    if (known === undefined) throw wrongValue(name, `${shown(value)} is not in valid_values`)
    return known
  },
  schema: { enum: values },
})

/** The most items of a list in a body: more than anything on a network needs, and each costs a row. */
const mostItems = 1000

export function checkLength({ length }: readonly unknown[], name: string): void {
  if (length > mostItems) throw wrongValue(name, `A list has at most ${mostItems} items, not ${length}`)
}

/** The items that occur before in the list. */
export function repeated<T>(items: readonly T[]): T[] {
  const seen = new Set<T>()
  return items.filter(item => seen.size === seen.add(item).size)
}

/** A list without equal items. */
export const listOf = <T>(kind: AttributeKind<T>): AttributeKind<readonly T[]> => ({
  read(value, name) {
    if (!Array.isArray(value)) throw wrongValue(name, `'${shown(value)}' is not a list`)
    checkLength(value, name)
    const items = value.map(item => kind.read(item, name) as T)
    const twice = repeated(items)
    if (twice.length === 0) return items
    throw wrongValue(name, `Duplicate items in the list: '${shown(twice.join(', '))}'`)
  },
  ...(kind.filter ? { filter: kind.filter } : {}),
  schema: { type: 'array', items: kind.schema },
})

export const orNull = <T>(kind: AttributeKind<T>): AttributeKind<T | null> => ({
  read: (value, name) => (value === null ? null : kind.read(value, name)),
  view: value => (value === null || !kind.view ? value : kind.view(value)),
  ...(kind.filter ? { filter: kind.filter } : {}),
  schema: { anyOf: [kind.schema, { type: 'null' }] },
})

/** The same kind, where null counts as not given. */
export const orNone = <T>(kind: AttributeKind<T>): AttributeKind<T> => ({
  ...kind,
  read: (value, name) => (value === null ? undefined : kind.read(value, name)),
})

/** The same kind of list, where null counts as an empty one. */
export const orEmpty = <T>(kind: AttributeKind<readonly T[]>): AttributeKind<readonly T[]> => ({
  ...kind,
  read: (value, name) => (value === null ? [] : kind.read(value, name)),
})

export const dictionary: AttributeKind<Readonly<Record<string, unknown>>> = {
  read(value, name) {
    if (value === null) return {}
    if (isObject(value)) return value
    throw wrongValue(name, `'${shown(value)}' is not a dictionary`)
  },
  schema: { type: 'object' },
}

/** A constant: giving it or null counts as not giving it, and any other value is refused. */
export const only = (constant: unknown): AttributeKind<never> => ({
  read(value, name) {
    if (value === null || JSON.stringify(value) === JSON.stringify(constant)) return undefined
    throw notOffered(name)
  },
  schema: { const: constant },
})
