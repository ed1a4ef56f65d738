// Regions, scopes, hosts and claims for the contract of the ledger, in a few words each.

import { randomUUID } from 'node:crypto'
import { parseFilter } from '../../src/core/filter/filter.ts'
import {
  type Claim,
  forever,
  type HostHold,
  type HostSearch,
  type Ledger,
  type Level,
  type Window,
} from '../../src/core/ledger/ledger.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { type HostSpec, hostOf, type LedgerStore, note, regionNamed, tenancy } from './stores.ts'

export const all = parseFilter('')

/** January 2027, at an hour and a minute (UTC). */
export const on = (day: number, hour = 0, minute = 0): Date => new Date(Date.UTC(2027, 0, day, hour, minute))
export const window = (from: Date, to: Date): Window => ({ from, to })
export const always = window(on(1), forever)

export const claimOf = (during: Window): Claim => ({
  id: randomUUID(),
  projectId: 'project',
  kind: 'lease',
  window: during,
})

export let store: LedgerStore

/** The store that all of these speak to from now on. */
export function speakTo(opened: LedgerStore): void {
  store = opened
}

let made = 0

export async function newRegion(): Promise<Region> {
  made += 1
  const region = regionNamed(`Pod${made}`, new Date(note.at.getTime() + made))
  await store.addRegion(region)
  return region
}

export const transact = <T>(work: (ledger: Ledger) => Promise<T>): Promise<T> => store.transact(work)

/** A reservable scope, of a region of its own. */
export async function newScope(): Promise<number> {
  const { id } = await newRegion()
  return transact(ledger => ledger.scope(id, 'reservable'))
}

/** A host that is free from the beginning of the month. */
export async function newHost(region: Region, spec: Partial<HostSpec> = {}): Promise<number> {
  const id = await transact(ledger => ledger.addHost(region.id, on(1)))
  await store.insertHost(hostOf({ region, ...spec, id }))
  return id
}

export const post = (...postings: Parameters<typeof tenancy>[]) =>
  transact(async ledger => {
    await ledger.lock(postings.map(([account]) => account))
    await ledger.post(
      postings.map(one => tenancy(...one)),
      note,
    )
  })

/** How many whole hosts' worth an account has, over a window. */
export async function level(account: number, during: Window): Promise<Level> {
  const [found] = await transact(ledger => ledger.levels([{ account, class: 'TENANCY', window: during }]))
  return { lowest: found!.lowest / 1_000_000, at: found!.at }
}

/** Holds so many hosts' worth of a scope, without any host; returns the claim's id. */
export async function hold(account: number, hosts: number, during: Window): Promise<string> {
  const claim = claimOf(during)
  const { amount } = tenancy(account, hosts, during)
  await transact(async ledger => {
    await ledger.lock([account])
    const line = randomUUID()
    await ledger.claim(claim, [{ line, account, class: 'TENANCY', amount, window: during }], [], note)
  })
  return claim.id
}

export type Held = Partial<Pick<HostHold, 'whole' | 'line'>> & { readonly id?: string }

/** Holds hosts; returns the claim's id. */
export async function take(hosts: readonly number[], during: Window, { whole = true, ...more }: Held = {}) {
  const claim = { ...claimOf(during), ...(more.id ? { id: more.id } : {}) }
  const line = randomUUID()
  await transact(ledger =>
    ledger.claim(
      claim,
      [],
      hosts.map(host => ({ line, host, window: during, whole })),
      note,
    ),
  )
  return claim.id
}

export const release = (claim: string, from?: Date) => transact(ledger => ledger.release(claim, note, from))

export const search = (region: Region, during: Window, more: Partial<HostSearch> = {}): Promise<number[]> =>
  transact(ledger =>
    ledger.freeHosts({
      regionId: region.id,
      filter: all,
      window: during,
      most: 100,
      preferred: [],
      without: [],
      ...more,
    }),
  )
