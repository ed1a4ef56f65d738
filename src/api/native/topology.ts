// The topology: regions, the networks, routers and ports in them, the links between them, and their state.

import { malformed } from '../../core/error.ts'
import type { FloatingIp } from '../../core/network/model/model.ts'
import {
  type NetworkThere,
  type Ports,
  type PortThere,
  type RegionTree,
  type SubnetThere,
  type Topology,
  type TopologyAsk,
  topology,
} from '../../core/network/topology/topology.ts'
import type { BridgeLink, RouterThere } from '../../core/network/topology/topology-routers.ts'
import type { State } from '../../core/network/topology/topology-state.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { viewJob } from './jobs.ts'
import { type Parameters, readQuery } from './query.ts'

const parameters = {
  region: { description: 'Only what is in this region', schema: { type: 'string' } },
  network: { description: 'Only the network with this id, and what is on it', schema: { type: 'string' } },
  project: {
    description: 'Only what the project with this id sees; for admins',
    schema: { type: 'string' },
  },
  ports: {
    description: 'Whether each port is shown; they are only counted unless a region or a network is named',
    schema: { type: 'boolean' },
  },
} as const

/** The query parameters of each path. */
export const topologyParameters: Readonly<Record<string, Parameters>> = { '/topology': parameters }

function parseTopology(request: Request): TopologyAsk {
  const { region = null, network = null, project = null, ports } = readQuery(request, parameters)
  if (ports !== undefined && ports !== 'true' && ports !== 'false')
    throw malformed('The parameter ports is true or false')
  return { region, network, project, ports: ports === undefined ? null : ports === 'true' }
}

export const viewTopology = ({ regions, links, nowhere, jobs }: Topology) => ({
  regions: regions.map(viewRegion),
  links: links.map(viewLink),
  nowhere: {
    networks: nowhere.networks.map(viewNetwork),
    routers: nowhere.routers.map(viewRouter),
    ...viewPorts(nowhere),
  },
  jobs: jobs.map(job => viewJob(job).job),
})

const viewState = ({ state, error, jobId }: State) => ({ state, error, job_id: jobId })

const viewRegion = (region: RegionTree) => ({
  name: region.name,
  availability_zone: region.availabilityZone,
  ...viewState(region),
  suspicions: region.suspicions.map(({ through, since, reason }) => ({
    through,
    since: since.toISOString(),
    reason,
  })),
  networks: region.networks.map(network => ({ ...viewNetwork(network), ...viewPorts(network) })),
  routers: region.routers.map(viewRouter),
  floating_ips: region.floatingIps.map(viewFloatingIp),
})

const viewNetwork = (network: NetworkThere) => ({
  id: network.id,
  regional_id: network.regionalId,
  project_id: network.projectId,
  name: network.name,
  external: network.external,
  ...viewState(network),
  subnets: network.subnets.map(viewSubnet),
})

const viewSubnet = (subnet: SubnetThere) => ({
  id: subnet.id,
  regional_id: subnet.regionalId,
  name: subnet.name,
  cidr: subnet.cidr,
  gateway_ip: subnet.gatewayIp,
  ...viewState(subnet),
})

const viewPorts = ({ portCount, ports }: Ports) => ({
  port_count: portCount,
  ports: ports?.map(viewPort) ?? null,
})

const viewPort = (port: PortThere) => ({
  id: port.id,
  regional_id: port.regionalId,
  project_id: port.projectId,
  network_id: port.networkId,
  name: port.name,
  mac_address: port.macAddress,
  fixed_ips: port.fixedIps.map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress })),
  device_owner: port.deviceOwner,
  device_id: port.deviceId,
  host_id: port.hostId,
  status: port.status,
  ...viewState(port),
})

const viewRouter = (router: RouterThere) => ({
  id: router.id,
  regional_id: router.regionalId,
  project_id: router.projectId,
  name: router.name,
  ...viewState(router),
  gateway: router.gateway && {
    network_id: router.gateway.networkId,
    network_name: router.gateway.networkName,
    ip_addresses: router.gateway.ipAddresses,
  },
  bridge_address: router.bridgeAddress,
  interfaces: router.interfaces.map(({ portId, networkId, subnetId, cidr, ipAddress }) => ({
    port_id: portId,
    network_id: networkId,
    subnet_id: subnetId,
    cidr,
    ip_address: ipAddress,
  })),
  routes: router.routes.map(({ destination, nextHop }) => ({ destination, next_hop: nextHop })),
})

const viewFloatingIp = (floatingIp: FloatingIp) => ({
  id: floatingIp.id,
  project_id: floatingIp.projectId,
  floating_network_id: floatingIp.floatingNetworkId,
  floating_ip_address: floatingIp.floatingIpAddress,
  fixed_ip_address: floatingIp.fixedIpAddress,
  port_id: floatingIp.portId,
  router_id: floatingIp.routerId,
  status: floatingIp.status,
})

const viewLink = (link: BridgeLink) => ({
  router_id: link.routerId,
  router_name: link.routerName,
  bridge: link.bridge,
  ...viewState(link),
  ends: link.ends.map(({ region, ipAddress, cidrs }) => ({ region, ip_address: ipAddress, cidrs })),
})

export const topologyRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/topology',
    rule: 'atoll:topology:show',
    denied: 'Only readers of a project ask for the topology',
    parse: parseTopology,
    verb: topology,
    view: viewTopology,
  }),
]
