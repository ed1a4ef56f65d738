// Hypervisors, services and availability zones: the hosts of a region as its admins see them.

import { badRequest, conflict, notFound } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import type { Host, Service } from '../rows.ts'
import {
  type Answer,
  type Asked,
  type Json,
  microTime,
  nothing,
  ok,
  type Route,
  readFlag,
  readObject,
  readText,
} from './asked.ts'
import { pageOf } from './pages.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const hostRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/os-hypervisors',
    rule: 'os-hypervisors:list',
    isAdmins: true,
    answer: asked => listHypervisors(asked, false),
  },
  {
    method: 'GET',
    path: '/os-hypervisors/detail',
    rule: 'os-hypervisors:list-detail',
    isAdmins: true,
    answer: asked => listHypervisors(asked, true),
  },
  {
    method: 'GET',
    path: '/os-hypervisors/:id',
    rule: 'os-hypervisors:show',
    isAdmins: true,
    answer: showHypervisor,
  },
  { method: 'GET', path: '/os-services', rule: 'os-services:list', isAdmins: true, answer: listServices },
  {
    method: 'PUT',
    path: '/os-services/:id',
    rule: 'os-services:update',
    isAdmins: true,
    answer: updateService,
  },
  {
    method: 'DELETE',
    path: '/os-services/:id',
    rule: 'os-services:delete',
    isAdmins: true,
    answer: removeService,
  },
  {
    method: 'GET',
    path: '/os-availability-zone',
    rule: 'os-availability-zone:list',
    answer: asked => listZones(asked, false),
  },
  {
    method: 'GET',
    path: '/os-availability-zone/detail',
    rule: 'os-availability-zone:detail',
    isAdmins: true,
    answer: asked => listZones(asked, true),
  },
]

const isUp = ({ isAlive, isForcedDown }: Service): boolean => isAlive && !isForcedDown

const hypervisorId = (host: Host, minor: number): string | number => (minor >= 53 ? host.uuid : host.number)

function listHypervisors(asked: Asked, isDetailed: boolean): Answer {
  const { region, query, minor } = asked
  const pattern = minor >= 53 ? query.get('hypervisor_hostname_pattern') : null
  let hosts = [...region.hosts.values()]
  if (pattern !== null) {
    const exact = region.hostsByHypervisor.get(pattern)
    hosts = hosts.filter(({ hypervisorHostname }) => hypervisorHostname.includes(pattern))
    if (exact === undefined && hosts.length === 0) {
      throw notFound(`No hypervisor matching '${pattern}' could be found.`)
    }
  }
  if (pattern !== null && (query.has('limit') || query.has('marker'))) {
    throw badRequest(
      'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
    )
  }
  const withServers = minor >= 53 && query.get('with_servers')?.toLowerCase() === 'true'
  const page = pageOf(asked, hosts, host => String(hypervisorId(host, minor)), 'hypervisors')
  const view = (host: Host) => viewHypervisor(asked, host, isDetailed, withServers)
  return ok({ hypervisors: page.rows.map(view), ...(minor >= 33 ? page.links : {}) })
}

function showHypervisor(asked: Asked): Answer {
  const { region, params, query, minor } = asked
  const id = params.id ?? ''
  if (minor >= 53 && !uuid.test(id)) throw badRequest(`Invalid uuid ${id}`)
  const host =
    minor >= 53
      ? region.hostsByUuid.get(id)
      : [...region.hosts.values()].find(({ number }) => String(number) === id)
  if (host === undefined) throw notFound(`Hypervisor with ID '${id}' could not be found.`)
  const withServers = minor >= 53 && query.get('with_servers')?.toLowerCase() === 'true'
  return ok({ hypervisor: viewHypervisor(asked, host, true, withServers) })
}

