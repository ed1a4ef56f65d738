// The reservations at risk when there is less supply than was promised. The shortage counts against servers
// without a reservation first; then reservations that have not begun are at risk, the newest first, and at
// last those that have begun.

import type { App, Transaction } from '../app.ts'
import type { Question, Window } from '../ledger/ledger.ts'
import { forever } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'
import { type AmountName, amountClasses, amountNames } from './amounts.ts'
import type { CapacityReservation } from './capacity-reservation.ts'
import type { Site } from './site.ts'

/** How many instants of shortage are looked at, of one class of one account. */
const mostInstants = 200

/**
 * Marks the reservations that are at risk at a site, and takes the mark from those that are not any more.
 * The accounts are locked.
 */
export async function reviewRisk(
  app: Pick<App, 'now'>,
  tx: Transaction,
  site: Site,
  note: Note,
): Promise<void> {
  const now = app.now()
  const questions = questionsOf(site, { from: now, to: forever })
  const levels = await tx.ledger.levels(questions)
  const atRisk = new Map<string, CapacityReservation>()
  for (const [index, question] of questions.entries()) {
    if (levels[index]!.lowest < 0) await markShort(tx, question, atRisk, now)
  }
  const marked = await tx.capacityReservations.atRiskOn(site.provider.id)
  const fresh = [...atRisk.values()].filter(one => !one.atRisk)
  const safe = marked.filter(({ id }) => !atRisk.has(id))
  const ids = (reservations: readonly CapacityReservation[]) => reservations.map(({ id }) => id)
  await tx.capacityReservations.setAtRisk(ids(fresh), true, { ...note, action: 'reservation.at_risk' })
  await tx.capacityReservations.setAtRisk(ids(safe), false, { ...note, action: 'reservation.safe' })
}

function questionsOf({ provider, scope }: Site, window: Window): Question[] {
  const of = (account: number, names: readonly AmountName[]) =>
    names.map(name => ({ account, class: amountClasses[name], window }))
  return [...of(provider.budget, amountNames), ...(scope === null ? [] : of(scope, ['cores', 'ram']))]
}

/**
 * As `reviewRisk`, after amounts were given back: that puts no further reservation at risk, so it is needed
 * only where some are marked.
 */
export async function reviewMarked(
  app: Pick<App, 'now'>,
  tx: Transaction,
  site: Site,
  note: Note,
): Promise<void> {
  if ((await tx.capacityReservations.atRiskOn(site.provider.id)).length > 0)
    await reviewRisk(app, tx, site, note)
}

/**
 * Marks the reservations of a shortage: at the instant at which the level is lowest, then at the lowest on
 * both sides of it, and so on.
 */
async function markShort(
  tx: Transaction,
  question: Question,
  atRisk: Map<string, CapacityReservation>,
  now: Date,
): Promise<void> {
  const open = [question.window]
  for (let instant = 0; open.length > 0 && instant < mostInstants; instant++) {
    const window = open.pop()!
    const [level] = await tx.ledger.levels([{ ...question, window }])
    const { lowest, at } = level!
    if (lowest >= 0) continue
    await markAt(tx, question, { at, missing: -lowest }, atRisk, now)
    if (window.from < at) open.push({ from: window.from, to: at })
    const after = await tx.ledger.firstWith({ ...question, window: { from: at, to: window.to } }, lowest + 1)
    if (after) open.push({ from: after, to: window.to })
  }
}

async function markAt(
  tx: Transaction,
  { account, class: className }: Question,
  { at, missing }: { at: Date; missing: number },
  atRisk: Map<string, CapacityReservation>,
  now: Date,
): Promise<void> {
  const holders = await tx.ledger.holdsAt(account, className, at)
  const amounts = new Map<string, number>()
  for (const { claim, amount } of holders) amounts.set(claim, (amounts.get(claim) ?? 0) + amount)
  const reservations = await tx.capacityReservations.getMany([...amounts.keys()])
  let left = missing - (await tx.ledger.usedAt(account, className, at))
  for (const { id } of reservations) if (atRisk.has(id)) left -= amounts.get(id)!
  const isBegun = ({ window }: CapacityReservation): number => (window.from <= now ? 1 : 0)
  const order = reservations.toSorted(
    (a, b) => isBegun(a) - isBegun(b) || b.createdAt.getTime() - a.createdAt.getTime(),
  )
  for (const reservation of order) {
    if (left <= 0) return
    if (atRisk.has(reservation.id)) continue
    atRisk.set(reservation.id, reservation)
    left -= amounts.get(reservation.id)!
  }
}
