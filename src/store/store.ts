// The Store port of core, in PostgreSQL.

import type { Store } from '../core/ports.ts'
import { auditStore } from './audit.ts'
import { bindingStore } from './bindings.ts'
import type { Db } from './database.ts'
import { intentStore } from './intents.ts'
import { jobStore } from './jobs.ts'
import { networkStore } from './networks.ts'
import { regionStore } from './regions.ts'
import { routingStore } from './routings.ts'
import { turnStore } from './turns.ts'

export function createStore(db: Db): Store {
  return {
    regions: regionStore(db),
    bindings: bindingStore(db),
    routings: routingStore(db),
    audit: auditStore(db),
    turns: turnStore(db),
    jobs: jobStore(db),
    networks: networkStore(db),
    intents: intentStore(db),
  }
}
