// Whether a resource that a region's Neutron does not show is gone indeed. From a service user that is no
// administrator Neutron hides what belongs to other projects, by empty lists and answers of 404; a Neutron
// with another database hides everything.

import type { App } from '../../app.ts'
import type { CloudLogin } from '../../cloud.ts'
import { AppError } from '../../error.ts'
import { believe, checkBelieved, suspect } from '../../regions/belief.ts'
import type { Region } from '../../regions/region.ts'
import { type Blindness, type Count, mostGone } from '../../regions/suspicion.ts'
import type { RegionKind, RegionNetworking } from './region-rows.ts'

/** The service user's view of a region's Neutron. */
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
 * project: every project that has used the region has one, and only administrators are shown it. It must be older than
 * the region's last believed sweep: in a Neutron with an empty database a tenant's next request makes a new one.
 */
export async function blindness(
  { app, region, networking }: Viewer,
  before: CloudLogin,
  sweptAt: Date | null = null,
): Promise<Blindness | null> {
  const own = await app.cloud.ownProject()
  const groups = await networking.list('security_group', {
    where: { name: 'default' },
    fields: ['id', 'projectId', 'createdAt'],
  })
  const isOld = (createdAt: Date | null) => !createdAt || !sweptAt || createdAt < sweptAt
  const seesOthers = groups.some(({ projectId, createdAt }) => projectId !== own && isOld(createdAt))
  const after = await app.cloud.login()
  if (!before.isAdmin || !after.isAdmin) return blinded('the service user lacks the role admin', false)
  if (before.number !== after.number)
    return blinded('the service user logged in anew in the middle of the look', false)
  if (seesOthers) return null
  return blinded(
    `${region.name} shows the service user nothing of any other project: its Neutron takes it for no administrator, or is empty`,
    true,
  )
}

const blinded = (sentence: string, isPerhapsEmpty: boolean): Blindness => ({ sentence, isPerhapsEmpty })

/** The resources that the model has in a region and the region does not show. */
export interface Missing {
  readonly count: Count
  /**
   * The central ids, by the region's ids. Where more are missing than may be gone at once, none was asked for
   * by its id.
   */
  readonly missing: ReadonlyMap<string, string>
}

/**
 * Compares the model's places of a kind with the ids that the region lists, where the model has any; an id
 * that the list lacks is asked for by itself as well.
 */
export async function findMissing(
  { app, region, networking }: Eyes,
  kind: RegionKind,
  confirmed = 0,
): Promise<Missing> {
  const placed = await app.store.routings.placed({ resourceType: kind, regionId: region.id })
  const known = placed.size
  if (known === 0) return { count: { missing: 0, known }, missing: new Map() }
  const rows: readonly { id: string }[] = await networking.list(kind, { fields: ['id'] as never })
  const there = new Set(rows.map(({ id }) => id))
  const missing = new Map([...placed].filter(([id]) => !there.has(id)))
  if (missing.size <= Math.max(mostGone(known, app.regionRules.mostGone), confirmed)) {
    for (const id of [...missing.keys()]) if ((await networking.get(kind, id)) !== null) missing.delete(id)
  }
  return { count: { missing: missing.size, known }, missing }
}

/**
 * Returns where a resource that the region did not show may be taken for gone. Throws `unavailable`
 * (`suspect`) where the region is not believed: nothing follows then from what it does not show.
 */
export async function checkGone(eyes: Eyes, kind: RegionKind): Promise<void> {
  const { app, region } = eyes
  await checkBelieved(app, region, 'network')
  const before = await app.cloud.login()
  const { count } = await findMissing(eyes, kind)
  const counts = { [kind]: { ...count, missing: Math.max(1, count.missing) } }
  const { sweptAt } = await app.store.watches.get(region.id, app.now())
  const blind = await blindness(eyes, before, sweptAt)
  const { doubt } = await believe(app, region, 'network', { blind, counts })
  if (doubt !== null) throw suspect(region.name, doubt)
}

/** Whether an error says that a region is not believed. */
export const isDoubt = (error: unknown): boolean =>
  error instanceof AppError && error.detail.reason === 'suspect'
