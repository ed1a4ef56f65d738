// One ground for all rows of a table.

import { afterAll } from 'vitest'

export interface OneGround<G> {
  /** Made when it is first asked for, and anew after it was abandoned. */
  get(): Promise<G>
  /** After a row that has spoilt it. */
  abandon(): Promise<void>
}

export function oneGround<G extends AsyncDisposable>(make: () => Promise<G>): OneGround<G> {
  let standing: Promise<G> | null = null
  const one: OneGround<G> = {
    get() {
      standing ??= make()
      return standing
    },
    async abandon() {
      const old = await standing
      standing = null
      await old?.[Symbol.asyncDispose]()
    },
  }
  afterAll(one.abandon)
  return one
}
