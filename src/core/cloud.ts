// What core needs of regions. Everything throws `upstream` with the region, the service and what was answered.

import type { Network, Subnet } from './network/network.ts'

/** A thing in a region, as far as it matters to whoever looks for its own. */
export interface RegionalThing {
  readonly id: string
  readonly createdAt: Date
}

/** The Neutron of one region. */
export interface RegionNetworking {
  /** False when it was gone already. */
  removePort(id: string): Promise<boolean>
  /** Null when the region has no such network; else whether it already is so. */
  networkIs(id: string, wanted: NetworkAspect): Promise<boolean | null>
  updateNetwork(id: string, wanted: NetworkAspect): Promise<void>
  subnetIs(id: string, wanted: SubnetAspect): Promise<boolean | null>
  updateSubnet(id: string, wanted: SubnetAspect): Promise<void>
}

export type NetworkAspect = Pick<Network, 'description' | 'adminStateUp' | 'shared'>
export type SubnetAspect = Pick<Subnet, 'description' | 'enableDhcp' | 'hostRoutes' | 'dnsNameservers'>

export interface Cloud {
  /** `requestId` goes with every call: of the request or the job on whose behalf it is made. */
  networking(region: string, requestId: string): RegionNetworking
}
