// Whether what a region's Nova and Placement do not show is gone indeed. To who is no administrator they show nothing, or
// refuse; with other databases they know no host. The proof that both see is a hypervisor that both of them know.

import type { App } from '../app.ts'
import type { CloudLogin, RegionCompute } from '../cloud.ts'
import { believe, checkBelieved, suspect, type Verdict } from '../regions/belief.ts'
import type { Region } from '../regions/region.ts'
import type { Blindness } from '../regions/suspicion.ts'

type Where = Pick<Region, 'id' | 'name'>

/** Whether any provider is in a region: else nobody asks what it has for everybody. */
export const hasProviders = async ({ store }: Pick<App, 'store'>, regionId: string): Promise<boolean> =>
  (await store.providers.list()).some(one => one.regionId === regionId)

/**
 * Whether a look at a region's hosts may be followed. `before` is the log-in at its beginning, `seen` the hypervisors that
 * Nova and Placement both have shown. Every look is measured against all hosts that are known there, those that are
 * enrolled and those that everybody may use, so that no look says better of a region than another that has seen the same.
 */
export async function believeHosts(
  app: App,
  region: Where,
  before: CloudLogin,
  seen: readonly string[],
): Promise<Verdict> {
  const known = await hostsKnown(app, region)
  const missing = [...known].filter(name => !seen.includes(name)).length
  const blind = await blindness(app, region, before, seen)
  const counts = { host: { missing, known: known.size } }
  const verdict = await believe(app, region, 'compute', { blind, counts })
  // Servers and flavors may be hidden where no host is.
  return blind && !blind.isPerhapsEmpty ? { ...verdict, doubt: blind.sentence } : verdict
}

async function hostsKnown(app: App, { id, name }: Where): Promise<ReadonlySet<string>> {
  const enrolled = (await app.store.hosts.list(name)).filter(host => host.state === 'enrolled')
  const general = (await hasProviders(app, id)) ? await app.store.transact(tx => tx.general.hosts(id)) : []
  // A hypervisor that Placement did not know has no amounts.
  const placeable = general.filter(({ amounts }) => Object.keys(amounts).length > 0)
  return new Set([...enrolled, ...placeable].map(host => host.hypervisorHostname))
}

async function blindness(
  app: App,
  { name }: Where,
  before: CloudLogin,
  seen: readonly string[],
): Promise<Blindness | null> {
  const after = await app.cloud.login()
  if (!before.isAdmin || !after.isAdmin) return blind('the service user lacks the role admin', false)
  if (before.number !== after.number)
    return blind('the service user logged in anew in the middle of the look', false)
  if (seen.length > 0) return null
  return blind(
    `${name} shows the service user no host that Nova and Placement both know: one of them takes it for no administrator, or is empty`,
    true,
  )
}

const blind = (sentence: string, isPerhapsEmpty: boolean): Blindness => ({ sentence, isPerhapsEmpty })

/**
 * Returns where it may be followed that a region shows nothing of something. Throws `unavailable` (`suspect`) where the
 * region is not believed, `upstream`.
 */
export async function checkHostsSeen(app: App, region: Where, compute: RegionCompute): Promise<void> {
  await checkBelieved(app, region, 'compute')
  const before = await app.cloud.login()
  const { doubt, change } = await believeHosts(app, region, before, await compute.hostsSeen())
  if (doubt === null) return
  const error = suspect(region.name, doubt)
  if (change === 'raised') app.report(error, `${region.name} is not believed`)
  throw error
}
