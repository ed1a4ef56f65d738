// A router's gateway as users ask for it: whether it may be, which addresses it has, and how a region is asked for it.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict, invalid } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import { wantedIps } from '../addresses/fixed-ips.ts'
import type { ThingSpec } from '../copies/region-rows.ts'
import type { FixedIp, Router } from '../model/model.ts'
import { some } from '../model/query.ts'
import { getResource } from '../model/read.ts'
import type { GatewayAsk } from '../model/specs.ts'
import { homeOf, regionsOf } from '../model/where.ts'

/** The region of a gateway's network. Throws `not_found` (`network`), `invalid` (`not_external`, `location_mismatch`). */
export async function gatewayRegion(
  app: App,
  caller: Caller,
  { networkId }: GatewayAsk,
  home: Region | null,
): Promise<Region> {
  const network = await getResource(app, caller, { kind: 'network', id: networkId })
  if (!network.external) throw invalid(`Network ${networkId} is not an external network`, 'not_external')
  const region = homeOf(network, await regionsOf(app.store))!
  if (home && home.id !== region.id) {
    throw invalid(
      `The router lives in ${home.name}, and the network ${networkId} is in ${region.name}: a router without a region in its hints can use it`,
      'location_mismatch',
    )
  }
  return region
}

/** A gateway's spec for a region: an external network and its subnets have the same ids in their region. */
export function askOf({
  networkId,
  enableSnat,
  fixedIps,
}: GatewayAsk): NonNullable<ThingSpec<'router'>['externalGateway']> {
  return {
    networkId,
    ...(enableSnat === undefined ? {} : { enableSnat }),
    ...(fixedIps && fixedIps.length > 0 ? { externalFixedIps: fixedIps as FixedIp[] } : {}),
  } as NonNullable<ThingSpec<'router'>['externalGateway']>
}

export async function requireNoFloatingIps(app: App, router: Router): Promise<void> {
  const [one] = await some(app.store, 'floatingip', 1, { field: 'routerId', in: [router.id] })
  if (!one) return
  throw conflict(
    `Gateway cannot be updated for router ${router.id}, since a gateway to external network ${router.gateway?.networkId} is required by one or more floating IPs.`,
    'router_gateway_in_use',
  )
}

export const asGateway = ({
  networkId,
  enableSnat,
  fixedIps,
}: GatewayAsk): NonNullable<Router['gateway']> => ({
  networkId,
  enableSnat: enableSnat ?? true,
  fixedIps: (fixedIps ?? []) as FixedIp[],
})

/**
 * A gateway's addresses, each with the subnet that it is in. Throws `invalid` (`address_no_subnet`,
 * `address_outside`), `not_found` (`subnet`).
 */
export async function withSubnets(app: App, ask: GatewayAsk): Promise<GatewayAsk> {
  if (!ask.fixedIps) return ask
  const network = await app.store.networks.get('network', ask.networkId, 'atoll')
  const subnets = await app.store.networks.getMany('subnet', network?.subnetIds ?? [])
  const wanted = wantedIps(ask.fixedIps, subnets, ask.networkId)
  return {
    ...ask,
    fixedIps: wanted.map(({ subnet: { id: subnetId }, ipAddress }) =>
      ipAddress === null ? { subnetId } : { subnetId, ipAddress },
    ),
  }
}

export async function exitOf(app: App, networkId: string): Promise<Region | null> {
  const network = await app.store.networks.get('network', networkId, 'atoll')
  return network ? homeOf(network, await regionsOf(app.store)) : null
}
