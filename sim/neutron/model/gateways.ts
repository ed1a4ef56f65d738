// The gateway of a router to an external network: set, moved and taken away.

import { badRequest, networkNotFound } from '../errors.ts'
import { type Region, touch } from '../region.ts'
import type { FixedIp, Network, Port, Router } from '../rows.ts'
import { isGiven } from './attributes.ts'
import { changePort, itself, makePort } from './ports.ts'
import {
  checkRoutes,
  dropGateway,
  gatewayOf,
  host,
  interfacesOf,
  refuseMeeting,
  surroundings,
} from './routing.ts'

export interface GatewayInfo {
  network_id?: string
  enable_snat?: boolean
  external_fixed_ips?: Partial<FixedIp>[]
}

export function viewGateway(router: Router, region: Region): object | null {
  const port = gatewayOf(router, region)
  if (port === undefined) return null
  const external_fixed_ips = port.fixed_ips.map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address }))
  return { network_id: port.network_id, enable_snat: router.enable_snat, external_fixed_ips }
}

/** Sets a router's gateway, or takes it away when no network is named. */
export function setGateway(router: Router, info: GatewayInfo | null, region: Region): void {
  const wanted = info?.external_fixed_ips ?? []
  const network = networkOf(info, wanted, region)
  checkRoutesWithout(router, network, region)
  router.enable_snat = info?.enable_snat ?? true
  const port = gatewayOf(router, region)
  if (port !== undefined && port.network_id === network?.id) {
    if (isOther(port, wanted)) changePort(port, { fixed_ips: wanted }, region)
    touch(region, router)
    return
  }
  dropGateway(router, region)
  if (network === undefined) return
  refuseMeeting(router, [...region.subnets.by('network_id', network.id)], region)
  const fields = {
    project_id: '',
    network_id: network.id,
    device_id: router.id,
    device_owner: 'network:router_gateway',
    fixed_ips: wanted.length === 0 ? undefined : wanted,
  }
  router.gateway_id = makePort(fields, region, itself).id
  touch(region, router)
  host(router, region)
}

function networkOf(
  info: GatewayInfo | null,
  wanted: readonly Partial<FixedIp>[],
  region: Region,
): Network | undefined {
  if (!isGiven(info?.network_id)) return undefined
  const id = String(info?.network_id)
  const network = region.networks.get(id)
  if (network === undefined) throw networkNotFound(id)
  if (!network.external) throw badRequest('router', `Network ${id} is not an external network`)
  for (const subnet of region.subnets.by('network_id', id)) {
    const isGateway = wanted.some(ip => isGiven(ip.ip_address) && ip.ip_address === subnet.gateway_ip)
    if (isGateway)
      throw badRequest('router', `External IP ${subnet.gateway_ip} is the same as the gateway IP`)
  }
  return network
}

/** Checks that the router's routes are still valid with the new gateway network in place of the old one. */
function checkRoutesWithout(router: Router, network: Network | undefined, region: Region): void {
  if (router.routes.length === 0) return
  const around = surroundings(interfacesOf(router, region), region)
  const outside = network === undefined ? [] : [...region.subnets.by('network_id', network.id)]
  const cidrs = [...around.cidrs, ...outside.map(({ cidr }) => cidr)]
  checkRoutes(router, router.routes, { ...around, cidrs }, region)
}

/** Whether the addresses that are asked for differ from those that the port has. */
function isOther({ fixed_ips }: Port, wanted: readonly Partial<FixedIp>[]): boolean {
  if (wanted.length === 0) return false
  const differs = (key: keyof FixedIp) => {
    const asked = new Set(wanted.flatMap(ip => ip[key] ?? []))
    const held = new Set(fixed_ips.map(ip => ip[key]))
    return asked.size !== held.size || [...asked].some(value => !held.has(value))
  }
  return differs('subnet_id') || differs('ip_address')
}
