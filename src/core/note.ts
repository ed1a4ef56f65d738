// The note of a change, stored with the change or not at all: the audit trail is made of notes.

import { type Caller, ownCaller } from './caller.ts'

export interface Note {
  readonly caller: Caller
  readonly at: Date
  /** noun.verb, for instance `region.create`. */
  readonly action: string
}

export const noteOf = (app: { now(): Date }, caller: Caller, action: string): Note => ({
  caller,
  at: app.now(),
  action,
})

/** The note of a change that nobody asked for. */
export const ownNote = (app: { now(): Date; newId(): string }, action: string): Note =>
  noteOf(app, ownCaller(`req-${app.newId()}`), action)

export interface AuditStore {
  /** Removes up to `limit` lines of the audit trail that are older; returns how many. */
  removeBefore(before: Date, limit: number): Promise<number>
}

export interface JournalStore {
  /**
   * Removes up to `limit` lines of the ledger's journal that are older and whose postings were all over by
   * then; returns how many. The lines that remain still give the same levels.
   */
  removeBefore(before: Date, limit: number): Promise<number>
}
