// Routers behind the API: the ports attached to a router, and what they allow and forbid.

import { represented } from '../../python.ts'
import { badRequest, refusal } from '../errors.ts'
import { type Region, touch } from '../region.ts'
import type { Port, Route, Router, Subnet } from '../rows.ts'
import { isOverlap, isWithin, readAddress, readCidr } from './addresses.ts'
import { changePort, dropPort } from './ports.ts'

export const interfaceOwner = ({ distributed }: Router) =>
  distributed ? 'network:router_interface_distributed' : 'network:router_interface'

export function interfacesOf(router: Router, region: Region): Port[] {
  return router.interface_ids.flatMap(id => region.ports.get(id) ?? [])
}

export function gatewayOf(router: Router, region: Region): Port | undefined {
  return region.ports.get(router.gateway_id ?? '')
}

export function attachedPorts(router: Router, region: Region): Port[] {
  const gateway = gatewayOf(router, region)
  return [...interfacesOf(router, region), ...(gateway === undefined ? [] : [gateway])]
}

/** Lets an L3 agent take the router, and binds the router's ports to the agent's host. */
export function host(router: Router, region: Region): void {
  region.later(() => {
    if (region.routers.get(router.id) !== router) return
    router.isHosted = true
    for (const port of attachedPorts(router, region)) {
      if (port.host === '') changePort(port, { 'binding:host_id': region.settings.networkHost }, region)
    }
  })
}

/** Refuses subnets that the router is on already, or that overlap with one of its own. */
export function refuseMeeting(router: Router, coming: readonly Subnet[], region: Region): void {
  const ips = attachedPorts(router, region).flatMap(port => port.fixed_ips)
  const again = ips.find(ip => coming.some(({ id }) => id === ip.subnet_id))
  if (again !== undefined) {
    throw badRequest('router', `Router already has a port on subnet ${again.subnet_id}`)
  }
  const known = subnetsAround(router, region)
  for (const old of known) {
    for (const subnet of coming) {
      const [one, other] = [readCidr(subnet.cidr), readCidr(old.cidr)]
      if (one === null || other === null || !isOverlap(one, other)) continue
      const reason = `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${old.cidr} of subnet ${old.id}`
      throw badRequest('router', reason)
    }
  }
}

/** The subnets of a router's interfaces, and all subnets of its gateway's network. */
function subnetsAround(router: Router, region: Region): Subnet[] {
  return attachedPorts(router, region).flatMap(port =>
    port.id === router.gateway_id
      ? [...region.subnets.by('network_id', port.network_id)]
      : port.fixed_ips.flatMap(ip => region.subnets.get(ip.subnet_id) ?? []),
  )
}

interface Surroundings {
  cidrs: string[]
  ips: string[]
}

export function surroundings(ports: readonly Port[], region: Region): Surroundings {
  const ips = ports.flatMap(port => port.fixed_ips)
  const cidrs = ips.flatMap(ip => region.subnets.get(ip.subnet_id)?.cidr ?? [])
  return { cidrs, ips: ips.map(ip => ip.ip_address) }
}

/** Checks that the next hop of each route is on a subnet of the router, and is not the router itself. */
export function checkRoutes(
  router: Router,
  routes: readonly Route[],
  around: Surroundings,
  region: Region,
): void {
  const most = region.settings.mostRoutes
  if (routes.length > most) {
    const message = `Unable to complete operation for ${router.id}. The number of routes exceeds the maximum ${most}.`
    throw refusal(400, 'RoutesExhausted', message)
  }
  for (const { nexthop } of routes) {
    const reason = around.ips.includes(nexthop)
      ? 'the nexthop is used by router'
      : 'the nexthop is not connected with router'
    if (!around.ips.includes(nexthop) && around.cidrs.some(cidr => isOn(nexthop, cidr))) continue
    const message = `Invalid format for routes: ${represented(routes)}, ${reason}`
    throw refusal(400, 'InvalidRoutes', message)
  }
}

export function isOn(text: string, cidr: string): boolean {
  const address = readAddress(text)
  const range = readCidr(cidr)
  return address !== null && range !== null && isWithin(address, range)
}

/** Refuses to remove an interface while a floating IP or a route needs the router's place on the subnet. */
export function refuseNeeded(router: Router, subnet: Subnet, region: Region): void {
  const start = `Router interface for subnet ${subnet.id} on router ${router.id} cannot be deleted, as it is required by one or more`
  if (router.routes.some(({ nexthop }) => isOn(nexthop, subnet.cidr))) {
    throw refusal(409, 'RouterInterfaceInUseByRoute', `${start} routes.`)
  }
  for (const floating of region.floatingips.by('router_id', router.id)) {
    const port = region.ports.get(floating.port_id ?? '')
    const isHere = port?.fixed_ips.some(ip => ip.subnet_id === subnet.id) ?? false
    if (!isHere || !isOn(floating.fixed_ip_address ?? '', subnet.cidr)) continue
    throw refusal(409, 'RouterInterfaceInUseByFloatingIP', `${start} floating IPs.`)
  }
}

export function dropGateway(router: Router, region: Region): void {
  const port = gatewayOf(router, region)
  if (port === undefined) return
  if (region.floatingips.countBy('router_id', router.id) > 0) {
    const message = `Gateway cannot be updated for router ${router.id}, since a gateway to external network ${port.network_id} is required by one or more floating IPs.`
    throw refusal(409, 'RouterExternalGatewayInUseByFloatingIp', message)
  }
  dropPort(port, region)
  router.gateway_id = null
  touch(region, router)
}
