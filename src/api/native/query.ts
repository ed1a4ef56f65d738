// Query parameters: one table for each endpoint, with their names, types and descriptions for the OpenAPI
// document.

import { invalid, malformed } from '../../core/error.ts'
import { parseInteger } from '../paging.ts'
import { type Request, singles } from '../request.ts'

export interface Parameter {
  readonly description: string
  /** The type and bounds, as in JSON Schema. */
  readonly schema: {
    readonly type: 'string' | 'integer' | 'boolean'
    readonly format?: 'date-time'
    readonly minimum?: number
    readonly maximum?: number
    readonly default?: number | string
  }
  readonly required?: boolean
}
export type Parameters = Readonly<Record<string, Parameter>>

/** Every parameter as the client sent it; throws `invalid` for unknown, repeated and missing ones. */
export function readQuery<Name extends string>(
  { query }: Request,
  parameters: Readonly<Record<Name, Parameter>>,
): Partial<Record<Name, string>> {
  const given = singles(query)
  const names = Object.keys(parameters) as Name[]
  const unknown = Object.keys(given).find(name => !(names as string[]).includes(name))
  if (unknown !== undefined)
    throw invalid(`There is no parameter ${unknown}; there are ${names.join(', ')}`, 'unknown_parameter')
  const missing = names.find(name => parameters[name].required && given[name] === undefined)
  if (missing !== undefined)
    throw invalid(
      `The parameter ${missing} is missing: ${parameters[missing].description}`,
      'missing_parameter',
    )
  return given as Partial<Record<Name, string>>
}

/** A whole number between the bounds of its parameter; its default when it is not given. */
export function wholeNumber<Name extends string>(
  given: Partial<Record<Name, string>>,
  name: Name,
  parameters: Readonly<Record<Name, Parameter>>,
): number {
  const { schema } = parameters[name]
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema
  const text = given[name] ?? String(schema.default)
  const number = parseInteger(text)
  if (number === null || number < minimum || number > maximum)
    throw malformed(
      `The parameter ${name} is a whole number from ${minimum} to ${maximum}, not ${shown(text)}`,
    )
  return number
}

/** A time in UTC of the years 2000 to 2999, which clients and every part of Atoll can hold. */
const time = /^2\d{3}-\d{2}-(\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/

/** Reads a parameter that is a time; null when it is not given. */
export function instant<Name extends string>(given: Partial<Record<Name, string>>, name: Name): Date | null {
  const text = given[name]
  if (text === undefined) return null
  const [, day] = time.exec(text) ?? []
  const at = new Date(text)
  // Date accepts the 30th of February as the 2nd of March, and 24:00 as the next day; both are refused here.
  if (day === undefined || Number.isNaN(at.getTime()) || at.getUTCDate() !== Number(day))
    throw malformed(
      `The parameter ${name} is a time in UTC (ISO 8601) such as 2026-11-21T12:00:00Z, of the years 2000 to 2999, not ${shown(text)}`,
    )
  return at
}

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
