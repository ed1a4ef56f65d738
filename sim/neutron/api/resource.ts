// A resource of the API: its table of attributes, and the functions that only it has.

import type { Refusal } from '../../http.ts'
import type { Table } from '../../table.ts'
import type { Attribute, Attributes, Fields, Moment } from '../model/attributes.ts'
import { text } from '../model/kinds.ts'
import type { Caller, Rule } from '../model/rules.ts'
import type { Region } from '../region.ts'
import type { Row, Standard } from '../rows.ts'

/**
 * Declared as a method, which TypeScript checks less strictly, so that a resource of ports is a resource of
 * rows.
 */
type Action<R> = { act(row: R, body: unknown, region: Region, caller: Caller): unknown }['act']

export interface Resource<R extends Row = Row> {
  /** As in `{"network": {...}}`; its plural has an s. */
  name: string
  /** The path of the collection, as in `/v2.0/networks`. */
  path: string
  attributes: Attributes
  table(region: Region): Table<R>
  missing(id: string): Refusal
  /** The refusal to a caller who may not see the row; by default the same as `missing`. */
  hidden?(): Refusal
  /** The rule of who sees a row; for others it does not exist. */
  seenBy: Rule
  createdBy: Rule
  changedBy: Rule
  removedBy: Rule
  /** Whether the resource has a revision, a description, times and tags. */
  isStandard: boolean
  /** Set where an unknown marker is refused; other resources begin at the start. */
  isMarkerChecked?: true
  /** Set where an unknown filter is refused; other resources ignore it. */
  isFilterChecked?: true
  create?(fields: Fields, region: Region, caller: Caller): R
  /** Creates several rows at once, where that is more than one after the other. */
  createAll?(items: readonly Fields[], region: Region, caller: Caller): R[]
  update?(row: R, fields: Fields, region: Region, caller: Caller): void
  remove?(row: R, region: Region, caller: Caller): void
  /** `PUT /{path}/{id}/{action}`; gives the answer's body. */
  actions?: Readonly<Record<string, Action<R>>>
  /** Called before a list: makes rows that must exist by then, such as a default security group. */
  prepare?(wanted: URLSearchParams, region: Region, caller: Caller): void
}

export const time = (instant: number) => `${new Date(instant).toISOString().slice(0, 19)}Z`

const tagged = (row: Row, wanted: readonly string[], every: boolean) => {
  const { tags } = row as Standard
  const asked = wanted.flatMap(value => value.split(','))
  return every ? asked.every(tag => tags.includes(tag)) : asked.some(tag => tags.includes(tag))
}

export const historyAttributes: Attributes = {
  description: { kind: text(), set: 'always', default: '', filter: true },
  created_at: { show: row => time((row as Standard).created_at) },
  updated_at: { show: row => time((row as Standard).updated_at) },
  revision_number: { filter: true },
}

export const standardAttributes: Attributes = {
  ...historyAttributes,
  tags: { filter: (row, wanted) => tagged(row, wanted, true) },
  'tags-any': { seenBy: 'nobody', filter: (row, wanted) => tagged(row, wanted, false) },
  'not-tags': { seenBy: 'nobody', filter: (row, wanted) => !tagged(row, wanted, true) },
  'not-tags-any': { seenBy: 'nobody', filter: (row, wanted) => !tagged(row, wanted, false) },
}

const entries = new WeakMap<Attributes, [string, Attribute][]>()

/** The entries of an attribute table, cached: a long answer goes through them a thousand times. */
function entriesOf(attributes: Attributes): [string, Attribute][] {
  const known = entries.get(attributes) ?? Object.entries(attributes)
  entries.set(attributes, known)
  return known
}

/** A row as the caller may see it. */
export function view(
  resource: Resource,
  row: Row,
  region: Region,
  caller: Caller,
  moment: Moment = 'read',
): Fields {
  const shown: Fields = {}
  for (const [name, { seenBy, show }] of entriesOf(resource.attributes)) {
    if (seenBy === 'nobody' || (seenBy === 'admin' && !caller.isAdmin)) continue
    const value = show === undefined ? (row as unknown as Fields)[name] : show(row, region, moment)
    if (value !== undefined) shown[name] = value
  }
  return shown
}

export function isStandardRow(resource: Resource, row: Row): row is Standard {
  return resource.isStandard && 'revision_number' in row
}
