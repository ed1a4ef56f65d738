// A server as the API shows it, which differs much by microversion and by who looks.

import { createHash } from 'node:crypto'
import { instanceName, type Server, statusOf } from '../rows.ts'
import { type Asked, linksOf, microTime, secondTime } from './asked.ts'

type Fields = Record<string, unknown>

const path = (id: string): string => `servers/${id}`

export const viewShort = ({ id, name }: Server, asked: Asked): Fields => ({
  id,
  name,
  links: linksOf(asked, path(id)),
})

export function view(server: Server, asked: Asked): Fields {
  const { minor } = asked
  const status = statusOf(server)
  return {
    id: server.id,
    name: server.name,
    status,
    tenant_id: server.projectId,
    user_id: server.userId,
    metadata: server.metadata,
    hostId: hostId(server),
    image: viewImage(server, asked),
    flavor: minor >= 47 ? viewFlavor(server) : viewFlavorLink(server, asked),
    created: secondTime(server.createdAt),
    updated: secondTime(server.updatedAt),
    addresses: viewAddresses(server),
    accessIPv4: '',
    accessIPv6: '',
    links: linksOf(asked, path(server.id)),
    'OS-DCF:diskConfig': 'MANUAL',
    ...(hasProgress.has(status) ? { progress: 0 } : {}),
    'OS-EXT-AZ:availability_zone': zoneOf(server, asked),
    config_drive: '',
    key_name: null,
    'OS-SRV-USG:launched_at': microTime(server.launchedAt),
    'OS-SRV-USG:terminated_at': microTime(server.deletedAt),
    ...viewPlace(server, asked),
    'OS-EXT-STS:task_state': server.taskState,
    'OS-EXT-STS:vm_state': server.vmState,
    'OS-EXT-STS:power_state': powerOf(server),
    'os-extended-volumes:volumes_attached': [],
    ...viewFault(server, asked),
    ...viewNewer(server, asked),
  }
}

const hasProgress = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'])

const hostId = ({ host, projectId }: Server): string =>
  host === null ? '' : createHash('sha224').update(`${projectId}${host}`).digest('hex')

function viewImage({ imageId }: Server, asked: Asked): object {
  const [, bookmark] = linksOf(asked, `images/${imageId}`)
  return { id: imageId, links: [bookmark] }
}

function viewFlavor({ flavor }: Server): object {
  return {
    vcpus: flavor.vcpus,
    ram: flavor.memoryMb,
    disk: flavor.diskGb,
    ephemeral: flavor.ephemeralGb,
    swap: flavor.swapMb,
    original_name: flavor.name,
    extra_specs: Object.fromEntries(flavor.extraSpecs),
  }
}

function viewFlavorLink({ flavor }: Server, asked: Asked): object {
  const [, bookmark] = linksOf(asked, `flavors/${flavor.id}`)
  return { id: flavor.id, links: [bookmark] }
}

function viewAddresses({ addresses }: Server): object {
  const byNetwork: Record<string, object[]> = {}
  for (const { network, ip, version, mac } of addresses) {
    byNetwork[network] ??= []
    byNetwork[network].push({
      version,
      addr: ip,
      'OS-EXT-IPS:type': 'fixed',
      'OS-EXT-IPS-MAC:mac_addr': mac,
    })
  }
  return byNetwork
}

const zoneOf = ({ host, zone }: Server, { region }: Asked): string =>
  host === null ? (zone ?? '') : (region.zoneOf(host) ?? 'nova')

const powerOf = ({ vmState, launchedAt }: Server): number => {
  if (vmState === 'stopped') return 4
  return launchedAt !== null && ['active', 'resized'].includes(vmState) ? 1 : 0
}

/** The host and node of a server, which only admins see. */
function viewPlace(server: Server, { region, minor, caller }: Asked): Fields {
  if (!caller.isAdmin) return minor >= 90 ? { 'OS-EXT-SRV-ATTR:hostname': server.hostname } : {}
  const isPlaced = server.host !== null
  const hypervisor = isPlaced ? (region.hosts.get(server.host!)?.hypervisorHostname ?? server.host) : null
  const shown = {
    'OS-EXT-SRV-ATTR:host': server.host,
    'OS-EXT-SRV-ATTR:instance_name': instanceName(server),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': hypervisor,
  }
  if (minor < 3) return shown
  return {
    ...shown,
    'OS-EXT-SRV-ATTR:reservation_id': `r-${server.id.slice(0, 8)}`,
    'OS-EXT-SRV-ATTR:launch_index': 0,
    'OS-EXT-SRV-ATTR:hostname': server.hostname,
    'OS-EXT-SRV-ATTR:kernel_id': '',
    'OS-EXT-SRV-ATTR:ramdisk_id': '',
    'OS-EXT-SRV-ATTR:root_device_name': isPlaced ? '/dev/sda' : null,
    'OS-EXT-SRV-ATTR:user_data': null,
    ...(minor >= 16 ? { host_status: hostStatus(server, region.hosts.get(server.host ?? '')?.service) } : {}),
  }
}

function hostStatus(
  { host }: Server,
  service: { isAlive: boolean; isDisabled: boolean; isForcedDown: boolean } | undefined,
): string {
  if (host === null || service === undefined) return ''
  if (service.isForcedDown) return 'DOWN'
  if (service.isDisabled) return 'MAINTENANCE'
  return service.isAlive ? 'UP' : 'UNKNOWN'
}

function viewFault({ fault, vmState }: Server, { caller }: Asked): Fields {
  if (fault === null || !['error', 'deleted'].includes(vmState)) return {}
  const { code, message, at } = fault
  return {
    fault: { code, created: secondTime(at), message, ...(caller.isAdmin ? { details: message } : {}) },
  }
}

function viewNewer({ description }: Server, { minor, params }: Asked): Fields {
  return {
    ...(minor >= 9 ? { locked: false } : {}),
    ...(minor >= 73 ? { locked_reason: null } : {}),
    ...(minor >= 19 ? { description } : {}),
    ...(minor >= 26 ? { tags: [] } : {}),
    ...(minor >= 63 ? { trusted_image_certificates: null } : {}),
    ...(minor >= 71 && params.id !== undefined ? { server_groups: [] } : {}),
  }
}
