// The simulated Nova of one region: made, served over HTTP, and open to tests.

import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.ts'
import type { PlacementRegion } from '../placement/region.ts'
import { seededUuid } from '../seeded.ts'
import { addRoutes, type Shell } from './api/routes.ts'
import { disable } from './api/services.ts'
import { type BootSpec, bootServer } from './boot.ts'
import { type Image, type ImageSpec, makeImage, seedImages } from './images.ts'
import { noPorts, type Ports } from './ports.ts'
import type { Quotas } from './quota-names.ts'
import { type HostSpec, NovaRegion, type Settings, stockSettings } from './region.ts'
import type { Aggregate, Flavor, Host, Server } from './rows.ts'

/** The hosts of a region, all alike: `pod1-host1` and so on in Pod1. */
export interface HostsSpec {
  count: number
  vcpus: number
  memoryMb: number
  diskGb: number
}

export const stockHosts: HostsSpec = { count: 8, vcpus: 16, memoryMb: 65_536, diskGb: 1000 }

export interface NovaSpec extends Shell, Partial<Settings> {
  region: string
  clock: Clock
  placement: PlacementRegion
  /** The ports of the region's Neutron; without one, servers have no ports. */
  ports?: Ports | undefined
  hosts?: Partial<HostsSpec> | undefined
}

export interface Nova {
  /** Nova's whole state in the region, and its settings, which tests may change at any time. */
  readonly region: NovaRegion
  hosts(): Host[]
  /** The host of this name; throws when there is none. */
  host(name: string): Host
  flavors(): Flavor[]
  /** The flavor of this id or name. */
  flavor(idOrName: string): Flavor | undefined
  /** Adds a public flavor. */
  addFlavor(spec: FlavorSpec): Flavor
  aggregates(): Aggregate[]
  /** The aggregate of this name; null when there is none. */
  aggregate(name: string): Aggregate | null
  /** All servers that are not deleted. */
  servers(): Server[]
  server(id: string): Server | undefined
  serversOn(host: string): Server[]
  serversOf(projectId: string): Server[]
  /** Boots a server as its project's POST would, without an HTTP request; throws the refusal. */
  boot(spec: BootSpec): Server
  /** Sets a project's limits for the quotas that are named; -1: no limit. */
  setQuotas(projectId: string, quotas: Partial<Quotas>): void
  images(): Image[]
  addImage(spec: ImageSpec): Image
  /** Adds a host; one with the name of a removed host has another uuid. */
  addHost(spec: Pick<HostSpec, 'name'> & Partial<HostSpec>): Host
  /** Stops or resumes the reports of a host's compute service. */
  breakHost(name: string): void
  mendHost(name: string): void
  disableHost(name: string, reason?: string): void
  enableHost(name: string): void
  /** Sets Nova's option `enable_isolated_aggregate_filtering`. */
  setIsolation(isOn: boolean): void
  /** Makes a server whose deletion is accepted and never done. */
  makeUndying(serverId: string): void
  /** Lets the server be deleted again; deletes it at once when that was asked for meanwhile. */
  letDie(serverId: string): void
  /**
   * Does the regular work of compute services: they write their hosts' own inventory, and refresh their cache
   * of child providers.
   */
  refreshHosts(): void
  /** Adds Nova's routes to a service of `sim/http.ts`. */
  build(app: FastifyInstance, service: { now(): Date }): void
}

export type FlavorSpec = Pick<Flavor, 'name' | 'vcpus' | 'memoryMb' | 'diskGb'>

const flavors: readonly (readonly [name: string, vcpus: number, memoryMb: number, diskGb: number])[] = [
  ['m1.tiny', 1, 512, 1],
  ['m1.small', 1, 2048, 20],
  ['m1.medium', 2, 4096, 40],
]

export function createNova(spec: NovaSpec): Nova {
  const { region: name, clock, placement, ports = noPorts, hosts, ...rest } = spec
  let now = () => clock.now().getTime()
  const region = new NovaRegion(name, settingsOf(rest), { placement, ports }, () => now())
  seed(region, { ...stockHosts, ...hosts })
  return {
    ...handlesOf(region),
    build: (app, service) => {
      now = () => service.now().getTime()
      addRoutes(app, region, spec)
    },
  }
}

function settingsOf(asked: Partial<Settings>): Settings {
  const names = Object.keys(stockSettings) as (keyof Settings)[]
  const given = names.flatMap(name => (asked[name] === undefined ? [] : [[name, asked[name]]]))
  return { ...stockSettings, ...Object.fromEntries(given) }
}

function seed(region: NovaRegion, { count, ...size }: HostsSpec): void {
  const place = region.name.toLowerCase()
  for (const binary of ['nova-conductor', 'nova-scheduler']) {
    region.addService(binary, `${place}-ctl`, seededUuid('service', region.name, binary))
  }
  for (let at = 1; at <= count; at++) region.addHost({ name: `${place}-host${at}`, ...size })
  for (const [name, vcpus, memoryMb, diskGb] of flavors) addFlavor(region, { name, vcpus, memoryMb, diskGb })
  seedImages(region.images, region.name, region.now())
}

function addFlavor(region: NovaRegion, size: FlavorSpec): Flavor {
  const flavor: Flavor = {
    ...size,
    id: seededUuid('flavor', region.name, size.name),
    number: region.nextNumber(),
    ephemeralGb: 0,
    swapMb: 0,
    rxtxFactor: 1,
    isPublic: true,
    description: null,
    extraSpecs: new Map(),
    access: new Set(),
  }
  region.flavors.set(flavor.id, flavor)
  region.flavorsByName.set(flavor.name, flavor)
  return flavor
}

function handlesOf(region: NovaRegion): Omit<Nova, 'build'> {
  const host = (name: string): Host => {
    const found = region.hosts.get(name)
    if (found === undefined) throw new Error(`no host is called ${name}`)
    return found
  }
  return {
    region,
    host,
    hosts: () => [...region.hosts.values()],
    flavors: () => [...region.flavors.values()],
    flavor: idOrName => region.flavors.get(idOrName) ?? region.flavorsByName.get(idOrName),
    addFlavor: spec => addFlavor(region, spec),
    aggregates: () => [...region.aggregates.values()],
    aggregate: name => [...region.aggregates.values()].find(one => one.name === name) ?? null,
    servers: () => [...region.servers.all()],
    server: id => region.servers.get(id),
    serversOn: name => [...region.servers.by('host', name)],
    serversOf: projectId => [...region.servers.by('project', projectId)],
    boot: spec => bootServer(region, spec),
    setQuotas: (projectId, quotas) => {
      region.quotas.set(projectId, { ...region.quotas.get(projectId), ...quotas })
    },
    images: () => [...region.images.values()],
    addImage: spec => makeImage(region.images, { createdAt: region.now(), ...spec }),
    addHost: spec => region.addHost({ ...stockHosts, ...spec }),
    breakHost: name => {
      host(name).service.isAlive = false
    },
    mendHost: name => {
      host(name).service.isAlive = true
    },
    disableHost: (name, reason) => disable(region, host(name).service, true, reason ?? null),
    enableHost: name => disable(region, host(name).service, false, null),
    setIsolation: isOn => {
      region.settings.isIsolating = isOn
    },
    makeUndying: id => void region.undying.add(id),
    letDie: id => {
      region.undying.delete(id)
      const server = region.servers.get(id)
      if (server?.taskState === 'deleting') region.forget(server)
    },
    refreshHosts: () => {
      for (const one of region.hosts.values()) region.refreshHost(one)
    },
  }
}
