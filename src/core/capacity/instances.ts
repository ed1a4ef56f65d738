// The verbs of instances: servers at a provider, charged before Nova is asked and until they are gone.

import type { App, Transaction } from '../app.ts'
import type { Caller } from '../caller.ts'
import { AppError, invalid, isRefusal, notFound } from '../error.ts'
import { forever, type Window } from '../ledger/ledger.ts'
import { type Note, noteOf, ownNote } from '../note.ts'
import { type Amounts, amountNames, amountsOf, minus, noAmounts, plus } from './amounts.ts'
import { lockLiving, maySee } from './capacity-reservations.ts'
import type { Instance } from './instance.ts'
import { noProvider, type Provider, providerKind } from './provider.ts'
import type { ProviderCloud, ProviderFlavor } from './provider-cloud.ts'
import { isOlder, openProvider, refreshProvider } from './providers.ts'
import { refusing } from './refusing.ts'
import { siteIn } from './reservation-life.ts'
import { reviewMarked } from './risk.ts'
import { checkRoom, linesOf, lockSite, sitesOf, usageOf } from './site.ts'

export interface InstanceAsk {
  /** Null: the reservation's provider, or the first one. */
  readonly providerId: string | null
  readonly name: string
  readonly image: string
  /** An id, or a URI that ends in one. */
  readonly flavor: string
  readonly networks: readonly string[]
  readonly reservationId: string | null
}

/**
 * Makes a server, drawn on a reservation or charged by itself for ever. Throws `not_found` (provider, flavor, network,
 * reservation), `invalid` (a reservation that is not active), `no_capacity`, `upstream` (Nova would not, and nothing is
 * charged any more; or did not say, and what it may have made is removed).
 */
export async function createInstance(app: App, caller: Caller, ask: InstanceAsk): Promise<Instance> {
  const provider = await providerFor(app, caller, ask)
  const cloud = openProvider(app, provider, caller.requestId)
  const flavor = await flavorOf(app, provider, cloud, ask.flavor)
  await checkNetworks(cloud, ask.networks)
  const note = noteOf(app, caller, 'instance.create')
  const now = app.now()
  const id = app.newId()
  const instance: Instance = {
    id,
    projectId: caller.projectId!,
    userId: caller.userId,
    providerId: provider.id,
    reservationId: ask.reservationId,
    // Nova makes no server without a name.
    name: ask.name || id,
    flavorId: flavor.id,
    image: ask.image,
    networks: ask.networks,
    amounts: amountsOfFlavor(flavor),
    serverId: null,
    status: 'building',
    reason: null,
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    endedBy: null,
  }
  await charge(app, caller, provider, instance, note)
  return launch(app, cloud, instance, note)
}

export const amountsOfFlavor = ({ vcpus, memoryMb, diskGb }: ProviderFlavor): Amounts =>
  amountsOf({ cores: vcpus, ram: memoryMb, instances: 1, gigabytes: diskGb })

async function providerFor(
  app: App,
  caller: Caller,
  { providerId, reservationId }: InstanceAsk,
): Promise<Provider> {
  const reservation = reservationId === null ? null : await app.store.capacityReservations.get(reservationId)
  const held = reservation && maySee(caller, reservation.projectId) ? reservation.providerId : null
  const id = providerId ?? held
  const found = id === null ? (await app.store.providers.list())[0] : await app.store.providers.get(id)
  if (!found) throw noProvider(id ?? 'none is there')
  if (held !== null && held !== found.id)
    throw invalid('the reservation is held by another provider', 'other_provider')
  return found
}

/**
 * How soon flavors are read again for one that is not known: asking for unknown flavors must cost a provider
 * little.
 */
const newFlavorMs = 10_000

/**
 * The provider's flavor of this id or name; where it is not known the provider is looked at again. Throws
 * `not_found`, `upstream`.
 */
async function flavorOf(
  app: App,
  provider: Provider,
  cloud: ProviderCloud,
  asked: string,
): Promise<ProviderFlavor> {
  const id = asked.split('/').at(-1)!
  const find = ({ flavors }: Provider) =>
    flavors.find(one => one.id === id) ?? flavors.find(one => one.name === id)
  const isStale = isOlder(app, provider, newFlavorMs)
  const found = find(provider) ?? (isStale ? find(await refreshProvider(app, provider, cloud)) : undefined)
  if (!found) throw notFound(`no such flavor found for specified identifier: ${asked}`, 'no_flavor')
  return found
}

