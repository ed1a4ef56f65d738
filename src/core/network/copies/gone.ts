// Whether what a region's Neutron does not show is gone indeed. To who is no administrator Neutron hides what belongs to
// others, as lists that are empty and as answers of 404; a Neutron with another database hides everything.

import type { App } from '../../app.ts'
import type { CloudLogin } from '../../cloud.ts'
import { AppError } from '../../error.ts'
import { believe, checkBelieved, suspect } from '../../regions/belief.ts'
import type { Region } from '../../regions/region.ts'
import { type Blindness, type Count, mostGone } from '../../regions/suspicion.ts'
import type { RegionKind, RegionNetworking } from './region-rows.ts'

/** Who looks, where, and through what. */
export interface Eyes {
  readonly app: App
  readonly region: Pick<Region, 'id' | 'name'>
  readonly networking: RegionNetworking
}

interface Viewer {
  readonly app: Pick<App, 'cloud'>
  readonly region: Pick<Region, 'name'>
  readonly networking: RegionNetworking
}

/**
 * Why the service user does not see as an administrator; null where it does. `before` is the log-in at the beginning of
 * the look: whatever was seen must have been seen by the same one. The proof is a default security group of some other
 * project: every project that has used the region has one, and only administrators are shown it.
 */
export async function blindness(
  { app, region, networking }: Viewer,
  before: CloudLogin,
): Promise<Blindness | null> {
  const own = await app.cloud.ownProject()
  const groups = await networking.list('security_group', {
    where: { name: 'default' },
    fields: ['id', 'projectId'],
  })
  const seesOthers = groups.some(({ projectId }) => projectId !== own)
  const after = await app.cloud.login()
  if (!before.isAdmin || !after.isAdmin) return blind('the service user lacks the role admin', false)
  if (before.number !== after.number)
    return blind('the service user logged in anew in the middle of the look', false)
  if (seesOthers) return null
  return blind(
    `${region.name} shows the service user nothing of any other project: its Neutron takes it for no administrator, or is empty`,
    true,
  )
}

const blind = (sentence: string, isPerhapsEmpty: boolean): Blindness => ({ sentence, isPerhapsEmpty })

/** What the model has in a region and the region does not show. */
export interface Claim {
  readonly count: Count
  /** The central ids, by the region's. Of more than may be gone at once none is asked for by itself. */
  readonly missing: ReadonlyMap<string, string>
}

/** What a list of these ids lacks, and a question for each does not find either. */
export async function claimOf(
  { app, region, networking }: Eyes,
  kind: RegionKind,
  there: ReadonlySet<string>,
  confirmed = 0,
): Promise<Claim> {
  const placed = await app.store.routings.placed({ resourceType: kind, regionId: region.id })
  const known = placed.size
  const missing = new Map([...placed].filter(([id]) => !there.has(id)))
  if (missing.size <= Math.max(mostGone(known, app.regionRules.mostGone), confirmed)) {
    for (const id of [...missing.keys()]) if ((await networking.get(kind, id)) !== null) missing.delete(id)
  }
  return { count: { missing: missing.size, known }, missing }
}

/**
 * Returns where a thing that the region did not show may be taken for gone. Throws `unavailable` (`suspect`) where the
 * region is not believed: nothing follows from what it does not show.
 */
export async function checkGone(eyes: Eyes, kind: RegionKind): Promise<void> {
  const { app, region, networking } = eyes
  await checkBelieved(app, region, 'network')
  const before = await app.cloud.login()
  const rows: readonly { id: string }[] = await networking.list(kind, { fields: ['id'] as never })
  const { count } = await claimOf(eyes, kind, new Set(rows.map(({ id }) => id)))
  const counts = { [kind]: { ...count, missing: Math.max(1, count.missing) } }
  const { doubt } = await believe(app, region, 'network', { blind: await blindness(eyes, before), counts })
  if (doubt !== null) throw suspect(region.name, doubt)
}

/** Whether an error says that a region is not believed. */
export const isDoubt = (error: unknown): boolean =>
  error instanceof AppError && error.detail.reason === 'suspect'
