// Nova in a region: the servers and hypervisors that are there.
import type { z } from 'zod'
import { count, field, id, instant, many, orNull, reader, type Shape, text } from './fields.ts'
import { followPages } from './paging.ts'
import type { QueryItem, Region } from './region.ts'

/** The oldest microversion that says all of this (Pike); every later Nova speaks it too. */
const microversion = { 'openstack-api-version': 'compute 2.53' }

const server = {
  id: field('id', id),
  name: field('name', text),
  /** `DELETED` in a list by `changedSince`. */
  status: field('status', text),
  projectId: field('tenant_id', id),
  userId: field('user_id', text),
  host: field('OS-EXT-SRV-ATTR:host', orNull(text)),
  availabilityZone: field('OS-EXT-AZ:availability_zone', orNull(text)),
  flavor: field(
    'flavor',
    reader({ vcpus: field('vcpus', count), memoryMb: field('ram', count), diskGb: field('disk', count) }),
  ),
  createdAt: field('created', instant),
  updatedAt: field('updated', instant),
}
export type Server = Shape<typeof server>

const hypervisor = {
  id: field('id', id),
  hostname: field('hypervisor_hostname', text),
  state: field('state', text),
  status: field('status', text),
  vcpus: field('vcpus', count),
  memoryMb: field('memory_mb', count),
  diskGb: field('local_gb', count),
}
export type Hypervisor = Shape<typeof hypervisor>

/**
 * The servers of all projects; with `changedSince` those that were created, changed or deleted since then, by the
 * region's clock. Throws as `followPages`.
 */
export function listServers(
  region: Region,
  query: { changedSince?: Date; projectId?: string } = {},
): Promise<Server[]> {
  const items: QueryItem[] = [['all_tenants', 'true']]
  if (query.changedSince) items.push(['changes-since', query.changedSince.toISOString()])
  if (query.projectId) items.push(['project_id', query.projectId])
  return listAll(region, '/servers/detail', 'servers', reader(server), items)
}

/** Every hypervisor that Nova knows, up or down. Throws as `followPages`. */
export function listHypervisors(region: Region): Promise<Hypervisor[]> {
  return listAll(region, '/os-hypervisors/detail', 'hypervisors', reader(hypervisor), [])
}

function listAll<T extends { readonly id: string }>(
  region: Region,
  path: string,
  key: string,
  row: z.ZodType<T>,
  query: readonly QueryItem[],
): Promise<T[]> {
  const idOf = (one: T): string => one.id
  return followPages(region, {
    service: 'compute',
    path,
    query,
    headers: microversion,
    many: key,
    rows: many(row),
    idOf,
  })
}
