// A pool: so much more (or less) of a provider may be promised, from when to when. Never edited; another one follows it.

import type { Window } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

export interface Pool {
  readonly id: string
  readonly providerId: string
  /** The provider or pool that the request named, as it was written. */
  readonly source: string
  /** The amounts; below 0 where less may be promised. */
  readonly amounts: Amounts
  readonly window: Window
  readonly elements: readonly string[]
  readonly createdAt: Date
}

export interface PoolStore {
  getMany(ids: readonly string[]): Promise<Pool[]>
  /** The providers that have a pool at any time of a window. */
  providersWith(window: Window): Promise<string[]>
}

export interface PoolWriter {
  insert(pool: Pool, note: Note): Promise<void>
}