/**
 * Nova looks networks up as the provider's user, and for an admin in every project: so what it would refuse a member is
 * refused before it is asked. Throws `not_found`, `upstream`.
 */
async function checkNetworks(cloud: ProviderCloud, networks: readonly string[]): Promise<void> {
  if (networks.length === 0) return
  const usable = await cloud.usableNetworks(networks)
  const other = networks.find(id => !usable.includes(id))
  if (other !== undefined)
    throw notFound(`no such network found for specified identifier: ${other}`, 'no_network')
}

/** Charges an instance, before Nova is asked for its server. Throws `not_found`, `invalid`, `no_capacity`. */
async function charge(
  app: App,
  caller: Caller,
  provider: Provider,
  instance: Instance,
  note: Note,
): Promise<void> {
  const { reservationId, amounts } = instance
  if (reservationId !== null)
    return app.store.transact(async tx => {
      await drawOn(app, tx, caller, reservationId, amounts)
      await insert(tx, instance, note)
    })
  const [site] = await sitesOf(app, [provider])
  const window: Window = { from: instance.createdAt, to: forever }
  await refusing(app, { amounts, window, verb: 'required' }, () =>
    app.store.transact(async tx => {
      await lockSite(tx, site!)
      await checkRoom(tx, site!, linesOf(site!, amounts, window))
      await tx.ledger.use(usageOf(site!, amounts, window.from, instance.id), note)
      await insert(tx, instance, note)
    }),
  )
}

/**
 * When the provider is looked at first: soon, so that an instance is taken care of even if this request dies.
 */
const firstLookMs = 2_000

async function insert(tx: Transaction, instance: Instance, note: Note): Promise<void> {
  await tx.instances.insert(instance, note)
  const at = new Date(instance.createdAt.getTime() + firstLookMs)
  await tx.turns.ask([{ kind: providerKind, key: instance.providerId, lane: '', at }])
}

/** Locks a reservation, and refuses an instance for which its remaining amounts are not enough. */
async function drawOn(
  app: App,
  tx: Transaction,
  caller: Caller,
  id: string,
  amounts: Amounts,
): Promise<void> {
  const reservation = await lockLiving(tx, caller, id).catch(error => {
    if (error instanceof AppError && error.code === 'not_found')
      throw notFound('no valid reservation found for specified identifier', 'no_reservation')
    throw error
  })
  const now = app.now()
  if (now < reservation.window.from || now >= reservation.window.to)
    throw invalid('reservation is currently not active', 'not_active')
  const remaining = remainingOf(reservation.amounts, await tx.instances.drawn(id))
  const short = amountNames.find(name => amounts[name] > remaining[name])
  if (short)
    throw new AppError(
      'no_capacity',
      `required ${short}=${amounts[short]} exceeds available ${remaining[short]}`,
      { reason: 'no_remaining' },
    )
}

/** The amounts of a reservation that no instance has drawn. */
export const remainingOf = (amounts: Amounts, drawn: readonly Instance[]): Amounts =>
  minus(
    amounts,
    drawn.reduce((sum, instance) => plus(sum, instance.amounts), noAmounts),
  )

/**
 * Asks Nova for the server. Where Nova refuses, the charge ends; where it gives no answer, the instance is
 * removed.
 */
async function launch(app: App, cloud: ProviderCloud, instance: Instance, note: Note): Promise<Instance> {
  const { id, name, image, flavorId, networks } = instance
  const serverId = await cloud
    .createServer({ mark: id, name, image, flavor: flavorId, networks })
    .catch(async error => {
      if (!(error instanceof AppError) || !['upstream', 'unavailable'].includes(error.code)) throw error
      const isNothing = isNothingMade(error) || (await isNotThere(cloud, id, error))
      await app.store.transact(tx =>
        isNothing
          ? endInstance(app, tx, id, { status: 'error', by: 'verb', reason: error.message })
          : // The clockwork finds out, and removes what is found.
            markDeleting(app, tx, id, error.message, note),
      )
      throw error
    })
  const known = await app.store.transact(tx => adopt(app, tx, id, serverId, note))
  if (known.endedAt === null) return known
  throw new AppError('upstream', 'the server came when nobody waited for it any more, and is removed')
}

/**
 * Writes the server's id to its instance; where the instance was given up while Nova was asked, the
 * provider's turn removes the server.
 */
