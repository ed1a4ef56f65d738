// Guesses which known name a misspelt one means.

/** The known name nearest to this one; null when none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const rated = known.map(one => ({ one, edits: editsBetween(name, one) })).sort((a, b) => a.edits - b.edits)
  const [best] = rated
  return best && best.edits <= Math.max(1, Math.floor(name.length / 4)) ? best.one : null
}

/** The edit distance of two texts: how many characters have to be inserted, removed or replaced. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, n) => n)
  for (const [at, character] of [...one].entries()) {
    const above = row
    row = [at + 1]
    for (let n = 1; n <= other.length; n++) {
      const exchanged = above[n - 1]! + (character === other[n - 1] ? 0 : 1)
      row.push(Math.min(exchanged, above[n]! + 1, row[n - 1]! + 1))
    }
  }
  return row.at(-1)!
}
