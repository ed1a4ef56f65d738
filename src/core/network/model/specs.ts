// The specs of new resources of the central model, and of changes. A field that is left out has a default
// that only the model knows (addresses, pools, groups); a default that is always the same is given by the
// face.

import type { AddressPair, AllocationPool, HostRoute, RouterGateway } from './model.ts'

export interface NetworkSpec {
  readonly projectId: string
  readonly name: string
  readonly description: string
  readonly adminStateUp: boolean
  readonly shared: boolean
  readonly external: boolean
  readonly mtu?: number
  readonly networkType?: string
  readonly physicalNetwork?: string
  readonly segmentationId?: number
  readonly portSecurityEnabled: boolean
  readonly dnsDomain: string
  readonly zoneHints: readonly string[]
}
export type NetworkChange = Partial<
  Pick<
    NetworkSpec,
    | 'name'
    | 'description'
    | 'adminStateUp'
    | 'shared'
    | 'mtu'
    | 'portSecurityEnabled'
    | 'dnsDomain'
    | 'external'
    | 'networkType'
    | 'physicalNetwork'
    | 'segmentationId'
  >
>

export interface SubnetSpec {
  readonly projectId: string
  readonly networkId: string
  readonly name: string
  readonly description: string
  readonly ipVersion: 4 | 6
  readonly cidr: string
  /** Null for none; left out for the first address. */
  readonly gatewayIp?: string | null
  readonly enableDhcp: boolean
  readonly allocationPools?: readonly AllocationPool[]
  readonly dnsNameservers: readonly string[]
  readonly hostRoutes: readonly HostRoute[]
  readonly ipv6AddressMode: string | null
  readonly ipv6RaMode: string | null
}
export type SubnetChange = Partial<
  Pick<
    SubnetSpec,
    'name' | 'description' | 'gatewayIp' | 'enableDhcp' | 'allocationPools' | 'dnsNameservers' | 'hostRoutes'
  >
>

/** An address that a port asks for: this one, any of a subnet, or this one of whichever subnet it is in. */
export interface FixedIpAsk {
  readonly subnetId?: string
  readonly ipAddress?: string
}

export interface PortSpec {
  readonly projectId: string
  readonly networkId: string
  readonly name: string
  readonly description: string
  readonly macAddress?: string
  /**
   * An empty list asks for no address; left out, the port gets one of each IP version that the network has.
   */
  readonly fixedIps?: readonly FixedIpAsk[]
  readonly adminStateUp: boolean
  readonly deviceId: string
  readonly deviceOwner: string
  /** Left out for the project's default group. */
  readonly securityGroupIds?: readonly string[]
  readonly allowedAddressPairs: readonly AddressPair[]
  /** Left out: as the network has it. */
  readonly portSecurityEnabled?: boolean
  readonly hostId: string
  readonly vnicType: string
  readonly profile: Readonly<Record<string, unknown>>
}
export type PortChange = Partial<Omit<PortSpec, 'projectId' | 'networkId'>>

/** A gateway that a router asks for; without addresses the region picks one. */
export interface GatewayAsk extends Omit<RouterGateway, 'fixedIps' | 'enableSnat'> {
  /** Left out for true. */
  readonly enableSnat?: boolean
  readonly fixedIps?: readonly FixedIpAsk[]
}

export interface RouterSpec {
  readonly projectId: string
  readonly name: string
  readonly description: string
  readonly adminStateUp: boolean
  readonly gateway: GatewayAsk | null
  readonly zoneHints: readonly string[]
  readonly distributed: boolean
  readonly ha: boolean
}
export type RouterChange = Partial<
  Pick<RouterSpec, 'name' | 'description' | 'adminStateUp' | 'gateway' | 'distributed' | 'ha'>
> & { readonly routes?: readonly HostRoute[] }

/** The subnet or the port of an interface; both only where the port is in the subnet. */
export interface InterfaceAsk {
  readonly routerId: string
  readonly subnetId?: string
  readonly portId?: string
}
export interface Interface {
  readonly routerId: string
  readonly projectId: string
  readonly portId: string
  readonly networkId: string
  readonly subnetId: string
}

export interface FloatingIpSpec {
  readonly projectId: string
  readonly description: string
  readonly floatingNetworkId: string
  readonly subnetId?: string
  readonly floatingIpAddress?: string
  readonly portId?: string | null
  readonly fixedIpAddress?: string | null
}
export type FloatingIpChange = Partial<Pick<FloatingIpSpec, 'description' | 'portId' | 'fixedIpAddress'>>

export interface GroupSpec {
  readonly projectId: string
  readonly name: string
  readonly description: string
  readonly stateful: boolean
}
export type GroupChange = Partial<Omit<GroupSpec, 'projectId'>>

export interface RuleSpec {
  readonly projectId: string
  readonly description: string
  readonly securityGroupId: string
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  readonly protocol: string | null
  readonly portRangeMin: number | null
  readonly portRangeMax: number | null
  readonly remoteIpPrefix: string | null
  readonly remoteGroupId: string | null
}

/** A change of one resource; with a revision only if the resource still has it. */
export interface UpdateAsk<Change> {
  readonly id: string
  readonly change: Change
  readonly ifRevision?: number
}

/** A removal of one resource; with a revision only if the resource still has it. */
export interface RemovalAsk {
  readonly id: string
  readonly ifRevision?: number
}
