// The ledger, slow and obvious: lists of what was posted and held, and every question answered by looking at every
// instant at which anything changes. What PostgreSQL says must be what this says.

import type {
  AvailabilityPoint,
  AvailabilityQuery,
  CapacityStore,
  Slot,
  SlotSearch,
} from '../../src/core/capacity/capacity.ts'
import { conflict } from '../../src/core/error.ts'
import { type Host, supplyOf } from '../../src/core/hosts/host.ts'
import { hostValue } from '../../src/core/hosts/properties.ts'
import {
  type Claim,
  forever,
  type Hold,
  type HostHold,
  type HostSearch,
  type Ledger,
  type Level,
  type Question,
  type ScopeName,
  type SupplyPosting,
  type Window,
  wholeHost,
} from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { type Filter, matches } from '../../src/core/reservations/filter.ts'

const overlaps = (a: Window, b: Window): boolean => a.from < b.to && b.from < a.to

interface Account {
  readonly id: number
  readonly regionId: string
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

  readonly capacity: CapacityStore = {
    earliestHosts: async search => this.#earliest(search),
    availability: async (query, most) => {
      const points = this.#availability(query)
      return points.length > most ? null : points
    },
  }

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
        const id = this.#open(regionId, null)
        this.#post([hostSupply(id, wholeHost, from)])
        return id
      },
      closeHost: async (host, at) => {
        const own = this.#state.supply.filter(one => one.account === host)
        if (own.some(one => one.amount < 0)) return
        const opened = own[0]!.window.from
        this.#post([hostSupply(host, -wholeHost, at > opened ? at : opened)])
      },
      post: async postings => this.#post(postings),
      claim: async (claim, holds, hosts) => this.#claim(claim, holds, hosts, locked),
      release: async (claim, _note, from = new Date(0)) => this.#release(claim, from),
      claimsOn: async (account, window) => this.#claimsOn(account, window),
    }
  }

  #scope(regionId: string, scope: ScopeName): number {
    const found = this.#state.accounts.find(one => one.regionId === regionId && one.scope === scope)
    return found?.id ?? this.#open(regionId, scope)
  }

  #open(regionId: string, scope: ScopeName | null): number {
    const id = this.#state.accounts.length + 1
    this.#set({ accounts: [...this.#state.accounts, { id, regionId, scope }] })
    return id
  }

  #post(postings: readonly SupplyPosting[]): void {
    this.#set({ supply: [...this.#state.supply, ...postings] })
  }

  /** What there is of an account's class at an instant, and what is held of it. */
  #at(account: number, name: string, at: Date): { supply: number; held: number } {
    const covers = ({ window }: { window: Window }): boolean => window.from <= at && at < window.to
    const isIt = (one: { account: number; class: string }) => one.account === account && one.class === name
    const supply = sum(this.#state.supply.filter(one => isIt(one) && covers(one)).map(one => one.amount))
    const held = sum(this.#state.holds.filter(one => isIt(one) && covers(one)).map(one => one.amount))
    const onHost = this.#state.hostHolds.filter(one => one.host === account && covers(one))
    return { supply, held: held + sum(onHost.map(one => (one.whole ? wholeHost : 1))) }
  }

  /** Every instant at which something of an account changes, in order. */
  #instants(account: number): Date[] {
    const { supply, holds, hostHolds } = this.#state
    const windows = [
      ...[...supply, ...holds].filter(one => one.account === account),
      ...hostHolds.filter(one => one.host === account),
    ].map(one => one.window)
    return inOrder(windows.flatMap(({ from, to }) => [from, to]))
  }

  #level({ account, class: name, window }: Question): Level {
    const levels = [window.from, ...this.#instants(account).filter(at => within(at, window))].map(at => {
      const { supply, held } = this.#at(account, name, at)
      return { lowest: supply - held, at }
    })
    return levels.reduce((low, one) => (one.lowest < low.lowest ? one : low))
  }

  #isFree(host: number, at: Date): boolean {
    const { supply, held } = this.#at(host, 'TENANCY', at)
    return supply === wholeHost && held === 0
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
    const ended = <T extends Owned<{ window: Window }>>(hold: T): T[] => {
      if (hold.claim !== claim || hold.window.to <= since) return [hold]
      return hold.window.from >= since ? [] : [{ ...hold, window: { from: hold.window.from, to: since } }]
    }
    this.#set({ holds: this.#state.holds.flatMap(ended), hostHolds: this.#state.hostHolds.flatMap(ended) })
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

  #earliest({ hosts, lengthMs, notBefore, notAfter, ...search }: SlotSearch): Slot | null {
    const chances = this.#regions
      .filter(region => search.region === null || region.name === search.region)
      .map(region => ({ region, among: this.#matching(search.filter, host => host.regionId === region.id) }))
    const starts = chances
      .flatMap(({ among }) => among.flatMap(host => this.gaps(host.id)))
      .map(gap => gap.from)
    for (const from of inOrder([notBefore, ...starts.filter(at => at > notBefore)])) {
      const to = new Date(from.getTime() + lengthMs)
      if (to > notAfter) return null
      const found = chances.find(
        ({ among }) => among.filter(host => this.#isFreeOver(host.id, { from, to })).length >= hosts,
      )
      if (found) return { at: from, region: found.region.name }
    }
    return null
  }

  #availability({ window, filter, region }: AvailabilityQuery): AvailabilityPoint[] {
    const hosts = this.#matching(filter, host => region === null || host.regionName === region)
    const gaps = hosts.flatMap(host => this.gaps(host.id).map(gap => ({ host, gap })))
    const ever = gaps.filter(({ gap }) => overlaps(gap, window)).map(({ host }) => host)
    const classes = new Set(ever.flatMap(host => Object.keys(host.inventory)))
    const changes = gaps.flatMap(({ gap }) => [gap.from, gap.to]).filter(at => within(at, window))
    return inOrder([window.from, ...changes]).map(at => {
      const free = hosts.filter(host => this.#isFree(host.id, at))
      const amounts = [...classes].map(name => [name, sum(free.map(host => amountOf(host, name)))] as const)
      return { at, hosts: free.length, amounts: Object.fromEntries(amounts) }
    })
  }
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, one) => total + one, 0)

/** After its beginning, before its end. */
const within = (at: Date, window: Window): boolean => at > window.from && at < window.to

const inOrder = (instants: readonly Date[]): Date[] =>
  [...new Set(instants.map(at => at.getTime()))].toSorted((a, b) => a - b).map(at => new Date(at))

const amountOf = (host: Host, name: string): number => Object.fromEntries(supplyOf(host))[name] ?? 0

const hostSupply = (account: number, amount: number, from: Date): SupplyPosting => ({
  account,
  class: 'TENANCY',
  amount,
  window: { from, to: forever },
  origin: 'enrolment',
})
