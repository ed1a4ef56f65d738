// Making something in its one region, and knowing it centrally under the id that the region gave it: both, or neither.

import type { Caller } from '../caller.ts'
import { isRefusal } from '../error.ts'
import type { App, Transaction } from '../ports.ts'
import type { Region } from '../regions/region.ts'
import type { Kind } from './model.ts'
import { makeOrFind, makerOf } from './realise.ts'
import type { MadeKind, RegionQuery, RegionRows, RegionSpec } from './region-rows.ts'

export interface Adoption<K extends MadeKind, Made> {
  readonly region: Region
  readonly kind: K
  readonly spec: RegionSpec<K>
  /** What narrows the search for one whose answer was lost. */
  readonly where: NonNullable<RegionQuery<K>['where']>
  /** Writes it to the central model, and settles the intent in the same transaction. */
  known(row: RegionRows[K], intentId: string): Promise<Made>
}

/**
 * What `known` makes of the region's thing. Throws as the region and `known` do, and leaves nothing then: what could
 * not be taken back at once (a crash, a region that gives no answer) the region's next tidying takes back.
 */
export async function adopt<K extends MadeKind, Made>(
  app: App,
  caller: Caller,
  { region, kind, spec, where, known }: Adoption<K, Made>,
): Promise<Made> {
  await app.store.transact(tx => checkQuota(app, tx, kind, spec.projectId ?? ''))
  const intentId = app.newId()
  const { name } = region
  const intent = { id: intentId, region: name, resourceType: kind, purpose: intentId, owner: '' }
  await app.store.intents.declare(intent, app.now())
  const maker = makerOf(app.cloud.networking(name, caller.requestId), kind, spec, where)
  const row = await makeOrFind(maker, intentId).catch(async error => {
    if (isRefusal(error)) await app.store.intents.end(intentId, app.now())
    throw error
  })
  try {
    return await known(row, intentId)
  } catch (error) {
    await undo(app, intentId, () => maker.remove(row.id))
    throw error
  }
}

/** Before the region is asked, so that nothing has to be taken back; what is written checks it once more. */
async function checkQuota(app: App, tx: Transaction, kind: MadeKind, projectId: string): Promise<void> {
  const most: number | undefined = (app.networkRules.quotas as Readonly<Record<string, number>>)[kind]
  if (most !== undefined) await tx.networks.quota(kind as Kind, projectId, 1, most)
}

async function undo(app: App, intentId: string, remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove()
    await app.store.intents.end(intentId, app.now())
  } catch (error) {
    app.report(error, `taking back what intent ${intentId} has made; the region's next tidying will`)
  }
}
