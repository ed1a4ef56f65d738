// Rate limits of users and projects: each has a bucket that holds ten seconds of requests and fills with
// time.

import { type Caller, isAtLeast } from '../core/caller.ts'
import { AppError } from '../core/error.ts'

export interface RateLimits {
  /** Requests a second of one user; 0 for no limit. */
  readonly user: number
  readonly project: number
}

interface Bucket {
  level: number
  /** The time at which the bucket had that level, in milliseconds. */
  at: number
}

const seconds = 10
/** Beyond so many buckets, those that are full again are removed. */
const manyBuckets = 10_000

/**
 * Returns the function that counts a caller's request and throws `invalid` (`too_often`) for one too many.
 * Administrators and services are not counted: services ask on behalf of everybody.
 */
export function createRates(limits: RateLimits, now: () => number): (caller: Caller) => void {
  const take = [bucketsOf('user', limits.user, now), bucketsOf('project', limits.project, now)] as const
  return caller => {
    if (caller.roles.includes('service') || isAtLeast(caller, 'admin')) return
    take[0](caller.userId)
    if (caller.projectId !== null) take[1](caller.projectId)
  }
}

function bucketsOf(what: string, rate: number, now: () => number): (id: string) => void {
  if (rate === 0) return () => {}
  const buckets = new Map<string, Bucket>()
  const levelOf = ({ level, at }: Bucket): number =>
    Math.min(rate * seconds, level + ((now() - at) / 1000) * rate)
  const letGo = (): void => {
    for (const [id, bucket] of buckets) if (levelOf(bucket) === rate * seconds) buckets.delete(id)
  }
  return id => {
    const bucket = buckets.get(id)
    if (!bucket && buckets.size >= manyBuckets) letGo()
    const level = bucket ? levelOf(bucket) : rate * seconds
    if (level < 1)
      throw new AppError('invalid', `The ${what} asks more than ${rate} times a second`, {
        reason: 'too_often',
      })
    buckets.set(id, { level: level - 1, at: now() })
  }
}
