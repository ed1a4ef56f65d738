// A request as faces see it, without anything of the HTTP server.

import { malformed } from '../core/error.ts'

export interface Request {
  readonly method: string
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  /** The JSON body; undefined when there is none. */
  readonly body: unknown
  /** Scheme, host and the prefix that the client used, without the face's version: `http://host/tricircle`. */
  readonly applicationUrl: string
  /** A header's value; of several the first. */
  header(name: string): string | undefined
}

/** The parameters of a query string, in order, each with all its values. */
export type Query = ReadonlyMap<string, readonly string[]>

/** Throws `invalid` (malformed) for bad percent-encoding and for NUL. */
export function parseQuery(url: string): Query {
  const start = url.indexOf('?')
  return start === -1 ? new Map() : parsePairs(url.slice(start + 1), 'query')
}

/** Parses a text in the form of a query string; `what` names it in errors. */
export function parsePairs(text: string, what: string): Query {
  const pairs = new Map<string, string[]>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const [name = '', ...rest] = pair.split('=')
    const key = decode(name, what)
    const values = pairs.get(key)
    if (values) values.push(decode(rest.join('='), what))
    else pairs.set(key, [decode(rest.join('='), what)])
  }
  return pairs
}

function decode(text: string, what: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed(`The ${what} holds ${JSON.stringify(text)}, which is not percent-encoded UTF-8`)
  }
  if (decoded.includes('\0')) throw malformed(`The ${what} holds a NUL character`)
  return decoded
}

/** As `singles`, for these parameters only: any others in the query are ignored. */
export function singlesOf<Name extends string>(
  query: Query,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const known = new Map(names.flatMap(name => (query.has(name) ? [[name, query.get(name)!]] : [])))
  return singles(known) as Partial<Record<Name, string>>
}

/** The query as one value a name; throws `invalid` (malformed) for a parameter that is given twice. */
export function singles(query: Query): Record<string, string> {
  const single: Record<string, string> = Object.create(null)
  for (const [name, values] of query) {
    if (values.length > 1) throw malformed(`The parameter ${name} is given ${values.length} times`)
    single[name] = values[0]!
  }
  return single
}

/** What kind of JSON value this is, for a sentence: `an array`, `null`, `a number`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a text is an id as OpenStack writes them, with dashes. */
export const isUuid = (text: string): boolean => uuid.test(text)
