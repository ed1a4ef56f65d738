// Follows a list of a region page by page to its end, and not beyond: bounded in rows and time, no page twice.
import { z } from 'zod'
import { isGone } from './fault.ts'
import type { QueryItem, RegionClient, RegionReply } from './region.ts'
import type { ServiceType } from './services.ts'
import { many, orNull } from './wire-fields.ts'

export interface Listing<T> {
  readonly service: ServiceType
  readonly path: string
  readonly query: readonly QueryItem[]
  readonly headers?: Readonly<Record<string, string>>
  /** The key of the rows in a page; links to other pages are beside it, under the key and `_links`. */
  readonly many: string
  readonly rows: z.ZodType<readonly T[]>
  readonly idOf: (row: T) => string
  /** The most rows of all pages; 200,000 by default. */
  readonly maxRows?: number
}

const defaultMaxRows = 200_000

/**
 * How often a list is begun: a row that is the marker may be deleted between two pages, and then it begins
 * again.
 */
const starts = 3

/**
 * All rows, in the order of their ids. The whole takes at most five times the region's time-out for a call. Throws as
 * `RegionClient.call`, and `upstream` (reason `garbage`) for pages that never end, lead elsewhere or repeat a row.
 */
export async function followPages<T>(region: RegionClient, listing: Listing<T>): Promise<T[]> {
  const deadline = performance.now() + 5 * region.timeoutMs
  for (let start = 1; ; start++) {
    const rows = await onePass(region, listing, deadline, start < starts)
    if (rows) return rows
  }
}

/** Reads the list once from the first page on; null when the marker's row is gone and `mayRestart`. */
async function onePass<T>(
  region: RegionClient,
  listing: Listing<T>,
  deadline: number,
  mayRestart: boolean,
): Promise<T[] | null> {
  const rows = new Map<string, T>()
  let marker: string | null = null
  while (true) {
    const reply: RegionReply = await askPage(region, listing, deadline, marker)
    if (!isGood(reply)) {
      if (mayRestart) return null
      throw reply.unexpected(`its rows go faster than they are listed`)
    }
    let last: string | null = null
    for (const row of reply.read(listing.rows, listing.many)) {
      last = listing.idOf(row)
      if (rows.has(last)) throw reply.unexpected(`${last} is listed twice`)
      rows.set(last, row)
    }
    marker = nextMarker(reply.read(links, `${listing.many}_links`), last, reply)
    if (marker === null) return [...rows.values()]
    if (rows.size >= (listing.maxRows ?? defaultMaxRows) || performance.now() > deadline) {
      throw reply.unexpected(`no end of pages after ${rows.size} rows`)
    }
  }
}

const isGood = (reply: RegionReply): boolean => reply.status < 300

function askPage<T>(
  region: RegionClient,
  { service, path, query, headers }: Listing<T>,
  deadline: number,
  marker: string | null,
): Promise<RegionReply> {
  const place: QueryItem[] = marker === null ? [] : [['marker', marker]]
  return region.call(service, {
    method: 'GET',
    path,
    query: [...query, ['limit', String(region.pageSize)], ...place],
    timeoutMs: Math.min(region.timeoutMs, Math.max(1, deadline - performance.now())),
    // When the marker's row is gone, Neutron answers 404 as if that row had been asked for.
    accept: reply => marker !== null && isGone(reply),
    ...(headers ? { headers } : {}),
  })
}

const links = orNull(many(z.object({ rel: z.string(), href: z.string() })))

/**
 * The id of the row after which the next page begins; null at the end. Only the marker is taken from the link, which
 * must be this page's last row, so every page brings new rows. The link itself is not followed: behind a proxy that
 * ends TLS, Neutron gives links of a scheme and host that nobody can reach.
 */
function nextMarker(of: z.infer<typeof links>, last: string | null, reply: RegionReply): string | null {
  const next = of?.find(link => link.rel === 'next')
  if (!next) return null
  if (!URL.canParse(next.href, reply.url)) throw reply.unexpected('a link to the next page that is no URL')
  const { pathname, searchParams } = new URL(next.href, reply.url)
  const path = new URL(reply.url).pathname
  if (!path.endsWith(pathname) && !pathname.endsWith(path)) {
    throw reply.unexpected('a link to the next page that leads elsewhere')
  }
  const marker = searchParams.get('marker')
  if (marker === null || marker !== last) {
    throw reply.unexpected('a link to the next page that does not begin after its last row')
  }
  return marker
}
