// The links of a page to the next and the previous one.

import type { Row } from '../rows.ts'
import type { Page } from './query.ts'

/** The URL of a list, with the query that was asked. */
interface Place {
  url: string
  query: URLSearchParams
}

export function linksOf(rows: readonly Row[], { limit, isReverse }: Page, place: Place): object[] {
  if (limit === 0) return []
  const isShort = rows.length < limit
  const links: object[] = []
  if (!isShort || isReverse) links.push(nextOf(rows, place))
  if (!isShort || !isReverse) links.push(previousOf(rows, place))
  return links
}

export function nextOf(rows: readonly Row[], place: Place): object {
  return { rel: 'next', href: hrefOf(place, rows.at(-1)?.id, false) }
}

function previousOf(rows: readonly Row[], place: Place): object {
  return { rel: 'previous', href: hrefOf(place, rows[0]?.id, true) }
}

function hrefOf({ url, query }: Place, marker: string | undefined, isReverse: boolean): string {
  const next = new URLSearchParams(query)
  next.delete('marker')
  next.delete('page_reverse')
  if (marker !== undefined) next.append('marker', marker)
  if (isReverse) next.append('page_reverse', 'True')
  return `${url}?${next}`
}
