// Waiting: the only file of the tests with a timer in it. Elsewhere a test waits for a condition, however long a busy
// machine takes to make it so; what is about time sets the clock, counts, or looks at the order of events.

import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** Says nothing about speed: only what never becomes so takes this long. */
const ceilingMs = 120_000

export interface Wait {
  /** What is waited for, as the failure says it. */
  readonly what: string
  /** What the failure shows; what the condition came to unless told. */
  readonly seen?: () => unknown
}

/** Waits until the condition comes to something true, and returns that. What it throws goes on to whoever waits. */
export async function until<T>(condition: () => T, { what, seen }: Wait): Promise<NonNullable<Awaited<T>>> {
  const end = performance.now() + ceilingMs
  for (;;) {
    const last = await condition()
    if (last) return last
    if (performance.now() > end)
      throw new Error(`it never came about: ${what}; seen last: ${inspect(seen ? await seen() : last)}`)
    await sleep(10)
  }
}

/** Looks again and again while the work goes on, once more after it, and returns what the work does. */
export async function meanwhile<T>(look: () => unknown, work: Promise<T>): Promise<T> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  work.then(over, over)
  while (!isOver) {
    await look()
    await sleep(1)
  }
  await look()
  return work
}

/** Fails when the condition comes to something true before the work is over. */
export function never<T>(
  condition: () => unknown,
  { what, while: work }: { readonly what: string; readonly while: Promise<T> },
): Promise<T> {
  return meanwhile(async () => {
    const found = await condition()
    if (found) throw new Error(`it came about: ${what}; seen: ${inspect(found)}`)
  }, work)
}

/**
 * A rest of clients that make load, a moment drawn by lot for a blow to fall in, or the slowness of a bad peer.
 * Never a wait for something.
 */
export const pause = (ms: number): Promise<void> => sleep(ms)

/**
 * Until every timer of this process that is due in so many milliseconds has rung: one event loop rings them in their
 * order, however late a busy machine lets it. For what a timer must not have done.
 */
export async function timersOf(ms: number): Promise<void> {
  await sleep(ms)
  // What rang before has its turns of the loop to end in.
  for (let turns = 0; turns < 20; turns += 1) await new Promise(resolve => setImmediate(resolve))
}

/** Does it again and again, as a peer does that sends a byte at a time; returns what ends it. */
export function every(ms: number, act: () => unknown): () => void {
  const timer = setInterval(act, ms)
  return () => clearInterval(timer)
}

/** A gate that holds whoever comes until it is opened. */
export function gate(): { readonly held: Promise<void>; open(): void } {
  let open = (): void => {}
  const held = new Promise<void>(resolve => {
    open = resolve
  })
  return { held, open: () => open() }
}

/**
 * What the work comes to, when it ends before a timer that rings so many milliseconds later; else it fails. For work
 * that only timers end: one event loop rings them all in their order, however late a busy machine lets it.
 */
export async function sooner<T>(work: Promise<T>, { than: ms }: { readonly than: number }): Promise<T> {
  const isLate = Symbol()
  const late = timersOf(ms).then(() => isLate)
  const first = await Promise.race([work, late])
  if (first === isLate) throw new Error(`a timer of ${ms} ms rang before it was over`)
  return first as T
}
