// Sizes and chance: how long a long fight is, and numbers that a printed seed draws again.

/** The whole with SOAK=1, else a tenth. */
export const sized = (whole: number): number =>
  process.env.SOAK === '1' ? whole : Math.max(1, Math.round(whole / 10))

/** Every how many of something a run has that is not to have the whole: odd, so that what takes turns by twos does. */
const stride = 11

/** The numbers below `whole` with SOAK=1, else some tenth of them, at least one: each that far from one that is drawn. */
export function spread(whole: number, drawn: number): number[] {
  if (process.env.SOAK === '1') return Array.from({ length: whole }, (_, at) => at)
  const numbers: number[] = []
  for (let at = drawn % Math.min(stride, whole); at < whole; at += stride) numbers.push(at)
  return numbers
}

/** All of them with SOAK=1, else some tenth. */
export const share = <T>(all: readonly T[], drawn: number): T[] =>
  spread(all.length, drawn).map(at => all[at]!)

/** The seed of this run: SEED, or a new one. Print it. */
export const seed = (): number => Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const pick = <T>(from: readonly T[], chance: () => number): T =>
  from[Math.floor(chance() * from.length)]!

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
