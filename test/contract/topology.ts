// The parts of a topology that spans regions, as they are made in one region.
import type { RegionNetwork, RegionRouter, RegionSubnet } from '../../src/core/network/copies/region-rows.ts'
import { anySegment, type Place } from './network.ts'

/** The tenant's project, and that of the service user. */
interface Owners {
  readonly projectId: string
  readonly ours: string
}

interface Segment {
  readonly network: RegionNetwork
  readonly subnet: RegionSubnet
}

/** The network where a project's routers of all regions meet. */
export async function bridgeIn(place: Place, ours: string, segmentationId: number): Promise<Segment> {
  const network = await place.make('network', {
    projectId: ours,
    networkType: 'vlan',
    physicalNetwork: 'bridge',
    segmentationId,
    external: true,
  })
  const subnet = await place.make('subnet', {
    projectId: ours,
    networkId: network.id,
    ipVersion: 4,
    cidr: '100.0.0.0/24',
    gatewayIp: null,
    enableDhcp: false,
  })
  return { network, subnet }
}

/** A real way out. */
async function outsideOf(place: Place): Promise<Segment> {
  const network = await place.make('network', {
    networkType: 'vlan',
    physicalNetwork: 'extern',
    segmentationId: anySegment(),
    external: true,
  })
  const ip = { ipVersion: 4, cidr: '203.0.113.0/24', enableDhcp: false } as const
  return { network, subnet: await place.make('subnet', { networkId: network.id, ...ip }) }
}

export async function networkOf(place: Place, projectId: string, cidr: string): Promise<Segment> {
  const network = await place.make('network', { projectId })
  const ip = { ipVersion: 4, cidr } as const
  return { network, subnet: await place.make('subnet', { projectId, networkId: network.id, ...ip }) }
}

export const gatewayOn = ({ network, subnet }: Segment, ipAddress: string) => ({
  networkId: network.id,
  enableSnat: false,
  externalFixedIps: [{ subnetId: subnet.id, ipAddress }],
})

export const routerOn = (place: Place, projectId: string, bridge: Segment, ipAddress: string) =>
  place.make('router', { projectId, externalGateway: gatewayOn(bridge, ipAddress) })

export const via = (nextHop: string, ...destinations: string[]) =>
  destinations.map(destination => ({ destination, nextHop }))

export const setRoutes = (place: Place, { id }: RegionRouter, routes: RegionRouter['routes']) =>
  place.update('router', id, { routes })

/** The router of a region with a way out: its gateway is outside, and a leg of it is on the bridge. */
export async function outerRouter(place: Place, { projectId, ours }: Owners, segmentationId: number) {
  const outside = await outsideOf(place)
  const bridge = await bridgeIn(place, ours, segmentationId)
  const router = await place.make('router', {
    projectId,
    externalGateway: { networkId: outside.network.id, enableSnat: true, externalFixedIps: [] },
  })
  const onBridge = await place.make('port', {
    projectId: ours,
    networkId: bridge.network.id,
    fixedIps: [{ subnetId: bridge.subnet.id, ipAddress: '100.0.0.1' }],
    securityGroupIds: [],
  })
  const bridgeLeg = { portId: onBridge.id }
  await place.addLeg(router, bridgeLeg)
  return { outside, bridge, router, bridgeLeg }
}

/** A network that stands for one of another region; the one address that the region may give is the leg's own. */
export async function mirrorOf(place: Place, { projectId, ours }: Owners, cidr: string, ipAddress: string) {
  const network = await place.make('network', { projectId })
  const subnet = await place.make('subnet', {
    projectId,
    networkId: network.id,
    ipVersion: 4,
    cidr,
    gatewayIp: null,
    enableDhcp: false,
    allocationPools: [{ start: ipAddress, end: ipAddress }],
  })
  const fixedIps = [{ subnetId: subnet.id, ipAddress }]
  const port = await place.make('port', {
    projectId: ours,
    networkId: network.id,
    fixedIps,
    securityGroupIds: [],
  })
  return { network, subnet, leg: { portId: port.id } }
}
