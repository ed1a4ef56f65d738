// Rows of one kind, found by id and by the keys that lists filter on most.

/**
 * Declared as a method, which TypeScript checks less strictly, so that a table of ports is a table of rows.
 */
type Key<Row> = { of(row: Row): string | readonly string[] }['of']

export type Keys<Row> = Record<string, Key<Row>>

/**
 * The rows under a key's value: a single one is kept without a Set to save memory, as most keys of a port
 * have one.
 */
type Found<Row> = Row | Set<Row>

export class Table<Row extends { id: string }> {
  private readonly rows = new Map<string, Row>()
  private readonly keys: Keys<Row>
  private readonly indexes: Record<string, Map<string, Found<Row>>> = {}
  private inOrder: Row[] = []
  private added: Row[] = []
  private removed = 0
  private isSealed = false

  constructor(keys: Keys<Row> = {}) {
    this.keys = keys
    for (const name of Object.keys(keys)) this.indexes[name] = new Map()
  }

  get size(): number {
    return this.rows.size
  }

  get(id: string): Row | undefined {
    return this.rows.get(id)
  }

  /** The rows in the order in which they were added. */
  all(): IterableIterator<Row> {
    return this.rows.values()
  }

  hasKey(name: string): boolean {
    return name in this.keys
  }

  /** The rows that have this value under this key. */
  by(name: string, value: string): Iterable<Row> {
    const found = this.indexes[name]?.get(value)
    if (found === undefined) return []
    return found instanceof Set ? found : [found]
  }

  countBy(name: string, value: string): number {
    const found = this.indexes[name]?.get(value)
    if (found === undefined) return 0
    return found instanceof Set ? found.size : 1
  }

  /** Makes the table keep no row from now on. */
  seal(): void {
    this.isSealed = true
  }

  add(row: Row): Row {
    if (this.isSealed) return row
    this.rows.set(row.id, row)
    this.added.push(row)
    this.index(row)
    return row
  }

  /** Changes a row's keys, and the indexes with them. */
  change(row: Row, how: () => void): void {
    this.unindex(row)
    try {
      how()
    } finally {
      this.index(row)
    }
  }

  remove(row: Row): void {
    if (!this.rows.delete(row.id)) return
    this.removed += 1
    this.unindex(row)
  }

  /**
   * The rows in the order of their ids. They are sorted on demand, and then only the new ones, so that pages
   * stay cheap.
   */
  ordered(): readonly Row[] {
    if (this.removed > 0) {
      this.inOrder = this.inOrder.filter(row => this.rows.has(row.id))
      this.added = this.added.filter(row => this.rows.has(row.id))
      this.removed = 0
    }
    if (this.added.length > 0) {
      this.inOrder = merge(this.inOrder, this.added.sort(byId))
      this.added = []
    }
    return this.inOrder
  }

  private index(row: Row): void {
    for (const [name, index] of Object.entries(this.indexes)) {
      for (const value of this.valuesOf(name, row)) {
        const found = index.get(value)
        if (found === undefined) index.set(value, row)
        else if (found instanceof Set) found.add(row)
        else index.set(value, new Set([found, row]))
      }
    }
  }

  private unindex(row: Row): void {
    for (const [name, index] of Object.entries(this.indexes)) {
      for (const value of this.valuesOf(name, row)) {
        const found = index.get(value)
        if (found === row) index.delete(value)
        else if (found instanceof Set && found.delete(row) && found.size === 0) index.delete(value)
      }
    }
  }

  /** The values of a row's key. An empty one is not indexed: nobody looks for the ports of no device. */
  private valuesOf(name: string, row: Row): readonly string[] {
    const value = this.keys[name]?.(row) ?? ''
    if (typeof value !== 'string') return value
    return value === '' ? [] : [value]
  }
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1
}

function merge<Row extends { id: string }>(a: readonly Row[], b: readonly Row[]): Row[] {
  const merged: Row[] = []
  let next = 0
  for (const row of a) {
    for (let other = b[next]; other !== undefined && other.id < row.id; other = b[next]) {
      merged.push(other)
      next += 1
    }
    merged.push(row)
  }
  return merged.concat(b.slice(next))
}
