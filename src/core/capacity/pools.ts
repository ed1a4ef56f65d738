// The verbs of pools: the budget of a provider grows and shrinks, always by another pool.

import type { App, Transaction } from '../app.ts'
import type { Caller } from '../caller.ts'
import { AppError, invalid, notFound } from '../error.ts'
import { forever, type SupplyPosting } from '../ledger/ledger.ts'
import { postSupply } from '../ledger/supply.ts'
import { noteOf } from '../note.ts'
import {
  type Amounts,
  amountClasses,
  amountNames,
  amountsOf,
  isNothing,
  minus,
  noAmounts,
} from './amounts.ts'
import { checkElements } from './elements.ts'
import type { Pool } from './pool.ts'
import { noProvider, type Provider } from './provider.ts'
import { siteIn } from './reservation-life.ts'
import { reviewRisk } from './risk.ts'
import { lockSite } from './site.ts'

export interface PoolAsk {
  /** The provider or pool that the budget belongs to: its id, and how the request wrote it. */
  readonly source: { readonly id: string; readonly text: string }
  readonly start: Date | null
  /** Null: without an end. */
  readonly end: Date | null
  /** The amounts, none below 0 even for a decrease. */
  readonly amounts: Partial<Amounts>
  readonly elements: readonly string[]
}

/** Lets more be promised. Throws `invalid`, `not_found` (`no_source`). */
export const increaseCapacity = (app: App, caller: Caller, ask: PoolAsk): Promise<Pool> =>
  postPool(app, caller, ask, { sign: 1, force: false })

/**
 * Lets less be promised. Throws as `increaseCapacity`, and `conflict` (`supply_is_held`) with the
 * reservations that need it; with `force` the decrease is recorded as a loss, and those reservations are at
 * risk.
 */
export const decreaseCapacity = (
  app: App,
  caller: Caller,
  { force, ...ask }: PoolAsk & { readonly force: boolean },
): Promise<Pool> => postPool(app, caller, ask, { sign: -1, force })

async function postPool(
  app: App,
  caller: Caller,
  { source, start, end, amounts, elements }: PoolAsk,
  { sign, force }: { sign: 1 | -1; force: boolean },
): Promise<Pool> {
  const given = amountsOf(amounts)
  if (isNothing(given)) throw invalid('unable to save pool record without any capacity values', 'nothing')
  const now = app.now()
  const window = { from: start ?? now, to: end ?? forever }
  if (window.from >= window.to) throw invalid('requested start time must be earlier than end time', 'window')
  if (window.to <= now)
    throw invalid(`requested end time ${window.to.toISOString()} cannot be in the past`, 'window')
  await checkElements(app, caller, elements)
  const provider = await sourceOf(app, source.id)
  const note = noteOf(app, caller, sign > 0 ? 'pool.increase' : 'pool.decrease')
  const pool: Pool = {
    id: app.newId(),
    providerId: provider.id,
    source: source.text,
    amounts: sign > 0 ? given : minus(noAmounts, given),
    window,
    elements,
    createdAt: now,
  }
  return app.store.transact(async tx => {
    const site = await siteIn(tx, provider.id)
    if (!site) throw noProvider(provider.id)
    await lockSite(tx, site)
    await postSupply(tx, postingsOf(provider, pool), note, { force }).catch(async error => {
      throw await inWords(tx, error)
    })
    await tx.pools.insert(pool, note)
    await reviewRisk(app, tx, site, note)
    return pool
  })
}

/**
 * The refusal of a decrease in words of this API: it names the reservations that need the supply, in order of
 * creation, and no account.
 */
async function inWords(tx: Transaction, error: unknown): Promise<unknown> {
  if (!(error instanceof AppError) || error.detail.reason !== 'supply_is_held') return error
  const found = await tx.capacityReservations.getMany(error.detail.claims ?? [])
  const claims = found.map(({ id }) => id)
  const why = claims.length > 0 ? `needed by ${claims.join(', ')}` : 'more than there is'
  const detail = { ...error.detail, claims }
  return new AppError('conflict', `requested decrease is ${why}; force records it as a loss`, detail)
}

const postingsOf = ({ budget }: Provider, { amounts, window }: Pool): SupplyPosting[] =>
  amountNames
    .filter(name => amounts[name] !== 0)
    .map(name => ({
      account: budget,
      class: amountClasses[name],
      amount: amounts[name],
      window,
      origin: amounts[name] > 0 ? 'increase' : 'decrease',
    }))

/** The provider of this id, or that of the pool of this id. Throws `not_found`. */
async function sourceOf(app: App, id: string): Promise<Provider> {
  const [pool] = await app.store.pools.getMany([id])
  const provider = await app.store.providers.get(pool?.providerId ?? id)
  if (!provider) throw notFound('no provider or pool found for specified source', 'no_source')
  return provider
}
