// What the central model says of networks and subnets: what their copies in regions must be like.

export interface Network {
  readonly id: string
  readonly projectId: string
  readonly description: string
  readonly adminStateUp: boolean
  readonly shared: boolean
}

export interface HostRoute {
  readonly destination: string
  readonly nexthop: string
}

export interface Subnet {
  readonly id: string
  readonly projectId: string
  readonly networkId: string
  readonly description: string
  readonly enableDhcp: boolean
  readonly hostRoutes: readonly HostRoute[]
  readonly dnsNameservers: readonly string[]
}

export interface NetworkStore {
  network(id: string): Promise<Network | null>
  subnet(id: string): Promise<Subnet | null>
  saveNetwork(network: Network): Promise<void>
  saveSubnet(subnet: Subnet): Promise<void>
}
