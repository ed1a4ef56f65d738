// Taking in absences: a resource that left the model because its region did not show it comes back as it was,
// where the region shows it again within a day.

import type { Transaction } from '../../app.ts'
import { AppError } from '../../error.ts'
import { ownNote } from '../../note.ts'
import { intentOf } from '../copies/intent.ts'
import { groupSetupOf } from '../groups/groups-in-region.ts'
import { type Absence, type LeavingKind, type LostLink, leavingKinds } from '../model/absence.ts'
import { follow } from '../model/writing.ts'
import type { Watcher } from '../ports/adopt-port.ts'
import { followPlacement, linkOf } from '../ports/follow-port.ts'

/** The kinds in an order in which every resource comes after those that it needs. */
const comingKinds = [...leavingKinds].reverse()

/** A region's row, with what tells whether it is an absent resource. */
interface Seen {
  readonly id: string
  readonly description: string | null
}

/** The absences among a region's rows, by the region's ids: found by their id there, or by their mark. */
export async function absentAmong(
  { app, region }: Watcher,
  kind: LeavingKind,
  seen: readonly Seen[],
): Promise<ReadonlyMap<string, Absence>> {
  if (seen.length === 0) return new Map()
  const ids = seen.map(({ id }) => id)
  const found = new Map<string, Absence>()
  for (const absence of await app.store.absences.withIds(region.id, kind, ids))
    found.set(absence.regionalId, absence)
  const marks = new Map(
    seen.flatMap(({ id, description }) => {
      const mark = found.has(id) ? null : intentOf(description)
      return mark === null ? [] : [[mark, id] as const]
    }),
  )
  const isFound = new Set([...found.values()].map(({ id }) => id))
  for (const [mark, absence] of await app.store.absences.withMarks(region.id, kind, [...marks.keys()])) {
    const regionalId = marks.get(mark)!
    if (!isFound.has(absence.id)) found.set(regionalId, { ...absence, regionalId })
  }
  return found
}

/** Takes in every absence that the region shows again; returns how many. */
export async function takeInAll(watcher: Watcher): Promise<number> {
  const { app, region, networking } = watcher
  const absentKinds = new Set(await app.store.absences.kinds(region.id))
  let came = 0
  for (const kind of comingKinds.filter(one => absentKinds.has(one))) {
    const rows: readonly Seen[] = await networking.list(kind, { fields: ['id', 'description'] })
    for (const absence of (await absentAmong(watcher, kind, rows)).values())
      came += (await takeIn(watcher, absence)) ? 1 : 0
  }
  return came + (await reviveMarked(watcher))
}

/** What the model has lost the place of only: it bears a mark, and no row stands for it alone. */
const marksOnly = ['security_group', 'address_group'] as const

/** Knows again what bears the marks of intents that ended by absence; returns how many. */
async function reviveMarked(watcher: Watcher): Promise<number> {
  const { app, region, networking } = watcher
  const absent = await app.store.intents.absent(region.name, marksOnly)
  let came = 0
  for (const kind of marksOnly) {
    const ids = new Set(absent.filter(({ resourceType }) => resourceType === kind).map(({ id }) => id))
    if (ids.size === 0) continue
    const rows: readonly Seen[] = await networking.list(kind, { fields: ['id', 'description'] })
    const seen = rows.map(({ id }) => id)
    for (const { id: regionalId, description } of rows) {
      const mark = intentOf(description)
      if (mark === null || !ids.has(mark)) continue
      came += (await app.store.transact(tx => revive(watcher, tx, { mark, regionalId, seen }))) ? 1 : 0
    }
  }
  return came
}

interface Mark {
  readonly mark: string
  readonly regionalId: string
  /** All that the region shows of the kind. */
  readonly seen: readonly string[]
}

/** False where another has its place; of a group that a verb has removed meanwhile the mark is surplus. */
async function revive(
  { app, caller, region }: Watcher,
  tx: Transaction,
  { mark, regionalId, seen }: Mark,
): Promise<boolean> {
  const intent = await tx.intents.revive(mark, regionalId, seen, app.now())
  if (!intent) return false
  const group = await tx.networks.lock('security_group', intent.owner)
  if (!group) {
    await tx.intents.end(mark, 'verb', app.now())
    return false
  }
  if (intent.resourceType === 'security_group') {
    const { id: centralId, projectId } = group
    const place = { kind: 'security_group', centralId, projectId, regionId: region.id, regionalId }
    await tx.networks.place({ ...place, at: app.now() })
  }
  await follow(app, caller, tx, [groupSetupOf(group.projectId)])
  return true
}

/** False where it cannot come back: what it needs is gone, or somebody else has its place. */
export async function takeIn(watcher: Watcher, absence: Absence): Promise<boolean> {
  const { app } = watcher
  try {
    return await app.store.transact(tx => putBack(watcher, tx, absence))
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== 'conflict' && error.code !== 'not_found')) throw error
    app.report(
      error,
      `${absence.kind} ${absence.id} is seen again in ${watcher.region.name} and cannot be taken in`,
    )
    return false
  }
}

async function putBack(watcher: Watcher, tx: Transaction, absence: Absence): Promise<boolean> {
  const { app } = watcher
  const { kind, id } = absence
  const back = await tx.networks.takeBack(absence, ownNote(app, `${kind}.take_in`))
  if (!back) return false
  if (kind === 'port') await portIsBack(watcher, tx, id, back.links)
  return true
}

/**
 * Posts for a port that is back the jobs that follow from its coming, and gives its floating IPs back to it.
 */
async function portIsBack(
  { app, caller, region }: Watcher,
  tx: Transaction,
  id: string,
  links: readonly LostLink[],
): Promise<void> {
  const [port] = await tx.networks.getMany('port', [id])
  const [network] = await tx.networks.getMany('network', port ? [port.networkId] : [])
  if (!port || !network) return
  for (const { floatingIpId, fixedIpAddress, routerId } of links) {
    const floatingIp = await tx.networks.lock('floatingip', floatingIpId)
    // The floating IP may have been given to another port in the meantime.
    if (!floatingIp || floatingIp.portId !== null) continue
    const change = { portId: id, fixedIpAddress, routerId }
    const linked = await tx.networks.update(
      'floatingip',
      floatingIpId,
      change,
      ownNote(app, 'floatingip.link'),
    )
    if (linked) await follow(app, caller, tx, await linkOf(tx, linked, network.id))
  }
  await followPlacement(app, caller, tx, { port, network, region, isNew: false })
}
