// What core needs from outside. Verbs receive an App; compose.ts builds it.

import type { TurnStore } from './clockwork.ts'
import type { Cloud } from './cloud.ts'
import type { Job } from './jobs/job.ts'
import type { JobStore } from './jobs/job-store.ts'
import type { IntentStore } from './network/intent.ts'
import type { NetworkStore } from './network/network.ts'
import type { AuditStore } from './note.ts'
import type { BindingStore } from './regions/binding.ts'
import type { RegionStore } from './regions/region.ts'
import type { RoutingStore } from './routing/routing.ts'

export interface Store {
  readonly regions: RegionStore
  readonly bindings: BindingStore
  readonly routings: RoutingStore
  readonly audit: AuditStore
  readonly turns: TurnStore
  readonly jobs: JobStore
  readonly networks: NetworkStore
  readonly intents: IntentStore
}

/** What a type of job does. Throws AppError when it could not. */
export type JobHandler = (app: App, job: Job) => Promise<void>

export interface App {
  readonly store: Store
  readonly cloud: Cloud
  now(): Date
  /** A fresh uuid. */
  newId(): string
  /** A number in [0, 1), different each time. */
  chance(): number
  /** What each type of job does; a type without a handler is refused. */
  readonly jobHandlers: Readonly<Record<string, JobHandler>>
  /** Tells the log of an error that nobody else will see. */
  report(error: unknown, what: string): void
}
