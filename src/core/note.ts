// The note that goes with every change, stored with the change or not at all: the audit trail is made of them.

import type { Caller } from './caller.ts'

export interface Note {
  readonly caller: Caller
  readonly at: Date
  /** noun.verb, for instance `region.create`. */
  readonly action: string
}

export interface AuditStore {
  /** Removes up to `limit` lines that are older; returns how many it removed. */
  removeBefore(before: Date, limit: number): Promise<number>
}
