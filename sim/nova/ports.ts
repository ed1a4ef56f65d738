// The ports of servers: taken or made in the region's Neutron when a server gets its host, and let go with it.

import { Refusal } from '../http.ts'
import type { Neutron } from '../neutron/neutron.ts'
import type { Network, Port } from '../neutron/rows.ts'
import { badRequest, conflict, forbidden } from './refusals.ts'
import type { Address, Server, WantedPort } from './rows.ts'

export interface Ports {
  /** What `networks` of a request says. Throws a 400 or a 409 for what cannot be had. */
  read(value: unknown, projectId: string): readonly WantedPort[]
  /** Binds them to the host, and says which addresses they have. Throws when Neutron refuses. */
  plug(server: Server, host: string, wanted: readonly WantedPort[]): Address[]
  /** Ports that were made for it go; others are free again. */
  unplug(serverId: string): void
}

/** Of a region without networks. */
export const noPorts: Ports = { read: () => [], plug: () => [], unplug: () => undefined }

export function portsOf(neutron: Neutron): Ports {
  const { region } = neutron
  /** By server, the ports that were made for it. */
  const own = new Map<string, Set<string>>()

  function plugOne(server: Server, host: string, wanted: WantedPort): Port {
    const binding = {
      device_id: server.id,
      device_owner: 'compute:nova',
      'binding:host_id': host,
    }
    if ('portId' in wanted) {
      neutron.act('PUT', 'ports', wanted.portId, { port: binding })
      return region.ports.get(wanted.portId)!
    }
    const fixedIps = wanted.fixedIp === null ? {} : { fixed_ips: [{ ip_address: wanted.fixedIp }] }
    const port = { network_id: wanted.networkId, project_id: server.projectId, ...fixedIps, ...binding }
    const { id } = neutron.create('port', port)
    own.set(server.id, (own.get(server.id) ?? new Set()).add(id))
    return region.ports.get(id)!
  }

  return {
    read: (value, projectId) => readNetworks(value, projectId, neutron),
    plug: (server, host, wanted) =>
      wanted.flatMap(one =>
        addressesOf(plugOne(server, host, one), region.networks.get.bind(region.networks)),
      ),
    unplug(serverId) {
      const made = own.get(serverId) ?? new Set()
      for (const { id } of [...region.ports.by('device_id', serverId)]) {
        if (made.has(id)) neutron.act('DELETE', 'ports', id)
        else {
          const free = { device_id: '', device_owner: '', 'binding:host_id': '' }
          neutron.act('PUT', 'ports', id, { port: free })
        }
      }
      own.delete(serverId)
    },
  }
}

function addressesOf(
  { network_id, mac_address, fixed_ips }: Port,
  networkOf: (id: string) => Network | undefined,
): Address[] {
  return fixed_ips.map(({ ip_address }) => ({
    network: networkOf(network_id)?.name ?? '',
    ip: ip_address,
    version: ip_address.includes(':') ? 6 : 4,
    mac: mac_address,
  }))
}

/** Without any, and with `auto`, the only network that the project has is taken. */
function readNetworks(value: unknown, projectId: string, neutron: Neutron): WantedPort[] {
  if (value === 'none') return []
  if (value === undefined || value === 'auto') {
    const usable = neutron
      .networks()
      .filter(({ shared, external, project_id }) => !external && (shared || project_id === projectId))
    if (usable.length > 1) {
      throw conflict('Multiple possible networks found, use a Network ID to be more specific.')
    }
    return usable.map(({ id }) => ({ networkId: id, fixedIp: null }))
  }
  if (!Array.isArray(value)) throw badRequest(`Invalid input for field/attribute networks. Value: ${value}.`)
  return value.map(one => readOne(one as Record<string, unknown>, projectId, neutron))
}

function readOne(
  { uuid, port: portId, fixed_ip }: Record<string, unknown>,
  projectId: string,
  { region }: Neutron,
): WantedPort {
  if (typeof portId === 'string') {
    const port = region.ports.get(portId)
    if (port === undefined || port.project_id !== projectId) throw badRequest(`Port ${portId} not found.`)
    if (port.device_id !== '') throw conflict(`Port ${portId} is still in use.`)
    if (port.fixed_ips.length === 0)
      throw badRequest(`Port ${portId} requires a FixedIP in order to be used.`)
    return { portId }
  }
  const network = region.networks.get(String(uuid))
  if (network === undefined || !(network.shared || network.external || network.project_id === projectId)) {
    throw badRequest(`Network ${String(uuid)} could not be found.`)
  }
  if (network.external && !network.shared) throw forbidden('network:attach_external_network')
  const hasSubnet = region.subnets.countBy('network_id', network.id) > 0
  if (!hasSubnet) {
    throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`)
  }
  return { networkId: network.id, fixedIp: fixed_ip === undefined ? null : String(fixed_ip) }
}

/** Whether Neutron said no, rather than something broke. */
export const isRefusal = (error: unknown): error is Refusal => error instanceof Refusal
