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
  /** This run answers all requests for the turn up to this number. */
  readonly upTo: number
}

export interface JobStore {
  /**
   * Up to `limit` jobs after the one with the id `marker`: the active ones before the log, in each by timestamp and
   * then id, both descending. Null when no job has the marker's id.
   */
  list(filter: JobFilter, page: PageRequest<string>): Promise<Job[] | null>
  /** A job, active or in the log. */
  get(id: string): Promise<Job | null>
  /**
   * Adds jobs and asks for their turns, all or none; at most one job for a resource. Due at once unless `at`
   * says when.
   */
  post(jobs: readonly Job[], note: Note, at?: Date): Promise<void>
  /** Makes a NEW or FAIL job NEW and due at once; false when the job is neither any more. */
  redo(id: string, note: Note): Promise<boolean>
  /** Removes a job; false when it is neither NEW nor FAIL any more. */
  remove(id: string, note: Note): Promise<boolean>
  /** Starts the newest job of each turn; a turn without a job is done. */
  take(turns: readonly Turn[]): Promise<TakenJob[]>
  /** Moves the job to the log and removes the older ones of its resource; false when the turn is not the taker's any more. */
  succeed(taken: TakenJob, more: readonly Job[]): Promise<boolean>
  /**
   * Makes a job FAIL; false when the turn is not the taker's any more. Null for `retryMs`: the job is not
   * tried again by itself.
   */
  fail(taken: TakenJob, message: string, retryMs: number | null): Promise<boolean>
  /** Makes FAIL the jobs that have been NEW since before then; returns how many. */
  expire(before: Date, limit: number): Promise<number>
  /** How many jobs are not done, by status and region. */
  depth(): Promise<{ status: JobStatus; region: string; count: number }[]>
  /** Since when the oldest NEW job waits; null when there is none. */
  oldestNew(): Promise<Date | null>
  /** Removes the jobs that were finished before then; returns how many. */
  forget(before: Date, limit: number): Promise<number>
}
