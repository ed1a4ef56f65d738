// Pictures of a service's state: taken of all objects that are reachable from its tables, and put back into
// the same objects, so that references to a row stay valid.

/** Each object with its parts: the items of a list or a set, keys and values in turn of a map or a row. */
export type Picture = ReadonlyMap<object, readonly unknown[]>

export class State {
  private readonly roots: readonly object[]
  private readonly nothing: Picture
  /** Called after the state was emptied, to make rows again that a service makes by itself. */
  onEmpty: () => void = () => undefined

  /** The tables and maps of a service that has nothing yet. */
  constructor(roots: readonly object[]) {
    this.roots = roots
    this.nothing = this.take()
  }

  /**
   * Takes a picture; the very same as `before` when nothing has changed, and unchanged parts are shared with
   * it.
   */
  take(before: Picture = new Map()): Picture {
    const picture = new Map<object, readonly unknown[]>()
    const waiting = [...this.roots]
    let isSame = true
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      if (picture.has(one)) continue
      const parts = partsOf(one)
      const known = before.get(one)
      const isKnown = known !== undefined && isAlike(known, parts)
      picture.set(one, isKnown ? known : parts)
      isSame &&= isKnown
      for (const part of parts) if (typeof part === 'object' && part !== null) waiting.push(part)
    }
    return isSame ? before : picture
  }

  put(picture: Picture): void {
    for (const [one, parts] of picture) fill(one, parts)
  }

  empty(): void {
    this.put(this.nothing)
    this.onEmpty()
  }
}

function partsOf(one: object): unknown[] {
  if (Array.isArray(one)) return [...one]
  if (one instanceof Set) return [...one]
  const parts: unknown[] = []
  if (one instanceof Map) for (const [key, value] of one) parts.push(key, value)
  else for (const name of Object.keys(one)) parts.push(name, (one as Record<string, unknown>)[name])
  return parts
}

function isAlike(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((part, index) => part === others[index])
}

function fill(one: object, parts: readonly unknown[]): void {
  // A frozen object cannot have changed.
  if (Object.isFrozen(one)) return
  if (Array.isArray(one)) {
    one.length = 0
    for (const part of parts) one.push(part)
  } else if (one instanceof Set) {
    one.clear()
    for (const part of parts) one.add(part)
  } else if (one instanceof Map) {
    one.clear()
    for (const [key, value] of pairsOf(parts)) one.set(key, value)
  } else {
    const fields = Object.fromEntries(pairsOf(parts) as [string, unknown][])
    for (const name of Object.keys(one)) if (!(name in fields)) Reflect.deleteProperty(one, name)
    Object.assign(one, fields)
  }
}

function pairsOf(parts: readonly unknown[]): [unknown, unknown][] {
  const pairs: [unknown, unknown][] = []
  for (let at = 0; at < parts.length; at += 2) pairs.push([parts[at], parts[at + 1]])
  return pairs
}
