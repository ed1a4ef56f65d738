// Making something in its one region, and knowing it centrally under the id that the region gave it: both, or neither.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, isRefusal } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { Kind } from '../model/model.ts'
import type { NewPlace } from '../model/network-store.ts'
import { makeOrFind, makerOf } from './realise.ts'
import type { MadeKind, RegionQuery, RegionRows, RegionSpec } from './region-rows.ts'

export interface Adoption<K extends MadeKind, Made> {
  readonly region: Region
  readonly kind: K
  readonly spec: RegionSpec<K>
  /** What narrows the search for one whose answer was lost. */
  readonly where: NonNullable<RegionQuery<K>['where']>
  /** True where the model counts it already: then it is no more of the project's quota. */
  readonly isCounted?: boolean
  /** Holds for the intent what the thing is to have, before the region is asked. */
  prepare?(intentId: string): Promise<unknown>
  /** Writes it to the central model, and settles the intent in the same transaction (`settle`). */
  known(row: RegionRows[K], intentId: string): Promise<Made>
}

/**
 * What `known` makes of the region's thing. Throws as the region and `known` do, and leaves nothing then: what could
 * not be taken back at once (a crash, a region that gives no answer) the region's next tidying takes back.
 */
export async function adopt<K extends MadeKind, Made>(
  app: App,
  caller: Caller,
  { region, kind, spec, where, isCounted = false, prepare, known }: Adoption<K, Made>,
): Promise<Made> {
  if (!isCounted) await app.store.transact(tx => checkQuota(app, tx, kind, spec.projectId ?? ''))
  const intentId = app.newId()
  const { name } = region
  const intent = { id: intentId, region: name, resourceType: kind, purpose: intentId, owner: '' }
  await app.store.intents.declare(intent, app.now())
  const maker = makerOf(app.cloud.networking(name, caller.requestId), kind, spec, where)
  let row: RegionRows[K]
  try {
    await prepare?.(intentId)
    row = await makeOrFind(maker, intentId)
  } catch (error) {
    if (isCertain(error)) await giveUp(app, intentId, 'withdraw')
    throw error
  }
  try {
    return await known(row, intentId)
  } catch (error) {
    await undo(app, intentId, () => maker.remove(row.id))
    throw error
  }
}

/** Notes with the intent whose the thing is, and where it is. Throws `conflict` (`too_late`) where the region was tidied of it meanwhile. */
export async function settle(
  app: Pick<App, 'now'>,
  tx: Transaction,
  intentId: string,
  place: Omit<NewPlace, 'at'>,
): Promise<void> {
  const { centralId, regionalId } = place
  if ((await tx.intents.settle(intentId, regionalId, centralId)) !== regionalId)
    throw conflict(`${centralId} came too late: ask for it once more`, 'too_late')
  await tx.networks.place({ ...place, at: app.now() })
}

/** Before the region is asked, so that nothing has to be taken back; what is written checks it once more. */
async function checkQuota(app: App, tx: Transaction, kind: MadeKind, projectId: string): Promise<void> {
  const most: number | undefined = (app.networkRules.quotas as Readonly<Record<string, number>>)[kind]
  if (most !== undefined) await tx.networks.quota(kind as Kind, projectId, 1, most)
}

/** Nothing was made: the region has said no, or was not asked. */
const isCertain = (error: unknown): boolean =>
  isRefusal(error) || (error instanceof AppError && error.code !== 'upstream')

/** Is done with an intent for which nothing is there, or nothing ever was, and gives back what was held for it. */
const giveUp = (app: App, intentId: string, how: 'end' | 'withdraw'): Promise<void> =>
  app.store.transact(async tx => {
    await tx.networks.release('port', intentId)
    if (how === 'withdraw') await tx.intents.withdraw(intentId)
    else await tx.intents.end(intentId, 'verb', app.now())
  })

async function undo(app: App, intentId: string, remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove()
    await giveUp(app, intentId, 'end')
  } catch (error) {
    app.report(error, `taking back what intent ${intentId} has made; the region's next tidying will`)
  }
}
