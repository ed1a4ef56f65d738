// Rows as clients see them, by a resource's table: the fields that were asked for, and that the caller may see.

import { isForAdmins } from '../../core/network/model/policy.ts'
import type { Query } from '../request.ts'
import type { Attribute, Attributes } from './attributes.ts'

export type ShownFields = Record<string, unknown>

export interface ViewAsk {
  readonly isAdmin: boolean
  /** The attributes that `fields` asks for; none for all. */
  readonly names: readonly string[]
}

export const namesOf = (query: Query): readonly string[] =>
  (query.get('fields') ?? []).filter(name => name !== '')

/** Makes the view of a row; the table is gone through once for all rows of a list. */
export function viewer<Row>(
  { kind, attributes }: { readonly kind: string; readonly attributes: Attributes<Row, never> },
  { isAdmin, names }: ViewAsk,
): (row: Row) => ShownFields {
  const seen = Object.entries(attributes).filter(
    ([name, { seenBy }]) =>
      seenBy !== 'nobody' &&
      (isAdmin || !isForAdmins(kind, name)) &&
      (names.length === 0 || names.includes(name)),
  )
  return row => {
    const shown: ShownFields = {}
    for (const [name, attribute] of seen) shown[name] = valueIn(row, attribute, isAdmin)
    return shown
  }
}

function valueIn<Row>(row: Row, { show, field, kind }: Attribute<Row, never>, isAdmin: boolean): unknown {
  if (show) return show(row, isAdmin)
  const value = row[field as keyof Row]
  return kind.view ? kind.view(value) : value
}
