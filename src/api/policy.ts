// Policy: each face has a table from rule to the least persona, and the operator's settings may change lines
// of it.

import { type Caller, isAtLeast, type Persona } from '../core/caller.ts'
import { AppError } from '../core/error.ts'

/** `any` is whoever has a valid token, of whatever scope; `public` whoever asks, with a token or without. */
export type Needed = Persona | 'any' | 'nobody' | 'public'
export type PolicyTable = Readonly<Record<string, Needed>>

/** Throws `forbidden` with the rule in its detail; a rule that is not in the table lets nobody pass. */
export function authorise(caller: Caller, rule: string, table: PolicyTable, denied: string): void {
  const needed = table[rule]
  if (needed === 'any' || needed === 'public') return
  if (needed !== undefined && needed !== 'nobody' && isAtLeast(caller, needed)) return
  throw new AppError('forbidden', denied, { rule, needs: needed ?? 'nobody' })
}

/** The table with the operator's lines in place of its own. */
export function overridePolicy(table: PolicyTable, overrides: PolicyTable): PolicyTable {
  const own = Object.entries(overrides).filter(([rule]) => rule in table)
  return { ...table, ...Object.fromEntries(own) }
}
