// Tidying a region: what bears a mark of ours and is nobody's goes. A call may take effect long after whoever made it is
// gone, so there is always a next time.

import type { App } from '../../app.ts'
import { type AppError, isRefusal } from '../../error.ts'
import { dayMs, inSteps } from '../../steps.ts'
import { type Intent, intentOf, type MarkedThing } from '../copies/intent.ts'
import { removeSurplus } from '../copies/realise.ts'
import type { RegionNetworking } from '../copies/region-rows.ts'
import { absentForMs } from '../model/absence.ts'

/** Whoever has not noted the answer of a call by then never will. */
const forsakenMs = 120_000

/** As long as a thing can come to light that bears the mark of an intent that has ended. */
const endedMs = dayMs

/** Noted for a thing of which nobody will ever know: whoever comes late finds that his is not the one. */
const nobodys = ''

/** In an order in which nothing goes before what needs it. */
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
 * Removes what late calls have made beside what is known, what is left of what has ended, and what nobody got an answer
 * for; returns how much. Of a region that is suspect nothing is removed. What the region refuses stays until the next time, and the first refusal is thrown at the end.
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

/** Intents of things that the model will never know end, with the addresses that are held for them. */
async function endForsaken(app: App, region: string): Promise<void> {
  const before = new Date(app.now().getTime() - forsakenMs)
  for (const intent of await app.store.intents.forsaken(region, before)) await end(app, intent)
}

/** Unless its thing has become known meanwhile: of two that note an id, the first one's stays. */
const end = (app: App, { id }: Intent): Promise<void> =>
  app.store.transact(async tx => {
    if ((await tx.intents.settle(id, nobodys)) !== nobodys) return
    await tx.intents.end(id, 'verb', app.now())
    await tx.networks.release('port', id)
  })

/** A region that does not have the kind at all has none of it. */
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

/** The leg of a router goes by its router only. */
async function remove(networking: RegionNetworking, kind: TidiedKind, id: string): Promise<void> {
  const port = kind === 'port' ? await networking.get('port', id) : null
  if (port?.deviceOwner.startsWith('network:router_interface'))
    await networking.removeLeg(port.deviceId, { portId: id })
  else await networking.remove(kind, id)
}

/** Removes the intents that ended some time ago; returns how many. */
export function forgetIntents(app: Pick<App, 'now' | 'store'>): Promise<number> {
  const before = new Date(app.now().getTime() - endedMs)
  return inSteps(limit => app.store.intents.forget(before, limit))
}

/** Gives up what left the model because it was seen to be gone, and did not come back for a day; returns how many. */
export function forgetAbsences(app: App): Promise<number> {
  const before = new Date(app.now().getTime() - absentForMs)
  return inSteps(limit => app.store.absences.forget(before, limit))
}
