// The port of the jobs' store.

import type { Turn } from '../clockwork.ts'
import type { Note } from '../note.ts'
import type { PageRequest } from '../page.ts'
import type { Job, JobStatus } from './job.ts'

export interface JobFilter {
  readonly projectId?: string
  readonly type?: string
  /** `SUCCESS` is in the log, the others are not. */
  readonly status?: JobStatus
}

/** A job that was taken with its turn. */
export interface TakenJob {
  readonly turn: Turn
  readonly job: Job
  /** Askings up to this one are answered by this run. */
  readonly upTo: number
}

export interface JobStore {
  /**
   * Up to `limit` jobs after the one with the id `marker`: the active ones before the log, in each by timestamp and
   * then id, both descending. Null when no job has the marker's id.
   */
  list(filter: JobFilter, page: PageRequest<string>): Promise<Job[] | null>
  /** From the active ones or the log. */
  get(id: string): Promise<Job | null>
  /** Adds the jobs and asks for their turns, all or none; at most one for a resource. They are due at once unless told. */
  post(jobs: readonly Job[], note: Note, at?: Date): Promise<void>
  /** Makes a NEW or FAIL job NEW and due at once; false when it is neither any more. */
  redo(id: string, note: Note): Promise<boolean>
  /** False when it is neither NEW nor FAIL any more. */
  remove(id: string, note: Note): Promise<boolean>
  /** Starts the newest job of each turn; those without one are done. */
  take(turns: readonly Turn[]): Promise<TakenJob[]>
  /** Moves the job to the log and removes the older ones of its resource; false when the turn is not the taker's any more. */
  succeed(taken: TakenJob, more: readonly Job[]): Promise<boolean>
  /** False when the turn is not the taker's any more. Null for `retryMs`: not tried again by itself. */
  fail(taken: TakenJob, message: string, retryMs: number | null): Promise<boolean>
  /** Makes FAIL what has been NEW since before; returns how many. */
  expire(before: Date, limit: number): Promise<number>
  /** How many there are that are not done, by status and region. */
  depth(): Promise<{ status: JobStatus; region: string; count: number }[]>
  /** Since when the oldest NEW one waits; null when there is none. */
  oldestNew(): Promise<Date | null>
  /** Removes what was finished before; returns how many. */
  forget(before: Date, limit: number): Promise<number>
}
