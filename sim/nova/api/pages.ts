// Pages of lists: after a marker, at most so many, and a link to the next one while a page is full.

import { badRequest } from '../refusals.ts'
import type { Asked } from './asked.ts'

const most = 1000

export interface Page<Row> {
  rows: readonly Row[]
  /** The links beside a list, under its key with `_links`; none at the end. */
  links: Readonly<Record<string, readonly object[]>>
}

/** Throws a 400 for a marker that is none of `rows` and not said to be `known` either. */
export function pageOf<Row>(
  asked: Asked,
  rows: readonly Row[],
  idOf: (row: Row) => string,
  key: string,
): Page<Row> {
  const { query, isEndless } = asked
  const limit = readLimit(query)
  const marker = query.get('marker')
  const at = marker === null ? -1 : rows.findIndex(row => idOf(row) === marker)
  if (marker !== null && at < 0) throw badRequest(`marker [${marker}] not found`)
  const page = isEndless ? rows.slice(0, limit) : rows.slice(at + 1, at + 1 + limit)
  const last = page.at(-1)
  if (last === undefined || (page.length < limit && !isEndless)) return { rows: page, links: {} }
  const next = new URLSearchParams(query)
  next.set('limit', query.get('limit') ?? String(limit))
  next.set('marker', idOf(last))
  next.sort()
  return { rows: page, links: { [`${key}_links`]: [{ rel: 'next', href: `${asked.url}?${next}` }] } }
}

function readLimit(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null) return most
  if (!/^\d+$/.test(text)) {
    throw badRequest(
      `Invalid input for query parameters limit. Value: ${text}. '${text}' does not match '^[0-9]*$'`,
    )
  }
  return Number(text) === 0 ? most : Math.min(Number(text), most)
}
