// How leases, reservations and events stand in their tables.

import { sql } from 'kysely'
import type { BeforeEnd, EventStatus, Lease, LeaseStatus, ReservationStatus } from '../core/leases/lease.ts'

interface ReservationRow {
  id: string
  lease_id: string
  position: number
  kind: string
  status: string
  min: number
  max: number
  hypervisor_properties: string
  resource_properties: string
  before_end: string
  region_id: string
  missing_resources: boolean
  resources_changed: boolean
  created_at: string
  updated_at: string | null
}

interface EventRow {
  id: string
  lease_id: string
  position: number
  type: string
  at: string
  status: string
  created_at: string
  updated_at: string | null
}

export interface LeaseRow {
  id: string
  name: string
  project_id: string
  user_id: string
  start_at: Date
  end_at: Date
  status: LeaseStatus
  status_reason: string | null
  action: string | null
  degraded: boolean
  version: number
  created_at: Date
  updated_at: Date | null
  reservations: (ReservationRow & { region_name: string; hosts: number[] })[]
  events: EventRow[]
}

/**
 * The columns of reservations and of events, named where rows are written: a newer release may have added
 * others, which have defaults.
 */
export const reservationColumns =
  sql.raw(`id, lease_id, position, kind, status, min, max, hypervisor_properties,
  resource_properties, before_end, region_id, missing_resources, resources_changed, created_at, updated_at`)
export const eventColumns = sql.raw('id, lease_id, position, type, at, status, created_at, updated_at')

/** What a select of leases has to return. */
export const leaseColumns = sql`
  lease.id, lease.name, lease.project_id, lease.user_id, lease.start_at, lease.end_at, lease.status,
  lease.status_reason, lease.action, lease.degraded, lease.version, lease.created_at, lease.updated_at,
  coalesce((
    select jsonb_agg(to_jsonb(reservation) || jsonb_build_object('region_name', region.name, 'hosts', coalesce((
             select jsonb_agg(host_hold.host_id order by host_hold.host_id) from host_hold
             where host_hold.claim_id = lease.id and host_hold.line = reservation.id), '[]'))
           order by reservation.position)
    from reservation join region on region.id = reservation.region_id
    where reservation.lease_id = lease.id), '[]') as reservations,
  coalesce((
    select jsonb_agg(to_jsonb(lease_event) order by lease_event.position)
    from lease_event where lease_event.lease_id = lease.id), '[]') as events`

const time = (text: string | null): Date | null => (text === null ? null : new Date(text))

export const toLease = (row: LeaseRow): Lease => ({
  id: row.id,
  name: row.name,
  projectId: row.project_id,
  userId: row.user_id,
  startAt: row.start_at,
  endAt: row.end_at,
  status: row.status,
  statusReason: row.status_reason,
  action: row.action,
  degraded: row.degraded,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  reservations: row.reservations.map(one => ({
    id: one.id,
    kind: one.kind as 'physical:host',
    status: one.status as ReservationStatus,
    min: one.min,
    max: one.max,
    hypervisorProperties: one.hypervisor_properties,
    resourceProperties: one.resource_properties,
    beforeEnd: one.before_end as BeforeEnd,
    regionId: one.region_id,
    regionName: one.region_name,
    hosts: one.hosts,
    missingResources: one.missing_resources,
    resourcesChanged: one.resources_changed,
    createdAt: new Date(one.created_at),
    updatedAt: time(one.updated_at),
  })),
  events: row.events.map(one => ({
    id: one.id,
    type: one.type,
    at: new Date(one.at),
    status: one.status as EventStatus,
    createdAt: new Date(one.created_at),
    updatedAt: time(one.updated_at),
  })),
})

const text = (at: Date | null): string | null => at?.toISOString() ?? null

export const reservationRows = (lease: Lease): ReservationRow[] =>
  lease.reservations.map((one, position) => ({
    id: one.id,
    lease_id: lease.id,
    position,
    kind: one.kind,
    status: one.status,
    min: one.min,
    max: one.max,
    hypervisor_properties: one.hypervisorProperties,
    resource_properties: one.resourceProperties,
    before_end: one.beforeEnd,
    region_id: one.regionId,
    missing_resources: one.missingResources,
    resources_changed: one.resourcesChanged,
    created_at: one.createdAt.toISOString(),
    updated_at: text(one.updatedAt),
  }))

export const eventRows = (lease: Lease): EventRow[] =>
  lease.events.map((one, position) => ({
    id: one.id,
    lease_id: lease.id,
    position,
    type: one.type,
    at: one.at.toISOString(),
    status: one.status,
    created_at: one.createdAt.toISOString(),
    updated_at: text(one.updatedAt),
  }))
