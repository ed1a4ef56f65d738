// The general capacity of each region at this moment: in all, promised, used beside promises, and available.

import type { App, Transaction } from '../app.ts'
import type { Caller } from '../caller.ts'
import { notFound } from '../error.ts'
import { isCentral, type Region } from '../regions/region.ts'

export interface NfviAmounts {
  readonly total: number
  readonly reserved: number
  readonly allocated: number
  readonly available: number
}

export interface NfviCapacity {
  readonly region: Region
  readonly at: Date
  /** By class: VCPU and MEMORY_MB. */
  readonly capacity: Readonly<Record<string, NfviAmounts>>
}

const classes = ['VCPU', 'MEMORY_MB']

/** The capacities of all regions that are not central, in their order. */
export const listNfviCapacities = async (
  app: Pick<App, 'now' | 'store'>,
  _caller: Caller,
): Promise<NfviCapacity[]> => capacitiesOf(app, await regionsOf(app))

/** The capacity of a region, by its id or name. Throws `not_found`. */
export async function getNfviCapacity(
  app: Pick<App, 'now' | 'store'>,
  _caller: Caller,
  idOrName: string,
): Promise<NfviCapacity> {
  const found = (await regionsOf(app)).filter(({ id, name }) => id === idOrName || name === idOrName)
  if (found.length === 0) throw notFound(`there is no VIM ${idOrName}`, 'no_region')
  return (await capacitiesOf(app, found.slice(0, 1)))[0]!
}

const regionsOf = async (app: Pick<App, 'store'>): Promise<Region[]> =>
  (await app.store.regions.list()).filter(region => !isCentral(region))

function capacitiesOf(app: Pick<App, 'now' | 'store'>, regions: readonly Region[]): Promise<NfviCapacity[]> {
  const at = app.now()
  return app.store.transact(async tx => {
    const all: NfviCapacity[] = []
    for (const region of regions) {
      const scope = await tx.ledger.scope(region.id, 'general')
      all.push({ region, at, capacity: await amountsAt(tx, scope, at) })
    }
    return all
  })
}

async function amountsAt(
  { ledger }: Transaction,
  account: number,
  at: Date,
): Promise<NfviCapacity['capacity']> {
  const window = { from: at, to: new Date(at.getTime() + 1) }
  const levels = await ledger.levels(classes.map(name => ({ account, class: name, window })))
  const amounts: Record<string, NfviAmounts> = {}
  for (const [index, name] of classes.entries()) {
    const held = await ledger.holdsAt(account, name, at)
    const reserved = held.reduce((sum, { amount }) => sum + amount, 0)
    const allocated = await ledger.usedAt(account, name, at)
    const available = levels[index]!.lowest
    const total = available + reserved + allocated
    amounts[name] = { total, reserved, allocated, available: Math.max(0, available) }
  }
  return amounts
}
