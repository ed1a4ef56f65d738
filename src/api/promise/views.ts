// How the Promise API shows pools, reservations, instances and providers: records as its data tree has them.

import { type Amounts, amountNames, amountsOf } from '../../core/capacity/amounts.ts'
import type { CollectionKind, CollectionRef } from '../../core/capacity/collections.ts'
import type { Provider } from '../../core/capacity/provider.ts'
import type { InstanceRecord, PoolRecord, ReservationRecord } from '../../core/capacity/records.ts'
import type { Offer } from '../../core/capacity/refusing.ts'
import type { Point } from '../../core/capacity/timeline.ts'
import type { ErrorDetail } from '../../core/error.ts'
import { forever } from '../../core/ledger/ledger.ts'

const types: Readonly<Record<CollectionKind, string>> = {
  pool: 'ResourcePool',
  reservation: 'ResourceReservation',
  instance: 'ResourceAllocation',
}

export const viewRef = ({ kind, id }: CollectionRef): string => `${types[kind]}:${id}`

/** Parses a reference `Type:id` to a collection; null for another type. */
export function refOf(text: string): CollectionRef | null {
  const [type, id] = text.split(':')
  const kind = (Object.keys(types) as CollectionKind[]).find(one => types[one] === type)
  return kind && id ? { kind, id } : null
}

/** All eleven amounts, in the order of the API. */
export const viewAmounts = (amounts: Partial<Amounts>): Amounts =>
  amountsOf(Object.fromEntries(amountNames.map(name => [name, amounts[name] ?? 0])))

export const viewPoint = ({ at, count, amounts }: Point) => ({
  timestamp: at.toISOString(),
  count,
  capacity: viewAmounts(amounts),
})

/** The fields that every record of the data tree has. */
const common = (id: string, amounts: Partial<Amounts>) => ({
  id,
  enabled: true,
  protected: false,
  visibility: 'user',
  tags: [],
  members: [],
  progress: 0,
  capacity: viewAmounts(amounts),
})

const times = (from: Date, to: Date | null, isActive: boolean) => ({
  start: from.toISOString(),
  ...(to === null || to >= forever ? {} : { end: to.toISOString() }),
  active: isActive,
})

export const viewPool = ({ pool, isActive }: PoolRecord) => ({
  ...common(pool.id, pool.amounts),
  ...times(pool.window.from, pool.window.to, isActive),
  source: pool.source,
  elements: pool.elements,
})

export const viewReservation = (record: ReservationRecord) => {
  const { reservation } = record
  return {
    ...common(reservation.id, reservation.amounts),
    elements: reservation.elements,
    ...times(reservation.window.from, reservation.window.to, record.isActive),
    'created-on': reservation.createdAt.toISOString(),
    'modified-on': reservation.updatedAt.toISOString(),
    pools: record.pools,
    allocations: record.instances,
    remaining: viewAmounts(record.remaining),
    provider: reservation.providerId,
    zone: reservation.zone,
    guarantee: 'aggregate',
    'at-risk': reservation.atRisk,
  }
}

export const viewInstance = ({ instance, priority, isActive }: InstanceRecord) => ({
  ...common(instance.id, instance.amounts),
  elements: [],
  ...times(instance.createdAt, instance.endedAt, isActive),
  ...(instance.reservationId === null ? {} : { reservation: instance.reservationId }),
  priority,
  'instance-ref': {
    provider: instance.providerId,
    ...(instance.serverId === null ? {} : { server: instance.serverId }),
  },
  name: instance.name,
  status: instance.status,
  ...(instance.reason === null ? {} : { 'status-reason': instance.reason }),
})

/** A provider. Only admins see its endpoint and errors; others see flavors and limits. */
export const viewProvider = (provider: Provider, isAdmin: boolean) => ({
  ...common(provider.id, provider.limits),
  name: provider.name,
  elements: [],
  services: {
    compute: {
      ...(isAdmin ? { endpoint: provider.login.endpoint } : {}),
      flavors: provider.flavors.map(({ id, name, diskGb, memoryMb, vcpus }) => ({
        id,
        name,
        disk: diskGb,
        ram: memoryMb,
        vcpus,
      })),
    },
  },
  pools: [],
  region: provider.login.region,
  guarantee: provider.regionId === null ? 'budget' : 'aggregate',
  ...(isAdmin
    ? { 'refreshed-on': provider.refreshedAt.toISOString(), 'last-error': provider.lastError }
    : {}),
})

/** The details of a refusal: the claims in the way, or what is available and the next window. */
export function viewRefusal({ claims, offer }: ErrorDetail): object {
  const { available, next } = (offer ?? {}) as Partial<Offer>
  if (!available) return claims ? { claims } : {}
  return {
    available: viewAmounts(available),
    'next-window': next ? { start: next.from.toISOString(), end: next.to.toISOString() } : null,
  }
}
