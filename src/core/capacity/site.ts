// The site of a promise: a provider's budget and, where its region is known, the region's general scope.
// Which provider has room is measured for all of them at once and decided under the locks of one.

import type { App, Transaction } from '../app.ts'
import { admit, forever, type Hold, type Shortage, type Usage, type Window } from '../ledger/ledger.ts'
import { type AmountName, type Amounts, amountClasses, amountNames } from './amounts.ts'
import { noProvider, type Provider } from './provider.ts'

export interface Site {
  readonly provider: Provider
  /** The general scope of the provider's region; null where that is not known. */
  readonly scope: number | null
}

/** The amounts that hosts have; all others are promised of budgets alone. */
const physical: readonly AmountName[] = ['cores', 'ram']

type Line = Omit<Hold, 'line'>

/** The lines that amounts take of a site, in the order in which refusals name them. */
export function linesOf({ provider, scope }: Site, amounts: Amounts, window: Window): Line[] {
  const on = (account: number, names: readonly AmountName[]): Line[] =>
    names
      .filter(name => amounts[name] > 0)
      .map(name => ({ account, class: amountClasses[name], amount: amounts[name], window }))
  return [
    ...on(provider.budget, amountNames),
    ...(scope === null ? [] : on(scope, physical)),
    { account: provider.budget, class: 'TENANCY', amount: 1, window },
  ]
}

/** The same lines as usage without a hold, from an instant on. */
export const usageOf = (site: Site, amounts: Amounts, from: Date, consumer: string): Usage[] =>
  linesOf(site, amounts, { from, to: forever }).map(line => ({ ...line, consumer }))

export const nameOfClass = (className: string): AmountName =>
  amountNames.find(name => amountClasses[name] === className)!

export const accountsOf = ({ provider, scope }: Site): number[] =>
  scope === null ? [provider.budget] : [provider.budget, scope]

/**
 * Locks a site until the end of the transaction. Sites are locked before reservations, and these before
 * instances that are drawn on them. Throws `not_found` (`no_provider`) when the provider has been removed in
 * the meantime.
 */
export async function lockSite(tx: Pick<Transaction, 'ledger' | 'providers'>, site: Site): Promise<void> {
  await tx.ledger.lock(accountsOf(site))
  const { id } = site.provider
  if (!(await tx.providers.get(id))) throw noProvider(id)
}

/** A site has not as much as a line asks for. */
export class NoRoom extends Error {
  readonly site: Site
  readonly shortage: Shortage

  constructor(site: Site, shortage: Shortage) {
    super(`no room: ${shortage.class}`)
    this.site = site
    this.shortage = shortage
  }
}

/**
 * Refuses lines that do not fit at a site. Where its accounts are not locked, the answer is of this moment
 * only. Throws NoRoom.
 */
export async function checkRoom(
  { ledger }: Pick<Transaction, 'ledger'>,
  site: Site,
  lines: readonly Line[],
): Promise<void> {
  const holds = lines.map(line => ({ ...line, line: '' }))
  const shortage = admit(holds, await ledger.levels(lines))
  if (shortage) throw new NoRoom(site, shortage)
}

/** The sites of providers: with the general scopes of their regions. */
export const sitesOf = (app: Pick<App, 'store'>, providers: readonly Provider[]): Promise<Site[]> =>
  app.store.transact(async tx => {
    const scopes = new Map<string, number>()
    for (const { regionId } of providers) {
      if (regionId !== null && !scopes.has(regionId))
        scopes.set(regionId, await tx.ledger.scope(regionId, 'general'))
    }
    return providers.map(provider => ({
      provider,
      scope: provider.regionId === null ? null : scopes.get(provider.regionId)!,
    }))
  })

/**
 * Does the work at the first of these providers that has room, which is measured before its accounts are
 * locked. Throws NoRoom for the site that has the most of what is short. There is at least one provider.
 */
export async function atFirstWithRoom<T>(
  app: Pick<App, 'store'>,
  providers: readonly Provider[],
  lines: (site: Site) => readonly Line[],
  work: (tx: Transaction, site: Site) => Promise<T>,
): Promise<T> {
  const refusals: NoRoom[] = []
  for (const provider of providers) {
    const [site] = await sitesOf(app, [provider])
    try {
      await app.store.transact(tx => checkRoom(tx, site!, lines(site!)))
      return await app.store.transact(tx => work(tx, site!))
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error
      refusals.push(error)
    }
  }
  throw refusals.toSorted((a, b) => b.shortage.available - a.shortage.available)[0]!
}
