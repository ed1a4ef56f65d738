// What core needs of regions. Everything throws `upstream` with the region, the service and what was answered.

import type { Maker, MarkedThing } from './network/intent.ts'
import type { Network, Subnet } from './network/network.ts'

/** The Neutron of one region. */
export interface RegionNetworking {
  /** False when it was gone already. */
  removePort(id: string): Promise<boolean>
  /** Null when the region has no such network; else whether it already is so. */
  networkIs(id: string, wanted: NetworkAspect): Promise<boolean | null>
  updateNetwork(id: string, wanted: NetworkAspect): Promise<void>
  subnetIs(id: string, wanted: SubnetAspect): Promise<boolean | null>
  updateSubnet(id: string, wanted: SubnetAspect): Promise<void>
  /** Networks by the mark in their description; `spec` is what else a new one is made of. */
  networkMaker(spec: NetworkSpec): Maker
  /** Every network that bears a mark of Atoll's. */
  markedNetworks(): Promise<MarkedThing[]>
  removeNetwork(id: string): Promise<boolean>
}

export interface NetworkSpec {
  readonly name: string
  readonly projectId: string
}

export type NetworkAspect = Pick<Network, 'description' | 'adminStateUp' | 'shared'>
export type SubnetAspect = Pick<Subnet, 'description' | 'enableDhcp' | 'hostRoutes' | 'dnsNameservers'>

export interface Cloud {
  /** `requestId` goes with every call: of the request or the job on whose behalf it is made. */
  networking(region: string, requestId: string): RegionNetworking
}
