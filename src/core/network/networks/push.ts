// Bringing the copies of networks and subnets to the model: a region is told only of fields that differ.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { Region } from '../../regions/region.ts'
import { blocksFor } from '../addresses/blocks.ts'
import { sameRoutes } from '../convergence/router-steps.ts'
import { sameBy } from '../copies/any-order.ts'
import { intentOf, marked } from '../copies/intent.ts'
import type { MadeKind, RegionRows, ThingSpec } from '../copies/region-rows.ts'
import { ensureNetwork, regionalIdIn } from '../copies/spanning.ts'
import type { AllocationPool } from '../model/model.ts'
import { homeOf } from '../model/where.ts'
import { forgetNetwork } from './forget-network.ts'

/** The description of a copy: the model's text with the mark that the copy bears. */
const described = (description: string, { description: present }: { description: string | null }): string => {
  const intentId = intentOf(present)
  return intentId === null ? description : marked(description, intentId)
}

/** The wanted fields that the region's row does not have so; null where it has all of them. */
function changesTo<K extends MadeKind>(row: RegionRows[K], wanted: ThingSpec<K>): ThingSpec<K> | null {
  const changes = Object.entries(wanted).filter(
    ([field, value]) =>
      JSON.stringify((row as unknown as Record<string, unknown>)[field] ?? null) !==
      JSON.stringify(value ?? null),
  )
  return changes.length === 0 ? null : (Object.fromEntries(changes) as ThingSpec<K>)
}

/**
 * Brings a network's copy to the model's description, state and sharing. Where the network's removal has
 * begun, removes the copy, and with the last copy the network. Does nothing for a copy or network that is
 * gone.
 */
export async function pushNetwork(app: App, caller: Caller, region: Region, id: string): Promise<void> {
  const network = await app.store.networks.get('network', id, 'atoll')
  const regionalId = network && regionalIdIn(network, region)
  if (!network || !regionalId) return
  const networking = app.cloud.networking(region.name, caller.requestId)
  if (network.deleting) {
    await networking.remove('network', regionalId)
    await app.store.transact(tx => tx.networks.unplace('network', id, region.id))
    if (network.places.length === 1) await forgetNetwork(app, caller, id)
    return
  }
  const copy = await networking.get('network', regionalId)
  if (!copy) return
  const { name, adminStateUp, shared, mtu, portSecurityEnabled } = network
  const wanted = {
    name,
    adminStateUp,
    shared,
    mtu,
    portSecurityEnabled,
    description: described(network.description, copy),
  }
  const changes = changesTo<'network'>(copy, wanted)
  if (changes) await networking.update('network', regionalId, changes)
}

/**
 * Brings a subnet's copy to the model's description, DHCP, routes and name servers; gateway and pools are
 * each region's own.
 */
export async function pushSubnet(
  app: Pick<App, 'cloud' | 'store'>,
  caller: Caller,
  region: Region,
  id: string,
): Promise<void> {
  const subnet = await app.store.networks.get('subnet', id, 'atoll')
  const regionalId = subnet && regionalIdIn(subnet, region)
  if (!subnet || !regionalId) return
  const networking = app.cloud.networking(region.name, caller.requestId)
  const copy = await networking.get('subnet', regionalId)
  if (!copy) return
  const { name, enableDhcp, hostRoutes, dnsNameservers } = subnet
  const wanted = {
    name,
    enableDhcp,
    hostRoutes: sameRoutes(hostRoutes, copy.hostRoutes) ? copy.hostRoutes : hostRoutes,
    dnsNameservers,
    description: described(subnet.description, copy),
  }
  const changes = changesTo<'subnet'>(copy, wanted)
  if (changes) await networking.update('subnet', regionalId, changes)
}

/**
 * Brings a spanning network's copy to all subnets of the network, and each subnet's pools to the region's
 * blocks.
 */
export async function pushPools(app: App, caller: Caller, region: Region, id: string): Promise<void> {
  const network = await app.store.networks.get('network', id, 'atoll')
  if (!network || network.deleting || homeOf(network, [region]) || regionalIdIn(network, region) === null)
    return
  const local = await ensureNetwork(app, caller, network, region)
  const networking = app.cloud.networking(region.name, caller.requestId)
  for (const subnet of await app.store.networks.getMany('subnet', network.subnetIds)) {
    const regionalId = local.subnetIds.get(subnet.id)!
    const copy = await networking.get('subnet', regionalId)
    if (!copy || network.bridgeOf !== null) continue
    const blocks = await blocksFor(app, subnet, region)
    if (!samePools(copy.allocationPools, blocks))
      await networking.update('subnet', regionalId, { allocationPools: blocks })
  }
}

const samePools = sameBy<AllocationPool>(({ start, end }) => `${start}-${end}`)
