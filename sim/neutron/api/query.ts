// Lists: which rows a query asks for, in what order, and which page of them.

import { represented } from '../../python.ts'
import { badRequest, invalidInput, malformed } from '../errors.ts'
import { type Attribute, type Attributes, type Fields, isGiven } from '../model/attributes.ts'
import { type Caller, isAllowed } from '../model/rules.ts'
import type { Region } from '../region.ts'
import type { Row, Standard } from '../rows.ts'
import { type Resource, view } from './resource.ts'

const controls = ['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']

type Test = (row: Row) => boolean

interface Sort {
  key: string
  isUp: boolean
}

export interface Page {
  limit: number
  marker: string | null
  isReverse: boolean
}

export interface Query {
  filters: ReadonlyMap<string, readonly string[]>
  sorts: readonly Sort[]
  page: Page
  fields: readonly string[]
}

export function readQuery(query: URLSearchParams, resource: Resource): Query {
  const fields = query.getAll('fields').filter(field => field !== '')
  const filters = readFilters(query, resource)
  const sorts = readSorts(query, resource.attributes)
  const isReverse = query.get('page_reverse')?.toLowerCase() === 'true'
  return { filters, sorts, fields, page: { limit: readLimit(query), marker: query.get('marker'), isReverse } }
}

function readFilters(query: URLSearchParams, { attributes, isFilterChecked }: Resource): Query['filters'] {
  const filters = new Map<string, string[]>()
  for (const key of new Set(query.keys())) {
    if (controls.includes(key)) continue
    const { kind, filter } = attributes[key] ?? {}
    if (filter === undefined && (key !== 'changed_since' || isFilterChecked)) {
      if (isFilterChecked) throw invalidInput(`'${key}' is not supported for filtering`)
      continue
    }
    const isConverted = kind?.convert !== undefined
    filters.set(
      key,
      query.getAll(key).map(value => (isConverted ? String(kind?.convert?.(value)) : value)),
    )
  }
  return filters
}

function readSorts(query: URLSearchParams, attributes: Attributes): Sort[] {
  const keys = query.getAll('sort_key').filter(key => key !== '')
  const directions = query.getAll('sort_dir').filter(direction => direction !== '')
  if (keys.length !== directions.length) throw malformed('The number of sort_keys and sort_dirs must be same')
  const unknown = keys.filter(key => attributes[key]?.sort === undefined)
  if (unknown.length > 0) throw malformed(`${represented(unknown)} is invalid attribute for sort_keys`)
  const wrong = directions.filter(direction => direction !== 'asc' && direction !== 'desc')
  if (wrong.length > 0) {
    throw malformed(`${represented(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`)
  }
  return keys.map((key, index) => ({ key, isUp: directions[index] === 'asc' }))
}

function readLimit(query: URLSearchParams): number {
  const limit = query.get('limit') ?? '0'
  if (/^\s*\+?\d+\s*$/.test(limit)) return Number(limit)
  throw badRequest('limit', `Limit must be an integer 0 or greater and not '${limit}'`)
}

/** The rows of a list that match the query and that the caller may see; with a page, only its rows. */
export function find(query: Query, resource: Resource, region: Region, caller: Caller): Row[] {
  const { page, sorts } = query
  const tests = testsOf(query, resource, region)
  const isSeen: Test = row => isAllowed(resource.seenBy, caller, row as unknown as Fields, region)
  const isMatch: Test = row => tests.every(test => test(row)) && isSeen(row)
  const matching = () => [...candidates(query, resource, region, caller)].filter(isMatch)
  if (page.limit === 0) return order(matching(), sorts, resource, region)
  const marker = markerOf(page, resource, region, isSeen)
  if (sorts.length === 0 && isWhole(query, resource, caller)) {
    return walk(resource.table(region).ordered(), marker, page, isMatch)
  }
  const byId = sorts.some(({ key }) => key === 'id') ? [] : [{ key: 'id', isUp: true }]
  const rows = new Set(matching())
  if (marker !== undefined) rows.add(marker)
  return cut(order([...rows], [...sorts, ...byId], resource, region), marker, page)
}

/** The marker's row; it need not be one that the list would show. */
function markerOf({ marker }: Page, resource: Resource, region: Region, isSeen: Test): Row | undefined {
  if (marker === null) return undefined
  const row = resource.table(region).get(marker)
  if (row !== undefined && isSeen(row)) return row
  if (resource.isMarkerChecked) throw resource.missing(marker)
  return undefined
}

function testsOf(query: Query, { attributes }: Resource, region: Region): Test[] {
  return [...query.filters].map(([key, wanted]) => {
    if (key === 'changed_since') return changedSince(wanted)
    const attribute = attributes[key] ?? {}
    const { filter } = attribute
    if (typeof filter === 'function') return row => filter(row, wanted, region)
    const values = new Set(wanted.map(folded))
    return row => values.has(folded(shownOf(row, key, attribute, region)))
  })
}

