// The rows of a region's Neutron, with the names of the wire.

export interface Row {
  id: string
  project_id: string
}

/** The attributes that most resources have. */
export interface Standard extends Row {
  description: string | null
  tags: readonly string[]
  revision_number: number
  /** The time of creation in milliseconds since 1970. */
  created_at: number
  updated_at: number
  /** Neutron's `standard_attr_id`, which a few answers show. */
  serial: number
}

export interface Segment {
  network_type: string
  physical_network: string | null
  segmentation_id: number | null
}

export interface Network extends Standard {
  name: string
  admin_state_up: boolean
  shared: boolean
  external: boolean
  is_default: boolean
  mtu: number
  port_security_enabled: boolean
  dns_domain: string
  availability_zone_hints: readonly string[]
  segments: Segment[]
}

export interface Pool {
  start: string
  end: string
}

export interface Route {
  destination: string
  nexthop: string
}

export interface Subnet extends Standard {
  name: string
  network_id: string
  ip_version: 4 | 6
  cidr: string
  gateway_ip: string | null
  allocation_pools: readonly Pool[]
  dns_nameservers: readonly string[]
  host_routes: readonly Route[]
  enable_dhcp: boolean
  ipv6_ra_mode: string | null
  ipv6_address_mode: string | null
  service_types: readonly string[]
}

export interface FixedIp {
  subnet_id: string
  ip_address: string
}

export interface AddressPair {
  ip_address: string
  mac_address: string
}

export interface DhcpOption {
  opt_name: string
  opt_value: string
  ip_version: number
}

export interface Port extends Standard {
  name: string
  network_id: string
  admin_state_up: boolean
  mac_address: string
  fixed_ips: readonly FixedIp[]
  device_id: string
  device_owner: string
  status: string
  security_groups: readonly string[]
  allowed_address_pairs: readonly AddressPair[]
  port_security_enabled: boolean
  extra_dhcp_opts: readonly DhcpOption[]
  dns_name: string
  dns_domain: string
  ip_allocation: string
  host: string
  profile: Readonly<Record<string, unknown>>
  vnic_type: string
  vif_type: string
}

export interface Router extends Standard {
  name: string
  admin_state_up: boolean
  distributed: boolean
  ha: boolean
  enable_snat: boolean
  gateway_id: string | null
  /** The ports of the router's interfaces, whatever their device id and owner are now. */
  interface_ids: readonly string[]
  routes: readonly Route[]
  availability_zone_hints: readonly string[]
  /** Whether an L3 agent has taken the router. */
  isHosted: boolean
}

export interface FloatingIp extends Standard {
  floating_network_id: string
  floating_ip_address: string
  /** The port that holds the address on the external network. */
  floating_port_id: string
  port_id: string | null
  fixed_ip_address: string | null
  router_id: string | null
  status: string
  dns_name: string
  dns_domain: string
}

export interface SecurityGroup extends Standard {
  name: string
  stateful: boolean
  isDefault: boolean
}

export interface SecurityRule extends Standard {
  security_group_id: string
  direction: string
  ethertype: string
  protocol: string | null
  port_range_min: number | null
  port_range_max: number | null
  remote_ip_prefix: string | null
  remote_group_id: string | null
  remote_address_group_id: string | null
}

export interface AddressGroup extends Standard {
  name: string
  addresses: readonly string[]
}

export interface Agent extends Row {
  agent_type: string
  binary: string
  topic: string
  host: string
  admin_state_up: boolean
  description: string | null
  availability_zone: string | null
  configurations: Readonly<Record<string, unknown>>
  started_at: number
  /** Whether the agent still reports. */
  isAlive: boolean
}
