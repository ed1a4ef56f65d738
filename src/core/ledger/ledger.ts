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

/** The one instant that means "without an end". */
export const forever = new Date('9999-12-31T00:00:00Z')

/** The supply of TENANCY that a host has: who has the whole host holds all of it, whoever shares it holds 1. */
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

/** What a claim takes from a scope. */
export interface Hold {
  /** The reservation (or whatever part of the claim) that it is for. */
  readonly line: string
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly window: Window
}

/** What a claim takes of a host: all of it, or a share beside others. */
export interface HostHold {
  readonly line: string
  readonly host: number
  readonly window: Window
  readonly whole: boolean
}

/** What exists and is covered by no hold on that account. */
export interface Usage {
  readonly account: number
  readonly class: string
  readonly amount: number
  readonly window: Window
  /** What takes it: one usage a class of an account. */
  readonly consumer: string
  /** It is there whether there is room for it or not: what is found in a region, what outlives its claim. */
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
  /** Never taken: what else the same claim has. */
  readonly without: readonly number[]
}

/** What the ledger does within one transaction. */
export interface Ledger {
  /** Keeps all others out of these accounts until the end of the transaction. */
  lock(accounts: readonly number[]): Promise<void>
  /** The accounts of a region's scopes; they are made when they are first asked for. */
  scope(regionId: string, scope: ScopeName): Promise<number>
  /** In the order of the questions. */
  levels(questions: readonly Question[]): Promise<Level[]>
  /** Hosts that match and are free for the whole window: the preferred ones first, then by id. */
  freeHosts(search: HostSearch): Promise<number[]>
  /** A new host's account, free from `from` on. */
  addHost(regionId: string, from: Date): Promise<number>
  /** A new account of what may be promised, with nothing to promise yet. */
  addBudget(from: Date): Promise<number>
  /** The host is no more from now on; its past stays. */
  closeHost(host: number, at: Date): Promise<void>
  post(postings: readonly SupplyPosting[], note: Note): Promise<void>
  /** Throws `conflict` (`host_taken`) when a host is held by somebody else: the constraint behind the search. */
  claim(claim: Claim, holds: readonly Hold[], hosts: readonly HostHold[], note: Note): Promise<void>
  /** Takes back what a claim holds, from an instant on or altogether. */
  release(claim: string, note: Note, from?: Date): Promise<void>
  /** Takes what exists without a hold. */
  use(usage: readonly Usage[], note: Note): Promise<void>
  /** These take nothing any more, of any account, from an instant on. The accounts must be locked. */
  endUse(consumers: readonly string[], at: Date, note: Note): Promise<void>
  /** What these have taken and take no more is kept under another name: they may take anew. */
  archiveUse(consumers: readonly string[], at: Date): Promise<void>
  /** The first instant at or after `from` and before `to` at which so much is available; null when there is none. */
  firstWith(question: Question, amount: number): Promise<Date | null>
  /** What holds something of an account's class at an instant. */
  holdsAt(account: number, className: string, at: Date): Promise<readonly HeldBy[]>
  /** How much of an account's class exists without a hold at an instant. */
  usedAt(account: number, className: string, at: Date): Promise<number>
  /** The claims that hold something of an account (or of a host) at some instant of the window. */
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
 * Whether these all fit: null, or the first that does not. The levels are those of the lines, in their order; lines on
 * one class of one account have one window.
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
