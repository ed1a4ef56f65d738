// What the log is told of the upkeep of regions: what was removed, what was mended, what cannot be, what is not believed.

import type { Logger } from 'pino'
import type { Verdict } from '../core/regions/belief.ts'
import type { SightKind } from '../core/regions/suspicion.ts'
import type { WorkMetrics } from './metrics.ts'
import type { UpkeepEvents } from './upkeep.ts'

export const upkeepLog = (log: Logger, metrics: WorkMetrics): UpkeepEvents => ({
  onSurplus(region, count) {
    metrics.countSurplus(region, count)
    if (count > 0) log.warn({ region, count }, 'removed what a late call had made twice')
  },
  onReconciled(region, found) {
    const { foreign, ...mended } = found
    if (Object.values(mended).some(list => list.length > 0))
      log.warn({ region, ...mended }, 'mended hosts and reservations')
    if (foreign.length > 0) log.warn({ region, foreign }, foreignSentence)
  },
  onWatched(region, { drift, verdict }) {
    logVerdict(log, region, 'network', verdict)
    if (drift.length > 0) log.warn({ region, drift }, 'a region is not as the model says')
  },
})

/** That a region has become suspect, or is believed again. */
function logVerdict(log: Logger, region: string, through: SightKind, verdict: Verdict | null): void {
  if (!verdict?.change) return
  const { change, since, doubt: reason, counts } = verdict
  if (change === 'lowered') log.info({ region, through, since }, 'a region is believed again')
  else
    log.warn(
      { region, through, since, reason, counts },
      'a region is suspect: nothing of it leaves the model and nothing is removed there',
    )
}

const foreignSentence =
  'servers without a reservation are on enrolled hosts: the region’s nova.conf needs enable_isolated_aggregate_filtering = true in [scheduler]'
