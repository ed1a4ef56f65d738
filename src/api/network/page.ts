// Lists as answers: a page of views, and the links to the next and the previous one.

import type { Page } from '../../core/page.ts'
import type { Query, Request } from '../request.ts'
import { isReversed } from './query.ts'

interface Identified {
  readonly id: string
}

interface Link {
  readonly rel: 'next' | 'previous'
  readonly href: string
}

/** `{"networks_links": [...]}`; nothing where the page is the whole list. */
export function linksOf(
  kind: string,
  path: string,
  { items, more }: Page<Identified>,
  { query, applicationUrl }: Request,
): Record<string, Link[]> {
  const reversed = isReversed(query)
  // A client that came here by a marker can go back.
  const cameFrom = (query.get('marker')?.[0] ?? '') !== ''
  const list = `${applicationUrl}/${path}`
  const links: Link[] = []
  if (reversed ? cameFrom : more)
    links.push({ rel: 'next', href: hrefOf(list, query, items.at(-1)?.id, false) })
  if (reversed ? more : cameFrom)
    links.push({ rel: 'previous', href: hrefOf(list, query, items[0]?.id, true) })
  return links.length > 0 ? { [`${kind}s_links`]: links } : {}
}

/** The same query from another marker on; from an end of the list where the page was empty. */
function hrefOf(list: string, query: Query, marker: string | undefined, reverse: boolean): string {
  const parameters = new URLSearchParams()
  for (const [name, values] of query) {
    if (name === 'marker' || name === 'page_reverse') continue
    for (const value of values) parameters.append(name, value)
  }
  if (marker !== undefined) parameters.append('marker', marker)
  if (reverse) parameters.append('page_reverse', 'True')
  return `${list}?${parameters}`
}
