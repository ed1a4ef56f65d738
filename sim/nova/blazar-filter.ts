// BlazarFilter in the scheduler, where it is installed: the hosts of a reservation's pool are for its owner
// only.

import type { NovaRegion } from './region.ts'
import type { Aggregate, EmbeddedFlavor, Host, Server } from './rows.ts'

const freepool = 'freepool'

export function passesBlazar(
  region: NovaRegion,
  host: Host,
  { hints, projectId }: Server,
  { extraSpecs }: EmbeddedFlavor,
): boolean {
  if (extraSpecs.has('aggregate_instance_extra_specs:reservation')) return true
  const pools = [...region.aggregates.values()].filter(one => one.hosts.has(host.name) && isPool(one))
  const hint = hints.reservation
  if (hint === undefined) return pools.length === 0
  const asked: unknown[] = Array.isArray(hint) ? hint : [hint]
  return pools.some(
    ({ name, metadata }) =>
      asked.includes(name) && (metadata.has(projectId) || metadata.get('blazar:owner') === projectId),
  )
}

function isPool({ name, metadata }: Aggregate): boolean {
  const zone = metadata.get('availability_zone') ?? ''
  return name === freepool || zone.startsWith('blazar_') || zone.startsWith('blazar:')
}
