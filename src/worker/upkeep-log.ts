// What the log is told of the upkeep of regions: what was removed, what was mended, what cannot be, what is not believed.

import type { Logger } from 'pino'
import type { Provider } from '../core/capacity/provider.ts'
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
    const { foreign, unknown, verdict, ...mended } = found
    logVerdict(log, region, 'compute', verdict)
    if (Object.values(mended).some(list => list.length > 0))
      log.warn({ region, ...mended }, 'mended hosts and reservations')
    if (unknown.length > 0) log.warn({ region, reservations: unknown }, unknownSentence)
    if (foreign.length > 0) log.warn({ region, foreign }, foreignSentence)
  },
  onDiscovered: (region, verdict) => logVerdict(log, region, 'compute', verdict),
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

/** What the log is told of providers whose servers are not believed to be gone. */
export const providerLog =
  (log: Logger) =>
  ({ id, name }: Pick<Provider, 'id' | 'name'>, doubt: string | null): void => {
    if (doubt === null) log.info({ provider: id }, `the provider ${name} is believed again`)
    else
      log.warn(
        { provider: id },
        `the provider ${name} is not believed, and no server is taken for gone: ${doubt}`,
      )
  }

const unknownSentence =
  'a region has reservations in Atoll’s manner that this Atoll does not know, and they stay: they are another’s, or its database was restored'

const foreignSentence =
  'servers without a reservation are on enrolled hosts: the region’s nova.conf needs enable_isolated_aggregate_filtering = true in [scheduler]'
