// Agents on the region's hosts; admins list, switch and remove them.

import type { Resource } from '../api/resource.ts'
import { makeId } from '../compact.ts'
import { refusal } from '../errors.ts'
import type { Attributes } from '../model/attributes.ts'
import { orNull, text, truth } from '../model/kinds.ts'
import type { Region, Settings } from '../region.ts'
import type { Agent } from '../rows.ts'

const time = (instant: number) => new Date(instant).toISOString().slice(0, 19).replace('T', ' ')

const attributes: Attributes = {
  id: { filter: true },
  agent_type: { filter: true },
  binary: { filter: true },
  topic: { filter: true },
  host: { filter: true },
  admin_state_up: { kind: truth, set: 'update', filter: true },
  created_at: { show: row => time((row as Agent).started_at) },
  started_at: { show: row => time((row as Agent).started_at) },
  heartbeat_timestamp: {
    show: (row, region) => time((row as Agent).isAlive ? region.now() : (row as Agent).started_at),
  },
  alive: {
    kind: truth,
    show: row => (row as Agent).isAlive,
    filter: (row, wanted) => wanted.includes(String((row as Agent).isAlive)),
  },
  configurations: {},
  description: { kind: orNull(text()), set: 'update', filter: true },
  resources_synced: { show: () => null },
  availability_zone: { filter: true },
}

export const agents: Resource<Agent> = {
  name: 'agent',
  path: 'agents',
  attributes,
  table: region => region.agents,
  missing: id => refusal(404, 'AgentNotFound', `Agent ${id} could not be found.`),
  seenBy: 'admin',
  createdBy: 'admin',
  changedBy: 'admin',
  removedBy: 'admin',
  isStandard: false,
  isFilterChecked: true,
  update: (agent, fields) => {
    Object.assign(agent, fields)
  },
  remove: (agent, region) => region.agents.remove(agent),
}

/** Adds the agents: a layer 2 agent on every host, and on the network host the L3 and DHCP agents. */
export function addAgents(region: Region): void {
  const { hosts, networkHost, hasDhcp } = region.settings
  for (const host of new Set([...hosts, networkHost]))
    addAgent(region, host, switchAgent(region.settings, host))
  addAgent(region, networkHost, routerAgent)
  if (hasDhcp) addAgent(region, networkHost, dhcpAgent)
}

type Described = Pick<Agent, 'agent_type' | 'binary' | 'topic' | 'availability_zone' | 'configurations'>

function addAgent(region: Region, host: string, described: Described): void {
  region.agents.add({
    id: makeId(),
    project_id: '',
    ...described,
    host,
    admin_state_up: true,
    description: null,
    started_at: region.now(),
    isAlive: true,
  })
}

const switchAgent = ({ vlans }: Settings, host: string): Described => ({
  agent_type: 'Open vSwitch agent',
  binary: 'neutron-openvswitch-agent',
  topic: 'N/A',
  availability_zone: null,
  configurations: {
    arp_responder_enabled: false,
    bridge_mappings: Object.fromEntries(Object.keys(vlans).map(name => [name, `br-${name}`])),
    datapath_type: 'system',
    devices: 0,
    enable_distributed_routing: false,
    extensions: ['qos'],
    in_distributed_mode: false,
    integration_bridge: 'br-int',
    l2_population: false,
    log_agent_heartbeats: false,
    ovs_capabilities: { datapath_types: ['netdev', 'system'], iface_types: ['internal', 'vxlan'] },
    ovs_hybrid_plug: false,
    tunnel_types: ['vxlan'],
    tunneling_ip: tunnelOf(host),
    vhostuser_socket_dir: '/var/run/openvswitch',
  },
})

/** The tunnel address of a host, always the same. */
function tunnelOf(host: string): string {
  const sum = [...host].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_024, 0)
  return `10.101.${Math.floor(sum / 254)}.${(sum % 254) + 1}`
}

const routerAgent: Described = {
  agent_type: 'L3 agent',
  binary: 'neutron-l3-agent',
  topic: 'l3_agent',
  availability_zone: 'nova',
  configurations: {
    agent_mode: 'legacy',
    extensions: ['port_forwarding'],
    handle_internal_only_routers: true,
    interface_driver: 'openvswitch',
    log_agent_heartbeats: false,
  },
}

const dhcpAgent: Described = {
  agent_type: 'DHCP agent',
  binary: 'neutron-dhcp-agent',
  topic: 'dhcp_agent',
  availability_zone: 'nova',
  configurations: { dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq', dhcp_lease_duration: 86_400 },
}
