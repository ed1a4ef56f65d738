// What is asked for at the same time, done by one statement: a commit costs more than the rows in it.

import { AppError } from '../core/error.ts'

/**
 * While `all` is at work, whoever comes waits, and then goes with the next; up to `most` at a time. Where a set fails,
 * each of it is tried alone, so that nobody suffers for another; unless the database itself is away.
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
    // Whatever ended in this same moment goes along.
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
