// Compute services and availability zones: the hosts of a region as its admins switch them.

import { badRequest, conflict, notFound } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import { isUp, type Service } from '../rows.ts'
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

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const route = (
  method: Route['method'],
  path: string,
  rule: string,
  answer: (asked: Asked) => Answer,
): Route => ({ method, path, rule, isAdmins: true, answer })

export const serviceRoutes: readonly Route[] = [
  route('GET', '/os-services', 'os-services:list', listServices),
  route('PUT', '/os-services/:id', 'os-services:update', updateService),
  route('DELETE', '/os-services/:id', 'os-services:delete', removeService),
  route('GET', '/os-availability-zone/detail', 'os-availability-zone:detail', asked =>
    listZones(asked, true),
  ),
  {
    method: 'GET',
    path: '/os-availability-zone',
    rule: 'os-availability-zone:list',
    answer: asked => listZones(asked, false),
  },
]

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

/**
 * Updates a compute service: by its uuid since 2.53; before that the path names the action (`enable`,
 * `disable`) and the body the service.
 */
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

/** Disables a compute service: its host gets the trait that keeps servers off it. */
export function disable(
  region: NovaRegion,
  service: Service,
  isDisabled: boolean,
  reason: string | null,
): void {
  service.isDisabled = isDisabled
  service.disabledReason = isDisabled ? reason : null
  const host = region.hosts.get(service.host)
  const root = host === undefined ? undefined : region.rootOf(host)
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

/** Removes a compute service together with its host and the host's providers. */
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
