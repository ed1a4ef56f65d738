// Random histories of a small ledger: what happens, as data, and one store that lives through it.

import { randomUUID } from 'node:crypto'
import { AppError } from '../../src/core/error.ts'
import {
  admit,
  type Claim,
  forever,
  type Hold,
  type Ledger,
  type Question,
  type Window,
} from '../../src/core/ledger/ledger.ts'
import { postSupply } from '../../src/core/ledger/supply.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { parseFilter } from '../../src/core/reservations/filter.ts'
import { findHosts, type HostsAsked, NotEnoughHosts } from '../../src/core/reservations/physical-host.ts'
import { pick } from '../worker/wait.ts'
import { hostOf, type LedgerStore, note, regionNamed, tenancy } from './stores.ts'

const firstDay = Date.UTC(2027, 0, 1)
const quarterDay = 6 * 3_600_000

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

export type Step =
  | {
      readonly does: 'claim'
      readonly claim: string
      readonly window: Window
      readonly parts: readonly PartWanted[]
      readonly cores: readonly CoresWanted[]
    }
  | { readonly does: 'release'; readonly claim: string; readonly from: Date | null }
  | { readonly does: 'go down' | 'come up'; readonly host: number }
  | { readonly does: 'fail' | 'leave'; readonly host: number; readonly at: Date }
  | {
      readonly does: 'post'
      readonly region: 0 | 1
      readonly scope: 'general' | 'reservable'
      readonly amount: number
      readonly window: Window
      readonly force: boolean
    }

/** The regions of the hosts of every history. */
const hostRegions = [0, 0, 0, 1, 1] as const

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
  const claim = (): string => (claims.length === 0 ? randomUUID() : pick(claims, chance))
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
    create() {
      claims.push(randomUUID())
      return wanted(claims.at(-1)!)
    },
    update: () => wanted(claim()),
    remove: () => ({ does: 'release', claim: claim(), from: null }),
    cut: () => ({ does: 'release', claim: claim(), from: instant(0, 44) }),
    down: () => ({ does: pick(['go down', 'come up', 'come up'] as const, chance), host: whole(5) }),
    gone: () => ({ does: pick(['fail', 'leave'] as const, chance), host: whole(5), at: instant() }),
    post: () => ({
      does: 'post',
      region: region(),
      scope: pick(['general', 'reservable'] as const, chance),
      amount: (1 + whole(3)) * (chance() < 0.5 ? 1 : -1),
      window: window(),
      force: chance() < 0.2,
    }),
  }
  const often = { create: 10, update: 6, remove: 4, cut: 3, down: 2, gone: 0.4, post: 4 }
  const names = Object.entries(often).flatMap(([name, times]) => Array(times * 5).fill(name) as string[])
  return Array.from({ length: count }, () => steps[pick(names, chance)]!())
}

/** One store that lives through a history. Hosts are told by their place in it, as ids differ. */
export class Life {
  readonly #store: LedgerStore
  readonly #regions: readonly [Region, Region]
  readonly #mark: string
  readonly #scopes: { general: number; reservable: number }[] = []
  readonly #hosts: number[] = []
  /** The hosts of each reservation of a claim, and how often it was claimed. */
  readonly #has = new Map<string, readonly (readonly number[])[]>()

  private constructor(store: LedgerStore, regions: readonly [Region, Region], mark: string) {
    this.#store = store
    this.#regions = regions
    this.#mark = mark
  }

