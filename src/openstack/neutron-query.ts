// A question to Neutron for a list: which rows, which fields; as its query string, and as a check of what comes back.

import type { QueryItem } from './region.ts'
import type { WireFields } from './wire-fields.ts'

type Scalar = string | number | boolean

/**
 * Equality: a field is the value, or one of the values; of an object or a list of objects, the inner fields are.
 * Addresses are given as Neutron writes them. No values at all fit nothing.
 */
export type Where<T> = {
  readonly [K in keyof T]?: Scalar | readonly Scalar[] | Readonly<Record<string, Scalar>>
}

export interface NeutronQuery<T, K extends keyof T = keyof T> {
  readonly where?: Where<T>
  /** Only these fields are asked for and answered; all when left out. */
  readonly fields?: readonly K[]
  /** Only what was created or changed since then, by the region's clock. What was deleted never shows. */
  readonly changedSince?: Date
}

export type AnyRow = Readonly<Record<string, unknown>>

export interface Plan {
  /** The fields that the answer must have. */
  readonly asked: WireFields
  readonly items: readonly QueryItem[]
  readonly fits: (row: AnyRow) => boolean
  readonly narrow: (row: AnyRow) => AnyRow
}

/** Null when no row can match, so that Neutron need not be asked (it ignores a filter without values). */
export function planOf(all: WireFields, query: NeutronQuery<AnyRow, string>): Plan | null {
  const where = Object.entries(query.where ?? {}).filter(([, value]) => value !== undefined)
  if (where.some(([, value]) => Array.isArray(value) && value.length === 0)) return null
  const { fields } = query
  // The id is needed for paging, and the filtered fields to check the filter on the rows.
  const names = fields ? ['id', ...where.map(([name]) => name), ...fields] : Object.keys(all)
  const asked = pick(all, names)
  const items = where.flatMap(([name, value]) => itemsOf(all, name, value))
  if (fields) for (const one of Object.values(asked)) items.push(['fields', one.wire])
  if (query.changedSince) items.push(['changed_since', wholeSeconds(query.changedSince)])
  return {
    asked,
    items,
    fits: row => where.every(([name, value]) => isAt(row[name], value)),
    narrow: row => (fields ? pick(row, fields) : row),
  }
}

function itemsOf(all: WireFields, name: string, value: unknown): QueryItem[] {
  const one = all[name]
  if (!one) throw new Error(`no field ${name} to filter by`)
  if (Array.isArray(value)) return value.map(each => [one.wire, String(each)])
  if (typeof value !== 'object') return [[one.wire, String(value)]]
  return Object.entries(value as AnyRow).map(([inner, each]) => [
    one.wire,
    `${one.inner?.[inner]?.wire}=${each}`,
  ])
}

/** Whether a row's value is what the filter wants. Letter case is left out, as MariaDB leaves it out. */
function isAt(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(actual)) return actual.some(one => isAt(one, wanted))
  if (Array.isArray(wanted)) return wanted.some(one => isAt(actual, one))
  if (typeof wanted === 'object' && wanted !== null) {
    return Object.entries(wanted).every(([name, one]) => isAt((actual as AnyRow | null)?.[name], one))
  }
  return String(actual).toLowerCase() === String(wanted).toLowerCase()
}

const pick = <T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(names.flatMap(name => (name in from ? [[name, from[name]!] as const] : [])))

/** Neutron keeps whole seconds: a fraction would leave out what changed in that very second. */
const wholeSeconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`
