// The refusal for want of capacity: which kind is short, where and until when, how much there is, and when
// the request would fit.

import type { App, Transaction } from '../app.ts'
import { AppError } from '../error.ts'
import { forever, type Window } from '../ledger/ledger.ts'
import { type Amounts, amountNames, amountsOf, noAmounts } from './amounts.ts'
import { linesOf, NoRoom, nameOfClass, type Site } from './site.ts'

/** How far ahead a window that fits is looked for. */
const horizonMs = 366 * 86_400_000

/** How many windows are tried in the search for one that fits. */
const mostRounds = 500

/** What the site could promise instead of the refused request. */
export interface Offer {
  /** The most of each kind that the whole window has, each by itself. */
  readonly available: Amounts
  /** The earliest window of the same length that has all of the amounts; null: none within a year. */
  readonly next: Window | null
}

export interface Refused {
  readonly amounts: Amounts
  readonly window: Window
  readonly verb: 'requested' | 'required'
}

/** Turns NoRoom into `no_capacity` with an offer; all other errors stay. */
export async function refusing<T>(
  app: Pick<App, 'store'>,
  asked: Refused,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error
    throw await app.store.transact(tx => refusalIn(tx, error, asked))
  }
}

/**
 * The refusal of a shortage. Holds that the transaction has given back already count as free in its offer.
 */
export async function refusalIn(
  tx: Transaction,
  { site, shortage }: NoRoom,
  { amounts, window, verb }: Refused,
): Promise<AppError> {
  const { account, class: className, asked, available, at } = shortage
  const rest = { account, class: className, window: { from: at, to: window.to } }
  const again = await tx.ledger.firstWith(rest, asked)
  const offer = await offerOf(tx, site, amounts, window)
  const short = `${verb} ${nameOfClass(className)}=${asked} exceeds available ${available}`
  // A refused instance was to start now: its refusal does not say until when the amounts are short.
  const isNow = verb === 'required' && at <= window.from
  const when = ` between ${at.toISOString()} and ${(again ?? window.to).toISOString()}`
  return new AppError('no_capacity', isNow ? short : short + when, { reason: 'no_room', offer })
}

async function offerOf(tx: Transaction, site: Site, amounts: Amounts, window: Window): Promise<Offer> {
  return { available: await available(tx, site, window), next: await nextWindow(tx, site, amounts, window) }
}

/** The lowest level of each kind at a site over a window; never below 0. */
export async function available({ ledger }: Transaction, site: Site, window: Window): Promise<Amounts> {
  const one = amountsOf(Object.fromEntries(amountNames.map(name => [name, 1])))
  const lines = linesOf(site, one, window).filter(line => line.class !== 'TENANCY')
  const levels = await ledger.levels(lines)
  const lowest: Partial<Record<string, number>> = {}
  for (const [index, { class: className }] of lines.entries()) {
    const name = nameOfClass(className)
    const level = Math.max(0, levels[index]!.lowest)
    lowest[name] = Math.min(level, lowest[name] ?? level)
  }
  return { ...noAmounts, ...lowest }
}

/** The earliest window of the same length in which the amounts fit, not before the given one begins. */
async function nextWindow(
  { ledger }: Transaction,
  site: Site,
  amounts: Amounts,
  { from, to }: Window,
): Promise<Window | null> {
  const lengthMs = to.getTime() - from.getTime()
  const horizon = new Date(from.getTime() + horizonMs)
  let start = from
  for (let round = 0; round < mostRounds; round++) {
    const window = { from: start, to: to < forever ? new Date(start.getTime() + lengthMs) : forever }
    const lines = linesOf(site, amounts, window)
    const levels = await ledger.levels(lines)
    const short = lines.findIndex((line, index) => levels[index]!.lowest < line.amount)
    if (short < 0) return window
    const { account, class: className, amount } = lines[short]!
    // Every window that begins earlier has an instant of the shortage in it: the search goes on after that.
    const next = await ledger.firstWith(
      { account, class: className, window: { from: levels[short]!.at, to: horizon } },
      amount,
    )
    if (!next) return null
    start = next
  }
  return null
}
