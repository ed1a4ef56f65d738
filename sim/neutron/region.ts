// One region's Neutron: its settings and its state.

import { State } from '../picture.ts'
import { Table } from '../table.ts'
import { makeId } from './compact.ts'
import type {
  AddressGroup,
  Agent,
  FloatingIp,
  Network,
  Port,
  Router,
  SecurityGroup,
  SecurityRule,
  Segment,
  Standard,
  Subnet,
} from './rows.ts'

export interface Settings {
  /** Whose policy it has. */
  release: 'zed' | '2025.1'
  /**
   * A MAC whose first three bytes, and the fourth unless that is zero, begin every MAC that the region makes.
   */
  baseMac: string
  /** The range of VXLAN ids for tenant networks. */
  vnis: readonly [number, number]
  /** The VLANs that are picked from on each physical network, null for none; an admin may name any other. */
  vlans: Readonly<Record<string, readonly [number, number] | null>>
  /** Compute hosts, each with a layer 2 agent. */
  hosts: readonly string[]
  /** The host on which routers and DHCP servers run. */
  networkHost: string
  dnsDomain: string
  mtu: number
  quotas: Readonly<Record<string, number>>
  mostRoutes: number
  mostHostRoutes: number
  mostNameservers: number
  /** Whether a DHCP agent serves each subnet, with a port of its own; without one there are no such ports. */
  hasDhcp: boolean
}

/** The addresses of a subnet that are held. */
export interface Leases {
  /** The port that holds an address. */
  holders: Map<string, string>
  /**
   * Where the search for a free address begins: a pool, and a place in it. All addresses before it are held.
   */
  free: { pool: number; at: bigint }
}

export const stockQuotas: Readonly<Record<string, number>> = {
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  rbac_policy: 10,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  trunk: -1,
}

export interface Region {
  readonly name: string
  readonly settings: Settings
  now(): number
  readonly networks: Table<Network>
  readonly subnets: Table<Subnet>
  readonly ports: Table<Port>
  readonly routers: Table<Router>
  readonly floatingips: Table<FloatingIp>
  readonly groups: Table<SecurityGroup>
  readonly rules: Table<SecurityRule>
  readonly addressGroups: Table<AddressGroup>
  readonly agents: Table<Agent>
  /** Quotas that differ from the settings, by project. */
  readonly quotas: Map<string, Record<string, number>>
  /** Held addresses by subnet. */
  readonly leases: Map<string, Leases>
  /** Taken segments, as `type physical id`. */
  readonly segments: Map<string, Segment>
  /** The tables that Neutron's database would hold, for faults of kind restore and empty. */
  readonly state: State
  /** The ports that calls of `add_router_interface` have made legs of whose callers have no answer yet. */
  readonly joining: Set<string>
  nextSerial(): number
  /** Registers the work of agents, which is done once the answer is on its way. */
  later(work: () => void): void
  /** Does the pending work of agents at once. */
  settle(): void
}

export function createRegion(name: string, settings: Settings, now: () => number): Region {
  const pending: (() => void)[] = []
  const counters = { serial: 0 }
  const held = {
    ...createTables(),
    quotas: new Map<string, Record<string, number>>(),
    leases: new Map<string, Leases>(),
    segments: new Map<string, Segment>(),
  }
  return {
    name,
    settings,
    now,
    ...held,
    joining: new Set(),
    state: new State([counters, ...Object.values(held)]),
    nextSerial: () => {
      counters.serial += 1
      return counters.serial
    },
    later: work => pending.push(work),
    settle: () => {
      for (let work = pending.shift(); work !== undefined; work = pending.shift()) work()
    },
  }
}

/** A region of the same settings with no rows, not even default groups. */
export function createBlank({ name, settings, now }: Region): Region {
  const blank = createRegion(name, settings, now)
  blank.groups.seal()
  blank.rules.seal()
  return blank
}

function createTables() {
  return {
    networks: new Table<Network>({ project_id: row => row.project_id }),
    subnets: new Table<Subnet>({ project_id: row => row.project_id, network_id: row => row.network_id }),
    ports: new Table<Port>({
      project_id: row => row.project_id,
      network_id: row => row.network_id,
      device_id: row => row.device_id,
      mac_address: row => row.mac_address.toLowerCase(),
      security_groups: row => row.security_groups,
    }),
    routers: new Table<Router>({ project_id: row => row.project_id }),
    floatingips: new Table<FloatingIp>({
      project_id: row => row.project_id,
      floating_network_id: row => row.floating_network_id,
      port_id: row => row.port_id ?? '',
      router_id: row => row.router_id ?? '',
    }),
    groups: new Table<SecurityGroup>({ project_id: row => row.project_id }),
    rules: new Table<SecurityRule>({
      project_id: row => row.project_id,
      security_group_id: row => row.security_group_id,
      remote_group_id: row => row.remote_group_id ?? '',
      remote_address_group_id: row => row.remote_address_group_id ?? '',
    }),
    addressGroups: new Table<AddressGroup>({ project_id: row => row.project_id }),
    agents: new Table<Agent>(),
  }
}

const noTags: readonly string[] = Object.freeze([])

/** The standard attributes of a new row. */
export function standard(region: Region, given: Record<string, unknown>, revision = 1): Standard {
  const now = region.now()
  return {
    id: makeId(),
    project_id: String(given.project_id),
    description: (given.description ?? '') as string,
    tags: noTags,
    revision_number: revision,
    created_at: now,
    updated_at: now,
    serial: region.nextSerial(),
  }
}

/** Raises the revision and the time of change of a row. */
export function touch(region: Region, row: Standard): void {
  row.revision_number += 1
  row.updated_at = region.now()
}
