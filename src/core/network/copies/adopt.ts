// Making a thing in its one region, and writing it to the model under the id that the region gave it: both,
// or neither.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError, conflict, isRefusal } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { Kind } from '../model/model.ts'
import type { NewPlace } from '../model/network-store.ts'
import { makeOrFind, makerOf } from './realise.ts'
import type { MadeKind, RegionQuery, RegionRows, ThingSpec } from './region-rows.ts'

export interface Adoption<K extends MadeKind, Made> {
  readonly region: Region
  readonly kind: K
  readonly spec: ThingSpec<K>
  /** Narrows the search by mark for a thing whose answer was lost. */
  readonly where: NonNullable<RegionQuery<K>['where']>
  /** True where the model has the resource already: then it counts no more against the project's quota. */
  readonly isCounted?: boolean
  /** Holds addresses for the intent, or checks what Atoll alone can know, before the region is asked for the thing. */
  prepare?(intentId: string): Promise<unknown>
  /** Writes it to the central model, and notes its id with the intent in the same transaction (`noteMade`). */
  write(row: RegionRows[K], intentId: string): Promise<Made>
}

/**
 * Makes the thing in the region and returns what `write` made of it. Throws as the region and `write` do, and
 * leaves nothing then: a thing that could not be removed at once (a crash, a region that gives no answer) is
 * removed by the region's next tidying.
 */
export async function adopt<K extends MadeKind, Made>(
  app: App,
  caller: Caller,
  { region, kind, spec, where, isCounted = false, prepare, write }: Adoption<K, Made>,
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
    return await write(row, intentId)
  } catch (error) {
    await undo(app, intentId, () => maker.remove(row.id))
    throw error
  }
}

/**
 * Notes with the intent which central resource the thing is, and the place of that. Throws `conflict`
 * (`too_late`) where the region's tidying has ended the intent already.
 */
export async function noteMade(
  app: Pick<App, 'now'>,
  tx: Transaction,
  intentId: string,
  place: Omit<NewPlace, 'at'>,
): Promise<void> {
  const { centralId, regionalId } = place
  if ((await tx.intents.noteId(intentId, regionalId, centralId)) !== regionalId)
    throw conflict(`${centralId} came too late: ask for it once more`, 'too_late')
  await tx.networks.place({ ...place, at: app.now() })
}

/**
 * The quota is checked before the region is asked, so that nothing has to be removed there; the transaction
 * that writes the resource checks it once more.
 */
async function checkQuota(app: App, tx: Transaction, kind: MadeKind, projectId: string): Promise<void> {
  const most: number | undefined = (app.networkRules.quotas as Readonly<Record<string, number>>)[kind]
  if (most !== undefined) await tx.networks.quota(kind as Kind, projectId, 1, most)
}

/** Whether an error says that the region made nothing: it refused, or was not asked. */
const isCertain = (error: unknown): boolean =>
  isRefusal(error) || (error instanceof AppError && error.code !== 'upstream')

/** Ends or withdraws an intent of which the region has no thing, and gives back the addresses held for it. */
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
