// Nova in a region: the servers that are there, and its hosts.
import { z } from 'zod'
import { isGone } from './fault.ts'
import { checkedId } from './names.ts'
import { callNova, listAll, unless } from './nova-call.ts'
import type { QueryItem, RegionClient } from './region.ts'
import { count, field, flag, id, instant, many, orNull, reader, type Shape, text } from './wire-fields.ts'

/** A flavor as it was when the server got it. */
const embedded = {
  name: field('original_name', text),
  vcpus: field('vcpus', count),
  memoryMb: field('ram', count),
  diskGb: field('disk', count),
  ephemeralGb: field('ephemeral', count),
  swapMb: field('swap', count),
  /** Empty where Nova does not show extra specs to the caller. */
  extraSpecs: field(
    'extra_specs',
    orNull(z.record(text, text)).transform(specs => specs ?? {}),
  ),
}

const server = {
  id: field('id', id),
  name: field('name', text),
  /** `DELETED` in a list by `changedSince`. */
  status: field('status', text),
  /** What is being done to it: `spawning`, `deleting`, … */
  taskState: field('OS-EXT-STS:task_state', orNull(text)),
  projectId: field('tenant_id', id),
  userId: field('user_id', text),
  host: field('OS-EXT-SRV-ATTR:host', orNull(text)),
  hypervisorHostname: field('OS-EXT-SRV-ATTR:hypervisor_hostname', orNull(text)),
  metadata: field(
    'metadata',
    orNull(z.record(text, text)).transform(given => given ?? {}),
  ),
  availabilityZone: field('OS-EXT-AZ:availability_zone', orNull(text)),
  flavor: field('flavor', reader(embedded)),
  /** Booted from a volume, it has no disk of its host's. */
  isOnVolume: field(
    'image',
    orNull(z.unknown()).transform(image => image === ''),
  ),
  /** Why it is in error. */
  fault: field('fault', orNull(z.object({ message: z.string().max(100_000) }))),
  createdAt: field('created', instant),
  updatedAt: field('updated', instant),
}
export type Server = Shape<typeof server>

const hypervisor = {
  /** The id of the hypervisor and of its root provider in Placement. */
  id: field('id', id),
  hostname: field('hypervisor_hostname', text),
  type: field('hypervisor_type', orNull(text)),
  version: field('hypervisor_version', orNull(count)),
  state: field('state', text),
  status: field('status', text),
  /** Its compute service, whose `host` is what aggregates and servers call it. */
  service: field('service', z.object({ host: text })),
  vcpus: field('vcpus', count),
  memoryMb: field('memory_mb', count),
  diskGb: field('local_gb', count),
  /** Hypervisors of different types describe their CPU in different shapes. */
  cpuInfo: field(
    'cpu_info',
    z.unknown().transform(value => value ?? null),
  ),
}
export type Hypervisor = Shape<typeof hypervisor>

const service = {
  id: field('id', id),
  binary: field('binary', text),
  host: field('host', text),
  zone: field('zone', orNull(text)),
  status: field('status', text),
  state: field('state', text),
  isForcedDown: field('forced_down', flag),
}
export type ComputeService = Shape<typeof service>

const zone = {
  name: field('zoneName', text),
  isAvailable: field(
    'zoneState',
    z.object({ available: flag }).transform(({ available }) => available),
  ),
}
export type Zone = Shape<typeof zone>

export interface ServerQuery {
  /** Only servers that were created, changed or deleted since then, by the region's clock. */
  readonly changedSince?: Date
  readonly projectId?: string
  /** The name of a compute service. */
  readonly host?: string
}

/** The servers of all projects. Throws as `followPages`. */
export async function listServers(region: RegionClient, query: ServerQuery = {}): Promise<Server[]> {
  const { changedSince, projectId, host } = query
  const items: QueryItem[] = [['all_tenants', 'true']]
  if (changedSince) items.push(['changes-since', changedSince.toISOString()])
  if (projectId) items.push(['project_id', projectId])
  if (host) items.push(['host', host])
  const servers = await listAll(region, '/servers/detail', 'servers', reader(server), items)
  // Some releases list deleted servers without their host, so the host is checked once more.
  return host === undefined ? servers : servers.filter(one => one.host === host)
}

/** Null when Nova says that there is none. Throws as `RegionClient.call`, `invalid` for no id. */
export async function getServer(region: RegionClient, serverId: string): Promise<Server | null> {
  const path = `/servers/${checkedId(serverId)}`
  const reply = await callNova(region, { method: 'GET', path, accept: isGone })
  return reply.status === 404 ? null : reply.read(reader(server), 'server')
}

/** False when it was gone already; when true it may take a while to go. Throws as `RegionClient.call`. */
export const removeServer = (region: RegionClient, serverId: string): Promise<boolean> =>
  unless(region, 404, { method: 'DELETE', path: `/servers/${checkedId(serverId)}` })

/**
 * Begins to make an image of a server; returns the image's id. Throws as `RegionClient.call`: with `maybe_done` the
 * image may exist.
 */
export async function createImage(region: RegionClient, serverId: string, name: string): Promise<string> {
  const path = `/servers/${checkedId(serverId)}/action`
  const reply = await callNova(region, { method: 'POST', path, json: { createImage: { name } } })
  return reply.read(id, 'image_id')
}

/** Every hypervisor that Nova knows, up or down. Throws as `followPages`. */
export function listHypervisors(region: RegionClient): Promise<Hypervisor[]> {
  return listAll(region, '/os-hypervisors/detail', 'hypervisors', reader(hypervisor), [])
}

/** Null when Nova says that there is none. Throws as `RegionClient.call`, `invalid` for no id. */
export async function getHypervisor(region: RegionClient, hypervisorId: string): Promise<Hypervisor | null> {
  const path = `/os-hypervisors/${checkedId(hypervisorId)}`
  const reply = await callNova(region, { method: 'GET', path, accept: isGone })
  return reply.status === 404 ? null : reply.read(reader(hypervisor), 'hypervisor')
}

/** Hypervisors whose hostname contains this text. Throws as `RegionClient.call`. */
export async function findHypervisors(region: RegionClient, part: string): Promise<readonly Hypervisor[]> {
  const query: QueryItem[] = [['hypervisor_hostname_pattern', part]]
  const path = '/os-hypervisors/detail'
  const reply = await callNova(region, { method: 'GET', path, query, accept: isGone })
  return reply.status === 404 ? [] : reply.read(many(reader(hypervisor)), 'hypervisors')
}

/** The compute services. Throws as `RegionClient.call`. */
export async function listComputeServices(region: RegionClient): Promise<readonly ComputeService[]> {
  const query: QueryItem[] = [['binary', 'nova-compute']]
  const reply = await callNova(region, { method: 'GET', path: '/os-services', query })
  return reply.read(many(reader(service)), 'services')
}

/** The zones that servers may ask for. Throws as `RegionClient.call`. */
export async function listZones(region: RegionClient): Promise<readonly Zone[]> {
  const reply = await callNova(region, { method: 'GET', path: '/os-availability-zone' })
  return reply.read(many(reader(zone)), 'availabilityZoneInfo')
}
