// The DHCP agent: it keeps one port on each network, with an address of every subnet that it serves.

import { Refusal } from '../../http.ts'
import type { Region } from '../region.ts'
import type { Subnet } from '../rows.ts'
import { changePort, dropPort, itself, makePort } from './ports.ts'

/** Makes the agent look at a network after a change, once the change's answer has been sent. */
export function serve(networkId: string, region: Region): void {
  if (!region.settings.hasDhcp) return
  region.later(() => {
    try {
      keepPort(networkId, region)
    } catch (error) {
      // The agent does without a port where no address is free.
      if (!(error instanceof Refusal)) throw error
    }
  })
}

/** The subnets of a network that an agent serves. */
export const servedSubnets = (networkId: string, region: Region): Subnet[] =>
  [...region.subnets.by('network_id', networkId)].filter(({ enable_dhcp }) => enable_dhcp)

function keepPort(networkId: string, region: Region): void {
  const network = region.networks.get(networkId)
  const agent = [...region.agents.all()].find(one => one.agent_type === 'DHCP agent' && one.isAlive)
  if (network === undefined || agent === undefined) return
  const fixed_ips = servedSubnets(networkId, region).map(({ id }) => ({ subnet_id: id }))
  const device_id = `dhcp${agent.id}-${networkId}`
  const [port] = region.ports.by('device_id', device_id)
  if (port === undefined) {
    if (fixed_ips.length === 0) return
    const device = { device_id, device_owner: 'network:dhcp', 'binding:host_id': agent.host }
    const fields = { project_id: network.project_id, network_id: networkId, fixed_ips, ...device }
    makePort(fields, region, itself)
  } else if (fixed_ips.length === 0) {
    dropPort(port, region)
  } else {
    const held = new Set(port.fixed_ips.map(ip => ip.subnet_id))
    const isServing = held.size === fixed_ips.length && fixed_ips.every(ip => held.has(ip.subnet_id))
    if (!isServing) changePort(port, { fixed_ips }, region)
  }
}
