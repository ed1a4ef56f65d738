// A region of the simulated Neutron that a router's steps are carried out in at once, without HTTP and without a store.

import { createClock } from '../../sim/clock.ts'
import { addInterface, removeInterface } from '../../sim/neutron/model/interfaces.ts'
import { createNeutron, type Neutron } from '../../sim/neutron/neutron.ts'
import type { FloatingIp, Port, Router } from '../../sim/neutron/rows.ts'
import type {
  RegionFloatingIp,
  RegionNetworking,
  RegionPort,
  RegionRouter,
} from '../../src/core/network/copies/region-rows.ts'
import type { HostRoute } from '../../src/core/network/model/model.ts'

type Fields = Readonly<Record<string, unknown>>

export interface PlainRegion {
  readonly neutron: Neutron
  /** What `see` asks of a region. */
  readonly networking: RegionNetworking
  make(kind: string, spec: Fields): string
  change(path: string, id: string, spec: Fields): void
  remove(path: string, id: string): void
  addLeg(routerId: string, portId: string): void
  removeLeg(routerId: string, portId: string): void
  router(id: string): RegionRouter | null
  legs(routerId: string): RegionPort[]
  floatingIps(): RegionFloatingIp[]
}

const admin = { projectId: null, isAdmin: true }

export function plainRegion(name: string): PlainRegion {
  const clock = createClock()
  const neutron = createNeutron({ region: name, clock, inspectToken: () => null })
  const { region } = neutron
  const find = (id: string): Router => {
    const found = region.routers.get(id)
    if (!found) throw new Error(`There is no router ${id}`)
    return found
  }
  const router = (id: string) => {
    const row = region.routers.get(id)
    return row ? asRouter(row, region.ports.get(row.gateway_id ?? '')) : null
  }
  const portsOf = (id: string) => [...region.ports.by('device_id', id)].map(asPort)
  const floatingIps = () => neutron.floatingIps().map(asFloatingIp)
  const rows = {
    get: async (_kind: string, id: string) => router(id),
    list: async (kind: string, { where }: { where: Record<string, unknown> }) => {
      if (kind === 'port') return portsOf(String(where.deviceId))
      const isMeant = ({ id, routerId }: RegionFloatingIp) =>
        where.routerId === undefined ? (where.id as string[]).includes(id) : routerId === where.routerId
      return floatingIps().filter(isMeant)
    },
  }
  return {
    neutron,
    networking: rows as unknown as RegionNetworking,
    make: (kind, spec) => neutron.create(kind, onWire(spec)).id,
    change: (path, id, spec) => neutron.act('PUT', path, id, { [path.replace(/s$/, '')]: onWire(spec) }),
    remove: (path, id) => neutron.act('DELETE', path, id),
    addLeg: (id, port) => void addInterface(find(id), { port_id: port }, region, admin),
    removeLeg: (id, port) => void removeInterface(find(id), { port_id: port }, region),
    router,
    legs: id => portsOf(id).filter(({ deviceOwner }) => deviceOwner === 'network:router_interface'),
    floatingIps,
  }
}

// Names of the wire

const special: Readonly<Record<string, string>> = {
  external: 'router:external',
  externalGateway: 'external_gateway_info',
  securityGroupIds: 'security_groups',
  nextHop: 'nexthop',
}

function onWire(value: unknown): Record<string, unknown> {
  const entries = Object.entries(value as object).map(([key, one]) => [
    special[key] ?? key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
    wireValue(one),
  ])
  return Object.fromEntries(entries)
}

function wireValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireValue)
  return typeof value === 'object' && value !== null ? onWire(value) : value
}

const fixedIpsOf = (port: Port | undefined) =>
  (port?.fixed_ips ?? []).map(one => ({ subnetId: one.subnet_id, ipAddress: one.ip_address }))

const asPort = (row: Port): RegionPort =>
  ({
    id: row.id,
    deviceId: row.device_id,
    deviceOwner: row.device_owner,
    fixedIps: fixedIpsOf(row),
  }) as unknown as RegionPort

const asRouter = (row: Router, gateway: Port | undefined): RegionRouter =>
  ({
    id: row.id,
    name: row.name,
    adminStateUp: row.admin_state_up,
    externalGateway: gateway
      ? { networkId: gateway.network_id, enableSnat: row.enable_snat, externalFixedIps: fixedIpsOf(gateway) }
      : null,
    routes: row.routes.map((one): HostRoute => ({ destination: one.destination, nextHop: one.nexthop })),
  }) as unknown as RegionRouter

const asFloatingIp = (row: FloatingIp): RegionFloatingIp =>
  ({
    id: row.id,
    portId: row.port_id,
    fixedIpAddress: row.fixed_ip_address,
    routerId: row.router_id,
  }) as unknown as RegionFloatingIp
