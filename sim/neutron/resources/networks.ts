// Networks: their segments, sharing, and the refusals of their removal.

import { type Resource, standardAttributes } from '../api/resource.ts'
import { invalidInput, networkNotFound, refusal } from '../errors.ts'
import { type Attributes, type Fields, owner } from '../model/attributes.ts'
import { servedSubnets } from '../model/dhcp.ts'
import { removeUnused } from '../model/floating.ts'
import { ensureDefaultGroup } from '../model/groups.ts'
import {
  checkList,
  checkText,
  integer,
  isDictionary,
  type Kind,
  natural,
  text,
  truth,
} from '../model/kinds.ts'
import { dnsDomain } from '../model/network-kinds.ts'
import { dropPort } from '../model/ports.ts'
import { qualityPolicy } from '../model/quality.ts'
import { giveBack, largestMtu, provider, renumber, takeSegments } from '../model/segments.ts'
import { dropSubnet, isServicePort } from '../model/subnets.ts'
import { checkZones, zonesOf } from '../model/zones.ts'
import { type Region, standard, touch } from '../region.ts'
import type { Network, Row, Segment } from '../rows.ts'

const part =
  (key: keyof Segment) =>
  (row: Row): unknown => {
    const { segments } = row as Network
    return segments.length > 1 ? undefined : (segments[0]?.[key] ?? null)
  }

const hasPart = (key: keyof Segment) => (row: Row, wanted: readonly string[]) =>
  (row as Network).segments.some(segment => wanted.includes(String(segment[key])))

const segmentList: Kind = {
  check: value => {
    const isRight = Array.isArray(value) && value.length > 0 && value.every(isDictionary)
    return isRight ? undefined : 'Segments must be a list of dictionaries'
  },
}

function viewSegments(row: Row): object[] | undefined {
  const { segments } = row as Network
  if (segments.length < 2) return undefined
  return segments.map(({ network_type, physical_network, segmentation_id }) => ({
    [provider.type]: network_type,
    [provider.physical]: physical_network,
    [provider.id]: segmentation_id,
  }))
}

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  subnets: { show: (row, region) => [...region.subnets.by('network_id', row.id)].map(({ id }) => id) },
  admin_state_up: { kind: truth, set: 'always', default: true, filter: true, sort: true },
  status: { show: () => 'ACTIVE', filter: true, sort: true },
  ...owner,
  shared: { kind: truth, set: 'always', default: false, setBy: 'admin', filter: true },
  ipv4_address_scope: { show: () => null },
  ipv6_address_scope: { show: () => null },
  is_default: {
    kind: truth,
    set: 'always',
    default: false,
    setBy: 'admin',
    filter: (row, wanted) =>
      wanted.includes(String((row as Network).external && (row as Network).is_default)),
    show: (row, _region, moment) =>
      (row as Network).external || moment === 'create' ? (row as Network).is_default : undefined,
  },
  dns_domain: { kind: dnsDomain, set: 'always', default: '' },
  'router:external': {
    kind: truth,
    set: 'always',
    default: false,
    setBy: 'admin',
    filter: true,
    show: row => (row as Network).external,
  },
  l2_adjacency: { show: () => true },
  segments: {
    kind: segmentList,
    set: 'always',
    default: undefined,
    setBy: 'admin',
    partsSetBy: { [provider.type]: 'admin', [provider.physical]: 'admin', [provider.id]: 'admin' },
    seenBy: 'admin',
    show: viewSegments,
  },
  mtu: { kind: natural, set: 'always', default: 0, setBy: 'owner', filter: true, sort: true },
  availability_zones: {
    show: (row, region) => (servedSubnets(row.id, region).length > 0 ? zonesOf('network', region) : []),
  },
  availability_zone_hints: {
    kind: { check: checkList(checkText(Infinity)) },
    set: 'create',
    default: [],
    filter: (row, wanted) => wanted.includes(JSON.stringify((row as Network).availability_zone_hints)),
  },
  port_security_enabled: { kind: truth, set: 'always', default: true, setBy: 'owner' },
  [provider.type]: {
    kind: { check: checkText(32) },
    set: 'always',
    default: undefined,
    setBy: 'admin',
    seenBy: 'admin',
    show: part('network_type'),
    filter: hasPart('network_type'),
  },
  [provider.physical]: {
    kind: { check: checkText(64) },
    set: 'always',
    default: undefined,
    setBy: 'admin',
    seenBy: 'admin',
    show: part('physical_network'),
    filter: hasPart('physical_network'),
  },
  [provider.id]: {
    kind: integer,
    set: 'always',
    default: undefined,
    setBy: 'admin',
    seenBy: 'admin',
    show: part('segmentation_id'),
    filter: hasPart('segmentation_id'),
  },
  qos_policy_id: qualityPolicy,
  ...standardAttributes,
}

