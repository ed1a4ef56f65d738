// A server's question to Placement: groups made of its flavor, its image and its zone.

import { anyGroup, type Group, type Question } from '../placement/candidates.ts'
import type { NovaRegion } from './region.ts'
import type { EmbeddedFlavor, Server } from './rows.ts'

interface Wanted {
  resources: Map<string, number>
  required: Set<string>
  forbidden: Set<string>
}

/** Extra specs like `resources:VCPU`, `trait_ATOLL:CUSTOM_X`: the kind, the suffix and the name. */
const key = /^(resources|trait)([A-Za-z0-9_-]{1,64})?:(.+)$/

export function groupsOf(flavor: EmbeddedFlavor, imageTraits: readonly string[]): Map<string, Wanted> {
  const groups = new Map<string, Wanted>()
  const group = (suffix: string): Wanted => {
    const known = groups.get(suffix) ?? { resources: new Map(), required: new Set(), forbidden: new Set() }
    groups.set(suffix, known)
    return known
  }
  const own = group('')
  own.resources.set('VCPU', flavor.vcpus)
  own.resources.set('MEMORY_MB', flavor.memoryMb)
  own.resources.set('DISK_GB', flavor.diskGb + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024))
  for (const name of imageTraits) own.required.add(name)
  for (const [text, value] of flavor.extraSpecs) {
    const [, what, suffix = '', name = ''] = key.exec(text) ?? []
    if (what === 'resources') group(suffix).resources.set(name, Number(value))
    if (what === 'trait' && value === 'required') group(suffix).required.add(name)
    if (what === 'trait' && value === 'forbidden') group(suffix).forbidden.add(name)
  }
  for (const { resources } of groups.values()) {
    for (const [name, amount] of resources) if (!(amount > 0)) resources.delete(name)
  }
  return groups
}

/**
 * Makes the question; null when Placement would refuse it: it names an unknown class or trait, or a group
 * asks for nothing.
 */
export function questionOf(
  region: NovaRegion,
  server: Server,
  flavor: EmbeddedFlavor,
  inTree: string | null,
): Question | null {
  const groups = groupsOf(flavor, server.imageTraits)
  const wanted = [...groups.values()]
  const names = wanted.flatMap(({ required, forbidden }) => [...required, ...forbidden])
  const classes = wanted.flatMap(({ resources }) => [...resources.keys()])
  const { placement } = region
  if (names.some(name => !placement.traits.has(name))) return null
  if (classes.some(name => !placement.classes.has(name))) return null
  if (wanted.some(({ resources }) => resources.size === 0)) return null
  const required = new Set(wanted.flatMap(group => [...group.required]))
  const own: Partial<Group> = {
    memberOf: memberOf(region, server),
    notMemberOf: region.settings.isIsolating ? isolatedFrom(region, required) : [],
  }
  return {
    groups: [...groups].map(([suffix, group]) => ({
      ...anyGroup(suffix),
      resources: group.resources,
      required: [...group.required].map(name => [name]),
      forbidden: [...group.forbidden],
      ...(suffix === '' ? own : {}),
      inTree,
    })),
    isIsolated: flavor.extraSpecs.get('group_policy') === 'isolate',
    limit: 1000,
    rootRequired: [],
    rootForbidden: ['COMPUTE_STATUS_DISABLED'],
  }
}

/** Isolated aggregates: those that require a trait which the request does not require. */
function isolatedFrom(region: NovaRegion, required: ReadonlySet<string>): string[] {
  return [...region.aggregates.values()]
    .filter(({ metadata }) =>
      [...metadata].some(
        ([name, value]) =>
          name.startsWith('trait:') && value === 'required' && !required.has(name.slice('trait:'.length)),
      ),
    )
    .map(({ uuid }) => uuid)
}

/** The aggregates that a server's host must be in: those of its zone, and those of its project. */
function memberOf(region: NovaRegion, { zone, projectId }: Server): string[][] {
  const aggregates = [...region.aggregates.values()]
  const of = (isRight: (metadata: ReadonlyMap<string, string>) => boolean) =>
    aggregates.filter(({ metadata }) => isRight(metadata)).map(({ uuid }) => uuid)
  const tenants = of(metadata =>
    [...metadata].some(([name, value]) => name.startsWith('filter_tenant_id') && value === projectId),
  )
  const zones = zone === null ? [] : of(metadata => metadata.get('availability_zone') === zone)
  return [tenants, zones].filter(uuids => uuids.length > 0)
}
