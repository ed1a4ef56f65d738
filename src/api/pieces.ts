// Sends long lists as JSON in pieces: no text as long as the whole list is made, and other requests are
// served in between.

/** A body that is written one piece after the other. */
export class Pieces {
  readonly texts: Iterable<string>

  constructor(texts: Iterable<string>) {
    this.texts = texts
  }
}

/** The most items of one piece; a list of no more is answered in one text. */
const atOnce = 500

/**
 * `{[key]: [...]}` with a view of each item, and the fields of `after` behind the list: in pieces where it is
 * long.
 */
export function listOf<Item>(
  key: string,
  items: readonly Item[],
  view: (item: Item) => object,
  after: Readonly<Record<string, unknown>> = {},
): object | Pieces {
  if (items.length <= atOnce) return { [key]: items.map(view), ...after }
  return new Pieces(textsOf(key, items, view, after))
}

function* textsOf<Item>(
  key: string,
  items: readonly Item[],
  view: (item: Item) => object,
  after: Readonly<Record<string, unknown>>,
): Iterable<string> {
  yield `{${JSON.stringify(key)}:[`
  for (let from = 0; from < items.length; from += atOnce) {
    const piece = JSON.stringify(items.slice(from, from + atOnce).map(view)).slice(1, -1)
    yield from === 0 ? piece : `,${piece}`
  }
  const fields = Object.entries(after).map(
    ([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  yield `]${fields.join('')}}`
}
