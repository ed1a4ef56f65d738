// `/allocation_candidates`: the question read from the query, and its answer shown.

import { represented } from '../../python.ts'
import { anyGroup, type Candidate, findCandidates, type Group, type Question } from '../candidates.ts'
import { classNotFound, codes, invalid } from '../refusals.ts'
import type { PlacementRegion } from '../region.ts'
import { capacityOf, type Provider, treeOf } from '../rows.ts'
import { type Answer, type Asked, badQuery, checkQuery, isUuid, ok, type Routes } from './asked.ts'
import { readMemberOf, readResources, readTraits } from './query.ts'

export const candidateRoutes: Routes = {
  '/allocation_candidates': { GET: { rule: 'allocation_candidates:list', since: 10, answer: list } },
}

const plainKeys = ['resources', 'required', 'member_of', 'in_tree', 'limit', 'group_policy', 'root_required']
const groupKey = /^(resources|required|member_of|in_tree)([A-Za-z0-9_-]{1,64})$/

function list({ region, query, minor }: Asked): Answer {
  checkKeys(query, minor)
  const question = readQuestion(query, minor)
  checkNames(region, question)
  const candidates = findCandidates(region, question)
  return ok({
    allocation_requests: candidates.map(candidate => viewRequest(candidate, minor)),
    provider_summaries: Object.fromEntries(summariesOf(candidates, question, minor)),
  })
}

/** Checks the query's keys; since 1.25 any of them may have a suffix. */
function checkKeys(query: URLSearchParams, minor: number): void {
  if (minor < 25) {
    checkQuery(query, name => plainKeys.includes(name))
    return
  }
  const unknown = [...query.keys()].find(name => !plainKeys.includes(name) && !groupKey.test(name))
  if (unknown === undefined) return
  const patterns = ['in_tree', 'member_of', 'required', 'resources'].map(
    name => `'^${name}([a-zA-Z0-9_-]{1,64})?$'`,
  )
  throw badQuery(`'${unknown}' does not match any of the regexes: ${patterns.join(', ')}`)
}

function readQuestion(query: URLSearchParams, minor: number): Question {
  const suffixes = new Set([...query.keys()].flatMap(key => groupKey.exec(key)?.[2] ?? []))
  const hasOwn = ['resources', 'required', 'member_of', 'in_tree'].some(name => query.has(name))
  const names = hasOwn ? ['', ...suffixes] : [...suffixes]
  checkResources(query, names)
  const groups = names.map(suffix => readGroup(query, suffix, minor))
  const policy = query.get('group_policy')
  if (policy !== null && !['none', 'isolate'].includes(policy)) {
    throw badQuery(`'${policy}' is not one of ['none', 'isolate']`)
  }
  if (policy === null && suffixes.size > 1) {
    throw invalid(
      'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.',
    )
  }
  const limit = query.get('limit')
  if (limit !== null && !/^[1-9]\d*$/.test(limit)) throw badQuery(`'${limit}' does not match '^[1-9][0-9]*$'`)
  const roots = readTraits(query.getAll('root_required'), minor)
  return {
    groups,
    isIsolated: policy === 'isolate',
    limit: limit === null ? Infinity : Number(limit),
    rootRequired: roots.required.flat(),
    rootForbidden: roots.forbidden,
  }
}

function checkResources(query: URLSearchParams, suffixes: readonly string[]): void {
  const bare = suffixes.filter(suffix => !query.has(`resources${suffix}`))
  if (bare.length === suffixes.length) {
    const words = 'There must be at least one resources or resources[$S] parameter.'
    throw invalid(words, codes.missingValue)
  }
  if (bare.length === 0) return
  const words = 'Resourceless suffixed group request should be specified in `same_subtree` query param:'
  throw invalid(`${words} bad group(s) - ${represented(bare)}.`, codes.badValue)
}

function readGroup(query: URLSearchParams, suffix: string, minor: number): Group {
  const inTree = query.get(`in_tree${suffix}`)
  if (inTree !== null && !isUuid(inTree)) {
    throw badQuery(`Expected 'in_tree' parameter to be a format of uuid. Got: ${inTree}`)
  }
  return {
    ...anyGroup(suffix),
    resources: readResources(query.get(`resources${suffix}`) ?? ''),
    ...readTraits(query.getAll(`required${suffix}`), minor),
    ...readMemberOf(query.getAll(`member_of${suffix}`), minor),
    inTree,
  }
}

function checkNames(region: PlacementRegion, { groups, rootRequired, rootForbidden }: Question): void {
  for (const name of groups.flatMap(group => [...group.resources.keys()])) {
    if (region.classes.has(name)) continue
    throw invalid(`Invalid resource class in resources parameter: ${classNotFound(name)}`)
  }
  const asked = groups.flatMap(({ required, forbidden }) => [...required.flat(), ...forbidden])
  const unknown = [...asked, ...rootRequired, ...rootForbidden].filter(name => !region.traits.has(name))
  if (unknown.length > 0) throw invalid(`No such trait(s): ${unknown.join(', ')}.`)
}

function viewRequest({ pieces, mappings }: Candidate, minor: number): object {
  const byProvider = new Map<string, Record<string, number>>()
  for (const { provider, resourceClass, amount } of pieces) {
    const resources = byProvider.get(provider.uuid) ?? {}
    resources[resourceClass] = (resources[resourceClass] ?? 0) + amount
    byProvider.set(provider.uuid, resources)
  }
  const entries = [...byProvider]
  const allocations =
    minor < 12
      ? entries.map(([uuid, resources]) => ({ resource_provider: { uuid }, resources }))
      : Object.fromEntries(entries.map(([uuid, resources]) => [uuid, { resources }]))
  return { allocations, ...(minor >= 34 ? { mappings } : {}) }
}

/** The summaries of providers in an answer; since 1.29 of the whole trees. */
function* summariesOf(
  candidates: readonly Candidate[],
  { groups }: Question,
  minor: number,
): Iterable<[string, object]> {
  const asked = new Set(groups.flatMap(group => [...group.resources.keys()]))
  const roots = new Set(candidates.map(candidate => candidate.root))
  const givers = candidates.flatMap(({ pieces }) => pieces.map(piece => piece.provider))
  const shown = minor >= 29 ? [...roots].flatMap(treeOf) : givers
  for (const provider of shown) {
    const resources = [...provider.inventories]
      .filter(([name]) => minor >= 27 || asked.has(name))
      .map(([name, inventory]) => [
        name,
        { capacity: capacityOf(inventory), used: provider.used.get(name) ?? 0 },
      ])
    const summary = { resources: Object.fromEntries(resources), ...viewPlace(provider, minor) }
    yield [provider.uuid, summary]
  }
}

const viewPlace = ({ traits, parent, root }: Provider, minor: number): object => ({
  ...(minor >= 17 ? { traits: [...traits] } : {}),
  ...(minor >= 29 ? { parent_provider_uuid: parent?.uuid ?? null, root_provider_uuid: root.uuid } : {}),
})