function viewHypervisor(
  { region, minor }: Asked,
  host: Host,
  isDetailed: boolean,
  withServers: boolean,
): object {
  const servers = [...region.servers.by('host', host.name)].map(({ id, name }) => ({ uuid: id, name }))
  const shown = {
    id: hypervisorId(host, minor),
    hypervisor_hostname: host.hypervisorHostname,
    state: isUp(host.service) ? 'up' : 'down',
    status: host.service.isDisabled ? 'disabled' : 'enabled',
    ...(withServers && (servers.length > 0 || minor >= 75) ? { servers } : {}),
  }
  if (!isDetailed) return shown
  const { service, name } = host
  return {
    ...shown,
    hypervisor_type: 'fake',
    hypervisor_version: 1000,
    host_ip: '127.0.0.1',
    service: {
      id: minor >= 53 ? service.uuid : service.number,
      host: name,
      disabled_reason: service.disabledReason,
    },
    ...(minor >= 88 ? { uptime: null } : viewCapacity(region, host, servers.length, minor)),
  }
}

const cpu = {
  arch: 'x86_64',
  model: 'Nehalem',
  vendor: 'Intel',
  features: ['pge', 'clflush'],
  topology: { cores: 1, threads: 1, sockets: 4 },
}

/** Gone since 2.88. */
function viewCapacity(region: NovaRegion, host: Host, running: number, minor: number): object {
  const { vcpus, memoryMb, diskGb } = host
  const flavors = [...region.servers.by('host', host.name)].map(({ flavor }) => flavor)
  const used = (of: (flavor: (typeof flavors)[number]) => number) =>
    flavors.reduce((sum, flavor) => sum + of(flavor), 0)
  const usedMb = used(flavor => flavor.memoryMb)
  const usedGb = used(flavor => flavor.diskGb + flavor.ephemeralGb)
  return {
    vcpus,
    memory_mb: memoryMb,
    local_gb: diskGb,
    vcpus_used: used(flavor => flavor.vcpus),
    memory_mb_used: usedMb,
    local_gb_used: usedGb,
    free_ram_mb: memoryMb - usedMb,
    free_disk_gb: diskGb - usedGb,
    current_workload: 0,
    running_vms: running,
    disk_available_least: 0,
    cpu_info: minor >= 28 ? cpu : JSON.stringify(cpu).replaceAll(/[,:]/g, '$& '),
  }
}

function listServices({ region, query, minor }: Asked): Answer {
  const services = [...region.services.values()]
    .filter(({ host }) => (query.get('host') ?? host) === host)
    .filter(({ binary }) => (query.get('binary') ?? binary) === binary)
  return ok({ services: services.map(service => viewService(region, service, minor)) })
}

function viewService(region: NovaRegion, service: Service, minor: number): object {
  const { binary, host, number, uuid, isDisabled, disabledReason, isForcedDown } = service
  return {
    binary,
    host,
    id: minor >= 53 ? uuid : number,
    zone: zoneOf(region, service),
    status: isDisabled ? 'disabled' : 'enabled',
    state: isUp(service) ? 'up' : 'down',
    updated_at: microTime(region.now()),
    disabled_reason: disabledReason,
    ...(minor >= 11 ? { forced_down: isForcedDown } : {}),
  }
}

const zoneOf = (region: NovaRegion, { binary, host }: Service): string =>
  binary === 'nova-compute' ? (region.zoneOf(host) ?? 'nova') : 'internal'

/** By its uuid since 2.53; before, `enable`, `disable` and others name what is to be done, and the body to whom. */
function updateService(asked: Asked): Answer {
  const { region, params, body, minor } = asked
  const given = readObject(body, 'body')
  if (minor < 53) return updateByHost(asked, given)
  const service = serviceBy(region, params.id ?? '')
  if (service.binary !== 'nova-compute') {
    throw badRequest(
      `Updating a ${service.binary} service is not supported. Only nova-compute services can be updated.`,
    )
  }
  if (given.status === undefined && given.forced_down === undefined) {
    throw badRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
  }
  if (given.disabled_reason !== undefined && given.status !== 'disabled') {
    throw badRequest("Specifying 'disabled_reason' with status 'enabled' is invalid.")
  }
  if (given.forced_down !== undefined) service.isForcedDown = readFlag(given.forced_down, 'forced_down')
  if (given.status !== undefined) {
    const reason =
      given.disabled_reason === undefined ? null : readText(given.disabled_reason, 'disabled_reason')
    disable(region, service, given.status === 'disabled', reason)
  }
  return ok({ service: viewService(region, service, minor) })
}

