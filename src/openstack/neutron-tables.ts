// Neutron's resources as tables: what is read of each, and what of it may be given at create and update.
import { z } from 'zod'
import {
  count,
  extra,
  field,
  flag,
  id,
  instant,
  listOf,
  many,
  maybeOne,
  orNull,
  type Shape,
  text,
  type WireField,
  type WireFields,
} from './wire-fields.ts'

export interface Resource<Given extends WireFields, Told extends WireFields> {
  /** The key of one resource in a body; `many` is the key of a list, `path` their path. */
  readonly one: string
  readonly many: string
  readonly path: string
  /** False for the few lists that Neutron always gives whole. */
  readonly paged: boolean
  readonly given: Given
  readonly told: Told
}

/** A resource as a region describes it. */
export type Row<R> = R extends Resource<infer G, infer T> ? Shape<G> & Shape<T> : never

/** What may be given at create and update. */
export type Spec<R> = R extends Resource<infer G, WireFields> ? Partial<Shape<G>> : never

export type AnyResource = Resource<WireFields, WireFields>
/** A resource that has an id, and so can be got, updated and removed. */
export type Identified = Resource<WireFields, WireFields & { readonly id: WireField<string> }>

function resource<G extends WireFields, T extends WireFields>(
  one: string,
  { given, told, path = `/${one}s`, paged = true }: { given: G; told: T; path?: string; paged?: boolean },
): Resource<G, T> {
  return { one, many: `${one}s`, path, paged, given, told }
}

/** A field that is left out instead of written as null, which Neutron refuses for it. */
const leftOut = <T>(one: WireField<T | null>): WireField<T | null> => ({
  ...one,
  write: value => value ?? undefined,
})

const words = many(text)
const ids = many(id)

/**
 * The project that owns a resource. Neutron gives an empty text for routers' gateway ports, which nobody
 * owns.
 */
const owner = z.preprocess(value => (value === '' ? null : value), orNull(id))
const owned = { projectId: field('project_id', owner), description: field('description', orNull(text)) }
const named = { ...owned, name: field('name', text) }
const born = {
  id: field('id', id),
  revisionNumber: field('revision_number', orNull(count)),
  createdAt: field('created_at', orNull(instant)),
  updatedAt: field('updated_at', orNull(instant)),
}
const tagged = { ...born, tags: extra(field('tags', words)) }

export const networks = resource('network', {
  given: {
    ...named,
    adminStateUp: field('admin_state_up', flag),
    shared: field('shared', flag),
    external: field('router:external', flag),
    mtu: field('mtu', orNull(count)),
    networkType: field('provider:network_type', orNull(text)),
    physicalNetwork: field('provider:physical_network', orNull(text)),
    segmentationId: field('provider:segmentation_id', orNull(count)),
    portSecurityEnabled: field('port_security_enabled', orNull(flag)),
    dnsDomain: field('dns_domain', orNull(text)),
    qosPolicyId: field('qos_policy_id', orNull(id)),
    availabilityZoneHints: extra(field('availability_zone_hints', words)),
  },
  told: {
    ...tagged,
    status: field('status', text),
    subnetIds: field('subnets', ids),
    availabilityZones: extra(field('availability_zones', words)),
  },
})

const route = { destination: field('destination', text), nextHop: field('nexthop', text) }

export const subnets = resource('subnet', {
  given: {
    ...named,
    networkId: field('network_id', id),
    ipVersion: field('ip_version', z.union([z.literal(4), z.literal(6)])),
    cidr: field('cidr', text),
    gatewayIp: field('gateway_ip', orNull(text)),
    enableDhcp: field('enable_dhcp', flag),
    allocationPools: listOf('allocation_pools', { start: field('start', text), end: field('end', text) }),
    dnsNameservers: field('dns_nameservers', words),
    hostRoutes: listOf('host_routes', route),
    ipv6AddressMode: field('ipv6_address_mode', orNull(text)),
    ipv6RaMode: field('ipv6_ra_mode', orNull(text)),
    segmentId: field('segment_id', orNull(id)),
    serviceTypes: extra(field('service_types', words)),
  },
  told: tagged,
})

const fixedIp = { subnetId: field('subnet_id', id), ipAddress: field('ip_address', text) }

