// The verbs of reservations of capacity: create, update, cancel. Each is one transaction, or nothing.

import type { App, Transaction } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { AppError, conflict, invalid, notFound } from '../error.ts'
import { type Note, noteOf } from '../note.ts'
import { type Amounts, amountNames, amountsOf, isNothing, noAmounts, plus } from './amounts.ts'
import { type CapacityReservation, capacityReservationKind } from './capacity-reservation.ts'
import { checkElements } from './elements.ts'
import type { Instance } from './instance.ts'
import { providersIn } from './providers.ts'
import { type Refused, refusalIn, refusing } from './refusing.ts'
import { endClaim, lockReservation } from './reservation-life.ts'
import { reviewMarked } from './risk.ts'
import { expiryOf, windowOf } from './rules.ts'
import { atFirstWithRoom, checkRoom, linesOf, lockSite, NoRoom, type Site, sitesOf } from './site.ts'

/** The guarantee of a promise: sums over a region's hosts, or hosts that have been chosen. */
export type Guarantee = 'aggregate' | 'placed'

export interface CapacityReservationAsk {
  /** Null: now. */
  readonly start: Date | null
  /** Null: as late as may be. */
  readonly end: Date | null
  /** Null: anywhere. */
  readonly zone: string | null
  readonly amounts: Partial<Amounts>
  readonly elements: readonly string[]
  readonly guarantee: Guarantee
}

/**
 * Promises capacity. Throws `invalid` (no amount and no element, a window that breaks a rule, an unknown zone
 * or element), `no_capacity` with an offer, `conflict` (`element_reserved`).
 */
export async function createCapacityReservation(
  app: App,
  caller: Caller,
  ask: CapacityReservationAsk,
): Promise<CapacityReservation> {
  checkGuarantee(ask.guarantee)
  const now = app.now()
  const asked: CapacityReservation = {
    id: app.newId(),
    projectId: caller.projectId!,
    userId: caller.userId,
    providerId: null,
    window: windowOf(app.promiseRules, ask, now),
    zone: ask.zone,
    amounts: amountsOf(ask.amounts),
    elements: ask.elements,
    state: 'living',
    atRisk: false,
    createdAt: now,
    updatedAt: now,
  }
  await checkAsked(app, caller, asked)
  const note = noteOf(app, caller, 'reservation.create')
  const write = async (tx: Transaction, reservation: CapacityReservation) => {
    await tx.capacityReservations.insert([reservation], note)
    await askForTurn(app, tx, reservation)
    return reservation
  }
  if (isNothing(asked.amounts)) return app.store.transact(tx => write(tx, asked))
  return somewhere(app, asked, async (tx, site) => {
    const reservation = { ...asked, providerId: site.provider.id }
    await lockSite(tx, site)
    await hold(tx, site, reservation, note)
    return write(tx, reservation)
  })
}

function checkGuarantee(guarantee: Guarantee): void {
  if (guarantee === 'placed')
    throw invalid(
      'guarantee "placed" needs reservations of instances, which are not offered yet: ask for "aggregate"',
      'no_placed',
    )
}

async function checkAsked(app: App, caller: Caller, { amounts, elements }: CapacityReservation) {
  if (isNothing(amounts) && elements.length === 0)
    throw invalid('unable to validate reservation record without anything being reserved', 'nothing_reserved')
  await checkElements(app, caller, elements)
}

/** Does the work at the first provider that has room. Throws `no_capacity`. */
async function somewhere<T>(
  app: App,
  asked: CapacityReservation,
  work: (tx: Transaction, site: Site) => Promise<T>,
): Promise<T> {
  const promised = new Set(await app.store.pools.providersWith(asked.window))
  const providers = (await providersIn(app, asked.zone)).filter(({ id }) => promised.has(id))
  if (providers.length === 0)
    throw new AppError('no_capacity', 'no resource capacity available during requested start/end time', {
      reason: 'no_pool',
    })
  const lines = (site: Site) => linesOf(site, asked.amounts, heldWindow(asked))
  return refusing(app, refusedOf(asked), () => atFirstWithRoom(app, providers, lines, work))
}

const refusedOf = ({ amounts, ...asked }: CapacityReservation): Refused => ({
  amounts,
  window: heldWindow(asked),
  verb: 'requested',
})

/** The window that a reservation holds: without the part that had passed when it was last written. */
const heldWindow = ({ window, updatedAt }: Pick<CapacityReservation, 'window' | 'updatedAt'>) => ({
  from: window.from < updatedAt ? updatedAt : window.from,
  to: window.to,
})

/** Holds a reservation's amounts at a site whose accounts are locked. Throws NoRoom. */
async function hold(
  tx: Transaction,
  site: Site,
  reservation: CapacityReservation,
  note: Note,
): Promise<void> {
  const { id, projectId, amounts } = reservation
  const window = heldWindow(reservation)
  const lines = linesOf(site, amounts, window)
  await checkRoom(tx, site, lines)
  const holds = lines.map(line => ({ ...line, line: id }))
  await tx.ledger.claim({ id, projectId, kind: 'promise', window }, holds, [], note)
}

/** Asks for the reservation's turn: at its end, or when it expires unless an instance was drawn on it. */
async function askForTurn(app: App, tx: Transaction, reservation: CapacityReservation): Promise<void> {
  const at = expiryOf(app.promiseRules, reservation)
  await tx.turns.ask([{ kind: capacityReservationKind, key: reservation.id, lane: '', at }])
}

