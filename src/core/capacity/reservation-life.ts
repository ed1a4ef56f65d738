// How a reservation of capacity ends: at its end, by expiry since no instance was drawn on it, or cancelled.

import type { App, Transaction } from '../app.ts'
import type { Usage } from '../ledger/ledger.ts'
import { type Note, ownNote } from '../note.ts'
import type { CapacityReservation } from './capacity-reservation.ts'
import { reviewMarked, reviewRisk } from './risk.ts'
import { expiryOf } from './rules.ts'
import { lockSite, type Site, usageOf } from './site.ts'

/** A provider's site within a transaction; null where there is no such provider. */
export async function siteIn(tx: Transaction, providerId: string | null): Promise<Site | null> {
  const provider = providerId === null ? null : await tx.providers.get(providerId)
  if (!provider) return null
  const { regionId } = provider
  return { provider, scope: regionId === null ? null : await tx.ledger.scope(regionId, 'general') }
}

export interface LockedReservation {
  readonly reservation: CapacityReservation
  readonly site: Site | null
}

/** A living reservation and its site, both locked; null when it does not live any more. */
export async function lockReservation(tx: Transaction, id: string): Promise<LockedReservation | null> {
  const [seen] = await tx.capacityReservations.getMany([id])
  if (seen?.state !== 'living') return null
  const first = await lockedSite(tx, seen.providerId)
  const reservation = (await tx.capacityReservations.lock(id))!
  if (reservation.state !== 'living') return null
  // A reservation of elements only may have got amounts, and so a site, before it was locked.
  const isSame = reservation.providerId === seen.providerId
  return { reservation, site: isSame ? first : await lockedSite(tx, reservation.providerId) }
}

async function lockedSite(tx: Transaction, providerId: string | null): Promise<Site | null> {
  const site = await siteIn(tx, providerId)
  if (site) await lockSite(tx, site)
  return site
}

const imposed = (usage: Usage): Usage => ({ ...usage, imposed: true })

/**
 * Ends a reservation's holds and writes the reservation in its new state. The instances that were drawn on it
 * are charged by themselves from then on: where that is more than there is, other reservations are at risk.
 * The reservation and its site are locked.
 */
export async function endClaim(
  app: Pick<App, 'now'>,
  tx: Transaction,
  { reservation: ended, site }: LockedReservation,
  at: Date,
  note: Note,
): Promise<void> {
  const drawn = await tx.instances.lockDrawn(ended.id)
  if (site) {
    await tx.ledger.release(ended.id, note, at)
    await tx.ledger.use(
      drawn.flatMap(({ id, amounts }) => usageOf(site, amounts, at, id).map(imposed)),
      note,
    )
  }
  const about = { ...note, action: 'instance.charge' }
  for (const instance of drawn)
    await tx.instances.replace({ ...instance, reservationId: null, updatedAt: app.now() }, about)
  await tx.capacityReservations.replace(ended, note)
  if (site) await (drawn.length > 0 ? reviewRisk : reviewMarked)(app, tx, site, note)
}

/**
 * The turn of a reservation: its end, or its expiry where no instance was drawn on it. Returns when to look
 * again; null when it has ended.
 */
export const runCapacityReservation = (app: App, id: string): Promise<Date | null> =>
  app.store.transact(async tx => {
    const held = await lockReservation(tx, id)
    if (!held) return null
    const { reservation, site } = held
    const { window } = reservation
    const now = app.now()
    const isOver = now >= window.to
    const isUsed = await tx.instances.anyOf(id)
    const due = isUsed ? window.to : expiryOf(app.promiseRules, reservation)
    if (now < due) return due
    const ended = { ...reservation, state: isOver ? 'ended' : 'expired', updatedAt: now } as const
    const note = ownNote(app, isOver ? 'reservation.end' : 'reservation.expire')
    await endClaim(app, tx, { reservation: ended, site }, isOver ? window.to : now, note)
    return null
  })
