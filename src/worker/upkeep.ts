// A turn a region, every so often, for whatever is to be looked after there.

import { AppError } from '../core/error.ts'
import { type Reconciled, reconcileHosts } from '../core/hosts/reconcile.ts'
import { removeSurplus } from '../core/network/realise.ts'
import type { App } from '../core/ports.ts'
import { isCentral } from '../core/regions/region.ts'
import { type UpkeepKind, upkeepAsks } from '../core/regions/upkeep.ts'
import type { TurnKind } from './clockwork.ts'

const everyMs = 300_000
const retryMs = 30_000

export interface UpkeepEvents {
  /** Told how many surplus things were removed. */
  onSurplus(region: string, count: number): void
  onReconciled(region: string, found: Reconciled): void
}

export const upkeepTurns = (app: App, { onSurplus, onReconciled }: UpkeepEvents): TurnKind[] => [
  regional(app, 'tidy', async region => onSurplus(region, await tidyRegion(app, region))),
  regional(app, 'survey', async region => onReconciled(region, await reconcileHosts(app, region))),
]

const regional = (app: App, kind: UpkeepKind, work: (region: string) => Promise<void>): TurnKind => ({
  kind,
  async begin(turns) {
    return turns.map(turn => ({
      turn,
      async run() {
        try {
          await work(turn.key)
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
export async function askForUpkeep(app: App): Promise<void> {
  const regions = (await app.store.regions.list()).filter(region => !isCentral(region))
  await app.store.turns.ask(regions.flatMap(({ name }) => upkeepAsks(name)))
}

/** Removes the surplus in one region; returns how much it was. Throws `upstream`. */
export async function tidyRegion(app: App, region: string): Promise<number> {
  const networking = app.cloud.networking(region, `req-${app.newId()}`)
  return removeSurplus(app, await networking.markedNetworks(), { remove: id => networking.removeNetwork(id) })
}
