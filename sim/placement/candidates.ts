// Allocation candidates: the search behind `/allocation_candidates` and every boot.

import type { PlacementRegion } from './region.ts'
import { hasRoom, type Provider, treeOf } from './rows.ts'

/** A request group: what the providers of one tree give together, or, with a suffix, one of them alone. */
export interface Group {
  suffix: string
  /** Amounts by resource class. */
  resources: ReadonlyMap<string, number>
  /** One trait of each list at least. */
  required: readonly (readonly string[])[]
  forbidden: readonly string[]
  /** One aggregate of each list at least. */
  memberOf: readonly (readonly string[])[]
  notMemberOf: readonly string[]
  /** The uuid of a provider whose tree is to be used. */
  inTree: string | null
}

export interface Question {
  groups: readonly Group[]
  /** Whether groups with a suffix must come from different providers (`group_policy=isolate`). */
  isIsolated: boolean
  limit: number
  rootRequired: readonly string[]
  rootForbidden: readonly string[]
}

export interface Piece {
  provider: Provider
  resourceClass: string
  amount: number
}

export interface Candidate {
  root: Provider
  pieces: readonly Piece[]
  /** The providers of each group, by its suffix. */
  mappings: Readonly<Record<string, readonly string[]>>
}

export const anyGroup = (suffix = ''): Group => ({
  suffix,
  resources: new Map(),
  required: [],
  forbidden: [],
  memberOf: [],
  notMemberOf: [],
  inTree: null,
})

/** The most candidates of one tree, since many ways to fill one request have no use. */
const mostOfATree = 32

/** Finds candidates, in the order in which the trees were made. */
export function findCandidates(region: PlacementRegion, question: Question): Candidate[] {
  const found: Candidate[] = []
  for (const root of rootsOf(region, question)) {
    if (!isRootRight(root, question)) continue
    for (const candidate of candidatesOf(root, question)) {
      found.push(candidate)
      if (found.length >= question.limit) return found
    }
  }
  return found
}

/** The roots of trees that have the rarest of the classes: no others can fill the request. */
function rootsOf(region: PlacementRegion, { groups }: Question): Iterable<Provider> {
  const inTree = groups.find(group => group.inTree !== null)?.inTree
  if (inTree !== undefined && inTree !== null) {
    const provider = region.providers.get(inTree)
    return provider === undefined ? [] : [provider.root]
  }
  const classes = groups.flatMap(group => [...group.resources.keys()])
  const [rarest] = classes
    .map(one => region.suppliers.get(one) ?? new Set<Provider>())
    .sort((one, other) => one.size - other.size)
  return new Set([...(rarest ?? [])].map(provider => provider.root))
}

function isRootRight({ traits }: Provider, { rootRequired, rootForbidden }: Question): boolean {
  return rootRequired.every(name => traits.has(name)) && !rootForbidden.some(name => traits.has(name))
}

function candidatesOf(root: Provider, question: Question): Candidate[] {
  const tree = treeOf(root)
  let partial: Piece[][][] = [[]]
  for (const group of question.groups) {
    const ways = group.suffix === '' ? waysTogether(tree, group) : waysAlone(tree, group)
    if (ways.length === 0) return []
    partial = partial.flatMap(done => ways.map(way => [...done, way])).slice(0, mostOfATree)
  }
  const { groups, isIsolated } = question
  return partial
    .filter(ways => fitsTogether(ways.flat()) && (!isIsolated || isApart(ways, groups)))
    .map(ways => ({
      root,
      pieces: ways.flat(),
      mappings: Object.fromEntries(
        groups.map(({ suffix }, at) => [suffix, [...new Set(ways[at]!.map(piece => piece.provider.uuid))]]),
      ),
    }))
}

/**
 * The ways to fill a group without a suffix: each class from any provider of the tree; the traits are those
 * of all providers used, taken together.
 */
function waysTogether(tree: readonly Provider[], group: Group): Piece[][] {
  const usable = tree.filter(provider => isMember(provider, group) || isMember(provider.root, group))
  let ways: Piece[][] = [[]]
  for (const [resourceClass, amount] of group.resources) {
    const givers = usable.filter(provider => hasFree(provider, resourceClass, amount))
    ways = ways
      .flatMap(way => givers.map(provider => [...way, { provider, resourceClass, amount }]))
      .slice(0, mostOfATree)
  }
  const isOutside = (provider: Provider) => isExcluded(provider, group) || isExcluded(provider.root, group)
  return ways.filter(way => {
    const givers = way.map(piece => piece.provider)
    return !givers.some(isOutside) && hasTraits(givers, group)
  })
}

/** The ways to fill a group with a suffix: all from one provider. */
function waysAlone(tree: readonly Provider[], group: Group): Piece[][] {
  return tree
    .filter(provider => isMember(provider, group) && !isExcluded(provider, group))
    .filter(provider => hasTraits([provider], group))
    .filter(provider => [...group.resources].every(([name, amount]) => hasFree(provider, name, amount)))
    .map(provider =>
      [...group.resources].map(([resourceClass, amount]) => ({ provider, resourceClass, amount })),
    )
}

function hasFree(provider: Provider, resourceClass: string, amount: number): boolean {
  return hasRoom(provider, resourceClass, amount, provider.used.get(resourceClass) ?? 0)
}

export function isMember({ aggregates }: Provider, { memberOf }: Pick<Group, 'memberOf'>): boolean {
  return memberOf.every(any => any.some(uuid => aggregates.has(uuid)))
}

export function isExcluded({ aggregates }: Provider, { notMemberOf }: Pick<Group, 'notMemberOf'>): boolean {
  return notMemberOf.some(uuid => aggregates.has(uuid))
}

export function hasTraits(
  providers: readonly Provider[],
  { required, forbidden }: Pick<Group, 'required' | 'forbidden'>,
): boolean {
  const has = (name: string) => providers.some(provider => provider.traits.has(name))
  return required.every(any => any.some(has)) && !forbidden.some(has)
}

/** Whether providers that several groups use have enough for all of them. */
function fitsTogether(pieces: readonly Piece[]): boolean {
  return pieces.every(({ provider, resourceClass }) => {
    const sum = pieces
      .filter(piece => piece.provider === provider && piece.resourceClass === resourceClass)
      .reduce((total, { amount }) => total + amount, 0)
    return hasFree(provider, resourceClass, sum)
  })
}

function isApart(ways: readonly (readonly Piece[])[], groups: readonly Group[]): boolean {
  const givers = ways.filter((_way, at) => groups[at]!.suffix !== '').map(way => way[0]?.provider)
  return new Set(givers).size === givers.length
}
