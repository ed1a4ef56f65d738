// How a reservation of capacity ends: at its end, by expiry since no instance was drawn on it, or cancelled.

import type { App, Transaction } from '../app.ts'
import type { Usage } from '../ledger/ledger.ts'
import { type Note, ownNote } from '../note.ts'
import type { CapacityReservation } from './capacity-reservation.ts'
import { lockPlace, type Place, usageOf } from './placing.ts'
import { reviewMarked, reviewRisk } from './risk.ts'
import { expiryOf } from './rules.ts'

/** A provider's place within a transaction; null where there is no such provider. */
export async function placeIn(tx: Transaction, providerId: string | null): Promise<Place | null> {
  const provider = providerId === null ? null : await tx.providers.get(providerId)
  if (!provider) return null
  const { regionId } = provider
  return { provider, scope: regionId === null ? null : await tx.ledger.scope(regionId, 'general') }
}

export interface Held {
  readonly reservation: CapacityReservation
  readonly place: Place | null
}

/** A living reservation and its place, both locked; null when it does not live any more. */
export async function lockHeld(tx: Transaction, id: string): Promise<Held | null> {
  const [seen] = await tx.capacityReservations.getMany([id])
  if (seen?.state !== 'living') return null
  const first = await lockedPlace(tx, seen.providerId)
  const reservation = (await tx.capacityReservations.lock(id))!
  if (reservation.state !== 'living') return null
  // A reservation of elements only may have got amounts, and so a place, before it was locked.
  const isSame = reservation.providerId === seen.providerId
  return { reservation, place: isSame ? first : await lockedPlace(tx, reservation.providerId) }
}

async function lockedPlace(tx: Transaction, providerId: string | null): Promise<Place | null> {
  const place = await placeIn(tx, providerId)
  if (place) await lockPlace(tx, place)
  return place
}

const imposed = (usage: Usage): Usage => ({ ...usage, imposed: true })

/**
 * Ends a reservation's holds and writes the reservation in its new state. The instances that were drawn on it
 * are charged by themselves from then on: where that is more than there is, other reservations are at risk.
 * The reservation and its place are locked.
 */
export async function endClaim(
  app: Pick<App, 'now'>,
  tx: Transaction,
  { reservation: ended, place }: Held,
  at: Date,
  note: Note,
): Promise<void> {
  const drawn = await tx.instances.lockDrawn(ended.id)
  if (place) {
    await tx.ledger.release(ended.id, note, at)
    await tx.ledger.use(
      drawn.flatMap(({ id, amounts }) => usageOf(place, amounts, at, id).map(imposed)),
      note,
    )
  }
  const about = { ...note, action: 'instance.charge' }
  for (const instance of drawn)
    await tx.instances.replace({ ...instance, reservationId: null, updatedAt: app.now() }, about)
  await tx.capacityReservations.replace(ended, note)
  if (place) await (drawn.length > 0 ? reviewRisk : reviewMarked)(app, tx, place, note)
}

/**
 * The turn of a reservation: its end, or its expiry where no instance was drawn on it. Returns when to look
 * again; null when it has ended.
 */
export const runCapacityReservation = (app: App, id: string): Promise<Date | null> =>
  app.store.transact(async tx => {
    const held = await lockHeld(tx, id)
    if (!held) return null
    const { reservation, place } = held
    const { window } = reservation
    const now = app.now()
    const isOver = now >= window.to
    const isUsed = await tx.instances.anyOf(id)
    const due = isUsed ? window.to : expiryOf(app.promiseRules, reservation)
    if (now < due) return due
    const ended = { ...reservation, state: isOver ? 'ended' : 'expired', updatedAt: now } as const
    const note = ownNote(app, isOver ? 'reservation.end' : 'reservation.expire')
    await endClaim(app, tx, { reservation: ended, place }, isOver ? window.to : now, note)
    return null
  })