/** A value folded for comparison, since MariaDB compares texts without case. */
const folded = (value: unknown): string => String(value).toLowerCase()

function shownOf(row: Row, key: string, { show }: Attribute, region: Region): unknown {
  const value = show === undefined ? (row as unknown as Fields)[key] : show(row, region, 'read')
  return isGiven(value) ? value : null
}

const isoTime =
  /^\d{4}(-\d{1,2}(-\d{1,2}(([ T])\d{1,2}:\d{1,2}(:\d{1,2}([.,]\d+)?)?)?(Z|[+-]\d{1,2}(:?\d{2})?)?)?)?$/

/** The test for `changed_since`: times are kept to the second, and deleted rows are not shown. */
function changedSince([text = '']: readonly string[]): Test {
  const wrong = () =>
    invalidInput('The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ')
  if (!isoTime.test(text)) throw wrong()
  const hasZone = /(Z|[+-]\d{1,2}(:?\d{2})?)$/.test(text.slice(10))
  const instant = Date.parse(hasZone ? text : `${text}${text.includes('T') ? '' : 'T00:00:00'}Z`)
  if (Number.isNaN(instant)) throw wrong()
  const from = Math.ceil(instant / 1000) * 1000
  return row => (row as Standard).updated_at >= from
}

/**
 * The rows to filter: those that an index finds for the most selective filter, or else all that the caller
 * may see.
 */
function candidates({ filters }: Query, resource: Resource, region: Region, caller: Caller): Iterable<Row> {
  const table = resource.table(region)
  const ids = filters.get('id')
  if (ids !== undefined) return [...new Set(ids)].flatMap(id => table.get(id) ?? [])
  for (const key of ['device_id', 'network_id', 'security_group_id', 'project_id', 'tenant_id']) {
    const index = key === 'tenant_id' ? 'project_id' : key
    const wanted = filters.get(key)
    if (wanted === undefined || !table.hasKey(index) || wanted.includes('')) continue
    return [...new Set(wanted)].flatMap(value => [...table.by(index, value)])
  }
  return resource.seenBy === 'owner' && !caller.isAdmin
    ? table.by('project_id', caller.projectId ?? '')
    : table.all()
}

/** Whether a page is of the whole table, which is in the order of ids already. */
function isWhole({ filters }: Query, { seenBy }: Resource, caller: Caller): boolean {
  const hasIndex = ['id', 'device_id', 'network_id', 'security_group_id', 'project_id', 'tenant_id'].some(
    key => filters.has(key),
  )
  return !hasIndex && (caller.isAdmin || seenBy !== 'owner')
}

function order(rows: Row[], sorts: readonly Sort[], { attributes }: Resource, region: Region): Row[] {
  if (sorts.length === 0) return rows
  const keyed = rows.map(row => ({
    row,
    keys: sorts.map(({ key }) => shownOf(row, key, attributes[key] ?? {}, region)),
  }))
  keyed.sort((a, b) => {
    for (const [index, { isUp }] of sorts.entries()) {
      const way = compare(a.keys[index], b.keys[index])
      if (way !== 0) return isUp ? way : -way
    }
    return 0
  })
  return keyed.map(({ row }) => row)
}

/** Compares two values; null comes before any other. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return (a as string) < (b as string) ? -1 : 1
}

/** A page in the order of ids, without filtering the rows of other pages. */
function walk(
  rows: readonly Row[],
  marker: Row | undefined,
  { limit, isReverse }: Page,
  isMatch: Test,
): Row[] {
  const step = isReverse ? -1 : 1
  const edge = isReverse ? rows.length - 1 : 0
  const found: Row[] = []
  for (
    let at = marker === undefined ? edge : search(rows, marker.id) + step;
    found.length < limit;
    at += step
  ) {
    const row = rows[at]
    if (row === undefined) break
    if (isMatch(row)) found.push(row)
  }
  return isReverse ? found.reverse() : found
}

/** The index at which the row with an id is, by binary search. */
function search(rows: readonly Row[], id: string): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.id ?? '') < id) low = middle + 1
    else high = middle
  }
  return low
}

function cut(rows: readonly Row[], marker: Row | undefined, { limit, isReverse }: Page): Row[] {
  const at = marker === undefined ? -1 : rows.indexOf(marker)
  if (!isReverse) return rows.slice(at + 1, at + 1 + limit)
  const end = at < 0 ? rows.length : at
  return rows.slice(Math.max(0, end - limit), end)
}

/** The views of a list's rows: the fields that were asked for, or all. */
export function viewAll(
  rows: readonly Row[],
  fields: readonly string[],
  resource: Resource,
  region: Region,
  caller: Caller,
): Fields[] {
  return rows.map(row => pick(view(resource, row, region, caller), fields))
}

export function pick(shown: Fields, fields: readonly string[]): Fields {
  if (fields.length === 0) return shown
  return Object.fromEntries(Object.entries(shown).filter(([name]) => fields.includes(name)))
}
