// The Store port of core, in PostgreSQL.

import type { Store } from '../core/app.ts'
import { absenceStore } from './absences.ts'
import { auditStore } from './audit.ts'
import { bindingStore } from './bindings.ts'
import { capacityStore } from './capacity.ts'
import { capacityReservationStore } from './capacity-reservations.ts'
import { collectionStore, elementStore } from './collections.ts'
import type { Db } from './database.ts'
import { eventStore } from './events.ts'
import { hostStore } from './hosts.ts'
import { instanceStore } from './instances.ts'
import { intentStore } from './intents.ts'
import { jobStore } from './jobs.ts'
import { journalStore } from './journal.ts'
import { leaseStore } from './leases.ts'
import { networkStore } from './networks.ts'
import { poolStore, providerStore } from './providers.ts'
import { regionStore } from './regions.ts'
import { routingStore } from './routings.ts'
import { suspicionStore } from './suspicions.ts'
import { transact } from './transact.ts'
import { turnStore } from './turns.ts'
import { watchStore } from './watches.ts'
import { writingStore } from './writings.ts'

export function createStore(db: Db): Store {
  return {
    regions: regionStore(db),
    bindings: bindingStore(db),
    routings: routingStore(db),
    audit: auditStore(db),
    journal: journalStore(db),
    turns: turnStore(db),
    jobs: jobStore(db),
    networks: networkStore(db),
    intents: intentStore(db),
    watches: watchStore(db),
    suspicions: suspicionStore(db),
    absences: absenceStore(db),
    writings: writingStore(db),
    hosts: hostStore(db),
    leases: leaseStore(db),
    capacity: capacityStore(db),
    providers: providerStore(db),
    pools: poolStore(db),
    capacityReservations: capacityReservationStore(db),
    instances: instanceStore(db),
    collections: collectionStore(db),
    elements: elementStore(db),
    events: eventStore(db),
    transact: work => transact(db, work),
  }
}
