// How a reservation of capacity ends: by its end, by nobody having made anything of it, or by a word.

import { type Note, ownNote } from '../note.ts'
import type { App, Transaction } from '../ports.ts'
import { isNothing } from './amounts.ts'
import type { CapacityReservation } from './capacity-reservation.ts'
import { accountsOf, type Place, usageOf } from './placing.ts'
import { reviewMarked, reviewRisk } from './risk.ts'

/** The place of a reservation within a transaction; null where it holds elements only. */
export async function placeIn(tx: Transaction, providerId: string | null): Promise<Place | null> {
  if (providerId === null) return null
  const provider = (await tx.providers.get(providerId))!
  const { regionId } = provider
  return { provider, scope: regionId === null ? null : await tx.ledger.scope(regionId, 'general') }
}

/**
 * Ends what it holds. The instances that were drawn on it are charged by themselves from then on: where that is more
 * than there is, others are at risk. The reservation is locked.
 */
export async function endClaim(
  app: App,
  tx: Transaction,
  ended: CapacityReservation,
  at: Date,
  note: Note,
): Promise<void> {
  const place = await placeIn(tx, ended.providerId)
  const drawn = await tx.instances.drawn(ended.id)
  if (place) {
    await tx.ledger.lock(accountsOf(place))
    await tx.ledger.release(ended.id, note, at)
    await tx.ledger.use(
      drawn.flatMap(({ id, amounts }) => usageOf(place, amounts, at, id)),
      note,
    )
  }
  for (const instance of drawn)
    await tx.instances.replace({ ...instance, reservationId: null, updatedAt: app.now() }, note)
  await tx.capacityReservations.replace(ended, note)
  if (place) await (drawn.length > 0 ? reviewRisk : reviewMarked)(app, tx, place, note)
}

/**
 * What is due for a reservation: its end, or its expiry where nothing was made of it. Returns when to look again; null
 * when there is nothing more to do.
 */
export const runCapacityReservation = (app: App, id: string): Promise<Date | null> =>
  app.store.transact(async tx => {
    const reservation = await tx.capacityReservations.lock(id)
    if (reservation?.state !== 'living') return null
    const now = app.now()
    const { window, amounts } = reservation
    if (now >= window.to) {
      const note = ownNote(app, 'reservation.end')
      await endClaim(app, tx, { ...reservation, state: 'ended', updatedAt: now }, window.to, note)
      return null
    }
    const { expiryMs } = app.promiseRules
    if (expiryMs === null || isNothing(amounts) || (await tx.instances.anyOf(id))) return window.to
    const expiry = new Date(Math.min(window.from.getTime() + expiryMs, window.to.getTime()))
    if (now < expiry) return expiry
    const note = ownNote(app, 'reservation.expire')
    await endClaim(app, tx, { ...reservation, state: 'expired', updatedAt: now }, now, note)
    return null
  })
