// Tries again what may be tried again, with growing pauses, and never beyond one deadline.
import { setTimeout as sleep } from 'node:timers/promises'
import { CallError, type Reply } from './http.ts'

export interface Attempts {
  /** The number of tries, the first one included. */
  readonly tries: number
  /** An instant of the monotonic clock (`performance.now()`): no try begins, and no pause ends, after it. */
  readonly deadline: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls `once` until its outcome is not one that may pass by itself (no connection, no answer, 429, 502, 503,
 * 504). `once` is told how many milliseconds remain and how many tries are left, this one included. Throws
 * what the last try threw.
 */
export async function retrying(
  { tries, deadline, signal }: Attempts,
  once: (remainingMs: number, triesLeft: number) => Promise<Reply>,
): Promise<Reply> {
  for (let left = tries; ; left--) {
    const outcome = await once(Math.max(1, deadline - performance.now()), left).catch(asCallError)
    const pauseMs = pauseAfter(outcome, tries - left)
    if (pauseMs === null || left === 1 || performance.now() + pauseMs >= deadline) return kept(outcome)
    await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined)
    if (signal?.aborted) return kept(outcome)
  }
}

function asCallError(error: unknown): CallError {
  if (error instanceof CallError) return error
  throw error
}

function kept(outcome: Reply | CallError): Reply {
  if (outcome instanceof CallError) throw outcome
  return outcome
}

/** Milliseconds to wait before the next try; null when a next try would fail in the same way. */
function pauseAfter(outcome: Reply | CallError, triesDone: number): number | null {
  // A random part, so that callers that lost their connections together do not come back together.
  const backOffMs = 100 * 2 ** triesDone * (0.5 + Math.random() / 2)
  if (outcome instanceof CallError) {
    return ['refused', 'unresolved', 'reset', 'timeout'].includes(outcome.failure) ? backOffMs : null
  }
  if (![429, 502, 503, 504].includes(outcome.status)) return null
  return Math.max(backOffMs, retryAfterMs(outcome.headers['retry-after']))
}

/** `Retry-After` in seconds or as a date; 0 when absent or unreadable. A long one ends the tries by the deadline. */
function retryAfterMs(value: string | undefined): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}
