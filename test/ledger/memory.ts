// The ledger, slow and obvious: lists of what was posted and held, and every question answered by looking at every
// instant at which anything changes. What PostgreSQL says must be what this says.

import type { CapacityStore } from '../../src/core/capacity/capacity.ts'
import { conflict } from '../../src/core/error.ts'
import { type Filter, matches } from '../../src/core/filter/filter.ts'
import type { Host } from '../../src/core/hosts/host.ts'
import { hostValue } from '../../src/core/hosts/properties.ts'
import {
  anyNumber,
  type Claim,
  forever,
  type HeldBy,
  type Hold,
  type HostHold,
  type HostSearch,
  type Ledger,
  type Level,
  type Question,
  type ScopeName,
  type SupplyPosting,
  type Usage,
  type Window,
  wholeHost,
} from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { capacityOf, inOrder, overlaps, sum, within } from './memory-capacity.ts'

interface Account {
  readonly id: number
  readonly kind: 'scope' | 'host' | 'budget'
  readonly regionId: string | null
  readonly scope: ScopeName | null
}

type Owned<T> = T & { readonly claim: string }

/** What is true. It is replaced and never changed in place, so that a transaction is undone by forgetting it. */
interface State {
  readonly accounts: readonly Account[]
  readonly supply: readonly SupplyPosting[]
  readonly claims: readonly Claim[]
  readonly holds: readonly Owned<Hold>[]
  readonly hostHolds: readonly Owned<HostHold>[]
  readonly usage: readonly Usage[]
  readonly hosts: readonly Host[]
  /** Hosts with a server that no lease has. */
  readonly used: readonly number[]
}

const nothing: State = {
  accounts: [],
  supply: [],
  claims: [],
  holds: [],
  hostHolds: [],
  usage: [],
  hosts: [],
  used: [],
}

export class MemoryLedger {
  #state = nothing
  readonly #regions: Region[] = []
  #last: Promise<unknown> = Promise.resolve()

