// A request to Placement, its answer, and the reading of bodies and queries.

import { represented } from '../../python.ts'
import { codes, invalid, providerNotFound } from '../refusals.ts'
import type { PlacementRegion } from '../region.ts'
import type { Provider } from '../rows.ts'

export interface Asked {
  region: PlacementRegion
  /** Parts of the path. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  body: unknown
  /** The number after the dot of the microversion. */
  minor: number
}

export interface Answer {
  status: number
  body?: unknown
  /** The path in the answer's Location header. */
  location?: string | undefined
}

export interface Route {
  /** The policy rule of the route: `resource_providers:list`. */
  rule: string
  /** The first microversion that has the route. */
  since?: number | undefined
  answer(asked: Asked): Answer
}

/** Routes by path, then by method. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const nothing: Answer = { status: 204 }

export function providerOf({ region, params }: Asked): Provider {
  const provider = region.providers.get(params.uuid ?? '')
  if (provider === undefined) throw providerNotFound(params.uuid ?? '')
  return provider
}

export type Json = Readonly<Record<string, unknown>>

const wrong = (message: string) => invalid(`JSON does not validate: ${message}`)

/** A JSON object with these keys at least. */
export function readObject(value: unknown, required: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(`${represented(value)} is not of type 'object'`)
  }
  const absent = required.find(name => !(name in value))
  if (absent !== undefined) throw wrong(`'${absent}' is a required property`)
  return value as Json
}

export function readText(value: unknown, longest = 255): string {
  if (typeof value !== 'string') throw wrong(`${represented(value)} is not of type 'string'`)
  if (value.length > longest) throw wrong(`${represented(value)} is too long`)
  if (value === '') throw wrong(`'' is too short`)
  return value
}

export function readInteger(value: unknown, least = 0): number {
  if (!Number.isInteger(value)) throw wrong(`${represented(value)} is not of type 'integer'`)
  if ((value as number) < least) throw wrong(`${represented(value)} is less than the minimum of ${least}`)
  return value as number
}

export function readTexts(value: unknown): string[] {
  if (!Array.isArray(value)) throw wrong(`${represented(value)} is not of type 'array'`)
  const texts = value.map(one => readText(one))
  if (new Set(texts).size < texts.length) throw wrong(`${represented(value)} has non-unique elements`)
  return texts
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => uuid.test(text)

export function readUuid(value: unknown): string {
  const text = readText(value)
  if (!isUuid(text)) throw wrong(`'${text}' is not a 'uuid'`)
  const digits = text.replaceAll('-', '').toLowerCase()
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export const badQuery = (message: string, code: string = codes.none) =>
  invalid(`Invalid query string parameters: ${message}`, code)

/** Throws for a parameter that the call does not have. */
export function checkQuery(query: URLSearchParams, known: (name: string) => boolean): void {
  const unknown = [...query.keys()].find(name => !known(name))
  if (unknown === undefined) return
  throw badQuery(`Additional properties are not allowed ('${unknown}' was unexpected)`)
}
