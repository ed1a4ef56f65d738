// A simulated OpenStack: one Keystone, a Neutron in every region but the central one, one clock, faults on request.

import { type Clock, createClock } from './clock.ts'
import { createFaults, type Faults } from './faults.ts'
import type { Keystone } from './keystone/keystone.ts'
import { startKeystone } from './keystone/service.ts'
import { type NeutronService, startNeutron } from './neutron/service.ts'

export interface CloudSpec {
  regions: readonly string[]
  host?: string | undefined
  /** Of Keystone; 0, the default, picks a free one. */
  keystonePort?: number | undefined
  /** How long tokens live; an hour unless told. */
  tokenLifeMs?: number | undefined
  /** Puts Atoll's own services into the catalog: where it listens, and the region it is in. */
  atoll?: { url: string; region: string } | undefined
}

export interface Cloud {
  /** Ends in `/v3`. */
  readonly authUrl: string
  readonly regions: readonly string[]
  readonly clock: Clock
  readonly faults: Faults
  readonly keystone: Keystone
  /** By region. */
  readonly neutrons: ReadonlyMap<string, NeutronService>
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
  if (spec.atoll !== undefined) registerAtoll(keystone, spec.atoll)
  const central = spec.atoll?.region ?? 'CentralRegion'
  const neutrons = new Map<string, NeutronService>()
  for (const region of spec.regions) {
    if (region === central) continue
    const inspectToken = (token: string) => keystone.inspect(token)
    const neutron = await startNeutron({
      region,
      host: spec.host,
      clock,
      faults,
      inspectToken,
      authUrl: keystone.url,
    })
    keystone.registerEndpoint({ type: 'network', name: 'neutron', region, url: neutron.url })
    neutrons.set(region, neutron)
  }

  return {
    authUrl: keystone.url,
    regions: spec.regions,
    clock,
    faults,
    keystone,
    neutrons,
    async close() {
      await Promise.all([...neutrons.values()].map(neutron => neutron.close()))
      await keystone.close()
    },
  }
}

function registerAtoll(keystone: Keystone, { url, region }: { url: string; region: string }): void {
  keystone.registerEndpoint({ type: 'tricircle', name: 'tricircle', region, url: `${url}/tricircle/v1.0` })
  keystone.registerEndpoint({ type: 'reservation', name: 'blazar', region, url: `${url}/reservation/v1` })
  keystone.registerEndpoint({ type: 'network', name: 'neutron', region, url: `${url}/network` })
  keystone.registerEndpoint({ type: 'promise', name: 'promise', region, url: `${url}/promise` })
  keystone.registerEndpoint({ type: 'atoll', name: 'atoll', region, url: `${url}/atoll/v1` })
}
