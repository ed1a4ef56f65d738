// Leases: the Reservation API's view of them.

import { notFound } from '../../core/error.ts'
import type { Lease, LeaseChange, LeaseEvent, Reservation } from '../../core/leases/lease.ts'
import {
  createLease,
  getLease,
  listLeaseHosts,
  listLeases,
  removeLease,
  updateLease,
} from '../../core/leases/leases.ts'
import type { Page } from '../../core/page.ts'
import { listOf } from '../pieces.ts'
import { isUuid, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { viewDate, viewTimes } from './dates.ts'
import { viewLeaseHosts } from './hosts.ts'
import { parseChange, parseLease } from './lease-body.ts'
import { parseLeaseQuery } from './lease-query.ts'
import { regionOf } from './view.ts'

/** A lease with the fields of both today's API and the seed's, so that clients of either find theirs. */
const viewFields = (lease: Lease) => ({
  ...viewTimes(lease),
  id: lease.id,
  name: lease.name,
  user_id: lease.userId,
  project_id: lease.projectId,
  start_date: viewDate(lease.startAt),
  end_date: viewDate(lease.endAt),
  // Leases have no Keystone trust: Atoll acts with its own user's rights.
  trust_id: null,
  status: lease.status,
  status_reason: lease.statusReason,
  action: lease.action,
  degraded: lease.degraded,
  reservations: lease.reservations.map(reservation => viewReservation(lease, reservation)),
  events: lease.events.map(event => viewEvent(lease, event)),
})

const viewReservation = (lease: Lease, reservation: Reservation) => ({
  ...viewTimes(reservation),
  id: reservation.id,
  lease_id: lease.id,
  resource_id: reservation.id,
  resource_type: reservation.kind,
  status: reservation.status,
  missing_resources: reservation.missingResources,
  resources_changed: reservation.resourcesChanged,
  hypervisor_properties: reservation.hypervisorProperties,
  resource_properties: reservation.resourceProperties,
  before_end: reservation.beforeEnd,
  min: reservation.min,
  max: reservation.max,
  region: reservation.regionName,
})

const viewEvent = (lease: Lease, event: LeaseEvent) => ({
  ...viewTimes(event),
  id: event.id,
  lease_id: lease.id,
  event_type: event.type,
  time: viewDate(event.at),
  status: event.status,
})

const viewLease = (lease: Lease) => ({ lease: viewFields(lease) })

function viewLeases({ items, more }: Page<Lease>, request: Request) {
  return listOf('leases', items, viewFields, more ? { leases_links: [nextOf(items, request)] } : {})
}

/** The link to the next page: the same query with the last lease as marker. */
function nextOf(items: readonly Lease[], { query, applicationUrl }: Request) {
  const asked = [...query].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]))
  const parameters = new URLSearchParams(asked)
  parameters.set('marker', items.at(-1)!.id)
  return { rel: 'next', href: `${applicationUrl}/leases?${parameters}` }
}

const viewNothing = () => undefined

function parseLeaseRef(request: Request): { id: string; region: string | null } {
  const { id = '' } = request.params
  if (!isUuid(id)) throw notFound(`Object with {'lease_id': '${id}'} not found`, 'no_lease')
  return { id, region: regionOf(request) }
}

const parseLeaseChange = (request: Request): LeaseChange => ({
  ...parseLeaseRef(request),
  ...parseChange(request),
})

const ruled = (action: string) => ({
  rule: `blazar:leases:${action}`,
  denied: `Policy doesn't allow blazar:leases:${action} to be performed`,
})

export interface LeaseRouteOptions {
  /** The most rows that a page has. */
  readonly pageLimit: number
  readonly created: number
  readonly changed: number
}

export const leaseRoutes = ({ pageLimit, created, changed }: LeaseRouteOptions): readonly Route[] => [
  route({
    ...ruled('get'),
    method: 'GET',
    path: '/leases',
    parse: parseLeaseQuery(pageLimit),
    verb: listLeases,
    view: viewLeases,
  }),
  route({
    ...ruled('post'),
    method: 'POST',
    path: '/leases',
    status: created,
    parse: parseLease,
    verb: createLease,
    view: viewLease,
  }),
  route({
    ...ruled('get'),
    method: 'GET',
    path: '/leases/:id',
    parse: parseLeaseRef,
    verb: getLease,
    view: viewLease,
  }),
  route({
    ...ruled('put'),
    method: 'PUT',
    path: '/leases/:id',
    status: changed,
    parse: parseLeaseChange,
    verb: updateLease,
    view: viewLease,
  }),
  route({
    ...ruled('delete'),
    method: 'DELETE',
    path: '/leases/:id',
    status: 204,
    parse: parseLeaseRef,
    verb: removeLease,
    view: viewNothing,
  }),
  route({
    ...ruled('get_hosts'),
    method: 'GET',
    path: '/leases/:id/hosts',
    parse: parseLeaseRef,
    verb: listLeaseHosts,
    view: viewLeaseHosts,
  }),
]
