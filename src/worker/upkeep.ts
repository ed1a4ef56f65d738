// Regular turns of each region: tidying, survey, watch and review.

import type { App } from '../core/app.ts'
import { discoverRegion, isPromised } from '../core/capacity/general.ts'
import { AppError } from '../core/error.ts'
import { type Reconciled, reconcileHosts } from '../core/leases/reconcile.ts'
import { askForAll } from '../core/network/watch/ask.ts'
import { lookAtSegments } from '../core/network/watch/look-at-segments.ts'
import { tidyRegion } from '../core/network/watch/tidy.ts'
import { type Sighting, watchRegion } from '../core/network/watch/watch.ts'
import type { Verdict } from '../core/regions/belief.ts'
import { isCentral, type Region } from '../core/regions/region.ts'
import { type UpkeepKind, upkeepAsks } from '../core/regions/upkeep.ts'
import type { TurnKind } from './clockwork.ts'

/** The time from one turn of a kind to the next. */
const everyMs: Readonly<Record<UpkeepKind, number>> = {
  tidy: 300_000,
  survey: 300_000,
  watch: 10_000,
  review: 3_600_000,
}
const retryMs = 30_000

export interface UpkeepEvents {
  /** Called with the number of surplus resources that were removed. */
  onSurplus(region: string, count: number): void
  onReconciled(region: string, found: Reconciled): void
  /** Called with the verdict whether the region's general capacity was believed. */
  onDiscovered(region: string, verdict: Verdict | null): void
  onWatched(region: string, found: Sighting): void
}

export const upkeepTurns = (
  app: App,
  { onSurplus, onReconciled, onDiscovered, onWatched }: UpkeepEvents,
): TurnKind[] => [
  regional(app, 'tidy', async region => onSurplus(region, await tidyRegion(app, region))),
  regional(app, 'survey', async region => {
    onReconciled(region, await reconcileHosts(app, region))
    if (await isPromised(app, region)) onDiscovered(region, await discoverRegion(app, region))
  }),
  regional(app, 'watch', async name => {
    const region = await regionOf(app, name)
    if (region) onWatched(name, await watchRegion(app, region))
  }),
  regional(app, 'review', async name => {
    const region = await regionOf(app, name)
    if (!region) return
    await lookAtSegments(app, region)
    await askForAll(app, region)
  }),
]

/** The region of this name; null when it has been removed since. */
const regionOf = async (app: App, name: string): Promise<Region | null> =>
  (await app.store.regions.list()).find(region => region.name === name) ?? null

const regional = (app: App, kind: UpkeepKind, work: (region: string) => Promise<void>): TurnKind => ({
  kind,
  async begin(turns) {
    return turns.map(turn => ({
      turn,
      async run() {
        try {
          await work(turn.key)
          await app.store.turns.finish(turn, everyMs[kind])
          return { regionAnswered: true }
        } catch (error) {
          if (!(error instanceof AppError) || !['upstream', 'unavailable'].includes(error.code)) throw error
          await app.store.turns.finish(turn, Math.min(retryMs, everyMs[kind]))
          // A region that is not believed, or a Keystone that is away, does not tell whether the region
          // answers.
          return { regionAnswered: error.code === 'upstream' ? (error.detail.status ?? 500) < 500 : null }
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
