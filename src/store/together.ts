// Writes that come at the same time are done by one statement: a commit costs more than the rows in it.

import { AppError } from '../core/error.ts'

/**
 * Callers that come while `all` is at work wait and go together into the next call, up to `most` of them.
 * Where a call fails, each of its items is tried alone, so that one does not fail another; unless the
 * database itself is away.
 */
export function together<Item, Answer>(
  most: number,
  all: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  interface Waiting {
    readonly item: Item
    resolve(answer: Answer): void
    reject(error: unknown): void
  }
  const waiting: Waiting[] = []
  let atWork = false

  async function answer(set: readonly Waiting[]): Promise<void> {
    try {
      const answers = await all(set.map(({ item }) => item))
      for (const [index, one] of set.entries()) one.resolve(answers[index]!)
    } catch (error) {
      if (set.length > 1 && !(error instanceof AppError)) for (const one of set) await answer([one])
      else for (const one of set) one.reject(error)
    }
  }

  async function work(): Promise<void> {
    atWork = true
    // Callers that come in the same tick of the event loop go into the first call.
    await new Promise(resolve => setImmediate(resolve))
    while (waiting.length > 0) await answer(waiting.splice(0, most))
    atWork = false
  }

  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!atWork) void work()
    })
}