  /** One transaction after the other. */
  transact<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      const before = this.#state
      try {
        return await work(this.#ledger(new Set()))
      } catch (error) {
        this.#state = before
        throw error
      }
    })
    this.#last = mine.catch(() => {})
    return mine
  }

  addRegion(region: Region): void {
    this.#regions.push(region)
  }

  insertHost(host: Host): void {
    this.#set({ hosts: [...this.#state.hosts, host] })
  }

  changeHost(id: number, change: Partial<Pick<Host, 'reservable' | 'state'>>): void {
    this.#set({ hosts: this.#state.hosts.map(host => (host.id === id ? { ...host, ...change } : host)) })
  }

  use(host: number): void {
    this.#set({ used: [...this.#state.used, host] })
  }

  /** When a host is free, as few windows as can be. */
  gaps(host: number): Window[] {
    const instants = this.#instants(host)
    const gaps: Window[] = []
    for (const [index, from] of instants.entries()) {
      const to = instants[index + 1] ?? forever
      if (from >= to || !this.#isFree(host, from)) continue
      const last = gaps.at(-1)
      if (last && last.to.getTime() === from.getTime()) gaps[gaps.length - 1] = { from: last.from, to }
      else gaps.push({ from, to })
    }
    return gaps
  }

  readonly capacity: CapacityStore = capacityOf({
    regions: () => this.#regions,
    matching: (filter, isThere) => this.#matching(filter, isThere),
    gaps: host => this.gaps(host),
    isFree: (host, at) => this.#isFree(host, at),
    isFreeOver: (host, window) => this.#isFreeOver(host, window),
    instants: account => this.#instants(account),
    lowest: question => this.#level(question).lowest,
  })

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change }
  }

  #ledger(locked: Set<number>): Ledger {
    return {
      lock: async accounts => {
        for (const account of accounts) locked.add(account)
      },
      scope: async (regionId, scope) => this.#scope(regionId, scope),
      levels: async questions => questions.map(question => this.#level(question)),
      freeHosts: async search => this.#freeHosts(search),
      addHost: async (regionId, from) => {
        const id = this.#open('host', regionId, null)
        this.#post([tenancyOf(id, wholeHost, from)])
        return id
      },
      addBudget: async from => {
        const id = this.#open('budget', null, null)
        this.#post([{ ...tenancyOf(id, anyNumber, from), origin: 'increase' }])
        return id
      },
      closeHost: async (host, at) => {
        const own = this.#state.supply.filter(one => one.account === host)
        if (own.some(one => one.amount < 0)) return
        const opened = own[0]!.window.from
        this.#post([tenancyOf(host, -wholeHost, at > opened ? at : opened)])
      },
      post: async postings => this.#post(postings),
      claim: async (claim, holds, hosts) => this.#claim(claim, holds, hosts, locked),
      release: async (claim, _note, from = new Date(0)) => this.#release(claim, from),
      use: async usage => this.#use(usage, locked),
      endUse: async (consumers, at) => this.#endUse(consumers, at, locked),
      archiveUse: async (consumers, at) => this.#archiveUse(consumers, at),
      firstWith: async (question, amount) => this.#firstWith(question, amount),
      holdsAt: async (account, name, at) => this.#holdsAt(account, name, at),
      usedAt: async (account, name, at) => this.#usedAt(account, name, at),
      claimsOn: async (account, window) => this.#claimsOn(account, window),
    }
  }

  #scope(regionId: string, scope: ScopeName): number {
    const found = this.#state.accounts.find(one => one.regionId === regionId && one.scope === scope)
    return found?.id ?? this.#open('scope', regionId, scope)
  }

  #open(kind: Account['kind'], regionId: string | null, scope: ScopeName | null): number {
    const id = this.#state.accounts.length + 1
    this.#set({ accounts: [...this.#state.accounts, { id, kind, regionId, scope }] })
    return id
  }

  #post(postings: readonly SupplyPosting[]): void {
    this.#set({ supply: [...this.#state.supply, ...postings] })
  }

  #isA(kind: Account['kind'], account: number): boolean {
    return this.#state.accounts.some(one => one.id === account && one.kind === kind)
  }

  /** What there is of an account's class at an instant, and what is held and used of it. */
  #at(account: number, name: string, at: Date): { supply: number; taken: number } {
    const isIt = (one: { account: number; class: string; window: Window }) =>
      one.account === account && one.class === name && covers(one.window, at)
    const { supply, holds, hostHolds, usage } = this.#state
    const onHost = hostHolds.filter(one => one.host === account && covers(one.window, at))
    const taken = [...holds, ...usage].filter(isIt).map(one => one.amount)
    return {
      supply: sum(supply.filter(isIt).map(one => one.amount)),
      taken: sum([...taken, ...onHost.map(one => (one.whole ? wholeHost : 1))]),
    }
  }

  #levelAt(account: number, name: string, at: Date): number {
    if (this.#isA('budget', account) && name.startsWith('held:'))
      return 0 - sum(this.#holdsAt(account, name.slice('held:'.length), at).map(one => one.amount))
    const { supply, taken } = this.#at(account, name, at)
    return supply - taken
  }

  /** Every instant at which something of an account changes, in order. */
  #instants(account: number): Date[] {
    const { supply, holds, hostHolds, usage } = this.#state
    const windows = [
      ...[...supply, ...holds, ...usage].filter(one => one.account === account),
      ...hostHolds.filter(one => one.host === account),
    ].map(one => one.window)
    return inOrder(windows.flatMap(({ from, to }) => [from, to]))
  }

  /** The level where a window begins, and wherever anything changes within it. */
  #levelsIn({ account, class: name, window }: Question): Level[] {
    return [window.from, ...this.#instants(account).filter(at => within(at, window))].map(at => ({
      lowest: this.#levelAt(account, name, at),
      at,
    }))
  }

  #level(question: Question): Level {
    return this.#levelsIn(question).reduce((low, one) => (one.lowest < low.lowest ? one : low))
  }

  #firstWith(question: Question, amount: number): Date | null {
    return this.#levelsIn(question).find(({ lowest }) => lowest >= amount)?.at ?? null
  }

  #holdsAt(account: number, name: string, at: Date): HeldBy[] {
    return this.#state.holds
      .filter(one => one.account === account && one.class === name && covers(one.window, at))
      .map(({ claim, amount, window }) => ({ claim, amount, window }))
      .toSorted((a, b) => a.window.from.getTime() - b.window.from.getTime() || (a.claim < b.claim ? -1 : 1))
  }

  #usedAt(account: number, name: string, at: Date): number {
    const { usage } = this.#state
    return sum(
      usage
        .filter(one => one.account === account && one.class === name && covers(one.window, at))
        .map(one => one.amount),
    )
  }

  #isFree(host: number, at: Date): boolean {
    const { supply, taken } = this.#at(host, 'TENANCY', at)
    return supply === wholeHost && taken === 0
  }

  #isFreeOver(host: number, window: Window): boolean {
    return [window.from, ...this.#instants(host).filter(at => within(at, window))].every(at =>
      this.#isFree(host, at),
    )
  }

  /** In the order of ids. */
  #matching(filter: Filter, isThere: (host: Host) => boolean): Host[] {
    return this.#state.hosts
      .filter(host => host.state === 'enrolled' && host.reservable && !this.#state.used.includes(host.id))
      .filter(host => isThere(host) && matches(filter, property => hostValue(host, property)))
      .toSorted((a, b) => a.id - b.id)
  }

  #freeHosts({ regionId, filter, window, most, preferred, without }: HostSearch): number[] {
    const free = this.#matching(filter, host => host.regionId === regionId)
      .map(host => host.id)
      .filter(host => !without.includes(host) && this.#isFreeOver(host, window))
    const isPreferred = (host: number): boolean => preferred.includes(host)
    return [...free.filter(isPreferred), ...free.filter(host => !isPreferred(host))].slice(0, most)
  }

  #claim(claim: Claim, holds: readonly Hold[], hosts: readonly HostHold[], locked: Set<number>): void {
    if (holds.some(hold => !locked.has(hold.account))) throw new Error('hold_needs_lock')
    const { claims } = this.#state
    this.#set({ claims: [...claims.filter(({ id }) => id !== claim.id), claim] })
    this.#set({ holds: [...this.#state.holds, ...holds.map(hold => ({ ...hold, claim: claim.id }))] })
    for (const hold of hosts) {
      const isTaken = this.#state.hostHolds.some(
        other =>
          other.host === hold.host && overlaps(other.window, hold.window) && (other.whole || hold.whole),
      )
      if (isTaken) throw conflict('Another reservation has the host', 'host_taken')
      this.#set({ hostHolds: [...this.#state.hostHolds, { ...hold, claim: claim.id }] })
    }
  }

  #release(claim: string, since: Date): void {
    const ended = <T extends Owned<{ window: Window }>>(hold: T): T[] =>
      hold.claim === claim ? endedAt(hold, since) : [hold]
    this.#set({ holds: this.#state.holds.flatMap(ended), hostHolds: this.#state.hostHolds.flatMap(ended) })
  }

  #use(usage: readonly Usage[], locked: Set<number>): void {
    for (const one of usage) {
      if (!this.#isA('host', one.account) && !locked.has(one.account)) throw new Error('usage_needs_lock')
      const isSame = (other: Usage): boolean =>
        other.account === one.account && other.class === one.class && other.consumer === one.consumer
      if (this.#state.usage.some(isSame)) throw new Error('usage_consumer')
      this.#set({ usage: [...this.#state.usage, one] })
    }
  }

  #archiveUse(consumers: readonly string[], at: Date): void {
    const archived = (one: Usage): Usage =>
      consumers.includes(one.consumer) && one.window.to <= at
        ? { ...one, consumer: `${one.consumer} until ${one.window.to.toISOString()}` }
        : one
    this.#set({ usage: this.#state.usage.map(archived) })
  }

  #endUse(consumers: readonly string[], at: Date, locked: Set<number>): void {
    const isEnding = (one: Usage): boolean => consumers.includes(one.consumer) && one.window.to > at
    const ending = this.#state.usage.filter(isEnding)
    if (ending.some(one => !locked.has(one.account))) throw new Error('usage_needs_lock')
    const ended = (one: Usage): Usage[] => (isEnding(one) ? endedAt(one, at) : [one])
    this.#set({ usage: this.#state.usage.flatMap(ended) })
  }

  #claimsOn(account: number, window: Window): string[] {
    const { holds, hostHolds } = this.#state
    const on = [
      ...holds.filter(one => one.account === account),
      ...hostHolds.filter(one => one.host === account),
    ]
    const found = on.filter(one => overlaps(one.window, window)).map(one => one.claim)
    return [...new Set(found)].toSorted()
  }
}

const covers = (window: Window, at: Date): boolean => window.from <= at && at < window.to

/** What is left of something that takes nothing from an instant on. */
function endedAt<T extends { window: Window }>(one: T, since: Date): T[] {
  if (one.window.to <= since) return [one]
  return one.window.from >= since ? [] : [{ ...one, window: { from: one.window.from, to: since } }]
}

const tenancyOf = (account: number, amount: number, from: Date): SupplyPosting => ({
  account,
  class: 'TENANCY',
  amount,
  window: { from, to: forever },
  origin: 'enrolment',
})
