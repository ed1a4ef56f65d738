// A simulated OpenStack: one Keystone for all regions; in every region but the central one a Neutron, a Nova,
// a Placement and a Glance; one clock, and faults on request.

import type { FastifyInstance } from 'fastify'
import { type Clock, createClock } from './clock.ts'
import { createFaults, type Faults } from './faults.ts'
import { type GlanceService, startGlance } from './glance/service.ts'
import type { Keystone } from './keystone/keystone.ts'
import { startKeystone } from './keystone/service.ts'
import type { Settings as NeutronSettings } from './neutron/region.ts'
import { type NeutronService, startNeutron } from './neutron/service.ts'
import { type HostsSpec, stockHosts } from './nova/nova.ts'
import { portsOf } from './nova/ports.ts'
import type { Settings } from './nova/region.ts'
import { type NovaService, startNova } from './nova/service.ts'
import { type PlacementService, startPlacement } from './placement/service.ts'

export interface CloudSpec {
  regions: readonly string[]
  host?: string | undefined
  /** Keystone's port; 0, the default, picks a free one. */
  keystonePort?: number | undefined
  /** Keeps a history from the start, so that faults of kind restore can be asked for at any time. */
  history?: boolean | undefined
  /** How long tokens live; an hour unless told. */
  tokenLifeMs?: number | undefined
  /** Puts Atoll's own services into the catalog: where it listens, and the region it is in. */
  atoll?: { url: string; region: string } | undefined
  /** The hosts of each region; by default 8 of 16 vCPU, 64 GB of memory and 1000 GB of disk. */
  hosts?: Partial<HostsSpec> | undefined
  /** Settings of each Neutron: its limits and the rest. */
  neutron?: Partial<NeutronSettings> | undefined
  /** The regions whose Neutron has the policy of 2025.1 and not that of Zed. */
  newer?: readonly string[] | undefined
  /** Called with the HTTP server of each Neutron before it listens. */
  attend?: ((region: string, neutron: FastifyInstance) => void) | undefined
  /** Settings of each Nova: its switches and delays. */
  nova?: Partial<Settings> | undefined
}

export interface Cloud {
  /** Keystone's URL, which ends in `/v3`. */
  readonly authUrl: string
  readonly regions: readonly string[]
  readonly clock: Clock
  readonly faults: Faults
  readonly keystone: Keystone
  /** The Neutrons by region. */
  readonly neutrons: ReadonlyMap<string, NeutronService>
  readonly novas: ReadonlyMap<string, NovaService>
  readonly placements: ReadonlyMap<string, PlacementService>
  readonly glances: ReadonlyMap<string, GlanceService>
  /** The scheme, host and port of every service's URL, Keystone's first. */
  readonly origins: readonly string[]
  close(): Promise<void>
}

export async function startCloud(spec: CloudSpec): Promise<Cloud> {
  const clock = createClock()
  const faults = createFaults()
  const keystone = await startKeystone({
    host: spec.host,
    port: spec.keystonePort,
    regions: spec.regions,
    tokenLifeMs: spec.tokenLifeMs,
    clock,
    faults,
  })
  if (spec.atoll !== undefined) registerAtoll(keystone, spec.atoll, spec.regions)
  const central = spec.atoll?.region ?? 'CentralRegion'
  const names = spec.regions.filter(region => region !== central)
  const parts = new Map<string, RegionParts>()
  for (const region of names) parts.set(region, await startRegion(region, spec, { clock, faults, keystone }))
  if (spec.history) faults.remember()
  const each = <Part>(of: (parts: RegionParts) => Part) =>
    new Map([...parts].map(([region, one]) => [region, of(one)]))

  return {
    authUrl: keystone.url,
    regions: spec.regions,
    clock,
    faults,
    keystone,
    neutrons: each(({ neutron }) => neutron),
    novas: each(({ nova }) => nova),
    placements: each(({ placement }) => placement),
    glances: each(({ glance }) => glance),
    origins: [keystone.url, ...[...parts.values()].flatMap(urlsOf)].map(url => new URL(url).origin),
    async close() {
      faults.close()
      await Promise.all([...parts.values()].flatMap(one => Object.values(one).map(part => part.close())))
      await keystone.close()
    },
  }
}

interface RegionParts {
  neutron: NeutronService
  nova: NovaService
  placement: PlacementService
  glance: GlanceService
}

const urlsOf = (parts: RegionParts): string[] => Object.values(parts).map(({ url }: { url: string }) => url)

/** Starts a region's services and puts them into the catalog. */
async function startRegion(
  region: string,
  { host, hosts, neutron: networking, nova: settings, newer = [], attend }: CloudSpec,
  { clock, faults, keystone }: Pick<Cloud, 'clock' | 'faults' | 'keystone'>,
): Promise<RegionParts> {
  const shell = {
    region,
    host,
    clock,
    faults,
    inspectToken: (token: string) => keystone.inspect(token),
    isProject: (id: string) => keystone.state.projects.has(id),
    authUrl: keystone.url,
  }
  const place = region.toLowerCase()
  const computes = Array.from(
    { length: hosts?.count ?? stockHosts.count },
    (_none, at) => `${place}-host${at + 1}`,
  )
  const neutron = await startNeutron({
    ...(newer.includes(region) ? { release: '2025.1' } : {}),
    ...networking,
    ...shell,
    attend: server => attend?.(region, server),
    hosts: [`${place}-compute1`, `${place}-compute2`, ...computes],
  })
  const placement = await startPlacement(shell)
  const nova = await startNova({
    ...settings,
    ...shell,
    placement: placement.region,
    ports: portsOf(neutron),
    hosts,
  })
  const glance = await startGlance({ ...shell, images: nova.region.images })
  keystone.registerEndpoint({ type: 'network', name: 'neutron', region, url: neutron.url })
  keystone.registerEndpoint({ type: 'compute', name: 'nova', region, url: nova.url })
  keystone.registerEndpoint({ type: 'placement', name: 'placement', region, url: placement.url })
  keystone.registerEndpoint({ type: 'image', name: 'glance', region, url: glance.url })
  return { neutron, nova, placement, glance }
}

function registerAtoll(
  keystone: Keystone,
  { url, region }: { url: string; region: string },
  regions: readonly string[],
): void {
  keystone.registerEndpoint({ type: 'tricircle', name: 'tricircle', region, url: `${url}/tricircle/v1.0` })
  keystone.registerEndpoint({ type: 'reservation', name: 'blazar', region, url: `${url}/reservation/v1` })
  keystone.registerEndpoint({ type: 'network', name: 'neutron', region, url: `${url}/network` })
  keystone.registerEndpoint({ type: 'promise', name: 'promise', region, url: `${url}/promise` })
  keystone.registerEndpoint({ type: 'atoll', name: 'atoll', region, url: `${url}/atoll/v1` })
  // The Reservation API's view of each other region is that region's own endpoint in the catalog.
  for (const one of regions.filter(other => other !== region)) {
    const view = `${url}/reservation/${encodeURIComponent(one)}/v1`
    keystone.registerEndpoint({ type: 'reservation', name: 'blazar', region: one, url: view })
  }
}
