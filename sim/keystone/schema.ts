// The part of JSON Schema that Keystone's checks of bodies need, with Keystone's own messages.

import { invalid } from './refusals.ts'

type TypeName = 'object' | 'array' | 'string' | 'boolean' | 'null'

export interface Schema {
  type?: TypeName | readonly TypeName[]
  properties?: Readonly<Record<string, Schema>>
  required?: readonly string[]
  items?: Schema
  enum?: readonly string[]
  pattern?: string
  minLength?: number
  minProperties?: number
}

/** Checks a value. Throws a 400 with the first violation of the schema. */
export function check(value: unknown, schema: Schema): void {
  const error = firstError(value, schema, [])
  if (error === null) return
  const field = error.path.join('/')
  throw invalid(field === '' ? error.detail : `Invalid input for field '${field}': ${error.detail}`)
}

interface SchemaError {
  path: readonly string[]
  detail: string
}

function firstError(value: unknown, schema: Schema, path: readonly string[]): SchemaError | null {
  const detail = typeError(value, schema) ?? textError(value, schema) ?? objectError(value, schema)
  if (detail !== null) return { path, detail }
  for (const [key, inner] of partsOf(value, schema)) {
    const error = firstError((value as Record<string, unknown>)[key], inner, [...path, key])
    if (error !== null) return error
  }
  return null
}

function typeError(value: unknown, { type }: Schema): string | null {
  if (type === undefined) return null
  const types: readonly string[] = typeof type === 'string' ? [type] : type
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  if (types.includes(actual)) return null
  return `${literal(value)} is not of type ${types.map(literal).join(', ')}`
}

function textError(value: unknown, { minLength = 0, pattern, enum: choices }: Schema): string | null {
  if (typeof value !== 'string') return null
  if (value.length < minLength) return `${literal(value)} is too short`
  if (pattern !== undefined && value.search(pattern) < 0)
    return `${literal(value)} does not match ${literal(pattern)}`
  if (choices !== undefined && !choices.includes(value))
    return `${literal(value)} is not one of ${literal(choices)}`
  return null
}

function objectError(value: unknown, { required = [], minProperties = 0 }: Schema): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const absent = required.find(name => !(name in value))
  if (absent !== undefined) return `${literal(absent)} is a required property`
  if (Object.keys(value).length < minProperties) return `${literal(value)} does not have enough properties`
  return null
}

function partsOf(value: unknown, { properties = {}, items }: Schema): [string, Schema][] {
  if (Array.isArray(value))
    return items === undefined ? [] : value.map((_item, index) => [String(index), items])
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(properties).filter(([name]) => name in value)
}

/** A value as Python writes it. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object') return String(value)
  return `{${Object.entries(value)
    .map(([key, inner]) => `${literal(key)}: ${literal(inner)}`)
    .join(', ')}}`
}