export const ports = resource('port', {
  given: {
    ...named,
    networkId: field('network_id', id),
    macAddress: field('mac_address', text),
    fixedIps: listOf('fixed_ips', fixedIp),
    adminStateUp: field('admin_state_up', flag),
    /** Free text: a server's id, a router's, or a word. */
    deviceId: field('device_id', text),
    deviceOwner: field('device_owner', text),
    securityGroupIds: extra(field('security_groups', ids)),
    allowedAddressPairs: extra(
      listOf('allowed_address_pairs', {
        ipAddress: field('ip_address', text),
        macAddress: leftOut(field('mac_address', orNull(text))),
      }),
    ),
    extraDhcpOptions: extra(
      listOf('extra_dhcp_opts', {
        name: field('opt_name', text),
        value: field('opt_value', orNull(text)),
        ipVersion: field('ip_version', count),
      }),
    ),
    portSecurityEnabled: field('port_security_enabled', orNull(flag)),
    dnsName: field('dns_name', orNull(text)),
    qosPolicyId: field('qos_policy_id', orNull(id)),
    hostId: field('binding:host_id', orNull(text)),
    vnicType: field('binding:vnic_type', orNull(text)),
    profile: field('binding:profile', orNull(z.record(text, z.unknown()))),
  },
  told: {
    ...tagged,
    status: field('status', text),
    vifType: field('binding:vif_type', orNull(text)),
  },
})

export const routers = resource('router', {
  given: {
    ...named,
    adminStateUp: field('admin_state_up', flag),
    /** Null is no gateway; written as null it takes the gateway away. */
    externalGateway: maybeOne('external_gateway_info', {
      networkId: field('network_id', id),
      enableSnat: field('enable_snat', flag),
      externalFixedIps: listOf('external_fixed_ips', fixedIp),
    }),
    routes: extra(listOf('routes', route)),
    distributed: field('distributed', orNull(flag)),
    ha: field('ha', orNull(flag)),
    availabilityZoneHints: extra(field('availability_zone_hints', words)),
  },
  told: {
    ...tagged,
    status: field('status', text),
    availabilityZones: extra(field('availability_zones', words)),
  },
})

export const floatingIps = resource('floatingip', {
  given: {
    ...owned,
    floatingNetworkId: field('floating_network_id', id),
    // The subnet that the floating IP is to come from: it can be given at create, and Neutron does not return
    // it.
    subnetId: field('subnet_id', orNull(id)),
    floatingIpAddress: field('floating_ip_address', text),
    fixedIpAddress: field('fixed_ip_address', orNull(text)),
    portId: field('port_id', orNull(id)),
  },
  told: {
    ...tagged,
    status: field('status', text),
    routerId: field('router_id', orNull(id)),
  },
})

export const securityGroupRules = resource('security_group_rule', {
  path: '/security-group-rules',
  given: {
    ...owned,
    securityGroupId: field('security_group_id', id),
    direction: field('direction', z.enum(['ingress', 'egress'])),
    ethertype: field('ethertype', z.enum(['IPv4', 'IPv6'])),
    protocol: field('protocol', orNull(text)),
    portRangeMin: field('port_range_min', orNull(count)),
    portRangeMax: field('port_range_max', orNull(count)),
    remoteIpPrefix: field('remote_ip_prefix', orNull(text)),
    remoteGroupId: field('remote_group_id', orNull(id)),
    remoteAddressGroupId: field('remote_address_group_id', orNull(id)),
  },
  told: born,
})

export const securityGroups = resource('security_group', {
  path: '/security-groups',
  given: {
    ...named,
    stateful: field('stateful', orNull(flag)),
  },
  told: {
    ...tagged,
    rules: listOf('security_group_rules', { ...securityGroupRules.given, ...securityGroupRules.told }),
  },
})

export const addressGroups = resource('address_group', {
  path: '/address-groups',
  given: { ...named, addresses: field('addresses', words) },
  told: born,
})

export const agents = resource('agent', {
  given: { adminStateUp: field('admin_state_up', flag), description: field('description', orNull(text)) },
  told: {
    id: field('id', id),
    agentType: field('agent_type', text),
    binary: field('binary', text),
    host: field('host', text),
    alive: field('alive', flag),
    availabilityZone: field('availability_zone', orNull(text)),
    heartbeatAt: field('heartbeat_timestamp', orNull(instant)),
  },
  paged: false,
})

export const extensions = resource('extension', {
  given: {},
  told: { alias: field('alias', text), name: field('name', text) },
  paged: false,
})

export const availabilityZones = resource('availability_zone', {
  given: {},
  told: { name: field('name', text), state: field('state', text), resource: field('resource', text) },
  paged: false,
})

const level = z.object({ limit: count, used: count })

/** A project's quota: for each resource a limit (-1: none) and the number in use. */
export const quota = {
  network: field('network', level),
  subnet: field('subnet', level),
  port: field('port', level),
  router: field('router', level),
  floatingIp: field('floatingip', level),
  securityGroup: field('security_group', level),
  securityGroupRule: field('security_group_rule', level),
}

/** What a router answers when an interface was added or removed. */
export const routerInterface = {
  portId: field('port_id', id),
  subnetId: field('subnet_id', id),
  networkId: field('network_id', orNull(id)),
}
