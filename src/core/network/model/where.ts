// The regions that availability zone hints allow for a resource.

import { invalid, notFound } from '../../error.ts'
import { isCentral, type Region } from '../../regions/region.ts'
import type { Network, Router } from './model.ts'
import type { Reads } from './network-store.ts'

/** Every region that can have resources: all but the central one, in order of their names. */
export async function regionsOf(reads: Pick<Reads, 'regions'>): Promise<Region[]> {
  const regions = await reads.regions.list()
  return regions.filter(region => !isCentral(region)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The regions that hints allow: those whose name or zone is among them. Throws `not_found` (`zone`). */
export function allowedBy(hints: readonly string[], regions: readonly Region[]): Region[] {
  for (const hint of hints) {
    if (!regions.some(region => isMeant(region, hint)))
      throw notFound(
        `There is no availability zone and no region ${hint}: see the list of availability zones`,
        'zone',
      )
  }
  return hints.length === 0
    ? [...regions]
    : regions.filter(region => hints.some(hint => isMeant(region, hint)))
}

const isMeant = ({ name, availabilityZone }: Region, hint: string): boolean =>
  name === hint || availabilityZone === hint

/**
 * The home of a network or router: its hints are exactly one, and that is a region's name. A zone's name is
 * none, since a zone may get further regions. Null for a spanning resource.
 */
export function homeBy(hints: readonly string[], regions: readonly Region[]): Region | null {
  const [hint, ...more] = hints
  return hint !== undefined && more.length === 0 ? (regions.find(({ name }) => name === hint) ?? null) : null
}

/** The home of a network; null for one that may span regions. */
export function homeOf(network: Network, regions: readonly Region[]): Region | null {
  if (!network.external) return homeBy(network.zoneHints, regions)
  const [place] = network.places
  return regions.find(({ name }) => name === place?.region) ?? null
}

export const routerHome = (router: Router, regions: readonly Region[]): Region | null =>
  homeBy(router.zoneHints, regions)

/**
 * The home of a new external network. Throws `invalid` (`not_supported`) when its hints allow several
 * regions.
 */
export function homeOfExternal(hints: readonly string[], regions: readonly Region[]): Region {
  const allowed = allowedBy(hints.slice(0, 1), regions)
  if (allowed.length === 1) return allowed[0]!
  throw invalid(
    'An external network is in exactly one region: name it with --availability-zone-hint REGION',
    'not_supported',
  )
}

/** The hints for a region's own Neutron: its local availability zone. */
export const hintsIn = ({ localAvailabilityZone }: Region): string[] =>
  localAvailabilityZone === '' ? [] : [localAvailabilityZone]

/** The region of this name. Throws `invalid` (`region_unknown`). */
export function regionNamed(name: string, regions: readonly Region[]): Region {
  const region = regions.find(one => one.name === name)
  if (!region) throw invalid(`There is no region ${name}`, 'region_unknown')
  return region
}
