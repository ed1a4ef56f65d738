// Turns of hosts that come or leave: an enrolment or removal that was interrupted is finished here.

import type { App } from '../core/app.ts'
import { AppError } from '../core/error.ts'
import { runHost } from '../core/hosts/enrolment.ts'
import { hostKind } from '../core/hosts/host.ts'
import type { TurnKind } from './clockwork.ts'

const retryMs = 10_000

export const hostTurns = (app: App): TurnKind => ({
  kind: hostKind,
  async begin(turns) {
    return turns.map(turn => ({
      turn,
      async run() {
        try {
          await runHost(app, Number(turn.key))
          await app.store.turns.finish(turn, null)
          return { regionAnswered: null }
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'upstream') throw error
          await app.store.turns.finish(turn, retryMs)
          return { regionAnswered: (error.detail.status ?? 500) < 500 }
        }
      },
    }))
  },
})
