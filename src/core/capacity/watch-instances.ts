// Watching instances: one list of a provider's servers tells of all of them, and nothing is assumed. A server
// that is not seen is gone only where the provider is believed.

import type { App } from '../app.ts'
import { AppError } from '../error.ts'
import { ownNote } from '../note.ts'
import { mostGone } from '../regions/suspicion.ts'
import type { Instance } from './instance.ts'
import { endInstance, removeServer } from './instances.ts'
import { lateMs, resolveLate } from './late-servers.ts'
import type { Provider } from './provider.ts'
import type { ProviderCloud, ProviderServer } from './provider-cloud.ts'
import { isOlder, openProvider, refreshMs, refreshProvider } from './providers.ts'

/** How long after the call that made it a server may take to show. */
const graceMs = 60_000

/**
 * When to look at a provider again: while instances are being built or deleted, while servers are there, and
 * else.
 */
const underWayMs = 3_000
const quietMs = 30_000

/**
 * Called when a provider is not believed any more, with the reason; and with null when it is believed again.
 */
export type OnBelief = (provider: Provider, doubt: string | null) => void

/**
 * The turn of a provider: reads its flavors and quotas now and then, and its servers while it has any, or may
 * have. Returns when to look again, in ms; null when the provider is gone. Throws `upstream`, `unavailable`.
 */
export async function runProvider(
  app: App,
  id: string,
  onBelief: OnBelief = () => {},
): Promise<number | null> {
  const provider = await app.store.providers.get(id)
  if (!provider) return null
  const cloud = openProvider(app, provider, `req-${app.newId()}`)
  if (isOlder(app, provider, refreshMs)) await refreshAnyway(app, provider, cloud)
  const watched = await app.store.instances.watched(id)
  const late = new Date(app.now().getTime() - lateMs)
  if (watched.length === 0 && !(await app.store.instances.anyEndedSince(id, late))) {
    await noteDoubt(app, provider, null, onBelief)
    return refreshMs
  }
  await watchInstances({ app, provider, cloud, onBelief }, watched)
  const left = await app.store.instances.watched(id)
  return left.some(({ status }) => status !== 'active') ? underWayMs : left.length > 0 ? quietMs : refreshMs
}

/**
 * Reads a provider's flavors; a failure is noted with the provider and does not keep its servers from being
 * looked at.
 */
async function refreshAnyway(app: App, provider: Provider, cloud: ProviderCloud): Promise<void> {
  try {
    await refreshProvider(app, provider, cloud)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    app.report(error, `the provider ${provider.id} could not be looked at`)
  }
}

interface Watching {
  readonly app: App
  readonly provider: Provider
  readonly cloud: ProviderCloud
  readonly onBelief: OnBelief
}

async function watchInstances(watching: Watching, watched: readonly Instance[]): Promise<void> {
  const { app, provider, cloud, onBelief } = watching
  const servers = await cloud.listServers()
  const byId = new Map(servers.map(server => [server.id, server]))
  const byMark = new Map(servers.flatMap(server => (server.mark === null ? [] : [[server.mark, server]])))
  const unseen: Instance[] = []
  const wanted = new Set<string>()
  for (const instance of watched) {
    const server = byId.get(instance.serverId ?? '') ?? byMark.get(instance.id)
    if (!server) unseen.push(instance)
    else {
      wanted.add(server.id)
      await follow(app, cloud, instance, server)
    }
  }
  const { doubt, missing } = await look(watching, watched, unseen)
  await noteDoubt(app, provider, doubt, onBelief)
  if (doubt === null) for (const instance of unseen) await miss(app, cloud, instance, missing)
  const others = servers.filter(({ id }) => !wanted.has(id))
  await resolveLate(app, provider, cloud, others, doubt === null)
}

