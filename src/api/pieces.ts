// Long lists as JSON, piece by piece: no text as long as the list is made, and others get their turn in between.

/** A body that is written one piece after the other. */
export class Pieces {
  readonly texts: Iterable<string>

  constructor(texts: Iterable<string>) {
    this.texts = texts
  }
}

/** So many items are in one piece, or in an answer that is none of pieces. */
const atOnce = 500

/** `{[key]: [...]}` with a view of each item, and what is to stand after it: in pieces where the list is long. */
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
