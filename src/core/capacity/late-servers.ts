// Late servers, which show although their instance has ended: where a verb ended it the server is removed,
// where it was only not seen the instance is taken back as it was.

import type { App, Transaction } from '../app.ts'
import { dayMs } from '../batches.ts'
import { AppError } from '../error.ts'
import { forever } from '../ledger/ledger.ts'
import { type Note, ownNote } from '../note.ts'
import { amountNames } from './amounts.ts'
import type { Instance, LateServer } from './instance.ts'
import { remainingOf } from './instances.ts'
import type { Provider } from './provider.ts'
import type { ProviderCloud, ProviderServer } from './provider-cloud.ts'
import { lockReservation, siteIn } from './reservation-life.ts'
import { reviewRisk } from './risk.ts'
import { checkRoom, linesOf, lockSite, NoRoom, type Site, usageOf } from './site.ts'

/** How long after an instance has ended its server may still show. */
export const lateMs = dayMs

/**
 * Takes back late servers' instances that were only not seen; removes, unless the provider is in doubt, late
 * servers whose instances a verb has ended.
 */
export async function resolveLate(
  app: App,
  { id }: Provider,
  cloud: ProviderCloud,
  servers: readonly ProviderServer[],
  mayRemove: boolean,
): Promise<void> {
  if (servers.length === 0) return
  const late = await app.store.instances.lateServers(id, servers, new Date(app.now().getTime() - lateMs))
  for (const { serverId, instance } of late) {
    if (instance.endedBy === 'absence') {
      const status =
        servers.find(server => server.id === serverId)!.status === 'BUILD' ? 'building' : 'active'
      await takeBack(app, { serverId, instance: { ...instance, status } })
    } else if (mayRemove) await removeLate(app, cloud, serverId)
  }
}

async function removeLate(app: App, cloud: ProviderCloud, serverId: string): Promise<void> {
  try {
    await cloud.removeServer(serverId)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    app.report(error, `the server ${serverId} came too late and could not be removed; that is tried later`)
  }
}

/**
 * Takes an instance back: drawn on its reservation again where that has room for it, else charged by itself,
 * whether there is room or not.
 */
const takeBack = (app: App, { serverId, instance }: LateServer): Promise<void> =>
  app.store.transact(async tx => {
    const site = await siteIn(tx, instance.providerId)
    if (!site) return
    await lockSite(tx, site)
    const reservationId = await roomIn(app, tx, instance)
    const current = await tx.instances.lock(instance.id)
    if (current?.endedBy !== 'absence') return
    const note = ownNote(app, 'instance.take_in')
    if (reservationId === null) await chargeAgain(app, tx, site, instance, note)
    const { status } = instance
    const back = { reservationId, serverId, status, reason: null, endedAt: null, endedBy: null }
    await tx.instances.replace({ ...current, ...back, updatedAt: app.now() }, note)
  })

/** The reservation that the instance was drawn on, if it lives and has that much left; null otherwise. */
async function roomIn(
  app: App,
  tx: Transaction,
  { reservationId, amounts }: Instance,
): Promise<string | null> {
  const held = reservationId === null ? null : await lockReservation(tx, reservationId)
  if (!held || app.now() >= held.reservation.window.to) return null
  const remaining = remainingOf(held.reservation.amounts, await tx.instances.drawn(held.reservation.id))
  return amountNames.every(name => amounts[name] <= remaining[name]) ? held.reservation.id : null
}

async function chargeAgain(
  app: App,
  tx: Transaction,
  site: Site,
  { id, amounts }: Instance,
  note: Note,
): Promise<void> {
  const now = app.now()
  const imposed = !(await hasRoom(tx, site, amounts, now))
  await tx.ledger.archiveUse([id], now)
  await tx.ledger.use(
    usageOf(site, amounts, now, id).map(usage => ({ ...usage, imposed })),
    note,
  )
  if (imposed) await reviewRisk(app, tx, site, note)
}

async function hasRoom(
  tx: Transaction,
  site: Site,
  amounts: Instance['amounts'],
  from: Date,
): Promise<boolean> {
  try {
    await checkRoom(tx, site, linesOf(site, amounts, { from, to: forever }))
    return true
  } catch (error) {
    if (error instanceof NoRoom) return false
    throw error
  }
}
