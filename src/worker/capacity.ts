// Turns of capacity reservations, which end or expire, and of providers, whose servers are watched.

import type { App } from '../core/app.ts'
import { capacityReservationKind } from '../core/capacity/capacity-reservation.ts'
import { providerKind } from '../core/capacity/provider.ts'
import { runCapacityReservation } from '../core/capacity/reservation-life.ts'
import { type OnBelief, runProvider } from '../core/capacity/watch-instances.ts'
import { AppError } from '../core/error.ts'
import type { TurnKind } from './clockwork.ts'

/** How long after a failure a provider is called again. */
const retryMs = 10_000

export const capacityTurns = (app: App, onBelief: OnBelief): TurnKind[] => [
  {
    kind: capacityReservationKind,
    async begin(turns) {
      return turns.map(turn => ({
        turn,
        async run() {
          const again = await runCapacityReservation(app, turn.key)
          const inMs = again && Math.max(0, again.getTime() - app.now().getTime())
          await app.store.turns.finish(turn, inMs)
          return { regionAnswered: null }
        },
      }))
    },
  },
  {
    kind: providerKind,
    async begin(turns) {
      return turns.map(turn => ({
        turn,
        async run() {
          try {
            await app.store.turns.finish(turn, await runProvider(app, turn.key, onBelief))
          } catch (error) {
            if (!(error instanceof AppError) || !['upstream', 'unavailable'].includes(error.code)) throw error
            await app.store.turns.finish(turn, retryMs)
          }
          return { regionAnswered: null }
        },
      }))
    },
  },
]
