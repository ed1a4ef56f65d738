// Waiting, sizes and chance in tests of workers.

import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something is so, and fails when it takes too long. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    await sleep(20)
  }
}

/** The whole with SOAK=1, else a tenth. */
export const sized = (whole: number): number =>
  process.env.SOAK === '1' ? whole : Math.max(1, Math.round(whole / 10))

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

/** A gate that holds whoever comes until it is opened. */
export function gate(): { readonly held: Promise<void>; open(): void } {
  let open = (): void => {}
  const held = new Promise<void>(resolve => {
    open = resolve
  })
  return { held, open: () => open() }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
