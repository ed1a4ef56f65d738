// One region's Nova: its settings, its hosts and its state.

import { randomUUID } from 'node:crypto'
import { State } from '../picture.ts'
import { computeTraits } from '../placement/names.ts'
import { PlacementRegion } from '../placement/region.ts'
import type { Inventory, Provider } from '../placement/rows.ts'
import { seededUuid } from '../seeded.ts'
import { Table } from '../table.ts'
import type { Image } from './images.ts'
import { look, refreshChildren } from './nodes.ts'
import { noPorts, type Ports } from './ports.ts'
import { type Quotas, stockQuotas } from './quota-names.ts'
import type { Aggregate, Flavor, Host, Server, Service } from './rows.ts'

export interface HostSpec {
  name: string
  /** The hypervisor's hostname; the host's name by default. */
  hypervisorHostname?: string | undefined
  vcpus: number
  memoryMb: number
  diskGb: number
}

export interface Settings {
  /** Allocation ratios of hosts by resource class. */
  ratios: { vcpus: number; memory: number; disk: number }
  /** `[scheduler] enable_isolated_aggregate_filtering` */
  isIsolating: boolean
  /** Blazar's own filter is installed in the scheduler. */
  hasBlazarFilter: boolean
  /** Delays of a server: waiting for its host, being built, being deleted. */
  scheduleMs: number
  buildMs: number
  deleteMs: number
  /** The limits of projects that have none of their own. */
  quotas: Quotas
}

export const stockSettings: Settings = {
  ratios: { vcpus: 16, memory: 1.5, disk: 1 },
  isIsolating: true,
  hasBlazarFilter: false,
  scheduleMs: 0,
  buildMs: 0,
  deleteMs: 0,
  quotas: stockQuotas,
}

/** How many deleted servers are kept, which lists of changes still show. */
const mostDeleted = 10_000

export class NovaRegion {
  readonly name: string
  readonly settings: Settings
  readonly placement: PlacementRegion
  readonly ports: Ports
  readonly now: () => number
  /** Hosts by name; two more maps have them by hypervisor hostname and by uuid. */
  readonly hosts = new Map<string, Host>()
  readonly hostsByHypervisor = new Map<string, Host>()
  readonly hostsByUuid = new Map<string, Host>()
  /** Compute services by uuid. */
  readonly services = new Map<string, Service>()
  readonly flavors = new Map<string, Flavor>()
  readonly flavorsByName = new Map<string, Flavor>()
  readonly aggregates = new Map<number, Aggregate>()
  readonly servers = new Table<Server>({
    host: server => server.host ?? '',
    project: server => server.projectId,
    name: server => server.name,
  })
  readonly deleted = new Map<string, Server>()
  readonly images = new Map<string, Image>()
  /** Limits that were set for a project, by project. */
  readonly quotas = new Map<string, Partial<Quotas>>()
  /** Servers that stay however often they are deleted. */
  readonly undying = new Set<string>()
  /** The tables that Nova's database would hold, for faults of kind restore and empty. */
  readonly state: State
  private readonly pending: (() => void)[] = []
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly counters = { serial: 0, host: 0 }
  /** How often a host of each name was added. */
  private readonly comings = new Map<string, number>()

  constructor(
    name: string,
    settings: Settings,
    neighbours: { placement: PlacementRegion; ports: Ports },
    now: () => number,
  ) {
    this.name = name
    this.settings = settings
    const { placement, ports } = neighbours
    this.placement = placement
    this.ports = ports
    this.now = now
    // Images are in Glance's state.
    this.state = new State([
      this.hosts,
      this.hostsByHypervisor,
      this.hostsByUuid,
      this.services,
      this.flavors,
      this.flavorsByName,
      this.aggregates,
      this.servers,
      this.deleted,
      this.quotas,
      this.undying,
      this.counters,
      ports.own,
    ])
    placement.onRemove = provider => this.noteRemoval(provider)
  }

  nextNumber(): number {
    this.counters.serial += 1
    return this.counters.serial
  }

  addService(binary: string, host: string, uuid: string = randomUUID()): Service {
    const service: Service = {
      number: this.nextNumber(),
      uuid,
      binary,
      host,
      isDisabled: false,
      disabledReason: null,
      isForcedDown: false,
      isAlive: true,
    }
    this.services.set(uuid, service)
    return service
  }

