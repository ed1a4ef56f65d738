// A random history of a small ledger as data: what happens, step by step.

import { randomUUID } from 'node:crypto'
import { forever, type Window } from '../../src/core/ledger/ledger.ts'
import { pick } from '../chance.ts'

export const firstDay = Date.UTC(2027, 0, 1)
export const quarterDay = 6 * 3_600_000

export interface PartWanted {
  readonly id: string
  /** One of the two regions. */
  readonly region: 0 | 1
  readonly min: number
  readonly max: number
  readonly filter: string
  readonly keepsAll: boolean
}

/** General capacity of a region, beside the hosts. */
export interface CoresWanted {
  readonly id: string
  readonly region: 0 | 1
  readonly amount: number
}

/** A promise in a region: of its budget, and of its general capacity. */
export interface PromiseWanted {
  readonly region: 0 | 1
  readonly cores: number
}

export type Step =
  | {
      readonly does: 'claim'
      readonly claim: string
      readonly window: Window
      readonly parts: readonly PartWanted[]
      readonly cores: readonly CoresWanted[]
    }
  | {
      readonly does: 'promise'
      readonly claim: string
      readonly window: Window
      readonly parts: readonly PromiseWanted[]
    }
  | { readonly does: 'release'; readonly claim: string; readonly from: Date | null }
  | {
      readonly does: 'use'
      readonly consumer: string
      readonly region: 0 | 1
      readonly cores: number
      readonly window: Window
      /** It is there, whether or not there is room for it. */
      readonly isFound: boolean
    }
  | { readonly does: 'end use'; readonly consumers: readonly string[]; readonly at: Date }
  | { readonly does: 'go down' | 'come up'; readonly host: number }
  | { readonly does: 'fail' | 'leave'; readonly host: number; readonly at: Date }
  | {
      readonly does: 'post'
      readonly region: 0 | 1
      readonly scope: 'general' | 'reservable' | 'budget'
      readonly amount: number
      readonly window: Window
      readonly force: boolean
    }

/** The regions of the hosts of every history. */
export const hostRegions = [0, 0, 0, 1, 1] as const

const filters = ['', '', '["==", "$size", "big"]', '["!=", "$size", "big"]', '["==", "$region", "nowhere"]']

/** One history as a generator of its steps. */
export function stepsOf(chance: () => number, count: number): Step[] {
  const whole = (below: number): number => Math.floor(chance() * below)
  const region = (): 0 | 1 => pick([0, 0, 1], chance)
  /** Mostly at quarters of a day, so that windows meet; midnights among them. */
  const instant = (from = 0, below = 32): Date =>
    new Date(firstDay + (from + whole(below)) * quarterDay + (chance() < 0.1 ? whole(3600) * 1000 : 0))
  const window = (): Window => {
    const from = instant()
    const to = chance() < 0.05 ? forever : new Date(from.getTime() + (1 + whole(14)) * quarterDay)
    return { from, to: chance() < 0.1 ? new Date(Math.min(to.getTime() + 1, forever.getTime())) : to }
  }
  const claims: string[] = []
  const promises: string[] = []
  const consumers: string[] = []
  const oneOf = (known: readonly string[]): string =>
    known.length === 0 ? randomUUID() : pick(known, chance)
  const oneMore = (known: string[]): string => {
    known.push(randomUUID())
    return known.at(-1)!
  }
  const promised = (id: string): Step => ({
    does: 'promise',
    claim: id,
    window: window(),
    parts: Array.from({ length: pick([1, 1, 2], chance) }, () => ({ region: region(), cores: 1 + whole(9) })),
  })
  const wanted = (id: string): Step => ({
    does: 'claim',
    claim: id,
    window: window(),
    parts: Array.from({ length: pick([1, 1, 1, 2, 0], chance) }, () => {
      const min = 1 + whole(2)
      const filter = pick(filters, chance)
      return {
        id: randomUUID(),
        region: region(),
        min,
        max: min + whole(2),
        filter,
        keepsAll: chance() < 0.3,
      }
    }),
    cores: Array.from({ length: pick([0, 0, 1, 2], chance) }, () => ({
      id: randomUUID(),
      region: region(),
      amount: 1 + whole(12),
    })),
  })
  const steps: Record<string, () => Step> = {
    create: () => wanted(oneMore(claims)),
    update: () => wanted(oneOf(claims)),
    promise: () => promised(oneMore(promises)),
    change: () => promised(oneOf(promises)),
    remove: () => ({ does: 'release', claim: oneOf([...claims, ...promises]), from: null }),
    cut: () => ({ does: 'release', claim: oneOf([...claims, ...promises]), from: instant(0, 44) }),
    use: () => ({
      does: 'use',
      consumer: oneMore(consumers),
      region: region(),
      cores: 1 + whole(4),
      window: chance() < 0.6 ? { ...window(), to: forever } : window(),
      isFound: chance() < 0.3,
    }),
    endUse: () => ({
      does: 'end use',
      consumers: Array.from({ length: 1 + whole(2) }, () => oneOf(consumers)),
      at: instant(0, 44),
    }),
    down: () => ({ does: pick(['go down', 'come up', 'come up'] as const, chance), host: whole(5) }),
    gone: () => ({ does: pick(['fail', 'leave'] as const, chance), host: whole(5), at: instant() }),
    post: () => ({
      does: 'post',
      region: region(),
      scope: pick(['general', 'reservable', 'budget'] as const, chance),
      amount: (1 + whole(3)) * (chance() < 0.5 ? 1 : -1),
      window: window(),
      force: chance() < 0.2,
    }),
  }
  const leases = { create: 10, update: 6, remove: 5, cut: 4, down: 2, gone: 0.4, post: 5 }
  const often = { ...leases, promise: 5, change: 2, use: 5, endUse: 4 }
  const names = Object.entries(often).flatMap(([name, times]) => Array(times * 5).fill(name) as string[])
  return Array.from({ length: count }, () => steps[pick(names, chance)]!())
}
