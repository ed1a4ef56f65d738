// Refusals that are no failure: somebody else was first, or has changed the same thing meanwhile.

import { AppError } from '../core/error.ts'

/** How often a change is made anew because somebody else changed the same provider. */
const tries = 5

const isRefusal = (error: unknown, status: number): error is AppError =>
  error instanceof AppError && error.code === 'upstream' && error.detail.status === status

/** Undefined for a refusal with this status (and this word in it); throws everything else. */
export const ignoring =
  (status: number, word = '') =>
  (error: unknown): undefined => {
    if (isRefusal(error, status) && error.message.includes(word)) return undefined
    throw error
  }

/** All of these; where one fails it is told when the others are over, so that nothing of them comes late. */
export async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works)
  return Promise.all(works)
}

/** Does it once more where somebody else has changed the same thing meanwhile. */
export async function again(work: () => Promise<void>): Promise<void> {
  for (let left = tries - 1; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || !isRefusal(error, 409)) throw error
    }
  }
}