  /** Adds a host. One that was removed before comes again with another uuid. */
  addHost({ name, hypervisorHostname = name, vcpus, memoryMb, diskGb }: HostSpec): Host {
    this.counters.host += 1
    const before = this.comings.get(name) ?? 0
    this.comings.set(name, before + 1)
    const place = [this.name, name, ...(before === 0 ? [] : [String(before)])]
    const uuid = seededUuid('host', ...place)
    const root = this.placement.addProvider({ uuid, name: hypervisorHostname, parent: null })
    this.placement.setInventories(root, inventoriesOf({ vcpus, memoryMb, diskGb }, this.settings))
    this.placement.setTraits(root, computeTraits)
    const host: Host = {
      name,
      hypervisorHostname,
      number: this.counters.host,
      uuid,
      vcpus,
      memoryMb,
      diskGb,
      service: this.addService('nova-compute', name, seededUuid('service', ...place)),
      children: { uuids: new Set(), at: this.now() },
    }
    this.hosts.set(name, host)
    this.hostsByHypervisor.set(hypervisorHostname, host)
    this.hostsByUuid.set(uuid, host)
    return host
  }

  /** Removes a host with its compute service and its providers, and from every aggregate. */
  removeHost(host: Host): void {
    for (const aggregate of this.aggregates.values()) aggregate.hosts.delete(host.name)
    this.services.delete(host.service.uuid)
    this.hosts.delete(host.name)
    this.hostsByHypervisor.delete(host.hypervisorHostname)
    this.hostsByUuid.delete(host.uuid)
    const root = this.rootOf(host)
    if (root !== undefined) this.placement.removeTree(root)
  }

  rootOf(host: Host): Provider | undefined {
    return this.placement.providers.get(host.uuid)
  }

  /**
   * Puts a host's inventory in Placement back to its own classes; those that others wrote on its root
   * provider go.
   */
  refreshHost(host: Host): void {
    const root = this.rootOf(host)
    if (root === undefined) return
    const own = inventoriesOf(host, this.settings)
    const { inventories } = root
    // A class of which something is allocated stays.
    for (const [name, inventory] of inventories) {
      if (!own.has(name) && this.placement.isUsed(root, name)) own.set(name, inventory)
    }
    const isOwn = own.size === inventories.size && [...own.keys()].every(name => inventories.has(name))
    if (!isOwn) this.placement.setInventories(root, own)
    look(host, root, this.now())
  }

  zoneOf(host: string): string | null {
    for (const { hosts, metadata } of this.aggregates.values()) {
      const zone = metadata.get('availability_zone')
      if (zone !== undefined && hosts.has(host)) return zone
    }
    return null
  }

  /** Changes a server's row, and the indexes by which it is found. */
  change(server: Server, how: () => void): void {
    this.servers.change(server, how)
    server.updatedAt = this.now()
  }

  /** Ends a server: its allocations and ports are freed. */
  forget(server: Server): void {
    const consumer = this.placement.consumers.get(server.id)
    if (consumer !== undefined) this.placement.release(consumer)
    this.ports.unplug(server.id)
    this.servers.remove(server)
    const now = this.now()
    Object.assign(server, { vmState: 'deleted', taskState: null, updatedAt: now, deletedAt: now })
    this.deleted.set(server.id, server)
    if (this.deleted.size > mostDeleted) this.deleted.delete(this.deleted.keys().next().value ?? '')
  }

  /** Registers work that is done once the answer is on its way, or so many milliseconds later. */
  later(ms: number, work: () => void): void {
    if (ms <= 0) {
      this.pending.push(work)
      return
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      work()
      this.settle()
    }, ms)
    this.timers.add(timer.unref())
  }

  settle(): void {
    for (let work = this.pending.shift(); work !== undefined; work = this.pending.shift()) work()
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer)
  }

  /**
   * Refreshes a compute service's cache, if it is time, before one of its providers is removed: so it still
   * knows that one.
   */
  private noteRemoval(provider: Provider): void {
    const host = this.hostsByUuid.get(provider.root.uuid)
    if (host !== undefined && provider !== provider.root) refreshChildren(host, provider.root, this.now())
  }
}

/** A region of the same settings with no rows. */
export function createBlank({ name, settings, now }: NovaRegion): NovaRegion {
  return new NovaRegion(name, settings, { placement: new PlacementRegion(), ports: noPorts }, now)
}

function inventoriesOf(
  { vcpus, memoryMb, diskGb }: Pick<Host, 'vcpus' | 'memoryMb' | 'diskGb'>,
  { ratios }: Settings,
): Map<string, Inventory> {
  const inventory = (total: number, ratio: number): Inventory => ({
    total,
    reserved: 0,
    min_unit: 1,
    max_unit: total,
    step_size: 1,
    allocation_ratio: ratio,
  })
  return new Map([
    ['VCPU', inventory(vcpus, ratios.vcpus)],
    ['MEMORY_MB', inventory(memoryMb, ratios.memory)],
    ['DISK_GB', inventory(diskGb, ratios.disk)],
  ])
}
