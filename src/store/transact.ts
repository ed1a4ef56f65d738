// Transactions of the ledger.

import { AppError } from '../core/error.ts'
import type { Transaction } from '../core/ports.ts'
import { type Db, run } from './database.ts'
import { hostWriter } from './hosts.ts'
import { leaseWriter } from './leases.ts'
import { ledgerStore } from './ledger.ts'

/** How often work is begun anew because others came first. */
const tries = 5

export async function transact<T>(db: Db, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await run(
        db
          .transaction()
          .execute(trx =>
            work({ ledger: ledgerStore(trx), hosts: hostWriter(trx), leases: leaseWriter(trx) }),
          ),
      )
    } catch (error) {
      if (left === 0 || !cameSecond(error)) throw error
    }
  }
}

/** Somebody has taken what was found free, or two have waited for each other. */
function cameSecond(error: unknown): boolean {
  if (!(error instanceof AppError)) return false
  const { code } = (error.cause ?? {}) as { code?: string }
  return error.detail.reason === 'host_taken' || code === '40P01' || code === '40001'
}
