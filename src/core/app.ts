// The ports that core needs from outside. Verbs receive an App; compose.ts builds it.

import type { CapacityStore } from './capacity/capacity.ts'
import type { CapacityReservationStore, CapacityReservationWriter } from './capacity/capacity-reservation.ts'
import type { CollectionStore, ElementStore } from './capacity/collections.ts'
import type { InstanceStore, InstanceWriter } from './capacity/instance.ts'
import type { PoolStore, PoolWriter } from './capacity/pool.ts'
import type { ProviderStore, ProviderWriter } from './capacity/provider.ts'
import type { PromiseRules } from './capacity/rules.ts'
import type { TurnStore } from './clockwork.ts'
import type { Cloud } from './cloud.ts'
import type { EventStore } from './feed/event.ts'
import type { HostStore, HostWriter } from './hosts/host.ts'
import type { Job } from './jobs/job.ts'
import type { JobStore } from './jobs/job-store.ts'
import type { LeaseStore, LeaseWriter } from './leases/lease.ts'
import type { LeaseRules } from './leases/rules.ts'
import type { GeneralWriter } from './ledger/general-host.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { IntentStore } from './network/copies/intent.ts'
import type { AbsenceStore } from './network/model/absence.ts'
import type { NetworkStore, NetworkWriter } from './network/model/network-store.ts'
import type { NetworkRules } from './network/model/rules.ts'
import type { WatchStore } from './network/watch/watch-store.ts'
import type { WritingStore } from './network/writes/writing-store.ts'
import type { AuditStore, JournalStore } from './note.ts'
import type { BindingStore } from './regions/binding.ts'
import type { RegionStore } from './regions/region.ts'
import type { RegionRules, SuspicionStore } from './regions/suspicion.ts'
import type { RoutingStore } from './routing/routing.ts'

export interface Store {
  readonly regions: RegionStore
  readonly bindings: BindingStore
  readonly routings: RoutingStore
  readonly audit: AuditStore
  readonly journal: JournalStore
  readonly turns: TurnStore
  readonly jobs: JobStore
  readonly networks: NetworkStore
  readonly intents: IntentStore
  readonly watches: WatchStore
  readonly suspicions: SuspicionStore
  readonly absences: AbsenceStore
  readonly writings: WritingStore
  readonly hosts: HostStore
  readonly leases: LeaseStore
  readonly capacity: CapacityStore
  readonly providers: ProviderStore
  readonly pools: PoolStore
  readonly capacityReservations: CapacityReservationStore
  readonly instances: InstanceStore
  readonly collections: CollectionStore
  readonly elements: ElementStore
  readonly events: EventStore
  /**
   * Does all of the work in one transaction, or nothing. Where another transaction came first in a way that
   * only the database sees, the work is done once more from the start.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

/** The changes that one transaction may make. */
export interface Transaction {
  readonly ledger: Ledger
  readonly hosts: HostWriter
  readonly leases: LeaseWriter
  readonly providers: ProviderWriter & ProviderStore
  readonly pools: PoolWriter
  readonly capacityReservations: CapacityReservationWriter
  readonly instances: InstanceWriter
  readonly general: GeneralWriter
  /** Reads of networks within the transaction see its own changes. */
  readonly networks: NetworkWriter & NetworkStore
  readonly regions: Pick<RegionStore, 'list'>
  readonly intents: IntentStore
  readonly writings: WritingStore
  readonly absences: Pick<AbsenceStore, 'groupsOn'>
  readonly jobs: Pick<JobStore, 'post'>
  readonly turns: Pick<TurnStore, 'ask'>
}

/** Encrypts the credentials of providers before they are stored. */
export interface Secrets {
  /** Seals a text for one place (`provider:ID`); it opens in no other. */
  seal(text: string, place: string): string
  /** Throws `internal` for what was sealed elsewhere, or under another key. */
  open(sealed: string, place: string): string
}

/** The work of a type of job. Throws AppError when it could not be done. */
export type JobHandler = (app: App, job: Job) => Promise<void>

export interface App {
  readonly store: Store
  readonly cloud: Cloud
  now(): Date
  /** A fresh uuid. */
  newId(): string
  /** Resolves after so many milliseconds. */
  pause(ms: number): Promise<void>
  /** A number in [0, 1), different each time. */
  chance(): number
  /** The handler of each type of job; a type without one is refused. */
  readonly jobHandlers: Readonly<Record<string, JobHandler>>
  readonly leaseRules: LeaseRules
  readonly networkRules: NetworkRules
  readonly regionRules: RegionRules
  readonly promiseRules: PromiseRules
  readonly secrets: Secrets
  /** Writes an error to the log that no caller will see. */
  report(error: unknown, what: string): void
}