export const networks: Resource<Network> = {
  name: 'network',
  path: 'networks',
  attributes,
  table: region => region.networks,
  missing: networkNotFound,
  seenBy: 'ownerOrPublic',
  createdBy: 'anybody',
  changedBy: 'owner',
  removedBy: 'owner',
  isStandard: true,
  isMarkerChecked: true,
  create: (fields, region, caller) => {
    ensureDefaultGroup(String(fields.project_id), region, caller)
    checkZones('network', fields.availability_zone_hints, region)
    const segments = takeSegments(fields, region)
    try {
      return region.networks.add({
        ...standard(region, fields),
        name: String(fields.name),
        admin_state_up: fields.admin_state_up === true,
        shared: fields.shared === true,
        external: fields['router:external'] === true,
        is_default: fields.is_default === true,
        mtu: mtuOf(Number(fields.mtu), segments, region),
        port_security_enabled: fields.port_security_enabled !== false,
        dns_domain: String(fields.dns_domain),
        availability_zone_hints: fields.availability_zone_hints as string[],
        segments,
      })
    } catch (error) {
      for (const segment of segments) giveBack(segment, region)
      throw error
    }
  },
  update: (network, fields, region) => {
    const { [provider.type]: _type, [provider.physical]: _physical, [provider.id]: id, ...others } = fields
    const { 'router:external': external = network.external, segments: _segments, ...plain } = others
    refuseMove(network, fields)
    if (plain.shared === false && network.shared) refuseShared(network, region)
    if (network.external && external === false) refuseGateways(network, region)
    if (plain.mtu !== undefined) plain.mtu = mtuOf(Number(plain.mtu), network.segments, region)
    const [segment] = network.segments
    if (segment !== undefined && id !== undefined) network.segments = [renumber(segment, Number(id), region)]
    Object.assign(network, plain, { external })
    if (Object.keys(others).length > 0) touch(region, network)
  },
  remove: (network, region) => {
    if (network.external) removeUnused(network, region)
    const ports = [...region.ports.by('network_id', network.id)]
    const used = ports.filter(port => !isServicePort(port)).map(({ id }) => id)
    if (used.length > 0) {
      const reason = 'There are one or more ports still in use on the network, id for these ports is'
      const message = `Unable to complete operation on network ${network.id}. ${reason}: ${used.join(',')}.`
      throw refusal(409, 'NetworkInUse', message)
    }
    for (const port of ports) dropPort(port, region)
    for (const subnet of [...region.subnets.by('network_id', network.id)]) dropSubnet(subnet, region)
    for (const segment of network.segments) giveBack(segment, region)
    region.networks.remove(network)
  },
}

function mtuOf(asked: number, segments: readonly Segment[], region: Region): number {
  const most = largestMtu(segments, region)
  if (asked > most) throw invalidInput(`Requested MTU is too big, maximum is ${most}`)
  return asked === 0 ? most : asked
}

/** Refuses a change of a network's segment, of which only the number can change. */
function refuseMove({ segments }: Network, fields: Fields): void {
  const { [provider.type]: type, [provider.physical]: physical } = fields
  const [segment] = segments
  const isMoved = (asked: unknown, actual: unknown) => asked !== undefined && asked !== actual
  if (!isMoved(type, segment?.network_type) && !isMoved(physical, segment?.physical_network)) return
  throw invalidInput(
    'Plugin does not support updating the following provider network attributes: provider:physical_network, provider:network_type',
  )
}

function refuseShared(network: Network, region: Region): void {
  const ports = [...region.ports.by('network_id', network.id)].filter(
    ({ device_owner }) => !device_owner.startsWith('network:'),
  )
  const rows = [...ports, ...region.subnets.by('network_id', network.id)]
  if (rows.every(({ project_id }) => project_id === network.project_id)) return
  const message = `Unable to reconfigure sharing settings for network ${network.name}. Multiple tenants are using it.`
  throw refusal(409, 'InvalidSharedSetting', message)
}

function refuseGateways(network: Network, region: Region): void {
  const ports = [...region.ports.by('network_id', network.id)]
  if (!ports.some(({ device_owner }) => device_owner === 'network:router_gateway')) return
  const message = `External network ${network.id} cannot be updated to be made non-external, since it has existing gateway ports.`
  throw refusal(409, 'ExternalNetworkInUse', message)
}
