// Binding of ports to hosts: which hosts can take a port, and what their agents do then.

import { type Region, touch } from '../region.ts'
import type { Network, Port } from '../rows.ts'
import type { Moment } from './attributes.ts'

const switchAgent = 'Open vSwitch agent'

/** Binds a port to the host it names; its agent brings it up a moment later. */
export function bind(port: Port, region: Region): void {
  port.status = 'DOWN'
  if (port.host === '') {
    port.vif_type = 'unbound'
    return
  }
  port.vif_type = canBind(port, region) ? 'ovs' : 'binding_failed'
  region.later(() => {
    if (region.ports.get(port.id) !== port || port.vif_type === 'unbound') return
    if (port.vif_type === 'ovs') port.status = 'ACTIVE'
    touch(region, port)
  })
}

function canBind({ host, vnic_type, network_id }: Port, region: Region): boolean {
  const network = region.networks.get(network_id)
  const agent = [...region.agents.all()].find(
    agent => agent.host === host && agent.agent_type === switchAgent,
  )
  if (agent === undefined || !agent.isAlive || network === undefined) return false
  return vnic_type === 'normal' && isReached(network, agent.configurations)
}

function isReached({ segments }: Network, configurations: Readonly<Record<string, unknown>>): boolean {
  const mappings = Object.keys((configurations.bridge_mappings ?? {}) as object)
  return segments.some(
    ({ physical_network }) => physical_network === null || mappings.includes(physical_network),
  )
}

/** The VIF details of a bound port. `bound_drivers` is shown only on a read, as in Neutron. */
export function viewVifDetails({ vif_type }: Port, moment: Moment): Record<string, unknown> {
  if (vif_type !== 'ovs') return {}
  return {
    port_filter: true,
    connectivity: 'l2',
    bridge_name: 'br-int',
    datapath_type: 'system',
    ovs_hybrid_plug: false,
    ...(moment === 'read' ? { bound_drivers: { 0: 'openvswitch' } } : {}),
  }
}
