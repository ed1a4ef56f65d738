// Reading the query of a list by a resource's table: filters, order and page.

import { invalid } from '../../core/error.ts'
import { type Kind, wordOf } from '../../core/network/model/model.ts'
import type { FieldCondition, Order, ResourceQuery } from '../../core/network/model/network-store.ts'
import { isForAdmins } from '../../core/network/model/policy.ts'
import { isUuid, type Query, type Request } from '../request.ts'
import type { Attribute, Attributes } from './attributes.ts'
import { badRequest, invalidInput, shown, unusable } from './refusals.ts'

type Table = Readonly<Record<string, Attribute<never, never>>>

/** Query parameters that are about the list, and do not filter its rows. */
const controls: readonly string[] = [
  'fields',
  'sort_key',
  'sort_dir',
  'limit',
  'marker',
  'page_reverse',
  'changed_since',
]

export interface Listing<K extends Kind> {
  readonly kind: K
  readonly query: Omit<ResourceQuery, 'sight'>
  /** The policy rules of attributes in filters and sort keys that only admins see. */
  readonly rules: readonly string[]
}

/** Reads the query of a list. A filter that is not in the table is ignored, as Neutron does. */
export const readListing = <K extends Kind>(
  { kind, attributes }: { readonly kind: K; readonly attributes: Attributes<never, never> },
  mostRows: number,
) =>
  function readListing({ query }: Request): Listing<K> {
    const filters = [...query].filter(([name]) => isFilter(name, attributes))
    const sorts = readSorts(query, attributes)
    const named = new Set([...filters.map(([name]) => name), ...sorts.map(({ name }) => name)])
    return {
      kind,
      query: {
        where: [
          ...filters.flatMap(([name, texts]) => whereOf(name, texts, attributes[name]!)),
          ...changedSince(first(query, 'changed_since')),
        ],
        sort: sorts.flatMap(({ order }) => order ?? []),
        limit: readLimit(first(query, 'limit'), mostRows),
        marker: readMarker(kind, first(query, 'marker')),
        reverse: isReversed(query),
      },
      rules: [...named].filter(name => isForAdmins(kind, name)).map(name => `:${name}`),
    }
  }

/** The first value of a parameter that may be given once. */
const first = (query: Query, name: string): string | undefined => query.get(name)?.[0]

const given = (query: Query, name: string): readonly string[] =>
  (query.get(name) ?? []).filter(text => text !== '')

export const isReversed = (query: Query): boolean => first(query, 'page_reverse')?.toLowerCase() === 'true'

const isFilter = (name: string, attributes: Table): boolean =>
  !controls.includes(name) && Object.hasOwn(attributes, name) && attributes[name]!.filter !== undefined

function whereOf(name: string, texts: readonly string[], attribute: Attribute<never, never>) {
  const { kind, field, filter } = attribute
  if (typeof filter === 'function') return filter(texts, name)
  const values = texts.map(text => (kind.filter ? kind.filter(text) : text))
  if (filter === 'has') return [{ field: field!, has: values as string[] }]
  return [{ field: field!, in: values as (string | number | boolean | null)[] }]
}

interface Sort {
  readonly name: string
  /** The order; null for an attribute that is the same in all rows. */
  readonly order: Order | null
}

function readSorts(query: Query, attributes: Table): Sort[] {
  const keys = given(query, 'sort_key')
  const directions = given(query, 'sort_dir')
  if (keys.length !== directions.length) throw unusable('The number of sort_keys and sort_dirs must be same')
  const unknown = keys.filter(key => !Object.hasOwn(attributes, key) || !attributes[key]!.sort)
  if (unknown.length > 0) throw unusable(`${quoted(unknown)} is invalid attribute for sort_keys`)
  const wrong = directions.filter(direction => direction !== 'asc' && direction !== 'desc')
  if (wrong.length > 0) {
    throw unusable(`${quoted(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`)
  }
  return keys.map((name, index) => {
    const { field } = attributes[name]!
    return { name, order: field === undefined ? null : { field, descending: directions[index] === 'desc' } }
  })
}

const quoted = (texts: readonly string[]): string => shown(`[${texts.map(text => `'${text}'`).join(', ')}]`)

/** The page size: without `limit`, and for 0, the largest. */
function readLimit(text: string | undefined, mostRows: number): number {
  if (text === undefined) return mostRows
  if (!/^\s*\+?\d+\s*$/.test(text)) {
    throw badRequest('limit', `Limit must be an integer 0 or greater and not '${shown(text)}'`)
  }
  return Math.min(Number(text) || mostRows, mostRows)
}

function readMarker(kind: Kind, text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  if (isUuid(text)) return text
  throw invalid(`There is no ${wordOf(kind)} ${shown(text)} that a page could start from`, 'marker')
}

const isoTime =
  /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$/

/** The time in `changed_since`, in UTC where it names no time zone. */
function changedSince(text: string | undefined): FieldCondition[] {
  if (text === undefined) return []
  const match = isoTime.exec(text)
  const at = new Date(match && !match.groups?.zone && text.length > 10 ? `${text}Z` : text)
  if (!match || Number.isNaN(at.getTime())) {
    throw invalidInput('The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ')
  }
  return [{ changedSince: at }]
}
