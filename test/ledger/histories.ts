// One store that lives through a random history of a small ledger.

import { AppError } from '../../src/core/error.ts'
import { parseFilter } from '../../src/core/filter/filter.ts'
import { findHosts, type HostsAsked, NotEnoughHosts } from '../../src/core/leases/physical-host.ts'
import {
  admit,
  type Claim,
  forever,
  type Hold,
  heldClass,
  type Ledger,
  type Question,
  type Window,
} from '../../src/core/ledger/ledger.ts'
import { postSupply } from '../../src/core/ledger/supply.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { firstDay, hostRegions, quarterDay, type Step } from './history-steps.ts'
import { hostOf, type LedgerStore, note, regionNamed, tenancy } from './stores.ts'

/** One store that lives through a history. Hosts are told by their place in it, as ids differ. */
export class Life {
  readonly #store: LedgerStore
  readonly #regions: readonly [Region, Region]
  readonly #mark: string
  readonly #accounts: Record<'general' | 'reservable' | 'budget', number>[] = []
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
        life.#accounts.push({
          general: await ledger.scope(id, 'general'),
          reservable: await ledger.scope(id, 'reservable'),
          budget: await ledger.addBudget(always.from),
        })
      }
      for (const region of hostRegions)
        life.#hosts.push(await ledger.addHost(regions[region].id, always.from))
      const given = life.#accounts.flatMap(({ general, reservable, budget }, index) => [
        { ...tenancy(budget, 0, always), class: 'VCPU', amount: 25 },
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
      case 'promise':
        return this.#promise(step)
      case 'use':
        return this.#use(step)
      case 'end use':
        return this.#store.transact(async ledger => {
          await this.#lock(ledger)
          await ledger.endUse(step.consumers, step.at, note)
        })
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
      account: this.#accounts[region]!.general,
      class: 'VCPU',
      amount,
      window,
    }))
    const reservable = new Map(this.#regions.map(({ id }, index) => [id, this.#accounts[index]!.reservable]))
    const hosts = await this.#store.transact(async ledger => {
      await this.#lock(ledger)
      await ledger.release(claim, note)
      const found = await findHosts(ledger, asked, window, reservable)
      await this.#admit(ledger, lines)
      const { holds, hostHolds } = found
      const made: Claim = { id: claim, projectId: 'project', kind: 'lease', window }
      await ledger.claim(made, [...holds, ...lines], hostHolds, note)
      return parts.map(part => found.hosts.get(part.id)!)
    })
    this.#has.set(claim, hosts)
    return hosts.map(ids => ids.map(id => this.#hosts.indexOf(id)))
  }

  async #admit(ledger: Ledger, lines: readonly Hold[]): Promise<void> {
    const shortage = admit(lines, await ledger.levels(lines))
    if (!shortage) return
    const { available, at } = shortage
    throw new AppError('no_capacity', `${available} at ${at.toISOString()} on account ${shortage.account}`)
  }

  /** Of a budget, and of what its region has: so many cores, and one of any number. */
  #lines(line: string, region: 0 | 1, cores: number, window: Window): Hold[] {
    const { budget, general } = this.#accounts[region]!
    const held = { line, class: 'VCPU', amount: cores, window }
    return [
      { ...held, account: budget },
      { ...held, account: general },
      { ...held, account: budget, class: 'TENANCY', amount: 1 },
    ]
  }

  #promise({ claim, window, parts }: Step & { does: 'promise' }): Promise<void> {
    const lines = parts.flatMap(({ region, cores }) => this.#lines(claim, region, cores, window))
    return this.#store.transact(async ledger => {
      await this.#lock(ledger)
      await ledger.release(claim, note)
      await this.#admit(ledger, lines)
      await ledger.claim({ id: claim, projectId: 'project', kind: 'promise', window }, lines, [], note)
    })
  }

  #use({ consumer, region, cores, window, isFound }: Step & { does: 'use' }): Promise<void> {
    const lines = this.#lines(consumer, region, cores, window)
    return this.#store.transact(async ledger => {
      await this.#lock(ledger)
      if (!isFound) await this.#admit(ledger, lines)
      await ledger.use(
        lines.map(({ line: _, ...taken }) => ({ ...taken, consumer })),
        note,
      )
    })
  }

  /** A host that fails is gone with whatever is held of it; one that leaves must be nobody's. */
  async #close(index: number, at: Date, fails: boolean): Promise<unknown> {
    const host = this.#hosts[index]!
    const { reservable } = this.#accounts[hostRegions[index]!]!
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
    const account = this.#accounts[region]![scope]
    const posting = tenancy(account, amount, window)
    return this.#store.transact(ledger =>
      postSupply(
        { ledger },
        [scope !== 'reservable' ? { ...posting, class: 'VCPU', amount: amount * 4 } : posting],
        note,
        { force },
      ),
    )
  }

  #lock(ledger: Ledger): Promise<void> {
    return ledger.lock(this.#everyAccount)
  }

  get #everyAccount(): number[] {
    return this.#accounts.flatMap(({ general, reservable, budget }) => [general, reservable, budget])
  }

  #named(text: string): string {
    return text.replace(/account (\d+)/, (_, id) => `account no. ${this.#everyAccount.indexOf(Number(id))}`)
  }

  /** Everything that the store says of these windows. */
  async view(windows: readonly Window[]): Promise<unknown> {
    const questions = this.#accounts.flatMap<Question>(({ general, reservable, budget }) =>
      windows.flatMap((window, index) => [
        { account: general, class: 'VCPU', window },
        { account: reservable, class: 'TENANCY', window },
        { account: budget, class: ['VCPU', heldClass('VCPU'), 'TENANCY'][index % 3]!, window },
      ]),
    )
    const [levels, claims] = await this.#store.transact(async ledger => [
      await ledger.levels(questions),
      await Promise.all(
        [...this.#hosts, ...this.#everyAccount].map(account => ledger.claimsOn(account, windows[0]!)),
      ),
    ])
    const gaps = []
    for (const host of this.#hosts) gaps.push(await this.#store.gaps(host))
    const [slots, available] = [await this.#slots(), await this.#available(windows)]
    const some = questions.filter((_, index) => index % 5 === 0)
    const [first, holds] = [await this.#first(some), await this.#holds(windows.slice(0, 4))]
    return { levels, claims, gaps, slots, available, first, holds, series: await this.#series(windows) }
  }

  /** When there is as much as there is now and then. */
  #first(questions: readonly Question[]): Promise<unknown[]> {
    return this.#store.transact(async ledger => {
      const found: unknown[] = []
      for (const [index, question] of questions.entries()) {
        const amount = question.class === 'VCPU' ? [1, 6, 13, 22, 30][index % 5]! : index % 3
        found.push(await ledger.firstWith(question, amount))
      }
      return found
    })
  }

  #holds(windows: readonly Window[]): Promise<unknown[]> {
    return this.#store.transact(async ledger => {
      const found: unknown[] = []
      for (const { from } of windows)
        for (const { general, budget } of this.#accounts)
          for (const account of [general, budget]) found.push(await ledger.holdsAt(account, 'VCPU', from))
      return found
    })
  }

  /** At every change, and in parts, of hours and of days. */
  async #series(windows: readonly Window[]): Promise<unknown[]> {
    const series: unknown[] = []
    const longer = { from: new Date(firstDay + quarterDay), to: new Date(firstDay + 46 * quarterDay + 1) }
    for (const [index, window] of [...windows.slice(0, 6), longer, longer].entries()) {
      const places = this.#accounts.slice(0, 1 + (index % 2))
      const accounts = places.flatMap(({ general, budget }) =>
        index % 3 === 0 ? [general] : [general, budget],
      )
      const classes = ['VCPU', heldClass('VCPU'), 'TENANCY'].slice(0, 1 + (index % 3))
      const points = [1000, 1 + (index % 4), 5 + index, 3 + (index % 5)][index % 4]!
      series.push(await this.#store.capacity.series({ accounts, classes, window, points }))
    }
    return series
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
