// The ports of servers: taken or made in the region's Neutron when a server gets its host, and let go with it.

import { Refusal } from '../http.ts'
import { ensureDefaultGroup } from '../neutron/model/groups.ts'
import type { Neutron } from '../neutron/neutron.ts'
import type { Region } from '../neutron/region.ts'
import type { Network, Port } from '../neutron/rows.ts'
import { badRequest, conflict, forbidden } from './refusals.ts'
import type { Address, Server, WantedPort } from './rows.ts'

interface Given {
  readonly networks?: unknown
  readonly security_groups?: unknown
}

/** Who asks for a server: an admin is shown every network, and may attach what is outside. */
interface Asking {
  readonly projectId: string
  readonly isAdmin: boolean
}

interface Place {
  readonly host: string
  readonly zone: string
}

export interface Ports {
  /** Reads `networks` and `security_groups` of a request. Throws a 400 or a 409 for unusable ones. */
  read(given: Given, caller: Asking): readonly WantedPort[]
  /** Binds a server's ports to its host, and returns their addresses. Throws when Neutron refuses. */
  plug(server: Server, place: Place, wanted: readonly WantedPort[]): Address[]
  /** Frees a server's ports; those that were made for it are removed. */
  unplug(serverId: string): void
  /** The ports that were made for each server. */
  readonly own: Map<string, Set<string>>
}

/** The ports of a region without Neutron. */
export const noPorts: Ports = { read: () => [], plug: () => [], unplug: () => undefined, own: new Map() }

export function portsOf(neutron: Neutron): Ports {
  const { region } = neutron
  const own: Ports['own'] = new Map()

  function plugOne(server: Server, { host, zone }: Place, wanted: WantedPort): Port {
    const binding = {
      device_id: server.id,
      device_owner: `compute:${zone}`,
      'binding:host_id': host,
    }
    if ('portId' in wanted) {
      neutron.act('PUT', 'ports', wanted.portId, { port: binding })
      return region.ports.get(wanted.portId)!
    }
    const fixedIps = wanted.fixedIp === null ? {} : { fixed_ips: [{ ip_address: wanted.fixedIp }] }
    const groups = wanted.groupIds.length === 0 ? {} : { security_groups: wanted.groupIds }
    const made = { network_id: wanted.networkId, project_id: server.projectId }
    const port = { ...made, ...fixedIps, ...groups, ...binding }
    const { id } = neutron.create('port', port)
    own.set(server.id, (own.get(server.id) ?? new Set()).add(id))
    return region.ports.get(id)!
  }

  return {
    read(given, caller) {
      const groupIds = readGroups(given.security_groups, caller.projectId, region)
      return readNetworks(given.networks, caller, neutron).map(one =>
        'portId' in one ? one : { ...one, groupIds },
      )
    },
    plug: (server, place, wanted) =>
      wanted.flatMap(one =>
        addressesOf(plugOne(server, place, one), region.networks.get.bind(region.networks)),
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
    own,
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

/** Reads security groups by name or id, of the project's own. The default group need not exist yet. */
function readGroups(value: unknown, projectId: string, region: Region): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    throw badRequest(`Invalid input for field/attribute security_groups. Value: ${value}.`)
  }
  const names = value.map(one => String((one as { name?: unknown }).name))
  if (names.every(name => name === 'default')) return []
  const caller = { projectId, isAdmin: false }
  return names.map(name =>
    name === 'default' ? ensureDefaultGroup(projectId, region, caller)! : findGroup(name, projectId, region),
  )
}

function findGroup(name: string, projectId: string, region: Region): string {
  const own = [...region.groups.by('project_id', projectId)]
  const found = own.filter(group => group.id === name || group.name === name)
  if (found.length > 1) {
    const words = `Multiple security_group matches found for name '${name}', use an ID to be more specific.`
    throw conflict(words)
  }
  if (found[0] === undefined) throw badRequest(`Unable to find security_group with name or id '${name}'`)
  return found[0].id
}

/** Reads the networks of a server; without any, and with `auto`, the project's only network is taken. */
function readNetworks(value: unknown, caller: Asking, neutron: Neutron): WantedPort[] {
  const { projectId } = caller
  if (value === 'none') return []
  if (value === undefined || value === 'auto') {
    const usable = neutron
      .networks()
      .filter(({ shared, external, project_id }) => !external && (shared || project_id === projectId))
    if (usable.length > 1) {
      throw conflict('Multiple possible networks found, use a Network ID to be more specific.')
    }
    return usable.map(({ id }) => ({ networkId: id, fixedIp: null, groupIds: [] }))
  }
  if (!Array.isArray(value)) throw badRequest(`Invalid input for field/attribute networks. Value: ${value}.`)
  return value.map(one => readOne(one as Record<string, unknown>, caller, neutron))
}

function readOne(
  { uuid, port: portId, fixed_ip }: Record<string, unknown>,
  { projectId, isAdmin }: Asking,
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
  const isShown = (one: Network) => isAdmin || one.shared || one.external || one.project_id === projectId
  if (network === undefined || !isShown(network)) {
    throw badRequest(`Network ${String(uuid)} could not be found.`)
  }
  if (network.external && !network.shared && !isAdmin) throw forbidden('network:attach_external_network')
  const hasSubnet = region.subnets.countBy('network_id', network.id) > 0
  if (!hasSubnet) {
    throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`)
  }
  return { networkId: network.id, fixedIp: fixed_ip === undefined ? null : String(fixed_ip), groupIds: [] }
}

/** Whether an error is Neutron's refusal, and not a bug. */
export const isRefusal = (error: unknown): error is Refusal => error instanceof Refusal
