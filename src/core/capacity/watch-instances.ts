// Watching instances: one list of a provider's servers tells of all of them, and nothing is assumed.

import type { App } from '../app.ts'
import { AppError } from '../error.ts'
import { ownNote } from '../note.ts'
import type { Instance } from './instance.ts'
import { endInstance, removeServer } from './instances.ts'
import type { Provider } from './provider.ts'
import type { ProviderCloud, ProviderServer } from './provider-cloud.ts'
import { isOlder, openProvider, refreshMs, refreshProvider } from './providers.ts'

/** How long after the call that made it a server may take to show. */
const graceMs = 60_000

/** How long after an instance was given up its server may still show. */
const lateMs = 3_600_000

/**
 * When to look at a provider again: while instances are being built or deleted, while servers are there, and
 * else.
 */
const underWayMs = 3_000
const quietMs = 30_000

/**
 * The turn of a provider: reads its flavors and quotas now and then, and its servers while it has any.
 * Returns when to look again, in ms; null when the provider is gone. Throws `upstream`, `unavailable`.
 */
export async function runProvider(app: App, id: string): Promise<number | null> {
  const provider = await app.store.providers.get(id)
  if (!provider) return null
  const cloud = openProvider(app, provider, `req-${app.newId()}`)
  if (isOlder(app, provider, refreshMs)) await refreshAnyway(app, provider, cloud)
  const watched = await app.store.instances.watched(id)
  const late = new Date(app.now().getTime() - lateMs)
  if (watched.length === 0 && !(await app.store.instances.anyFailedSince(id, late))) return refreshMs
  await watchInstances(app, cloud, watched)
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

async function watchInstances(app: App, cloud: ProviderCloud, watched: readonly Instance[]): Promise<void> {
  const servers = await cloud.listServers()
  const byId = new Map(servers.map(server => [server.id, server]))
  const byMark = new Map(servers.flatMap(server => (server.mark === null ? [] : [[server.mark, server]])))
  for (const instance of watched) {
    const server = byId.get(instance.serverId ?? '') ?? byMark.get(instance.id)
    await (server ? follow(app, cloud, instance, server) : miss(app, cloud, instance))
  }
  await removeFailed(app, cloud, servers, watched)
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
    return app.store.transact(tx =>
      endInstance(app, tx, instance.id, 'error', 'its server ended in ERROR', server.id),
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

/**
 * An instance whose server the list lacks: only when Nova does not know the server's id either is it gone.
 */
async function miss(app: App, cloud: ProviderCloud, instance: Instance): Promise<void> {
  const { id, serverId, status, reason, updatedAt } = instance
  if (serverId !== null) {
    if ((await cloud.getServer(serverId)) === null)
      await app.store.transact(tx => endInstance(app, tx, id, 'gone', reason))
    return
  }
  if (app.now().getTime() - updatedAt.getTime() < graceMs) return
  const why = reason ?? 'nobody knows what became of the call that was to make it'
  await app.store.transact(tx => endInstance(app, tx, id, status === 'deleting' ? 'gone' : 'error', why))
}

/** Removes servers that came late, after their instances had been given up. */
async function removeFailed(
  app: App,
  cloud: ProviderCloud,
  servers: readonly ProviderServer[],
  watched: readonly Instance[],
): Promise<void> {
  const known = new Set(watched.map(({ id }) => id))
  const marks = servers.flatMap(({ mark }) => (mark === null || known.has(mark) ? [] : [mark]))
  const unwanted = new Set(marks.length === 0 ? [] : await app.store.instances.failedAmong(marks))
  for (const server of servers) {
    if (server.mark === null || !unwanted.has(server.mark)) continue
    await cloud.removeServer(server.id).catch(error => {
      if (!(error instanceof AppError)) throw error
      app.report(error, `the server ${server.id} came too late and could not be removed; that is tried later`)
    })
  }
}
