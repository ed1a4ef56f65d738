// What each region has for everybody at this moment: in all, promised, used beside promises, and available.

import type { Caller } from '../caller.ts'
import type { App } from '../ports.ts'
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

/** Of all regions that are not central, in their order. */
export async function listNfviCapacities(app: App, _caller: Caller): Promise<NfviCapacity[]> {
  const at = app.now()
  const window = { from: at, to: new Date(at.getTime() + 1) }
  const regions = (await app.store.regions.list()).filter(region => !isCentral(region))
  return app.store.transact(async tx => {
    const all: NfviCapacity[] = []
    for (const region of regions) {
      const account = await tx.ledger.scope(region.id, 'general')
      const levels = await tx.ledger.levels(classes.map(name => ({ account, class: name, window })))
      const amounts: Record<string, NfviAmounts> = {}
      for (const [index, name] of classes.entries()) {
        const held = await tx.ledger.holdsAt(account, name, at)
        const reserved = held.reduce((sum, { amount }) => sum + amount, 0)
        const allocated = await tx.ledger.usedAt(account, name, at)
        const available = levels[index]!.lowest
        amounts[name] = {
          total: available + reserved + allocated,
          reserved,
          allocated,
          available: Math.max(0, available),
        }
      }
      all.push({ region, at, capacity: amounts })
    }
    return all
  })
}
