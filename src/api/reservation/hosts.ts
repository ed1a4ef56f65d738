// Hosts that are enrolled for reservations, their allocations and properties: the Reservation API's view of them.

import { notFound } from '../../core/error.ts'
import { enrolHost, removeHost } from '../../core/hosts/enrolment.ts'
import type { Host, HostAllocations, HostProperty } from '../../core/hosts/host.ts'
import {
  getAllocations,
  getHost,
  listAllocations,
  listHostProperties,
  listHosts,
  setHostProperty,
  updateHost,
} from '../../core/hosts/hosts.ts'
import { listOf } from '../pieces.ts'
import { isUuid, type Request, singlesOf } from '../request.ts'
import { type Route, route } from '../route.ts'
import { viewDate, viewTimes } from './dates.ts'
import { parseCapabilities, parseHost, parsePrivate } from './host-body.ts'
import { regionOf } from './view.ts'

/**
 * The fields of a host that the holder of a lease may see. Ids are decimal, by which clients tell them from
 * names.
 */
const viewPublic = (host: Host) => ({
  ...viewTimes(host),
  id: String(host.id),
  vcpus: host.vcpus,
  cpu_info: host.cpuInfo,
  hypervisor_type: host.hypervisorType,
  hypervisor_version: host.hypervisorVersion,
  hypervisor_hostname: host.hypervisorHostname,
  service_name: host.serviceName,
  memory_mb: host.memoryMb,
  local_gb: host.localGb,
  status: null,
  availability_zone: host.availabilityZone,
  trust_id: null,
  reservable: host.reservable,
  region: host.regionName,
})

const viewFields = (host: Host) => ({ ...viewPublic(host), ...host.capabilities })

const viewHost = (host: Host) => ({ host: viewFields(host) })
const viewHosts = (hosts: readonly Host[]) => listOf('hosts', hosts, viewFields)
export const viewLeaseHosts = (hosts: readonly Host[]) => listOf('hosts', hosts, viewPublic)

/** Today's clients look under `host`, those of the seed beside it (003:2004). */
const viewUpdatedHost = (host: Host) => ({ ...viewFields(host), host: viewFields(host) })

const viewNothing = () => undefined

const viewHostAllocations = ({ hostId, allocations }: HostAllocations) => ({
  resource_id: String(hostId),
  reservations: allocations.map(({ reservationId, leaseId, startAt, endAt }) => ({
    id: reservationId,
    lease_id: leaseId,
    start_date: viewDate(startAt),
    end_date: viewDate(endAt),
  })),
})
const viewAllocation = (allocations: HostAllocations) => ({ allocation: viewHostAllocations(allocations) })
const viewAllocations = (all: readonly HostAllocations[]) => listOf('allocations', all, viewHostAllocations)

function viewProperties(properties: readonly HostProperty[], { query }: Request) {
  const isDetailed = isSet(query, 'detail')
  return {
    resource_properties: properties.map(({ name, private: isPrivate, values }) => ({
      property: name,
      ...(isDetailed ? { private: isPrivate, values } : {}),
    })),
  }
}

const viewProperty = (property: HostProperty) => ({
  resource_property: {
    created_at: viewDate(property.createdAt),
    updated_at: property.updatedAt && viewDate(property.updatedAt),
    id: property.id,
    resource_type: 'physical:host',
    property_name: property.name,
    private: property.private,
  },
})

/** Whether a flag is in the query: any text but an empty one sets it, even `False`, as in the original. */
const isSet = (query: Request['query'], name: 'detail' | 'all'): boolean =>
  (singlesOf(query, [name])[name] ?? '') !== ''

const parseScope = (request: Request) => ({ region: regionOf(request) })

function parseHostRef(request: Request): { id: number; region: string | null } {
  const { id = '' } = request.params
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notFound(`Object with {'host_id': '${id}'} not found`, 'no_host')
  return { id: Number(id), region: regionOf(request) }
}

const parseHostChange = (request: Request) => ({
  ...parseHostRef(request),
  capabilities: parseCapabilities(request),
})

/** An id that no lease or reservation has, for a text that is no UUID: nothing is allocated to it. */
const noId = '00000000-0000-0000-0000-000000000000'
const idOr = (text: string): string => (isUuid(text) ? text : noId)

function parseAllocationFilter(request: Request) {
  const { lease_id, reservation_id } = singlesOf(request.query, ['lease_id', 'reservation_id'])
  return {
    region: regionOf(request),
    ...(lease_id === undefined ? {} : { leaseId: idOr(lease_id) }),
    ...(reservation_id === undefined ? {} : { reservationId: idOr(reservation_id) }),
  }
}

const parseHostAllocations = (request: Request) => ({
  ...parseAllocationFilter(request),
  ...parseHostRef(request),
})

const parsePropertyQuery = ({ query }: Request) => ({ all: isSet(query, 'all') })

function parsePropertyChange(request: Request): { name: string; private: boolean } {
  const { name = '' } = request.params
  // PostgreSQL stores no text with a NUL, so no property can have this name.
  if (name.includes('\0')) throw notFound('Resource property with a NUL character not found', 'no_property')
  return { name, private: parsePrivate(request) }
}

const ruled = (action: string) => ({
  rule: `blazar:oshosts:${action}`,
  denied: `Policy doesn't allow blazar:oshosts:${action} to be performed`,
})

export interface HostRouteOptions {
  readonly created: number
  readonly changed: number
}

export const hostRoutes = ({ created, changed }: HostRouteOptions): readonly Route[] => [
  route({
    ...ruled('get'),
    method: 'GET',
    path: '/os-hosts',
    parse: parseScope,
    verb: listHosts,
    view: viewHosts,
  }),
  route({
    ...ruled('post'),
    method: 'POST',
    path: '/os-hosts',
    status: created,
    parse: parseHost,
    verb: enrolHost,
    view: viewHost,
  }),
  route({
    ...ruled('get'),
    method: 'GET',
    path: '/os-hosts/:id',
    parse: parseHostRef,
    verb: getHost,
    view: viewHost,
  }),
  route({
    ...ruled('put'),
    method: 'PUT',
    path: '/os-hosts/:id',
    status: changed,
    parse: parseHostChange,
    verb: updateHost,
    view: viewUpdatedHost,
  }),
  route({
    ...ruled('delete'),
    method: 'DELETE',
    path: '/os-hosts/:id',
    status: 204,
    parse: parseHostRef,
    verb: removeHost,
    view: viewNothing,
  }),
  ...allocationRoutes(),
  ...propertyRoutes(),
]

const allocationRoutes = (): Route[] => [
  route({
    ...ruled('get_allocations'),
    method: 'GET',
    path: '/os-hosts/allocations',
    parse: parseAllocationFilter,
    verb: listAllocations,
    view: viewAllocations,
  }),
  route({
    ...ruled('get_allocations'),
    method: 'GET',
    path: '/os-hosts/:id/allocation',
    parse: parseHostAllocations,
    verb: getAllocations,
    view: viewAllocation,
  }),
]

const propertyRoutes = (): Route[] => [
  route({
    ...ruled('get_resource_properties'),
    method: 'GET',
    path: '/os-hosts/properties',
    parse: parsePropertyQuery,
    verb: listHostProperties,
    view: viewProperties,
  }),
  route({
    ...ruled('update_resource_properties'),
    method: 'PATCH',
    path: '/os-hosts/properties/:name',
    parse: parsePropertyChange,
    verb: setHostProperty,
    view: viewProperty,
  }),
]
