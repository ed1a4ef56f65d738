// What the table of a resource says of its attributes, and those that every resource has.

import type { App } from '../../core/app.ts'
import type { Caller } from '../../core/caller.ts'
import type { Kinds, Kind as ResourceKind } from '../../core/network/model/model.ts'
import type { Condition } from '../../core/network/model/network-store.ts'
import type { Removal, Update } from '../../core/network/model/specs.ts'
import { integer, type Kind, only, text, truth, uuid } from './kinds.ts'

export interface Attribute<Row, Fields> {
  readonly kind: Kind
  /** Core's name of it: what it is shown from, filtered and sorted by, and given to core as. None where core has none. */
  readonly field?: (keyof Row | keyof Fields) & string
  /** When a request may give it: never, unless it says otherwise. */
  readonly set?: 'create' | 'update' | 'always'
  /** Makes it one that a create may leave out: what core is given then, undefined for nothing. */
  readonly default?: unknown
  /** Given by admins only; or, of a value, which rules below the attribute's own only admins pass. */
  readonly setBy?: 'admin' | ((value: unknown) => readonly string[])
  /** Who sees it, filters and sorts by it, where that is not everybody. */
  readonly seenBy?: 'admin' | 'nobody'
  /** What is shown, where that is not the field. */
  show?(row: Row, isAdmin: boolean): unknown
  /** Any of several values; `has` where the field is a list. */
  readonly filter?: true | 'has' | ((texts: readonly string[], name: string) => readonly Condition[])
  readonly sort?: true
}

export type Attributes<Row, Fields> = Readonly<Record<string, Attribute<Row, Fields>>>

export type Verb<Input, Output> = (app: App, caller: Caller, input: Input) => Promise<Output>

/** A resource is its table; what it means is core's. */
export interface Resource<K extends ResourceKind, Spec, Change> {
  /** As in `{"network": {...}}`; its plural has an s. */
  readonly kind: K
  /** As in `/v2.0/networks`. */
  readonly path: string
  readonly attributes: Attributes<Kinds[K], Spec & Change>
  readonly create: Verb<Spec, Kinds[K]>
  /** Null where nothing of it can be changed. */
  readonly update: Verb<Update<Change>, Kinds[K]> | null
  readonly remove: Verb<Removal, void>
}

/** A condition that nothing meets. */
const nothing: Condition = { field: 'id', in: [] }

/** What is always the same, whatever is done. */
export const always = (constant: unknown): Attribute<object, object> => ({
  kind: only(constant),
  show: () => constant,
  filter: texts => {
    const values = typeof constant === 'boolean' ? texts.map(text => truth.filter!(text)) : texts
    return values.includes(constant as string) ? [] : [nothing]
  },
})

/** The same of what Neutron lets users choose: given as anything else it is refused in a sentence. */
export const fixedAt = (constant: unknown, set: 'create' | 'always' = 'always') => ({
  ...always(constant),
  set,
  default: undefined,
})

/** ISO 8601, to the second. */
export const viewTime = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

const time: Kind<Date> = {
  read: () => undefined,
  view: viewTime,
  schema: { type: 'string', format: 'date-time' },
}

const owner = {
  kind: text(),
  field: 'projectId',
  set: 'create',
  default: undefined,
  filter: true,
  sort: true,
} as const

const regions: Kind = {
  read: () => undefined,
  schema: {
    type: 'array',
    items: { type: 'object', properties: { region: { type: 'string' }, id: uuid.schema } },
  },
}

interface Owned {
  readonly id: string
  readonly projectId: string
  readonly description: string
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly places: readonly { readonly region: string; readonly id: string }[]
}

/** Of every resource. */
export const standard = {
  id: { kind: uuid, field: 'id', filter: true, sort: true },
  project_id: owner,
  tenant_id: owner,
  description: { kind: text(), field: 'description', set: 'always', default: '', filter: true },
  created_at: { kind: time, field: 'createdAt' },
  updated_at: { kind: time, field: 'updatedAt' },
  revision_number: { kind: integer, field: 'revision', filter: true },
  'atoll:regions': { kind: regions, field: 'places', filter: texts => [{ region: texts }] },
} as const satisfies Attributes<Owned, object>

/** Nothing has a tag. */
export const untagged = {
  tags: { ...always([]), filter: () => [nothing] },
  'tags-any': { ...always([]), seenBy: 'nobody', filter: () => [nothing] },
  'not-tags': { ...always([]), seenBy: 'nobody', filter: () => [] },
  'not-tags-any': { ...always([]), seenBy: 'nobody', filter: () => [] },
} as const satisfies Attributes<object, object>

export const name = {
  kind: text(),
  field: 'name',
  set: 'always',
  default: '',
  filter: true,
  sort: true,
} as const
