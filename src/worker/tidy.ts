// A turn a region, every so often: what late calls have made beside what is known is found by its mark and removed.

import { AppError } from '../core/error.ts'
import { removeSurplus } from '../core/network/realise.ts'
import type { App } from '../core/ports.ts'
import type { TurnKind } from './clockwork.ts'

const kind = 'tidy'
const everyMs = 300_000
const retryMs = 30_000

export interface TidyOptions {
  readonly app: App
  /** Told how many surplus things were removed. */
  onSurplus(region: string, count: number): void
}

export const tidyTurns = ({ app, onSurplus }: TidyOptions): TurnKind => ({
  kind,
  async begin(turns) {
    return turns.map(turn => ({
      turn,
      async run() {
        try {
          onSurplus(turn.key, await tidyRegion(app, turn.key))
          await app.store.turns.finish(turn, everyMs)
          return { regionAnswered: true }
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'upstream') throw error
          await app.store.turns.finish(turn, retryMs)
          return { regionAnswered: false }
        }
      },
    }))
  },
})

/** Makes the turns of all regions due. */
export async function askToTidy(app: App): Promise<void> {
  const regions = await app.store.regions.list()
  await app.store.turns.ask(regions.map(({ name }) => ({ kind, key: name, lane: name })))
}

/** Removes the surplus in one region; returns how much it was. Throws `upstream`. */
export async function tidyRegion(app: App, region: string): Promise<number> {
  const networking = app.cloud.networking(region, `req-${app.newId()}`)
  return removeSurplus(app, await networking.markedNetworks(), { remove: id => networking.removeNetwork(id) })
}
