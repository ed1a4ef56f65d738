// Pages of a list: the request for one, and the rows in it.

export interface PageRequest<Marker> {
  /** At least 1, at most the configured maximum: faces see to it. */
  readonly limit: number
  /** The last item of the page before; null for the first page. */
  readonly marker: Marker | null
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Whether rows remain after these. */
  readonly more: boolean
}

/** Makes a page of rows that were read one beyond the limit. */
export function toPage<Item>(rows: readonly Item[], limit: number): Page<Item> {
  return { items: rows.slice(0, limit), more: rows.length > limit }
}