async function adopt(app: App, tx: Transaction, id: string, serverId: string, note: Note): Promise<Instance> {
  const current = (await tx.instances.lock(id))!
  const isWanted = current.endedAt === null
  const status = isWanted ? current.status : 'deleting'
  // The request for the instance is told that the server is removed.
  const endedBy = isWanted ? null : 'verb'
  const known = { ...current, status, serverId, endedBy, updatedAt: app.now() } as const
  await tx.instances.replace(known, note)
  return known
}

/**
 * Whether an error says that Nova made nothing: it refused, or was never reached. After any other error it
 * may have made the server.
 */
const isNothingMade = (error: AppError): boolean => {
  const { code, detail } = error
  if (code === 'unavailable' || detail.service === 'Keystone') return true
  return notReached.includes(detail.reason ?? '') || isRefusal(error)
}

const notReached = ['endpoint_refused', 'no_endpoint', 'not_reached', 'tls']

/**
 * Whether Nova has no server of this mark. After an answer of whatever kind no server comes late, so a list
 * is proof.
 */
async function isNotThere(cloud: ProviderCloud, mark: string, { detail }: AppError): Promise<boolean> {
  if (detail.status === undefined) return false
  try {
    return !(await cloud.listServers()).some(server => server.mark === mark)
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

async function markDeleting(
  app: App,
  tx: Transaction,
  id: string,
  reason: string,
  note: Note,
): Promise<void> {
  const current = await tx.instances.lock(id)
  if (current?.status === 'building')
    await tx.instances.replace({ ...current, status: 'deleting', reason, updatedAt: app.now() }, note)
}

export interface Ending {
  readonly status: 'error' | 'gone'
  readonly by: NonNullable<Instance['endedBy']>
  readonly reason: string | null
  readonly serverId?: string
}

/** Ends an instance's charge. */
export async function endInstance(
  app: Pick<App, 'newId' | 'now'>,
  tx: Transaction,
  id: string,
  { status, by, reason, serverId }: Ending,
): Promise<void> {
  const current = await tx.instances.lock(id)
  if (!current || current.status === status) return
  const now = app.now()
  const note = ownNote(app, `instance.${status}`)
  if (current.endedAt === null && current.reservationId === null) {
    const site = (await siteIn(tx, current.providerId))!
    await lockSite(tx, site)
    await tx.ledger.endUse([id], now, note)
    await reviewMarked(app, tx, site, note)
  }
  const ended = {
    ...current,
    status,
    reason,
    serverId: serverId ?? current.serverId,
    updatedAt: now,
    endedAt: current.endedAt ?? now,
    endedBy: by,
  }
  await tx.instances.replace(ended, note)
}

const noInstance = () => notFound('no allocation found for specified identifier', 'no_instance')

/** An instance that the caller may see. Throws `not_found`. */
export async function getInstance(app: Pick<App, 'store'>, caller: Caller, id: string): Promise<Instance> {
  const found = await app.store.instances.get(id)
  if (!found || !maySee(caller, found.projectId)) throw noInstance()
  return found
}

/**
 * Removes a server. Its charge ends when it is gone: mostly at once, else when the clockwork sees it. Throws `not_found`,
 * `upstream` (it is tried again by itself).
 */
export async function destroyInstance(app: App, caller: Caller, id: string): Promise<Instance> {
  const found = await getInstance(app, caller, id)
  if (found.status === 'deleting' || found.status === 'gone') throw noInstance()
  const provider = (await app.store.providers.get(found.providerId))!
  const note = noteOf(app, caller, 'instance.destroy')
  await app.store.transact(async tx => {
    const current = (await tx.instances.lock(id))!
    if (current.status === 'deleting' || current.status === 'gone') throw noInstance()
    await tx.instances.replace({ ...current, status: 'deleting', updatedAt: app.now() }, note)
    await tx.turns.ask([{ kind: providerKind, key: provider.id, lane: '', at: app.now() }])
  })
  const cloud = openProvider(app, provider, caller.requestId)
  if (found.serverId !== null) await removeServer(app, cloud, id, found.serverId)
  return getInstance(app, caller, id)
}

/**
 * Has a server removed, and ends the instance's charge when the server is gone already. Throws `upstream`.
 */
export async function removeServer(
  app: App,
  cloud: ProviderCloud,
  id: string,
  serverId: string,
): Promise<void> {
  await cloud.removeServer(serverId)
  if ((await cloud.getServer(serverId)) === null)
    await app.store.transact(tx => endInstance(app, tx, id, { status: 'gone', by: 'verb', reason: null }))
}
