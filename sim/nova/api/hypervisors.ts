// Hypervisors: what a region's hosts have, as its admins see them.

import { Refusal } from '../../http.ts'
import { badRequest, notFound } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import { type Host, instanceName, isUp } from '../rows.ts'
import { type Answer, type Asked, ok, type Route } from './asked.ts'
import { pageOf } from './pages.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const route = (
  path: string,
  action: string,
  answer: (asked: Asked) => Answer,
  until: number = Infinity,
): Route => ({
  method: 'GET',
  path: `/os-hypervisors${path}`,
  rule: `os-hypervisors:${action}`,
  isAdmins: true,
  until,
  answer,
})

export const hypervisorRoutes: readonly Route[] = [
  route('', 'list', asked => listHypervisors(asked, false)),
  route('/detail', 'list-detail', asked => listHypervisors(asked, true)),
  route('/statistics', 'statistics', statistics, 87),
  route('/:id', 'show', showHypervisor),
  route('/:id/uptime', 'uptime', showUptime, 87),
  route('/:id/search', 'search', asked => search(asked, false), 52),
  route('/:id/servers', 'servers', asked => search(asked, true), 52),
]

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

function hostOf({ region, params, minor }: Asked): Host {
  const id = params.id ?? ''
  if (minor >= 53 && !uuid.test(id)) throw badRequest(`Invalid uuid ${id}`)
  const host =
    minor >= 53
      ? region.hostsByUuid.get(id)
      : [...region.hosts.values()].find(({ number }) => String(number) === id)
  if (host === undefined) throw notFound(`Hypervisor with ID '${id}' could not be found.`)
  return host
}

function showHypervisor(asked: Asked): Answer {
  const { query, minor } = asked
  const host = hostOf(asked)
  const withServers = minor >= 53 && query.get('with_servers')?.toLowerCase() === 'true'
  return ok({ hypervisor: viewHypervisor(asked, host, true, withServers) })
}

/** The refusal of `uptime`, which Nova's fake driver does not have. */
function showUptime(asked: Asked): Answer {
  hostOf(asked)
  throw new Refusal(501, 'The requested functionality is not supported.')
}

/** Searches hypervisors by name; before 2.53 the pattern is in the path. */
function search(asked: Asked, withServers: boolean): Answer {
  const { region, params } = asked
  const pattern = params.id ?? ''
  const hosts = [...region.hosts.values()].filter(host => host.hypervisorHostname.includes(pattern))
  if (hosts.length === 0) throw notFound(`No hypervisor matching '${pattern}' could be found.`)
  return ok({ hypervisors: hosts.map(host => viewHypervisor(asked, host, false, withServers)) })
}

function statistics({ region, minor }: Asked): Answer {
  const sums: Record<string, number> = { count: region.hosts.size }
  for (const host of region.hosts.values()) {
    const running = region.servers.countBy('host', host.name)
    for (const [name, value] of Object.entries(viewCapacity(region, host, running, minor))) {
      if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value
    }
  }
  return ok({ hypervisor_statistics: sums })
}

function viewHypervisor(
  { region, minor }: Asked,
  host: Host,
  isDetailed: boolean,
  withServers: boolean,
): object {
  const servers = [...region.servers.by('host', host.name)].map(server => ({
    uuid: server.id,
    name: instanceName(server),
  }))
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

/** A hypervisor's capacity and usage, which microversion 2.88 removes. */
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
