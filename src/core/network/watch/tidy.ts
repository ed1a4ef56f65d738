// The tidying of a region: things that bear a mark, and are not those that their intents have, are removed. A
// call may take effect long after its caller died, so a region is tidied again and again.

import type { App } from '../../app.ts'
import { dayMs, inBatches } from '../../batches.ts'
import { type AppError, isRefusal } from '../../error.ts'
import { type Intent, intentOf, type MarkedThing } from '../copies/intent.ts'
import { removeSurplus } from '../copies/realise.ts'
import type { RegionNetworking } from '../copies/region-rows.ts'
import { absentForMs } from '../model/absence.ts'

/** How old an intent without an id must be: a call whose answer was not noted by then never will be. */
const forsakenMs = 120_000

/** How long intents are kept after their end, since things may still appear that bear their marks. */
const endedMs = dayMs

/**
 * Noted as the id of an intent whose request is gone: a request that is late after all finds that its thing
 * is not the one.
 */
const nobodys = ''

/** The kinds in an order in which nothing is removed before what needs it. */
const kinds = [
  'floatingip',
  'port',
  'router',
  'subnet',
  'network',
  'security_group',
  'address_group',
] as const
type TidiedKind = (typeof kinds)[number]

/**
 * Removes surplus things from a region: those that late calls made, those whose intent has ended, and those
 * whose request got no answer; returns how many. Nothing is removed from a region that is suspect. A thing
 * that the region refuses to remove stays until the next tidying, and the first refusal is thrown at the end.
 */
export async function tidyRegion(app: App, name: string): Promise<number> {
  const region = (await app.store.regions.list()).find(one => one.name === name)
  if (!region || (await app.store.suspicions.get(region.id, 'network'))) return 0
  await endForsaken(app, name)
  const networking = app.cloud.networking(name, `req-${app.newId()}`)
  const refusals: AppError[] = []
  let removed = 0
  for (const kind of kinds) {
    await removeSurplus(app, await markedIn(networking, kind), async id => {
      try {
        await remove(networking, kind, id)
        removed += 1
      } catch (error) {
        if (!isRefusal(error)) throw error
        refusals.push(error)
      }
    })
  }
  if (refusals[0]) throw refusals[0]
  return removed
}

/** Ends intents whose requests never got an answer, and releases the addresses held for them. */
async function endForsaken(app: App, region: string): Promise<void> {
  const before = new Date(app.now().getTime() - forsakenMs)
  for (const intent of await app.store.intents.forsaken(region, before)) await end(app, intent)
}

/**
 * Ends an intent, unless its thing's id has been noted in the meantime: of two that note an id, the first
 * one's stays.
 */
const end = (app: App, { id }: Intent): Promise<void> =>
  app.store.transact(async tx => {
    if ((await tx.intents.noteId(id, nobodys)) !== nobodys) return
    await tx.intents.end(id, 'verb', app.now())
    await tx.networks.release('port', id)
  })

/** The things of a kind that bear a mark; none where the region does not know the kind at all. */
async function markedIn(networking: RegionNetworking, kind: TidiedKind) {
  const query = { fields: ['id', 'description', 'createdAt'] as const }
  const rows = await networking.list(kind, query).catch(error => {
    if (isRefusal(error) && error.detail.status === 404) return []
    throw error
  })
  const things = rows.flatMap<MarkedThing>(({ id, createdAt, description }) => {
    const intentId = intentOf(description)
    return intentId === null ? [] : [{ id, createdAt, intentId }]
  })
  return { things, seen: new Set(rows.map(({ id }) => id)) }
}

/** Removes a thing. A router's leg cannot be removed as a port, only by its router. */
async function remove(networking: RegionNetworking, kind: TidiedKind, id: string): Promise<void> {
  const port = kind === 'port' ? await networking.get('port', id) : null
  if (port?.deviceOwner.startsWith('network:router_interface'))
    await networking.removeLeg(port.deviceId, { portId: id })
  else await networking.remove(kind, id)
}

/** Removes the intents that ended longer ago than things can appear late; returns how many. */
export function forgetIntents(app: Pick<App, 'now' | 'store'>): Promise<number> {
  const before = new Date(app.now().getTime() - endedMs)
  return inBatches(limit => app.store.intents.forget(before, limit))
}

/** Removes the absences that did not come back within a day; returns how many. */
export function forgetAbsences(app: App): Promise<number> {
  const before = new Date(app.now().getTime() - absentForMs)
  return inBatches(limit => app.store.absences.forget(before, limit))
}
