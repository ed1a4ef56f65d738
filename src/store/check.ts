// A check of stored rows: a query for the rows that are wrong, and a sentence about each.

import type { RawBuilder } from 'kysely'

export interface Check<Row = never> {
  /** Every row that is wrong. */
  readonly rows: RawBuilder<unknown>
  readonly sentence: (row: Row) => string
}

export const check = <Row>(sentence: (row: Row) => string, rows: RawBuilder<unknown>): Check => ({
  sentence,
  rows,
})

export const utc = (at: string): string => new Date(at).toISOString()
