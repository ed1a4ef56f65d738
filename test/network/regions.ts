// What befalls the regions of a world without Atoll, and what is to be seen there.

import { randomUUID } from 'node:crypto'
import { intentOf } from '../../src/core/network/copies/intent.ts'
import type { RegionNetworking, RegionPort } from '../../src/core/network/copies/region-rows.ts'
import { type Sighting, watchRegion } from '../../src/core/network/watch/watch.ts'
import type { World } from '../world.ts'

/** Does to a region what its Nova does when a server is booted on a port there; returns the port as it then is. */
export async function plug(w: World, region: string, portId: string): Promise<RegionPort> {
  return w.region(region).update('port', portId, await deviceIn(w.region(region)))
}

/** As `plug`, of a server that was given a network only: Nova makes the port. */
export async function plugInto(
  w: World,
  region: string,
  networkId: string,
  projectId: string,
): Promise<RegionPort> {
  const device = await deviceIn(w.region(region))
  return w.region(region).create('port', { networkId, projectId, ...device })
}

/** What a server's port has of its server. */
async function deviceIn(region: RegionNetworking) {
  const agents = await region.list('agent', { where: { agentType: 'Open vSwitch agent' } })
  const host = agents.find(agent => /compute/.test(agent.host))!.host
  return { deviceId: randomUUID(), deviceOwner: 'compute:nova', hostId: host }
}

/** Looks at every region now, at what came and at what went: all ids are compared as well, unless that was less than so long ago. */
export const look = ({ app, joined }: World, sweepEveryMs = 0): Promise<Sighting[]> =>
  Promise.all(joined.map(region => watchRegion(app, region, sweepEveryMs)))

const kinds = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'address_group',
] as const

/** What in a region bears a mark of Atoll's. */
export async function markedIn(w: World, region: string): Promise<string[]> {
  const lists = await Promise.all(
    kinds.map(async kind => {
      const rows = await w.region(region).list(kind, { fields: ['id', 'description'] as never })
      return (rows as unknown as { id: string; description: string | null }[])
        .filter(row => intentOf(row.description) !== null)
        .map(row => `${kind} ${row.id}`)
    }),
  )
  return lists.flat()
}

/** A network outside, of which a region's routers get their gateways. */
export const outsideIn = (region: string) => ({
  name: 'outside',
  'router:external': true,
  'provider:network_type': 'vlan',
  'provider:physical_network': 'extern',
  'provider:segmentation_id': 154,
  availability_zone_hints: [region],
})