/** A disabled host has a trait that keeps servers off it. */
export function disable(
  region: NovaRegion,
  service: Service,
  isDisabled: boolean,
  reason: string | null,
): void {
  service.isDisabled = isDisabled
  service.disabledReason = isDisabled ? reason : null
  const root = region.hosts.get(service.host)?.root
  if (root === undefined || root.traits.has(trait) === isDisabled) return
  const others = [...root.traits].filter(name => name !== trait)
  region.placement.setTraits(root, isDisabled ? [...others, trait] : others)
}

const trait = 'COMPUTE_STATUS_DISABLED'

function updateByHost({ region, params }: Asked, given: Json): Answer {
  const host = readText(given.host, 'host')
  const binary = readText(given.binary, 'binary')
  const service = [...region.services.values()].find(one => one.host === host && one.binary === binary)
  if (service === undefined) throw notFound(`Could not find binary ${binary} on host ${host}.`)
  const answer = { host, binary }
  switch (params.id) {
    case 'enable':
      disable(region, service, false, null)
      return ok({ service: { ...answer, status: 'enabled' } })
    case 'disable':
      disable(region, service, true, null)
      return ok({ service: { ...answer, status: 'disabled' } })
    case 'disable-log-reason':
      disable(region, service, true, readText(given.disabled_reason, 'disabled_reason'))
      return ok({
        service: { ...answer, status: 'disabled', disabled_reason: service.disabledReason },
      })
    case 'force-down':
      service.isForcedDown = readFlag(given.forced_down ?? false, 'forced_down')
      return ok({ service: { ...answer, forced_down: service.isForcedDown } })
    default:
      throw notFound('Unknown action')
  }
}

function serviceBy(region: NovaRegion, id: string, none = 'could not be found'): Service {
  if (!uuid.test(id)) throw badRequest(`Invalid uuid ${id}`)
  const service = region.services.get(id)
  if (service === undefined) throw notFound(`Service ${id} ${none}.`)
  return service
}

/** A host goes with its compute service, and its providers with it. */
function removeService({ region, params, minor }: Asked): Answer {
  const id = params.id ?? ''
  const service =
    minor >= 53
      ? serviceBy(region, id, 'not found')
      : [...region.services.values()].find(({ number }) => String(number) === id)
  if (service === undefined) throw notFound(`Service ${id} not found.`)
  const host = region.hosts.get(service.host)
  if (service.binary !== 'nova-compute' || host === undefined) {
    region.services.delete(service.uuid)
    return nothing
  }
  if (region.servers.countBy('host', host.name) > 0) {
    throw conflict(
      'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
    )
  }
  region.removeHost(host)
  return nothing
}

function listZones({ region }: Asked, isDetailed: boolean): Answer {
  const zones = new Map<string, Service[]>()
  for (const service of region.services.values()) {
    const zone = zoneOf(region, service)
    zones.set(zone, [...(zones.get(zone) ?? []), service])
  }
  const isAvailable = (services: readonly Service[]) => services.some(service => !service.isDisabled)
  const shown = [...zones]
    .filter(([name]) => isDetailed || name !== 'internal')
    .sort(([, one], [, other]) => Number(isAvailable(other)) - Number(isAvailable(one)))
  const views = shown.map(([zoneName, services]) => ({
    zoneName,
    zoneState: { available: isAvailable(services) },
    hosts: isDetailed && isAvailable(services) ? viewHosts(region, services) : null,
  }))
  return ok({ availabilityZoneInfo: views })
}

function viewHosts(region: NovaRegion, services: readonly Service[]): object {
  const hosts: Record<string, Record<string, object>> = {}
  for (const service of services) {
    const view = {
      available: !service.isDisabled,
      active: isUp(service),
      updated_at: microTime(region.now()),
    }
    hosts[service.host] = { ...hosts[service.host], [service.binary]: view }
  }
  return hosts
}
