// The attribute table of a resource, and the attributes that every resource has.

import type { App } from '../../core/app.ts'
import type { Caller } from '../../core/caller.ts'
import type { Kinds, Kind as ResourceKind } from '../../core/network/model/model.ts'
import type { FieldCondition } from '../../core/network/model/network-store.ts'
import type { RemovalAsk, UpdateAsk } from '../../core/network/model/specs.ts'
import { type AttributeKind, integer, only, text, truth, uuid } from './kinds.ts'

export interface Attribute<Row, Fields> {
  readonly kind: AttributeKind
  /**
   * The name of core's field that the attribute shows, filters, sorts and sets. None where core has no such
   * field.
   */
  readonly field?: (keyof Row | keyof Fields) & string
  /** In which requests the attribute may be given; never when left out. */
  readonly set?: 'create' | 'update' | 'always'
  /** Makes the attribute optional at create: the value that core gets then, undefined for none. */
  readonly default?: unknown
  /**
   * Which policy rules a value touches, by what comes after the attribute's name in theirs: empty for its own rule,
   * `:ip_address` for one of a part. Left out: its own.
   */
  readonly touches?: (value: unknown) => readonly string[]
  /** Set where nobody sees the attribute: it can only be given, or filtered by. */
  readonly seenBy?: 'nobody'
  /** The value that is shown, where that is not the field. */
  show?(row: Row, isAdmin: boolean): unknown
  /** How lists filter by it: equal to any of the given values; `has` where the field is a list. */
  readonly filter?: true | 'has' | ((texts: readonly string[], name: string) => readonly FieldCondition[])
  readonly sort?: true
}

export type Attributes<Row, Fields> = Readonly<Record<string, Attribute<Row, Fields>>>

export type Verb<Input, Output> = (app: App, caller: Caller, input: Input) => Promise<Output>

/** A resource of the API as its attribute table and core's verbs for it. */
export interface Resource<K extends ResourceKind, Spec, Change> {
  /** As in `{"network": {...}}`; its plural has an s. */
  readonly kind: K
  /** The path of the collection, as in `/v2.0/networks`. */
  readonly path: string
  readonly attributes: Attributes<Kinds[K], Spec & Change>
  readonly create: Verb<Spec, Kinds[K]>
  /** The verb that updates; null where a resource cannot be changed. */
  readonly update: Verb<UpdateAsk<Change>, Kinds[K]> | null
  readonly remove: Verb<RemovalAsk, void>
}

/** A condition that no row meets. */
const nothing: FieldCondition = { field: 'id', in: [] }

/** An attribute that always has the same value. */
export const always = (constant: unknown): Attribute<object, object> => ({
  kind: only(constant),
  show: () => constant,
  filter: texts => {
    const values = typeof constant === 'boolean' ? texts.map(text => truth.filter!(text)) : texts
    return values.includes(constant as string) ? [] : [nothing]
  },
})

/**
 * An attribute that has a constant value here although users of Neutron can choose it: another value is
 * refused.
 */
export const fixedAt = (constant: unknown, set: 'create' | 'always' = 'always') => ({
  ...always(constant),
  set,
  default: undefined,
})

/** ISO 8601, to the second. */
export const viewTime = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

const time: AttributeKind<Date> = {
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

const regions: AttributeKind = {
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

/** The attributes that every resource has. */
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

/** The attributes and filters of tags: no resource has a tag here. */
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
