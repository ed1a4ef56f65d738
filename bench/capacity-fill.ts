// A database with so many living reservations of capacity, written through the store's own append.

import { randomUUID } from 'node:crypto'
import type { Store } from '../src/core/app.ts'
import { type Amounts, amountClasses, amountNames, amountsOf } from '../src/core/capacity/amounts.ts'
import {
  type CapacityReservation,
  capacityReservationKind,
} from '../src/core/capacity/capacity-reservation.ts'
import type { Provider } from '../src/core/capacity/provider.ts'
import { linesOf, type Site } from '../src/core/capacity/site.ts'
import { forever, type SupplyPosting } from '../src/core/ledger/ledger.ts'
import type { Note } from '../src/core/note.ts'
import { capacityReservationWriter } from '../src/store/capacity-reservations.ts'
import { type Db, openDatabase } from '../src/store/database.ts'
import { type ClaimWithHolds, ledgerStore, writeClaims } from '../src/store/ledger.ts'
import { migrate } from '../src/store/migrations.ts'
import { createStore } from '../src/store/store.ts'
import { turnStore } from '../src/store/turns.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** How far ahead reservations are spread. */
const days = 400
/** Of reservations, in hours; short ones are as frequent as long ones by their logarithm. */
const [shortest, longest] = [2, 96]
const projects = 10
const connections = 4
/** Reservations of one transaction, and of one statement: a day's bucket is made anew once for all of them. */
const atOnce = 2000

export interface Size {
  /** One a region: an operator's regions. */
  readonly providers: number
  readonly reservations: number
}

const note = (projectId: string, action: string): Note => ({
  caller: {
    userId: 'bench',
    userName: 'bench',
    projectId,
    projectName: 'bench',
    roles: [],
    requestId: `req-${randomUUID()}`,
  },
  at: new Date(),
  action,
})

/** Fills an empty database; a tenth of the reservations are of the given project. Returns when the first day begins. */
export async function fill(url: string, size: Size, projectId: string): Promise<Date> {
  await migrate(url)
  const database = openDatabase(url, { connections, name: 'fill', onError: () => {} })
  const store = createStore(database.db)
  const start = new Date(Math.ceil(Date.now() / dayMs) * dayMs)
  const places: Site[] = []
  for (let n = 0; n < size.providers; n++) places.push(await addPlace(store, n, start))
  const progress = telling(size)
  const first = Math.ceil(size.reservations / 50)
  await append(database.db, places, { count: first, start, projectId, progress })
  // As autovacuum leaves tables that have been there for a while: before that, plans are those of empty ones.
  await database.pool.query('vacuum analyze')
  await append(database.db, places, { count: size.reservations - first, start, projectId, progress })
  await database.pool.query('vacuum analyze')
  await database.close()
  return start
}

/** A line every so often, for who waits. */
function telling({ providers, reservations }: Size): (count: number) => void {
  const startedAt = Date.now()
  let [done, told] = [0, startedAt]
  return count => {
    done += count
    if (Date.now() - told < 15_000) return
    told = Date.now()
    const rate = Math.round((done * 1000) / (told - startedAt))
    console.error(`  ${done} of ${reservations} reservations of ${providers} providers, ${rate} a second`)
  }
}

