// What benchmarks have in common: medians, variants measured in turns, tables.

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const rounded = (number: number, digits = 2): number => Number(number.toFixed(digits))

/**
 * Measures two variants in turns, so that whatever else the machine does meets both alike; the order changes from pair
 * to pair. Returns the pairs.
 */
export async function inTurns<T>(
  pairs: number,
  first: () => Promise<T>,
  second: () => Promise<T>,
): Promise<[T, T][]> {
  const measured: [T, T][] = []
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const one = await first()
      measured.push([one, await second()])
    } else {
      const other = await second()
      measured.push([await first(), other])
    }
  }
  return measured
}

/** Lines of cells in columns, numbers to the right. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (string | number)[][],
): void {
  const all = [head, ...rows].map(row => row.map(String))
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const isNumeric = head.map((_, column) => rows.every(row => typeof row[column] === 'number'))
  console.log(`\n${title}`)
  for (const row of all) {
    const cells = row.map((cell, column) =>
      isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    )
    console.log(`  ${cells.join('  ').trimEnd()}`)
  }
}
