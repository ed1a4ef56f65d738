// The ledger's contract, kept by the slow model and by PostgreSQL, and what PostgreSQL does when others come first.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ledger } from '../../src/core/ledger/ledger.ts'
import { gate } from '../worker/wait.ts'
import { ledgerContract } from './contract.ts'
import { all, claimOf, newHost, newRegion, newScope, on, speakTo, store, transact, window } from './scene.ts'
import { memoryStore, note, postgresStore } from './stores.ts'

ledgerContract('The slow model', memoryStore)
ledgerContract('PostgreSQL', () => postgresStore())

describe('a transaction in PostgreSQL', () => {
  beforeAll(async () => speakTo(await postgresStore()))
  afterAll(() => store[Symbol.asyncDispose]())

  /** Opens when two have come to it. */
  function meeting() {
    const { held, open } = gate()
    let come = 0
    return async (): Promise<void> => {
      come += 1
      if (come === 2) open()
      await held
    }
  }

  it('begins anew when somebody has taken what it had found', async () => {
    const region = await newRegion()
    const hosts = [await newHost(region), await newHost(region)]
    const during = window(on(3), on(5))
    const meet = meeting()
    const takeFirst = () =>
      transact(async (ledger: Ledger) => {
        const search = { regionId: region.id, filter: all, window: during, most: 1 }
        const [host] = await ledger.freeHosts({ ...search, preferred: [], without: [] })
        await meet()
        const held = { line: randomUUID(), host: host!, window: during, whole: true }
        await ledger.claim(claimOf(during), [], [held], note)
        return host!
      })
    const taken = await Promise.all([takeFirst(), takeFirst()])
    expect(taken.toSorted((a, b) => a - b)).toEqual(hosts)
  })

  it('begins anew when two have waited for each other', async () => {
    const [one, other] = [await newScope(), await newScope()]
    const meet = meeting()
    let begun = 0
    const lockBoth = (first: number, second: number) =>
      transact(async ledger => {
        begun += 1
        await ledger.lock([first])
        await meet()
        await ledger.lock([second])
      })
    await Promise.all([lockBoth(one, other), lockBoth(other, one)])
    expect(begun).toBeGreaterThan(2)
  })

  it('does not wait for those who have locked other accounts', async () => {
    const [one, other] = [await newScope(), await newScope()]
    await transact(async ledger => {
      await ledger.lock([one])
      await transact(inner => inner.lock([other]))
    })
  })
})
