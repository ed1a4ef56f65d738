// The ledger of capacity over time: its words, its port, and the one question of whether something still fits.
//
// Supply is posted to accounts, claims hold parts of it over windows of time, and a transaction that would leave less
// than nothing at any instant is refused whole. Core decides; the store measures and appends.

import type { Filter } from '../filter/filter.ts'
import type { Note } from '../note.ts'

/** Half-open, `to` not included. */
export interface Window {
  readonly from: Date
  readonly to: Date
}

/** The instant that means "without an end". */
export const forever = new Date('9999-12-31T00:00:00Z')

/**
 * The supply of TENANCY that a host has: a hold of the whole host takes all of it, a hold of a share takes 1.
 */
export const wholeHost = 1_000_000

/** General capacity is what promises are made of, reservable capacity is that of enrolled hosts. */
export type ScopeName = 'general' | 'reservable'

export type Origin = 'discovered' | 'enrolment' | 'increase' | 'decrease' | 'maintenance' | 'failure'

/** An amount of a class that an account has more (or less) of for a while; never edited, only compensated. */
export interface SupplyPosting {
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly window: Window
  readonly origin: Origin
}

/** The amount that a claim takes of a scope or budget. */
export interface Hold {
  /** The reservation (or other part of the claim) that the hold is for. */
  readonly line: string
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly window: Window
}

/** The part of a host that a claim takes: all of it, or a share beside others. */
export interface HostHold {
  readonly line: string
  readonly host: number
  readonly window: Window
  readonly whole: boolean
}

/** An amount that exists without a hold on that account. */
export interface Usage {
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly window: Window
  /** The server (or other cause) of the usage: one usage a class of an account. */
  readonly consumer: string
  /**
   * True for usage that is there whether it fits or not: servers found in a region, instances that outlive
   * their claim.
   */
  readonly imposed?: boolean
}

/** How many reservations and instances a budget may have: its supply of TENANCY, of which each holds or takes 1. */
export const anyNumber = 1_000_000_000_000

/** The class under which a budget's steps say what of a class is held: its level is the sum of all holds, below 0. */
export const heldClass = (name: string): string => `held:${name}`

export interface Claim {
  readonly id: string
  readonly projectId: string
  readonly kind: 'lease' | 'promise'
  readonly window: Window
}

/** How much of a class is available on an account over a window. */
export interface Question {
  readonly account: number
  readonly class: string
  readonly window: Window
}

export interface Level {
  /** The least that is available at any instant of the window. */
  readonly lowest: number
  /** The first instant at which it is that low. */
  readonly at: Date
}

export interface HostSearch {
  readonly regionId: string
  readonly filter: Filter
  readonly window: Window
  readonly most: number
  /** Taken before others, when they are free and match. */
  readonly preferred: readonly number[]
  /** Never taken: hosts that other parts of the same claim have. */
  readonly without: readonly number[]
}

/** The reads and writes of the ledger within one transaction. */
export interface Ledger {
  /** Locks these accounts until the end of the transaction. */
  lock(accounts: readonly number[]): Promise<void>
  /** The accounts of a region's scopes; made when they are first asked for. */
  scope(regionId: string, scope: ScopeName): Promise<number>
  /** The levels, in the order of the questions. */
  levels(questions: readonly Question[]): Promise<Level[]>
  /** Hosts that match and are free for the whole window: the preferred ones first, then by id. */
  freeHosts(search: HostSearch): Promise<number[]>
  /** A new host's account, free from `from` on. */
  addHost(regionId: string, from: Date): Promise<number>
  /** A new budget's account, still without supply. */
  addBudget(from: Date): Promise<number>
  /** Ends a host's account from now on; its past stays. */
  closeHost(host: number, at: Date): Promise<void>
  post(postings: readonly SupplyPosting[], note: Note): Promise<void>
  /**
   * Writes a claim with its holds. Throws `conflict` (`host_taken`) when another claim holds a host: the
   * constraint behind the search for free hosts.
   */
  claim(claim: Claim, holds: readonly Hold[], hosts: readonly HostHold[], note: Note): Promise<void>
  /** Takes back a claim's holds, from an instant on or altogether. */
  release(claim: string, note: Note, from?: Date): Promise<void>
  /** Writes usage: amounts that exist without a hold. */
  use(usage: readonly Usage[], note: Note): Promise<void>
  /** Ends the usage of these consumers on all accounts, from an instant on. The accounts must be locked. */
  endUse(consumers: readonly string[], at: Date, note: Note): Promise<void>
  /** Keeps the ended usage of these consumers under another name, so that they may have usage anew. */
  archiveUse(consumers: readonly string[], at: Date): Promise<void>
  /** The first instant at or after `from` and before `to` at which so much is available; null when there is none. */
  firstWith(question: Question, amount: number): Promise<Date | null>
  /** The holds on an account's class at an instant, by claim. */
  holdsAt(account: number, className: string, at: Date): Promise<readonly HeldBy[]>
  /** The usage of an account's class at an instant. */
  usedAt(account: number, className: string, at: Date): Promise<number>
  /** The claims that have holds on an account (or a host) at some instant of the window. */
  claimsOn(account: number, window: Window): Promise<string[]>
}

export interface HeldBy {
  readonly claim: string
  readonly amount: number
  readonly window: Window
}

export interface Shortage extends Question {
  readonly asked: number
  readonly available: number
  readonly at: Date
}

/**
 * The first line that does not fit; null when all of them fit. The levels are those of the lines, in their
 * order; lines on one class of one account have one window.
 */
export function admit(lines: readonly Hold[], levels: readonly Level[]): Shortage | null {
  const taken = new Map<string, number>()
  for (const [index, line] of lines.entries()) {
    const key = `${line.account} ${line.class}`
    const before = taken.get(key) ?? 0
    const { lowest, at } = levels[index]!
    if (lowest - before < line.amount) {
      const { account, class: name, window, amount } = line
      return { account, class: name, window, asked: amount, available: Math.max(0, lowest - before), at }
    }
    taken.set(key, before + line.amount)
  }
  return null
}
