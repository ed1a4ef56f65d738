// The central model: the network resources of all projects, whatever regions they are in.

/** Where a resource is: a region, and the id that it has there. */
export interface Place {
  readonly region: string
  readonly id: string
}

interface Placed {
  readonly places: readonly Place[]
}

/** The id that a resource has in a region of this name; null where it is not there. */
export const idIn = ({ places }: Placed, region: string): string | null =>
  places.find(place => place.region === region)?.id ?? null

export interface Standard {
  readonly id: string
  readonly projectId: string
  readonly name: string
  readonly description: string
  /** Counts its changes, from 1. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** In order of the regions' names. */
  readonly places: readonly Place[]
}

export interface Network extends Standard {
  readonly adminStateUp: boolean
  readonly shared: boolean
  readonly external: boolean
  readonly mtu: number
  readonly networkType: string
  readonly physicalNetwork: string | null
  readonly segmentationId: number | null
  readonly portSecurityEnabled: boolean
  readonly dnsDomain: string
  /** Zones or regions where it may be, as the user named them; none: everywhere. */
  readonly zoneHints: readonly string[]
  /** In order of creation. */
  readonly subnetIds: readonly string[]
  /**
   * The project whose routers' copies meet on this network, where it is a bridge; null for a network of
   * users.
   */
  readonly bridgeOf: string | null
  /** True once its removal has begun: nothing is placed on it any more. */
  readonly deleting: boolean
}

export interface AllocationPool {
  readonly start: string
  readonly end: string
}

export interface HostRoute {
  readonly destination: string
  readonly nextHop: string
}

export interface Subnet extends Standard {
  readonly networkId: string
  readonly ipVersion: 4 | 6
  readonly cidr: string
  readonly gatewayIp: string | null
  readonly enableDhcp: boolean
  readonly allocationPools: readonly AllocationPool[]
  readonly dnsNameservers: readonly string[]
  readonly hostRoutes: readonly HostRoute[]
  readonly ipv6AddressMode: string | null
  readonly ipv6RaMode: string | null
}

export interface FixedIp {
  readonly subnetId: string
  readonly ipAddress: string
}

export interface AddressPair {
  readonly ipAddress: string
  readonly macAddress: string | null
}

/**
 * A port: reserved while it has no place, its addresses held centrally; placed when it has one. It never has
 * two.
 */
export interface Port extends Standard {
  readonly networkId: string
  /** In lower case. */
  readonly macAddress: string
  readonly fixedIps: readonly FixedIp[]
  readonly adminStateUp: boolean
  readonly deviceId: string
  readonly deviceOwner: string
  readonly securityGroupIds: readonly string[]
  readonly allowedAddressPairs: readonly AddressPair[]
  readonly portSecurityEnabled: boolean
  readonly hostId: string
  readonly vnicType: string
  readonly vifType: string
  readonly profile: Readonly<Record<string, unknown>>
  readonly status: string
}

export interface RouterGateway {
  readonly networkId: string
  readonly enableSnat: boolean
  readonly fixedIps: readonly FixedIp[]
}

export interface Router extends Standard {
  readonly adminStateUp: boolean
  readonly gateway: RouterGateway | null
  /** The routes that the user gave; regions need others beside them, which the router's plan has. */
  readonly routes: readonly HostRoute[]
  readonly zoneHints: readonly string[]
  readonly distributed: boolean
  readonly ha: boolean
  readonly status: string
  readonly deleting: boolean
}

export interface FloatingIp extends Omit<Standard, 'name'> {
  readonly floatingNetworkId: string
  readonly floatingIpAddress: string
  readonly fixedIpAddress: string | null
  readonly portId: string | null
  readonly routerId: string | null
  /** ACTIVE once it leads to its port, else DOWN. */
  readonly status: string
}

export interface SecurityGroupRule extends Omit<Standard, 'name'> {
  readonly securityGroupId: string
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  readonly protocol: string | null
  readonly portRangeMin: number | null
  readonly portRangeMax: number | null
  readonly remoteIpPrefix: string | null
  readonly remoteGroupId: string | null
}

export interface SecurityGroup extends Standard {
  readonly stateful: boolean
  /** A project's default group, which its ports are in unless a user names others. */
  readonly isDefault: boolean
  /** In order of creation. */
  readonly rules: readonly SecurityGroupRule[]
}

/** Every kind by its name in Neutron's paths, which is also its resource type in routings. */
export interface Kinds {
  readonly network: Network
  readonly subnet: Subnet
  readonly port: Port
  readonly router: Router
  readonly floatingip: FloatingIp
  readonly security_group: SecurityGroup
  readonly security_group_rule: SecurityGroupRule
}
export type Kind = keyof Kinds

/** The name of each kind in messages. */
const words: Readonly<Record<Kind, string>> = {
  network: 'network',
  subnet: 'subnet',
  port: 'port',
  router: 'router',
  floatingip: 'floating IP',
  security_group: 'security group',
  security_group_rule: 'security group rule',
}
export const wordOf = (kind: Kind): string => words[kind]

/** Fields that are worked out from other rows, and so are not written with a row. */
export type Derived = 'places' | 'subnetIds' | 'fixedIps' | 'rules'

/** A row as it is written. A port's `fixedIps` are written as holdings. */
export type Written<K extends Kind> = Omit<Kinds[K], Derived>

/** The fields that a change of a row may set. */
export type Change<K extends Kind> = Partial<
  Omit<Written<K>, 'id' | 'projectId' | 'revision' | 'createdAt' | 'updatedAt'>
>
