// Refusals by a region's services that are no failure: another client was first, or has changed the same
// resource at the same time.

import { AppError } from '../core/error.ts'

/** How often a change is tried when another client changed the same resource provider (409). */
const tries = 5

const isRefusal = (error: unknown, status: number): error is AppError =>
  error instanceof AppError && error.code === 'upstream' && error.detail.status === status

/** Turns a refusal with this status (and this word in its message) into undefined; throws any other error. */
export const ignoring =
  (status: number, word = '') =>
  (error: unknown): undefined => {
    if (isRefusal(error, status) && error.message.includes(word)) return undefined
    throw error
  }

/**
 * The results of all works. Where one fails, its error is thrown after the others are over, so that none of
 * their calls comes late.
 */
export async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works)
  return Promise.all(works)
}

/** Does the work again when a 409 says that another client has changed the same resource at the same time. */
export async function again(work: () => Promise<void>): Promise<void> {
  for (let left = tries - 1; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || !isRefusal(error, 409)) throw error
    }
  }
}