  /** Two regions, five hosts, what they give to the reservable scopes, and some general capacity. */
  static async begin(store: LedgerStore, mark: string): Promise<Life> {
    const regions = ['A', 'B'].map((name, index) =>
      regionNamed(`${mark}${name}`, new Date(note.at.getTime() + index)),
    ) as [Region, Region]
    const life = new Life(store, regions, mark)
    for (const region of regions) await store.addRegion(region)
    await store.transact(async ledger => {
      const always = { from: new Date(firstDay), to: forever }
      for (const { id } of regions) {
        life.#scopes.push({
          general: await ledger.scope(id, 'general'),
          reservable: await ledger.scope(id, 'reservable'),
        })
      }
      for (const region of hostRegions)
        life.#hosts.push(await ledger.addHost(regions[region].id, always.from))
      const given = life.#scopes.flatMap(({ general, reservable }, index) => [
        tenancy(reservable, hostRegions.filter(region => region === index).length, always),
        { ...tenancy(general, 0, always), class: 'VCPU', amount: 20 },
      ])
      await ledger.lock(given.map(posting => posting.account))
      await ledger.post(given, note)
    })
    for (const [index, id] of life.#hosts.entries()) {
      const capabilities = { history: mark, size: index % 2 === 0 ? 'big' : 'small' }
      await store.insertHost(hostOf({ id, region: regions[hostRegions[index]!], capabilities }))
    }
    return life
  }

  /** What has come of it, in words that are the same in both stores. */
  async live(step: Step): Promise<unknown> {
    try {
      return await this.#do(step)
    } catch (error) {
      if (error instanceof NotEnoughHosts) return { short: error.asked.id, found: error.found }
      if (!(error instanceof AppError)) throw error
      return { refused: error.code, why: error.detail.reason, said: this.#named(error.message) }
    }
  }

  async #do(step: Step): Promise<unknown> {
    switch (step.does) {
      case 'claim':
        return this.#claim(step)
      case 'release':
        return this.#store.transact(async ledger => {
          await this.#lock(ledger)
          await ledger.release(step.claim, note, ...(step.from ? [step.from] : []))
        })
      case 'go down':
      case 'come up':
        return this.#store.changeHost(this.#hosts[step.host]!, { reservable: step.does === 'come up' })
      case 'fail':
      case 'leave':
        return this.#close(step.host, step.at, step.does === 'fail')
      case 'post':
        return this.#post(step)
    }
  }

  async #claim({ claim, window, parts, cores }: Step & { does: 'claim' }): Promise<unknown> {
    const before = this.#has.get(claim) ?? []
    const asked = parts.map<HostsAsked>(({ region, filter, ...part }, index) => ({
      ...part,
      regionId: this.#regions[region].id,
      filter: parseFilter(filter),
      has: before[index] ?? [],
    }))
    const lines = cores.map<Hold>(({ id, region, amount }) => ({
      line: id,
      account: this.#scopes[region]!.general,
      class: 'VCPU',
      amount,
      window,
    }))
    const reservable = new Map(this.#regions.map(({ id }, index) => [id, this.#scopes[index]!.reservable]))
    const hosts = await this.#store.transact(async ledger => {
      await this.#lock(ledger)
      await ledger.release(claim, note)
      const found = await findHosts(ledger, asked, window, reservable)
      const shortage = admit(lines, await ledger.levels(lines))
      if (shortage) throw new AppError('no_capacity', `${shortage.available} at ${shortage.at.toISOString()}`)
      const { holds, hostHolds } = found
      const made: Claim = { id: claim, projectId: 'project', kind: 'lease', window }
      await ledger.claim(made, [...holds, ...lines], hostHolds, note)
      return parts.map(part => found.hosts.get(part.id)!)
    })
    this.#has.set(claim, hosts)
    return hosts.map(ids => ids.map(id => this.#hosts.indexOf(id)))
  }

  /** A host that fails is gone with whatever is held of it; one that leaves must be nobody's. */
  async #close(index: number, at: Date, fails: boolean): Promise<unknown> {
    const host = this.#hosts[index]!
    const { reservable } = this.#scopes[hostRegions[index]!]!
    const inTheWay = await this.#store.transact(async ledger => {
      await this.#lock(ledger)
      const claims = fails ? [] : await ledger.claimsOn(host, { from: at, to: forever })
      if (claims.length > 0) return claims
      await postSupply({ ledger }, [tenancy(reservable, -1, { from: at, to: forever })], note, {
        force: fails,
      })
      await ledger.closeHost(host, at)
      return null
    })
    return inTheWay ?? this.#store.changeHost(host, { state: 'leaving' })
  }

  #post({ region, scope, amount, window, force }: Step & { does: 'post' }): Promise<void> {
    const account = this.#scopes[region]![scope]
    const posting = tenancy(account, amount, window)
    return this.#store.transact(ledger =>
      postSupply(
        { ledger },
        [scope === 'general' ? { ...posting, class: 'VCPU', amount: amount * 4 } : posting],
        note,
        { force },
      ),
    )
  }

  #lock(ledger: Ledger): Promise<void> {
    return ledger.lock(this.#scopes.flatMap(({ general, reservable }) => [general, reservable]))
  }

  #named(text: string): string {
    const accounts = this.#scopes.flatMap(({ general, reservable }) => [general, reservable])
    return text.replace(/account (\d+)/, (_, id) => `account no. ${accounts.indexOf(Number(id))}`)
  }

  /** Everything that the store says of these windows. */
  async view(windows: readonly Window[]): Promise<unknown> {
    const questions = this.#scopes.flatMap<Question>(({ general, reservable }) =>
      windows.flatMap(window => [
        { account: general, class: 'VCPU', window },
        { account: reservable, class: 'TENANCY', window },
      ]),
    )
    const [levels, claims] = await this.#store.transact(async ledger => [
      await ledger.levels(questions),
      await Promise.all(
        [...this.#hosts, ...this.#scopes.map(scope => scope.reservable)].map(account =>
          ledger.claimsOn(account, windows[0]!),
        ),
      ),
    ])
    const gaps = []
    for (const host of this.#hosts) gaps.push(await this.#store.gaps(host))
    return { levels, claims, gaps, slots: await this.#slots(), available: await this.#available(windows) }
  }

  get #own() {
    return parseFilter(`["==", "$history", "${this.#mark}"]`)
  }

  async #slots(): Promise<unknown[]> {
    const slots: unknown[] = []
    for (const hosts of [1, 2, 3]) {
      for (const [index, notBefore] of [0, 5, 17].entries()) {
        const search = {
          filter: this.#own,
          hosts,
          lengthMs: [quarterDay, 5 * quarterDay, 9 * quarterDay + 1][(hosts + index) % 3]!,
          notBefore: new Date(firstDay + notBefore * quarterDay),
          notAfter: new Date(firstDay + 60 * quarterDay),
          region: [null, this.#regions[0].name, this.#regions[1].name][index]!,
        }
        slots.push(await this.#store.capacity.earliestHosts(search))
      }
    }
    return slots
  }

  async #available(windows: readonly Window[]): Promise<unknown[]> {
    const series: unknown[] = []
    for (const window of windows.slice(0, 3)) {
      const query = { window, filter: this.#own, region: null }
      series.push(await this.#store.capacity.availability(query, 1000))
    }
    return series
  }
}

export const viewed: readonly Window[] = Array.from({ length: 12 }, (_, index) => ({
  from: new Date(firstDay + ((index * 7) % 30) * quarterDay),
  to: index % 4 === 0 ? forever : new Date(firstDay + (((index * 7) % 30) + 1 + index) * quarterDay + index),
}))
