// Networking things as a region describes them, and what core asks of a region's Neutron.

import type { AddressPair, AllocationPool, FixedIp, HostRoute } from '../model/model.ts'

interface RegionThing {
  readonly id: string
  readonly projectId: string | null
  readonly description: string | null
  readonly revisionNumber: number | null
  readonly createdAt: Date | null
  readonly updatedAt: Date | null
}

interface NamedThing extends RegionThing {
  readonly name: string
}

export interface RegionNetwork extends NamedThing {
  readonly adminStateUp: boolean
  readonly shared: boolean
  readonly external: boolean
  readonly mtu: number | null
  readonly networkType: string | null
  readonly physicalNetwork: string | null
  readonly segmentationId: number | null
  readonly portSecurityEnabled: boolean | null
  readonly dnsDomain: string | null
  readonly availabilityZoneHints: readonly string[]
  readonly status: string
  readonly subnetIds: readonly string[]
}

export interface RegionSubnet extends NamedThing {
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

export interface RegionPort extends NamedThing {
  readonly networkId: string
  readonly macAddress: string
  readonly fixedIps: readonly FixedIp[]
  readonly adminStateUp: boolean
  readonly deviceId: string
  readonly deviceOwner: string
  readonly securityGroupIds: readonly string[]
  readonly allowedAddressPairs: readonly AddressPair[]
  readonly portSecurityEnabled: boolean | null
  readonly hostId: string | null
  readonly vnicType: string | null
  readonly profile: Readonly<Record<string, unknown>> | null
  readonly vifType: string | null
  readonly status: string
}

export interface RegionRouter extends NamedThing {
  readonly adminStateUp: boolean
  readonly externalGateway: {
    readonly networkId: string
    readonly enableSnat: boolean
    readonly externalFixedIps: readonly FixedIp[]
  } | null
  readonly routes: readonly HostRoute[]
  readonly distributed: boolean | null
  readonly ha: boolean | null
  readonly availabilityZoneHints: readonly string[]
  readonly status: string
}

export interface RegionFloatingIp extends RegionThing {
  readonly floatingNetworkId: string
  /** The subnet that the address is to come from: given at creation, and never in Neutron's answers. */
  readonly subnetId: string | null
  readonly floatingIpAddress: string
  readonly fixedIpAddress: string | null
  readonly portId: string | null
  readonly routerId: string | null
  readonly status: string
}

export interface RegionRule extends RegionThing {
  readonly securityGroupId: string
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  readonly protocol: string | null
  readonly portRangeMin: number | null
  readonly portRangeMax: number | null
  readonly remoteIpPrefix: string | null
  readonly remoteGroupId: string | null
  readonly remoteAddressGroupId: string | null
}

export interface RegionGroup extends NamedThing {
  readonly stateful: boolean | null
  readonly rules: readonly RegionRule[]
}

export interface RegionAddressGroup extends NamedThing {
  readonly addresses: readonly string[]
}

export interface RegionAgent {
  readonly id: string
  readonly agentType: string
  readonly binary: string
  readonly host: string
  readonly alive: boolean
  readonly adminStateUp: boolean
  readonly availabilityZone: string | null
  readonly description: string | null
  readonly heartbeatAt: Date | null
}

/** Every kind that regions have. */
export interface RegionRows {
  readonly network: RegionNetwork
  readonly subnet: RegionSubnet
  readonly port: RegionPort
  readonly router: RegionRouter
  readonly floatingip: RegionFloatingIp
  readonly security_group: RegionGroup
  readonly security_group_rule: RegionRule
  readonly address_group: RegionAddressGroup
  readonly agent: RegionAgent
}
export type RegionKind = keyof RegionRows
/** The kinds that can be made. */
export type MadeKind = Exclude<RegionKind, 'agent'>

type Scalar = string | number | boolean

export interface RegionQuery<K extends RegionKind, F extends keyof RegionRows[K] = keyof RegionRows[K]> {
  /** Equality by field; of several values any fits; in a list of objects the inner fields count. */
  readonly where?: {
    readonly [N in keyof RegionRows[K]]?: Scalar | readonly Scalar[] | Readonly<Record<string, Scalar>>
  }
  /** The fields of the rows that are asked for, and answered; left out for all. */
  readonly fields?: readonly F[]
  /** Only rows that were made or changed since then, by the region's clock; deleted rows never show. */
  readonly changedSince?: Date
}

/** The fields of a thing at its creation or in a change; the region chooses those that are left out. */
export type ThingSpec<K extends MadeKind> = Partial<
  Omit<
    RegionRows[K],
    | 'id'
    | 'revisionNumber'
    | 'createdAt'
    | 'updatedAt'
    | 'status'
    | 'subnetIds'
    | 'rules'
    | 'vifType'
    | 'routerId'
  >
>

export type LegBy = { readonly subnetId: string } | { readonly portId: string }

/**
 * The Neutron of one region. Every call throws `upstream` with the region, the service, the status and, as
 * reason, Neutron's own word for a refusal; the reason is `maybe_done` where the call may have made a thing
 * all the same.
 */
export interface RegionNetworking {
  list<K extends RegionKind, F extends keyof RegionRows[K] = keyof RegionRows[K]>(
    kind: K,
    query?: RegionQuery<K, F>,
  ): Promise<Pick<RegionRows[K], F>[]>
  /** Null when the region has no such row. */
  get<K extends RegionKind>(kind: K, id: string): Promise<RegionRows[K] | null>
  create<K extends MadeKind>(kind: K, spec: ThingSpec<K>): Promise<RegionRows[K]>
  /** Throws with status 404 when the region has no such row. */
  update<K extends MadeKind>(kind: K, id: string, spec: ThingSpec<K>): Promise<RegionRows[K]>
  /** False when the region had no such row any more. */
  remove(kind: MadeKind, id: string): Promise<boolean>
  /** The port of the new leg. Throws with status 400 for a leg that the router has already. */
  addLeg(routerId: string, leg: LegBy): Promise<{ readonly portId: string; readonly subnetId: string }>
  /** False when the router has no such leg, or is gone itself. */
  removeLeg(routerId: string, leg: LegBy): Promise<boolean>
  addAddresses(groupId: string, addresses: readonly string[]): Promise<RegionAddressGroup>
  removeAddresses(groupId: string, addresses: readonly string[]): Promise<RegionAddressGroup>
}
