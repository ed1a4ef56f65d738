// What a region has for everybody: its hosts that are not enrolled, less what runs there and is none of our instances.
// Only a look by the operator's own service user says so.

import type { App, Transaction } from '../app.ts'
import type { RegionCapacity } from '../cloud.ts'
import { believeHosts, hasProviders } from '../hosts/believed.ts'
import { type ClassAmounts, type GeneralHost, promisedOf } from '../ledger/general-host.ts'
import { forever, type SupplyPosting } from '../ledger/ledger.ts'
import { type Note, ownNote } from '../note.ts'
import type { Verdict } from '../regions/belief.ts'
import { reviewMarked, reviewRisk } from './risk.ts'

/** Whether any provider is there: else nobody asks what it has for everybody. */
export async function isPromised(app: Pick<App, 'store'>, regionName: string): Promise<boolean> {
  const region = (await app.store.regions.list()).find(one => one.name === regionName)
  return region !== undefined && (await hasProviders(app, region.id))
}

/**
 * Looks at a region and posts by what it differs from what was known, unless the look is not believed. Null for a region
 * that there is not. Throws `upstream`.
 */
export async function discoverRegion(app: App, regionName: string): Promise<Verdict | null> {
  const region = (await app.store.regions.list()).find(one => one.name === regionName)
  if (!region) return null
  const note = ownNote(app, 'region.discover')
  const before = await app.cloud.login()
  const since = app.now()
  const seen = await app.cloud.compute(regionName, note.caller.requestId).capacity()
  const placeable = seen.hosts.filter(({ amounts }) => Object.keys(amounts).length > 0)
  const names = placeable.map(host => host.hypervisorHostname)
  const verdict = await believeHosts(app, region, before, names)
  if (verdict.doubt !== null) return verdict
  await app.store.transact(async tx => {
    const scope = await tx.ledger.scope(region.id, 'general')
    await tx.ledger.lock([scope])
    const enrolled = new Set(await tx.hosts.enrolledIn(region.id))
    const hosts = seen.hosts
      .filter(host => !enrolled.has(host.hypervisorHostname))
      .map(host => ({ ...host, amounts: promisedOf(host.amounts) }))
    const isChanged = await postHosts(app, tx, { regionId: region.id, scope, hosts, note })
    const isUsed = await postOthers(app, tx, { scope, seen, since, enrolled, note })
    const review = isChanged || isUsed ? reviewRisk : reviewMarked
    for (const provider of await tx.providers.list()) {
      if (provider.regionId === region.id) await review(app, tx, { provider, scope }, note)
    }
  })
  return verdict
}

interface Hosts {
  readonly regionId: string
  readonly scope: number
  readonly hosts: readonly GeneralHost[]
  readonly note: Note
}

/** By class, how much more (or less) there is. What has gone is gone, whoever needs it. */
async function postHosts(
  app: App,
  tx: Transaction,
  { regionId, scope, hosts, note }: Hosts,
): Promise<boolean> {
  const before = await tx.general.hosts(regionId)
  const change = difference(sumOf(hosts), sumOf(before))
  await tx.general.put(regionId, hosts)
  const postings = Object.entries(change).map<SupplyPosting>(([name, amount]) => ({
    account: scope,
    class: name,
    amount,
    window: { from: app.now(), to: forever },
    origin: amount > 0 ? 'discovered' : 'failure',
  }))
  if (postings.length > 0) await tx.ledger.post(postings, note)
  return postings.length > 0
}

interface Others {
  readonly scope: number
  readonly seen: RegionCapacity
  /** When the look began: what has ended after that may be seen in it. */
  readonly since: Date
  readonly enrolled: ReadonlySet<string>
  readonly note: Note
}

async function postOthers(
  app: App,
  tx: Transaction,
  { scope, seen, since, enrolled, note }: Others,
): Promise<boolean> {
  const ours = new Set(await tx.instances.chargedServers(seen.servers, since))
  const amounts = sumOf(
    seen.servers
      .filter(({ id, hypervisorHostname: at }) => at !== null && !enrolled.has(at) && !ours.has(id))
      .map(server => ({ amounts: promisedOf(server.amounts) })),
  )
  const before = await tx.general.others(scope)
  if (Object.keys(difference(amounts, before?.amounts ?? {})).length === 0) return false
  const now = app.now()
  if (before) await tx.ledger.endUse([before.consumer], now, note)
  const window = { from: now, to: forever }
  const consumer = `others ${now.toISOString()}`
  await tx.ledger.use(
    Object.entries(amounts).map(([name, amount]) => ({
      account: scope,
      class: name,
      amount,
      window,
      consumer,
      imposed: true,
    })),
    note,
  )
  return true
}

function sumOf(parts: readonly { readonly amounts: ClassAmounts }[]): ClassAmounts {
  const sum: Record<string, number> = {}
  for (const { amounts } of parts)
    for (const [name, amount] of Object.entries(amounts)) sum[name] = (sum[name] ?? 0) + amount
  return sum
}

/** What is not the same in both. */
function difference(one: ClassAmounts, other: ClassAmounts): ClassAmounts {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  const changes = names.map(name => [name, (one[name] ?? 0) - (other[name] ?? 0)] as const)
  return Object.fromEntries(changes.filter(([, change]) => change !== 0))
}
