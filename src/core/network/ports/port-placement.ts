// Choosing the region of a port, by the first signal that names one.

import type { App } from '../../app.ts'
import { invalid } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { Network } from '../model/model.ts'
import { some } from '../model/query.ts'
import { allowedBy, homeOf, regionNamed, regionsOf } from '../model/where.ts'

export interface Signals {
  readonly projectId: string
  readonly requestId: string
  readonly hostId: string
  readonly profile: Readonly<Record<string, unknown>>
}

/**
 * The network's home; else the region of the port's host, the region that its profile names, the project's
 * bound one, the only one that has the network. Null when no signal names a region: the port is reserved.
 * Throws `invalid` (`region_unknown`, `host_unknown`, `location_mismatch`).
 */
export async function regionForPort(
  app: Pick<App, 'cloud' | 'store'>,
  network: Network,
  signals: Signals,
): Promise<Region | null> {
  const regions = await regionsOf(app.store)
  const allowed = allowedBy(network.zoneHints, regions)
  const home = homeOf(network, regions)
  const named = (await regionOfHost(app, allowed, signals)) ?? namedRegion(signals.profile, regions)
  if (home) return named && named.id !== home.id ? refuse(network, named) : home
  if (named) return allowed.includes(named) ? named : refuse(network, named)
  const bound = await app.store.bindings.regionsOf(signals.projectId)
  const [preferred] = allowed.filter(region => bound.includes(region.id))
  if (preferred) return preferred
  const [only, ...more] = network.places
  return only && more.length === 0 ? regionNamed(only.region, regions) : null
}

function refuse(network: Network, region: Region): never {
  throw invalid(
    `The network ${network.id} cannot be in ${region.name}: its availability zone hints are ${network.zoneHints.join(', ')}`,
    'location_mismatch',
  )
}

function namedRegion({ region }: Signals['profile'], regions: readonly Region[]): Region | null {
  if (region === undefined || region === '') return null
  if (typeof region !== 'string')
    throw invalid('binding:profile.region must be the name of a region', 'region_unknown')
  return regionNamed(region, regions)
}

/**
 * The region that has an agent on the host: by another port there that the model has, else by asking the
 * regions. Throws `upstream`.
 */
async function regionOfHost(
  app: Pick<App, 'cloud' | 'store'>,
  allowed: readonly Region[],
  { hostId, requestId }: Signals,
): Promise<Region | null> {
  if (hostId === '') return null
  const [neighbour] = await some(app.store, 'port', 1, { field: 'hostId', in: [hostId] })
  const known = allowed.find(({ name }) => name === neighbour?.places[0]?.region)
  if (known) return known
  const answers = await Promise.allSettled(
    allowed.map(async region => {
      const query = { where: { host: hostId }, fields: ['host'] as const }
      const agents = await app.cloud.networking(region.name, requestId).list('agent', query)
      return agents.length > 0 ? region : null
    }),
  )
  const found = answers.flatMap(answer => (answer.status === 'fulfilled' ? (answer.value ?? []) : []))
  if (found[0]) return found[0]
  // The host may be in a region that gives no answer: then its error is thrown.
  const silent = answers.find(answer => answer.status === 'rejected')
  if (silent) throw silent.reason
  throw invalid(`No region of this network has a host ${hostId}`, 'host_unknown')
}
