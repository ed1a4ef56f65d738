// Records of pools, reservations and instances: with the fields that follow from others at this moment.

import type { App } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { grouped } from '../grouped.ts'
import { type Amounts, minus, noAmounts, plus } from './amounts.ts'
import { heldOver } from './availability.ts'
import type { CapacityReservation } from './capacity-reservation.ts'
import { maySee, noReservation } from './capacity-reservations.ts'
import type { CollectionFilter, CollectionKind } from './collections.ts'
import type { Instance } from './instance.ts'
import { getInstance, remainingOf } from './instances.ts'
import type { Pool } from './pool.ts'
import type { Provider } from './provider.ts'
import { sightOf } from './query.ts'
import { available } from './refusing.ts'
import { sitesOf } from './site.ts'

export interface Page {
  readonly limit: number
  /** The id that the page before ended with. */
  readonly marker: string | null
}

export interface PoolRecord {
  readonly pool: Pool
  readonly isActive: boolean
}

export interface ReservationRecord {
  readonly reservation: CapacityReservation
  readonly isActive: boolean
  /** The ids of the pools that its amounts are held of, and of the instances that are drawn on it. */
  readonly pools: readonly string[]
  readonly instances: readonly string[]
  readonly remaining: Amounts
}

/** `low` without a reservation, `normal` with one that is not active, `high` with an active one. */
export type Priority = 'low' | 'normal' | 'high'

export interface InstanceRecord {
  readonly instance: Instance
  readonly isActive: boolean
  readonly priority: Priority
}

export interface Providers {
  readonly providers: readonly Provider[]
  /** Whether the caller may see the providers' logins. */
  readonly isAdmin: boolean
}

const everything: CollectionFilter = {
  kinds: [],
  providerIds: null,
  projectId: null,
  from: null,
  to: null,
  inside: false,
  without: [],
  among: null,
  some: [],
  every: [],
  drawn: null,
}

async function idsOf(
  app: Pick<App, 'store'>,
  caller: Caller,
  kind: CollectionKind,
  { limit, marker }: Page,
): Promise<string[]> {
  const filter = { ...everything, kinds: [kind], projectId: sightOf(caller) }
  const after = marker === null ? null : { kind, id: marker }
  return (await app.store.collections.list(filter, limit, after)).map(({ id }) => id)
}

const isWithin = (now: Date, { from, to }: { from: Date; to: Date }): boolean => from <= now && now < to

export async function listPoolRecords(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  page: Page,
): Promise<PoolRecord[]> {
  const pools = await app.store.pools.getMany(await idsOf(app, caller, 'pool', page))
  return pools.map(pool => ({ pool, isActive: isWithin(app.now(), pool.window) }))
}

export async function listReservationRecords(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  page: Page,
): Promise<ReservationRecord[]> {
  const ids = await idsOf(app, caller, 'reservation', page)
  return recordsOf(app, await app.store.capacityReservations.getMany(ids))
}

/** Throws `not_found`. */
export async function getReservationRecord(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<ReservationRecord> {
  const found = await app.store.capacityReservations.get(id)
  const isThere = found?.state === 'living' || found?.state === 'ended'
  if (!found || !isThere || !maySee(caller, found.projectId)) throw noReservation()
  return (await recordsOf(app, [found]))[0]!
}

async function recordsOf(
  app: Pick<App, 'now' | 'store'>,
  reservations: readonly CapacityReservation[],
): Promise<ReservationRecord[]> {
  const drawn = grouped(
    await app.store.instances.drawnOn(reservations.map(({ id }) => id)),
    instance => instance.reservationId,
  )
  const pools = new Map<string, string[]>()
  for (const providerId of new Set(reservations.flatMap(one => one.providerId ?? []))) {
    const filter = { ...everything, kinds: ['pool'] as const, providerIds: [providerId] }
    pools.set(
      providerId,
      (await app.store.collections.list(filter, mostPools, null)).map(({ id }) => id),
    )
  }
  return reservations.map(reservation => {
    const instances = drawn.get(reservation.id) ?? []
    return {
      reservation,
      isActive: reservation.state === 'living' && isWithin(app.now(), reservation.window),
      pools: pools.get(reservation.providerId ?? '') ?? [],
      instances: instances.map(({ id }) => id),
      remaining: remainingOf(reservation.amounts, instances),
    }
  })
}

/** How many pools a record names. */
const mostPools = 100

export async function listInstanceRecords(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  page: Page,
): Promise<InstanceRecord[]> {
  return instanceRecords(app, await app.store.instances.getMany(await idsOf(app, caller, 'instance', page)))
}

/** Throws `not_found`. */
export async function getInstanceRecord(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<InstanceRecord> {
  return (await instanceRecords(app, [await getInstance(app, caller, id)]))[0]!
}

async function instanceRecords(
  app: Pick<App, 'now' | 'store'>,
  instances: readonly Instance[],
): Promise<InstanceRecord[]> {
  const ids = [...new Set(instances.flatMap(one => one.reservationId ?? []))]
  const reservations = new Map((await app.store.capacityReservations.getMany(ids)).map(one => [one.id, one]))
  return instances.map(instance => {
    const reservation = reservations.get(instance.reservationId ?? '')
    const isActive = reservation !== undefined && isWithin(app.now(), reservation.window)
    return {
      instance,
      isActive: instance.endedAt === null,
      priority: reservation === undefined ? 'low' : isActive ? 'high' : 'normal',
    }
  })
}

export const listProviders = async (app: Pick<App, 'store'>, caller: Caller): Promise<Providers> => ({
  providers: await app.store.providers.list(),
  isAdmin: isAtLeast(caller, 'admin'),
})

export interface CapacityNow {
  readonly total: Amounts
  /** The amounts that are promised and not drawn yet. */
  readonly reserved: Amounts
  readonly usage: Amounts
  readonly available: Amounts
}

/**
 * The capacity at this moment; the reserved and used amounts are those of the caller's project, or all for an
 * admin.
 */
export async function capacityNow(app: Pick<App, 'now' | 'store'>, caller: Caller): Promise<CapacityNow> {
  const now = app.now()
  const window = { from: now, to: new Date(now.getTime() + 1) }
  const sight = sightOf(caller)
  const sum = (kind: CollectionKind, drawn: boolean | null): Promise<Amounts> =>
    app.store.collections.sum({ ...everything, kinds: [kind], projectId: sight, drawn }, now)
  const providers = await app.store.providers.list()
  const [total, usage, drawn] = [
    await sum('pool', null),
    await sum('instance', null),
    await sum('instance', true),
  ]
  const held = sight === null ? await heldOver(app, window, providers, 1) : []
  const promised = sight === null ? (held[0]?.amounts ?? noAmounts) : await sum('reservation', null)
  const sites = await sitesOf(app, providers)
  const free = await app.store.transact(async tx => {
    const each: Amounts[] = []
    for (const site of sites) each.push(await available(tx, site, window))
    return each
  })
  return {
    total,
    reserved: minus(promised, drawn),
    usage,
    available: free.reduce(plus, noAmounts),
  }
}
