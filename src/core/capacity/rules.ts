// What the operator has set for promises, and the window that a request means under these rules.

import { invalid } from '../error.ts'
import type { Window } from '../ledger/ledger.ts'
import { type Amounts, isNothing } from './amounts.ts'

export interface PromiseRules {
  /** How far ahead a reservation may begin, and end; null: no limit. */
  readonly maxFutureStartMs: number | null
  readonly maxFutureEndMs: number | null
  /** The longest that a reservation may be; also how long it is where the request names no end. */
  readonly maxDurationMs: number
  /** How long after its beginning a reservation on which no instance was drawn is given back; null: never. */
  readonly expiryMs: number | null
}

/**
 * When a reservation is given back unless an instance is drawn on it; its end where that comes first, or
 * where it has elements only.
 */
export function expiryOf(
  { expiryMs }: PromiseRules,
  { window, amounts }: { readonly window: Window; readonly amounts: Amounts },
): Date {
  if (expiryMs === null || isNothing(amounts)) return window.to
  return new Date(Math.min(window.from.getTime() + expiryMs, window.to.getTime()))
}

const dayMs = 86_400_000
const hourMs = 3_600_000

/**
 * The window that a request means: from now on and as long as the rules allow, unless it says otherwise.
 * Throws `invalid` for one that breaks a rule.
 */
export function windowOf(
  rules: PromiseRules,
  { start, end }: { readonly start: Date | null; readonly end: Date | null },
  now: Date,
): Window {
  const from = start ?? now
  const to = end ?? new Date(from.getTime() + rules.maxDurationMs)
  if (from >= to) throw invalid('requested start time must be earlier than end time', 'window')
  if (to <= now) throw invalid(`requested end time ${to.toISOString()} cannot be in the past`, 'window')
  const ahead = (at: Date, most: number | null) => most !== null && at.getTime() - now.getTime() > most
  if (ahead(from, rules.maxFutureStartMs))
    throw invalid(
      `requested start time ${from.toISOString()} is more than ${rules.maxFutureStartMs! / dayMs} days ahead`,
      'max_future_start_range',
    )
  if (ahead(to, rules.maxFutureEndMs))
    throw invalid(
      `requested end time ${to.toISOString()} is more than ${rules.maxFutureEndMs! / dayMs} days ahead`,
      'max_future_end_range',
    )
  if (to.getTime() - from.getTime() > rules.maxDurationMs)
    throw invalid(
      `a reservation is at most ${rules.maxDurationMs / hourMs} hours long, and this one would be ${(to.getTime() - from.getTime()) / hourMs}`,
      'max_duration',
    )
  return { from, to }
}
