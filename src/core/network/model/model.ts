// The central model: what tenants see of networks, whatever regions they are in.

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
  /** The project whose routers' copies meet on it; null for a network of a tenant's own. */
  readonly bridgeOf: string | null
  /** True once its removal has begun: nothing is placed on it any more. */
  readonly deleting: boolean
}

export interface Pool {
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
  readonly allocationPools: readonly Pool[]
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

/** Reserved while it has no place: its addresses are held centrally. Placed: it has exactly one. */
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
  /** Those that the user gave; what regions need beside them is the planner's. */
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
  /** The project's own, which ports have that name none. */
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

/** What a kind is called in sentences. */
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

/** What is worked out from other rows, and so is not written with its own. */
export type Derived = 'places' | 'subnetIds' | 'fixedIps' | 'rules'

/** A row as it is written. `fixedIps` of a port are held beside it. */
export type Written<K extends Kind> = Omit<Kinds[K], Derived>

/** What a change may set. */
export type Change<K extends Kind> = Partial<
  Omit<Written<K>, 'id' | 'projectId' | 'revision' | 'createdAt' | 'updatedAt'>
>
