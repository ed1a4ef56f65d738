// Leases as turns of the clockwork.

import type { App } from '../core/app.ts'
import { leaseKind } from '../core/leases/lease.ts'
import { runLease } from '../core/leases/run.ts'
import type { TurnKind } from './clockwork.ts'

export const leaseTurns = (app: App): TurnKind => ({
  kind: leaseKind,
  async begin(turns) {
    const taken = await app.store.leases.take(turns)
    return taken.map(one => ({ turn: one.turn, run: () => runLease(app, one) }))
  },
})