/** A region with its general capacity, and a provider of it with a pool: there is room for all. */
async function addPlace(store: Store, n: number, start: Date): Promise<Site> {
  const region = { id: randomUUID(), name: `Region${n}` }
  const zone = { availabilityZone: region.name, localAvailabilityZone: '', dataCenter: '' }
  const createdAt = new Date(start.getTime() - dayMs + n)
  await store.regions.create({ ...region, ...zone, createdAt }, note('bench', 'region.create'))
  const about = note('bench', 'provider.add')
  const all = amountsOf(Object.fromEntries(amountNames.map(name => [name, 1_000_000_000])))
  const window = { from: createdAt, to: forever }
  return store.transact(async tx => {
    const scope = await tx.ledger.scope(region.id, 'general')
    const provider = newProvider(region, await tx.ledger.addBudget(createdAt), createdAt)
    await tx.providers.insert(provider, about)
    await tx.ledger.lock([provider.budget, scope])
    const posting = (
      account: number,
      name: keyof Amounts,
      origin: SupplyPosting['origin'],
    ): SupplyPosting => ({
      account,
      class: amountClasses[name],
      amount: all[name],
      window,
      origin,
    })
    const postings = [
      ...(['cores', 'ram'] as const).map(name => posting(scope, name, 'discovered')),
      ...amountNames.map(name => posting(provider.budget, name, 'increase')),
    ]
    const increase = note('bench', 'pool.increase')
    await tx.ledger.post(postings, increase)
    const pool = { id: randomUUID(), providerId: provider.id, source: provider.id, amounts: all, window }
    await tx.pools.insert({ ...pool, elements: [], createdAt }, increase)
    return { provider, scope }
  })
}

const newProvider = (region: { id: string; name: string }, budget: number, at: Date): Provider => ({
  id: randomUUID(),
  name: region.name,
  login: {
    endpoint: 'http://127.0.0.1:5000/v3',
    username: 'bench',
    userDomain: null,
    project: { id: null, name: 'bench', domain: null },
    region: region.name,
  },
  sealedPassword: '',
  regionId: region.id,
  budget,
  isAdmin: false,
  flavors: [],
  limits: {},
  refreshedAt: at,
  lastError: null,
  suspicion: null,
  createdAt: at,
})

interface Appending {
  readonly count: number
  readonly start: Date
  readonly projectId: string
  readonly progress: (count: number) => void
}

/** So many in all, of all places alike: one transaction a place at a time. */
async function append(db: Db, places: readonly Site[], given: Appending): Promise<void> {
  const { count, start, projectId, progress } = given
  const left = places.map(
    (_, n) => Math.floor((count * (n + 1)) / places.length) - Math.floor((count * n) / places.length),
  )
  const free = [...places.keys()]
  let made = 0
  const worker = async (): Promise<void> => {
    for (let n = free.shift(); n !== undefined; n = free.shift()) {
      const some = Math.min(atOnce, left[n]!)
      const set = Array.from({ length: some }, () =>
        newReservation(
          places[n]!.provider,
          start,
          made++ % projects === 0 ? projectId : `project-${made % projects}`,
        ),
      )
      await db.transaction().execute(trx => appendSet(trx, places[n]!, set))
      left[n]! -= some
      progress(some)
      if (left[n]! > 0) free.push(n)
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
}

/** As each would be made by its own verb, without asking whether there is room. */
async function appendSet(trx: Db, place: Site, set: readonly CapacityReservation[]): Promise<void> {
  const about = note('bench', 'reservation.create')
  await ledgerStore(trx).lock([place.provider.budget, place.scope!])
  const claimings = set.map<ClaimWithHolds>(({ id, projectId, window, amounts }) => ({
    claim: { id, projectId, kind: 'promise', window },
    holds: linesOf(place, amounts, window).map(line => ({ ...line, line: id })),
    hosts: [],
  }))
  await writeClaims(trx, claimings, about)
  await capacityReservationWriter(trx).insert(set, about)
  await turnStore(trx).ask(
    set.map(({ id, window }) => ({ kind: capacityReservationKind, key: id, lane: '', at: window.from })),
  )
}

/** At any instant: nobody keeps to full hours. */
function newReservation(provider: Provider, start: Date, projectId: string): CapacityReservation {
  const from = start.getTime() + Math.floor(Math.random() * days * dayMs)
  const lengthMs = shortest * hourMs * (longest / shortest) ** Math.random()
  const createdAt = new Date()
  return {
    id: randomUUID(),
    projectId,
    userId: 'bench',
    providerId: provider.id,
    window: { from: new Date(from), to: new Date(from + Math.round(lengthMs)) },
    zone: null,
    amounts: amountsOf({ cores: 4, ram: 8192, instances: 2 }),
    elements: [],
    state: 'living',
    atRisk: false,
    createdAt,
    updatedAt: createdAt,
  }
}