/** Brings an instance to the server that the list shows. */
async function follow(
  app: App,
  cloud: ProviderCloud,
  instance: Instance,
  server: ProviderServer,
): Promise<void> {
  if (instance.status === 'deleting') return removeServer(app, cloud, instance.id, server.id)
  if (server.status === 'ERROR') {
    const reason = 'its server ended in ERROR'
    return app.store.transact(tx =>
      endInstance(app, tx, instance.id, { status: 'error', by: 'verb', reason, serverId: server.id }),
    )
  }
  const status = server.status === 'BUILD' ? 'building' : 'active'
  if (instance.status === status && instance.serverId === server.id) return
  await app.store.transact(async tx => {
    const current = await tx.instances.lock(instance.id)
    if (current?.status !== instance.status) return
    const seen = { ...current, status, serverId: server.id, updatedAt: app.now() } as const
    await tx.instances.replace(seen, ownNote(app, `instance.${status}`))
  })
}

/** Whether an instance's server should be seen: its id is known, and its removal was not asked for. */
const isExpected = ({ serverId, status }: Instance): boolean => serverId !== null && status !== 'deleting'

/**
 * The instances whose servers are missing, and why that is not to be followed (null: it is). A server that
 * the list lacks is missing only when Nova does not know its id either; and too many missing at once are not
 * believed, since a provider's credentials cannot tell whether they still see all servers.
 */
async function look(
  { app, provider, cloud }: Watching,
  watched: readonly Instance[],
  unseen: readonly Instance[],
): Promise<{ doubt: string | null; missing: ReadonlySet<string> }> {
  const known = watched.filter(isExpected).length
  const most = mostGone(known, app.regionRules.mostGone)
  const missing = new Set(unseen.filter(isExpected).map(({ id }) => id))
  if (missing.size <= most) {
    for (const { id, serverId } of unseen)
      if (missing.has(id) && (await cloud.getServer(serverId!)) !== null) missing.delete(id)
  }
  const isNoneThere = missing.size === known && known > 1
  if (missing.size > most || (isNoneThere && !(await showsFlavors(cloud))))
    return { doubt: `${missing.size} of ${known} servers are missing at once`, missing }
  const { regionId } = provider
  const suspicion =
    regionId === null || unseen.length === 0 ? null : await app.store.suspicions.get(regionId, 'compute')
  return { doubt: suspicion && `its region is not believed: ${suspicion.reason}`, missing }
}

/** Whether a Nova shows anything: one that is blind or empty shows no flavors either. */
const showsFlavors = async (cloud: ProviderCloud): Promise<boolean> => (await cloud.look()).flavors.length > 0

/** Writes the doubt to the provider's row, so that the next look knows of it, in whatever process that is. */
async function noteDoubt(
  app: App,
  provider: Provider,
  doubt: string | null,
  onBelief: OnBelief,
): Promise<void> {
  const { id, suspicion } = provider
  if (doubt === (suspicion?.reason ?? null)) return
  const noted = doubt === null ? null : { since: suspicion?.since ?? app.now(), reason: doubt }
  await app.store.transact(tx => tx.providers.setSuspicion(id, noted))
  if (doubt === null || suspicion === null) onBelief(provider, doubt)
}

/** Ends an instance whose server a believed provider does not show. */
async function miss(
  app: App,
  cloud: ProviderCloud,
  { id, serverId, status, reason, updatedAt }: Instance,
  missing: ReadonlySet<string>,
): Promise<void> {
  const isGoing = status === 'deleting'
  const end = (as: 'gone' | 'error', why: string | null): Promise<void> =>
    app.store.transact(tx =>
      endInstance(app, tx, id, { status: as, by: isGoing ? 'verb' : 'absence', reason: why }),
    )
  if (serverId !== null) {
    if (isGoing ? (await cloud.getServer(serverId)) === null : missing.has(id)) await end('gone', reason)
    return
  }
  if (app.now().getTime() - updatedAt.getTime() < graceMs) return
  const why = reason ?? 'nobody knows what became of the call that was to make it'
  await end(isGoing ? 'gone' : 'error', why)
}
