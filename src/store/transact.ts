// Transactions: all of it or nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from '../core/app.ts'
import { AppError } from '../core/error.ts'
import { absenceStore } from './absences.ts'
import { capacityReservationWriter } from './capacity-reservations.ts'
import { type Db, run } from './database.ts'
import { generalWriter } from './general.ts'
import { hostWriter } from './hosts.ts'
import { instanceWriter } from './instances.ts'
import { intentStore } from './intents.ts'
import { jobStore } from './jobs.ts'
import { leaseWriter } from './leases.ts'
import { ledgerStore } from './ledger.ts'
import { networkWriter } from './network-writer.ts'
import { networkStore } from './networks.ts'
import { poolWriter, providerStore, providerWriter } from './providers.ts'
import { regionStore } from './regions.ts'
import { turnStore } from './turns.ts'
import { writingStore } from './writings.ts'

/** How often a transaction is tried when others came first. */
const tries = 8
const firstWaitMs = 20

export async function transact<T>(db: Db, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await run(db.transaction().execute(trx => work(transactionOf(trx))))
    } catch (error) {
      if (tried === tries || !cameSecond(error)) throw error
      // A random wait, so that transactions that collided do not collide again.
      await sleep(Math.random() * firstWaitMs * 2 ** tried)
    }
  }
}

const transactionOf = (trx: Db): Transaction => ({
  ledger: ledgerStore(trx),
  hosts: hostWriter(trx),
  leases: leaseWriter(trx),
  providers: { ...providerStore(trx), ...providerWriter(trx) },
  pools: poolWriter(trx),
  capacityReservations: capacityReservationWriter(trx),
  instances: instanceWriter(trx),
  general: generalWriter(trx),
  networks: { ...networkStore(trx), ...networkWriter(trx) },
  regions: regionStore(trx),
  intents: intentStore(trx),
  writings: writingStore(trx),
  absences: absenceStore(trx),
  jobs: jobStore(trx),
  turns: turnStore(trx),
})

const raced = new Set(['host_taken', 'addresses_contended'])

/**
 * Whether a transaction failed only because of another: that took the host or address it had found free, or
 * the two deadlocked.
 */
function cameSecond(error: unknown): boolean {
  if (!(error instanceof AppError)) return false
  const { code } = (error.cause ?? {}) as { code?: string }
  return raced.has(error.detail.reason ?? '') || code === '40P01' || code === '40001'
}
