// Postings of supply: more is always welcome, less only as far as no claim needs it.

import type { Transaction } from '../app.ts'
import { AppError } from '../error.ts'
import type { Note } from '../note.ts'
import type { Level, Question, SupplyPosting } from './ledger.ts'

export interface PostingOptions {
  /** True for supply that is lost, whether claims need it or not: the posting is recorded as a failure. */
  readonly force?: boolean
}

/** How many claims a refusal names. */
const mostNamed = 10

/**
 * Posts all of this supply or, by its error, none: no instant may be left with less than nothing. Throws
 * `conflict` (`supply_is_held`), which names the claims that need the supply where it is shortest.
 */
export async function postSupply(
  { ledger }: Pick<Transaction, 'ledger'>,
  postings: readonly SupplyPosting[],
  note: Note,
  { force = false }: PostingOptions = {},
): Promise<void> {
  await ledger.lock([...new Set(postings.map(posting => posting.account))])
  const taken = postings.filter(posting => posting.amount < 0)
  const lost = (posting: SupplyPosting): SupplyPosting =>
    taken.includes(posting) ? { ...posting, origin: 'failure' } : posting
  await ledger.post(force ? postings.map(lost) : postings, note)
  if (force) return
  const levels = await ledger.levels(taken)
  const worst = levels.findIndex(level => level.lowest < 0)
  if (worst >= 0) throw await heldBy(ledger, taken[worst]!, levels[worst]!)
}

async function heldBy(
  ledger: Transaction['ledger'],
  { account, class: name }: Question,
  { lowest, at }: Level,
) {
  const claims = await ledger.claimsOn(account, { from: at, to: new Date(at.getTime() + 1) })
  const more = claims.length > mostNamed ? ` and ${claims.length - mostNamed} more` : ''
  const who =
    claims.length === 0 ? 'nobody holds it, there is no more' : claims.slice(0, mostNamed).join(', ') + more
  return new AppError(
    'conflict',
    `That takes ${-lowest} ${name} more than account ${account} can spare at ${at.toISOString()}. In the way: ${who}`,
    { reason: 'supply_is_held', claims: claims.slice(0, mostNamed) },
  )
}
