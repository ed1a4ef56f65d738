// The segments of the fabric that a region's networks have. Who makes a network in a region by itself asks nobody
// elsewhere, so Atoll looks, and what it sees is closed for new networks.

import type { App } from '../../app.ts'
import type { Region } from '../../regions/region.ts'
import { blindness, type Eyes } from '../copies/gone.ts'
import { intentOf } from '../copies/intent.ts'
import { numberOnFabric } from '../copies/segments.ts'
import type { ShownNetwork } from '../model/network-store.ts'

/**
 * Writes down which numbers the region's networks have. A region that is suspect, or that shows the service user less
 * than it has, opens no number. Throws `upstream`.
 */
export async function lookAtSegments(app: App, region: Region): Promise<void> {
  const { fabric } = app.networkRules
  const { isSuspect, sweptAt } = await app.store.watches.get(region.id, app.now())
  if (isSuspect) return
  const before = await app.cloud.login()
  const eyes = { app, region, networking: app.cloud.networking(region.name, `req-${app.newId()}`) }
  const shown = await shownBy(eyes)
  const ids = new Set(shown.map(({ id }) => id))
  const known = await app.store.networks.seenSegments(region.id)
  if (known.some(id => !ids.has(id)) && (await blindness(eyes, before, sweptAt))) return
  const sight = { regionId: region.id, shown: await withoutPassing(eyes, shown), at: app.now() }
  await app.store.transact(tx => tx.networks.seeSegments(fabric, sight))
}

interface Marked extends ShownNetwork {
  readonly mark: string | null
}

async function shownBy({ app, networking }: Eyes): Promise<Marked[]> {
  const { physicalNetwork } = app.networkRules.fabric
  const rows = await networking.list('network', {
    where: { physicalNetwork },
    fields: ['id', 'name', 'description', 'networkType', 'physicalNetwork', 'segmentationId'],
  })
  return rows.flatMap(row => {
    const segmentationId = numberOnFabric(app.networkRules, row)
    const { id, name, description } = row
    return segmentationId === null ? [] : [{ id, name, segmentationId, mark: intentOf(description) }]
  })
}

/** Without what a verb is just making or has removed: it gets its place, or is tidied away. */
async function withoutPassing({ app, region }: Eyes, shown: readonly Marked[]): Promise<ShownNetwork[]> {
  const placed = await app.store.routings.centralIds(
    { resourceType: 'network', regionId: region.id },
    shown.map(({ id }) => id),
  )
  const states = await app.store.intents.states(shown.flatMap(({ mark }) => mark ?? []))
  const isPassing = ({ id, mark }: Marked): boolean => {
    const state = mark === null ? undefined : states.get(mark)?.state
    return !placed.has(id) && (state === 'living' || state === 'removed')
  }
  return shown.filter(one => !isPassing(one))
}