/** The fields that a change sets; those that are left out stay. */
export interface CapacityReservationChange {
  readonly id: string
  readonly start?: Date
  readonly end?: Date
  readonly zone?: string | null
  readonly amounts: Partial<Amounts>
  readonly elements?: readonly string[]
  readonly guarantee: Guarantee
}

export const noReservation = () => notFound('no reservation found for specified identifier', 'no_reservation')

/** Whether a caller may see what belongs to a project. */
export const maySee = (caller: Caller, projectId: string): boolean =>
  caller.projectId === projectId || isAtLeast(caller, 'admin')

/** A living reservation that the caller may see, locked. Throws `not_found`. */
export async function lockLiving(tx: Transaction, caller: Caller, id: string): Promise<CapacityReservation> {
  const found = await tx.capacityReservations.lock(id)
  if (found?.state !== 'living' || !maySee(caller, found.projectId)) throw noReservation()
  return found
}

/** The reservation had elements only when it was read, and amounts at a provider when it was locked. */
class Moved extends Error {}

/**
 * Changes a reservation, or by its error nothing of it. Throws as `createCapacityReservation`, `not_found`,
 * and `conflict` for less than instances have drawn.
 */
export async function updateCapacityReservation(
  app: App,
  caller: Caller,
  change: CapacityReservationChange,
): Promise<CapacityReservation> {
  checkGuarantee(change.guarantee)
  const before = await app.store.capacityReservations.get(change.id)
  if (before?.state !== 'living' || !maySee(caller, before.projectId)) throw noReservation()
  try {
    return await updateAsSeen(app, caller, before, change)
  } catch (error) {
    // A reservation never leaves its provider, so that this happens once at most.
    if (error instanceof Moved) return updateCapacityReservation(app, caller, change)
    throw error
  }
}

async function updateAsSeen(
  app: App,
  caller: Caller,
  before: CapacityReservation,
  change: CapacityReservationChange,
): Promise<CapacityReservation> {
  const note = noteOf(app, caller, 'reservation.update')
  const asked = changed(app, before, change)
  await checkAsked(app, caller, asked)
  const write = async (tx: Transaction, site: Site | null) => {
    if (site) await lockSite(tx, site)
    const current = await lockLiving(tx, caller, change.id)
    if (current.providerId !== before.providerId) throw new Moved()
    const next = { ...changed(app, current, change), providerId: site?.provider.id ?? null }
    await checkDrawn(app, next, await tx.instances.drawn(next.id))
    if (site) {
      await tx.ledger.release(next.id, note, next.updatedAt)
      if (!isNothing(next.amounts)) await hold(tx, site, next, note)
    }
    await tx.capacityReservations.replace(next, note)
    if (site) await reviewMarked(app, tx, site, note)
    await askForTurn(app, tx, next)
    return next
  }
  if (before.providerId === null) {
    if (isNothing(asked.amounts)) return app.store.transact(tx => write(tx, null))
    return somewhere(app, asked, write)
  }
  const provider = (await providersIn(app, asked.zone)).find(({ id }) => id === before.providerId)
  if (!provider)
    throw invalid(`the reservation is held by a provider that is not in the zone ${asked.zone}`, 'zone')
  const [site] = await sitesOf(app, [provider])
  return app.store.transact(tx =>
    write(tx, site!).catch(async error => {
      // The amounts that the reservation holds itself are part of its offer.
      throw error instanceof NoRoom ? await refusalIn(tx, error, refusedOf(asked)) : error
    }),
  )
}

function changed(
  app: App,
  before: CapacityReservation,
  { start, end, zone, amounts, elements }: CapacityReservationChange,
): CapacityReservation {
  const now = app.now()
  const isMoved = start !== undefined || end !== undefined
  // The reservation has ended, and only its turn has not come yet.
  if (!isMoved && before.window.to <= now) throw noReservation()
  const times = { start: start ?? before.window.from, end: end ?? before.window.to }
  return {
    ...before,
    window: isMoved ? windowOf(app.promiseRules, times, now) : before.window,
    zone: zone === undefined ? before.zone : zone,
    amounts: { ...before.amounts, ...amounts },
    elements: elements ?? before.elements,
    updatedAt: now,
  }
}

/** Refuses a change after which the reservation would not cover the instances drawn on it. */
function checkDrawn(app: App, { amounts, window }: CapacityReservation, drawn: readonly Instance[]): void {
  if (drawn.length === 0) return
  const used = drawn.reduce((sum, instance) => plus(sum, instance.amounts), noAmounts)
  const short = amountNames.find(name => amounts[name] < used[name])
  if (short)
    throw conflict(
      `requested ${short}=${amounts[short]} is less than the ${used[short]} that instances have drawn`,
      'drawn',
    )
  if (window.from > app.now())
    throw conflict('instances have been drawn on it: it cannot begin later than now', 'drawn')
}

/**
 * Cancels a promise. The instances that were drawn on it live on and are charged by themselves. Throws
 * `not_found`.
 */
export async function cancelCapacityReservation(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<void> {
  const note = noteOf(app, caller, 'reservation.cancel')
  await app.store.transact(async tx => {
    const held = await lockReservation(tx, id)
    if (!held || !maySee(caller, held.reservation.projectId)) throw noReservation()
    const now = app.now()
    const cancelled = { ...held.reservation, state: 'cancelled', updatedAt: now } as const
    await endClaim(app, tx, { ...held, reservation: cancelled }, now, note)
  })
}
