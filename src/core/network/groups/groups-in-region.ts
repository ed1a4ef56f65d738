// Security groups in regions: made where a port needs them, with their rules at once; kept as the model says by the job
// `seg_rule_setup` of their project; taken away before the model forgets them.
//
// A project's default group is the region's own, never made and never removed; all others bear the mark of an intent.
// A rule bears its group's central id as its mark: what else is in a group stays, but for what stock Neutron puts into
// every new one.

import type { App, Transaction } from '../../app.ts'
import { type Caller, ownCaller } from '../../caller.ts'
import { AppError, conflict } from '../../error.ts'
import { checkBelieved } from '../../regions/belief.ts'
import { intentOf } from '../copies/intent.ts'
import type { RegionNetworking } from '../copies/region-rows.ts'
import { idIn, type Port, type SecurityGroup } from '../model/model.ts'
import { all } from '../model/query.ts'
import { unknown } from '../model/read.ts'
import { regionsOf } from '../model/where.ts'
import { type FollowUp, follow } from '../model/writing.ts'
import { type Member, namedBy, type ProjectInRegion } from './group-rules.ts'
import { dropAddressGroups, removeAddressGroups } from './members-elsewhere.ts'
import { bringAspects, bringGroups, bringRules, forgetGroup, type There } from './project-in-region.ts'

export interface GroupsAsk {
  readonly region: string
  readonly regionId: string
  readonly groupIds: readonly string[]
}

/**
 * The region's ids of these groups, by their central ids. Makes no call where the region has all of them
 * already; those that it does not have are made with their rules. Throws `not_found` (`security_group`),
 * `conflict` (`too_many_rules`), and as the region refuses.
 */
export async function ensureGroups(
  app: App,
  networking: RegionNetworking,
  { region, regionId, groupIds }: GroupsAsk,
): Promise<ReadonlyMap<string, string>> {
  const asked = await app.store.networks.getMany('security_group', groupIds)
  const gone = groupIds.find(id => !asked.some(group => group.id === id))
  if (gone !== undefined) throw unknown('security_group', gone)
  const ids = new Map<string, string>()
  for (const group of asked) {
    const there = idIn(group, region)
    if (there !== null) ids.set(group.id, there)
  }
  const missing = asked.filter(group => !ids.has(group.id))
  for (const projectId of new Set(missing.map(group => group.projectId))) {
    const there = await again(async () => {
      const model = await modelOf(app, projectId)
      return bringNew(app, await projectIn(model, networking, { region, regionId, projectId }), groupIds)
    })
    for (const [id, row] of there) ids.set(id, row.id)
  }
  return ids
}

async function bringNew(app: App, at: ProjectInRegion, groupIds: readonly string[]): Promise<There> {
  const there = await bringGroups(app, at, groupIds)
  const fresh = at.groups.filter(group => there.has(group.id) && idIn(group, at.region) === null)
  await bringRules(app, at, fresh, there)
  await notePlaces(app, at, there)
  return there
}

/** All groups of a project, with their places. */
interface Model {
  readonly groups: readonly SecurityGroup[]
  /** The ports in groups that rules name: there may be very many, so they are read once, and only when asked for. */
  members(): Promise<readonly Member[]>
}

async function modelOf(app: App, projectId: string): Promise<Model> {
  const groups = await all(app.store, 'security_group', { field: 'projectId', in: [projectId] })
  let members: Promise<readonly Member[]> | null = null
  return {
    groups,
    members() {
      members ??= membersOf(app, [...namedBy(groups)])
      return members
    },
  }
}

/** Who is absent may come back, and nobody else has its addresses until then: other regions let it pass. */
const membersOf = async (app: App, groupIds: readonly string[]): Promise<readonly Member[]> => [
  ...(await all(app.store, 'port', { field: 'securityGroupIds', has: groupIds })),
  ...(await app.store.absences.members(groupIds)),
]

async function projectIn(
  { groups, members }: Model,
  networking: RegionNetworking,
  where: Pick<ProjectInRegion, 'region' | 'regionId' | 'projectId'>,
): Promise<ProjectInRegion> {
  return { ...where, networking, groups, members: areAlone(groups, where.region) ? [] : await members() }
}

/** Whether all groups that rules name are in this one region, which then knows their members by itself. */
function areAlone(groups: readonly SecurityGroup[], region: string): boolean {
  const named = namedBy(groups)
  return groups.every(({ id, places }) => !named.has(id) || places.every(place => place.region === region))
}

/**
 * Brings the groups of a project to what the model says, in every region that has one. All regions are tried,
 * then the first error is thrown.
 */
export async function setUpGroupRules(app: App, projectId: string, requestId: string): Promise<void> {
  // All regions use one reading of the model: it is the same for each, and may be large.
  const read = await modelOf(app, projectId)
  const regions = await regionsOf(app.store)
  const having = regions.filter(({ name }) => read.groups.some(group => idIn(group, name) !== null))
  const work = having.map(({ name: region, id: regionId }) =>
    again(async tried => {
      const model = tried === 0 ? read : await modelOf(app, projectId)
      const networking = app.cloud.networking(region, requestId)
      await setUp(app, await projectIn(model, networking, { region, regionId, projectId }))
    }),
  )
  const results = await Promise.allSettled(work)
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
}

async function setUp(app: App, at: ProjectInRegion): Promise<void> {
  // To ask an empty region for a project's groups makes one there, which then passes for a proof that it is not empty.
  await checkBelieved(app, { id: at.regionId, name: at.region }, 'network')
  const placed = at.groups.filter(group => idIn(group, at.region) !== null).map(({ id }) => id)
  const there = await bringGroups(app, at, placed)
  const groups = at.groups.filter(group => there.has(group.id))
  await bringAspects(app, at, groups, there)
  const needed = await bringRules(app, at, groups, there)
  await dropAddressGroups(app, at, needed)
  await notePlaces(app, at, there)
}

/**
 * Reasons of errors after which groups are read and brought once more: another worker changed the region in
 * the meantime, or the change may have been made all the same.
 */
const beaten: readonly (string | undefined)[] = [
  'changed_meanwhile',
  'maybe_done',
  'SecurityGroupRuleExists',
  'AddressesAlreadyExist',
  'AddressesNotFound',
  'AddressGroupNotFound',
  'SecurityGroupNotFound',
]

const tries = 3

async function again<T>(work: (tried: number) => Promise<T>): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await work(tried)
    } catch (error) {
      const isBeaten = error instanceof AppError && beaten.includes(error.detail.reason)
      if (!isBeaten || tried === tries - 1) throw error
    }
  }
}

/**
 * Notes the places of groups that were made, and posts the job: it finds what has changed in the model since
 * it was read.
 */
async function notePlaces(app: App, at: ProjectInRegion, there: There): Promise<void> {
  const { region, regionId, projectId, groups } = at
  const fresh = [...there].filter(([id, row]) =>
    groups.some(one => one.id === id && idIn(one, region) !== row.id),
  )
  if (fresh.length === 0) return
  const gone = await app.store.transact(async tx => {
    const gone: string[] = []
    for (const [centralId, { id: regionalId }] of fresh) {
      const place = { kind: 'security_group', centralId, projectId, regionId, regionalId, at: app.now() }
      if (await tx.networks.lock('security_group', centralId)) await tx.networks.place(place)
      else gone.push(centralId)
    }
    await postSetUp(app, ownCaller(`req-${app.newId()}`), tx, [projectId])
    return gone
  })
  for (const id of gone) await forgetGroup(app, at, id, 'verb')
}

/** The job that brings a project's groups to what the model says, in every region that has one. */
export const groupSetupOf = (projectId: string): FollowUp => ({
  type: 'seg_rule_setup',
  projectId,
  resource: { project_id: projectId },
  region: null,
})

/**
 * How long after a change of members the job for other regions is due: further changes until then are told to
 * regions with it.
 */
const gatheringMs = 1000

const postSetUp = (
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  projectIds: Iterable<string>,
): Promise<void> =>
  follow(app, caller, tx, [...projectIds].map(groupSetupOf), new Date(app.now().getTime() + gatheringMs))

/**
 * Posts, with a change of a port's place or addresses, the job that tells other regions: none where no rule
 * names a group of the port's, or all groups whose rules do are in one region with it.
 */
export async function groupsFollowPort(
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  { securityGroupIds }: Pick<Port, 'securityGroupIds'>,
): Promise<void> {
  if (securityGroupIds.length === 0) return
  const rules = await all(tx, 'security_group_rule', { field: 'remoteGroupId', in: securityGroupIds })
  if (rules.length === 0) return
  const ids = new Set([...securityGroupIds, ...rules.map(rule => rule.securityGroupId)])
  const groups = await tx.networks.getMany('security_group', [...ids])
  const regions = new Set(groups.flatMap(({ places }) => places.map(({ region }) => region)))
  if (regions.size < 2) return
  const projects = new Set(rules.map(({ projectId }) => projectId))
  await postSetUp(app, caller, tx, projects)
}

/**
 * Removes a group from every region, with the address groups of its members. Throws `conflict`
 * (`security_group_in_use`) when a region has it in use, else as the region refuses.
 */
export async function takeFromRegions(app: App, caller: Caller, group: SecurityGroup): Promise<void> {
  for (const { name: region, id: regionId } of await regionsOf(app.store)) {
    const networking = app.cloud.networking(region, caller.requestId)
    const place = idIn(group, region)
    if (place !== null) {
      await (group.isDefault ? emptyGroup(networking, group, place) : removeThere(networking, place))
      await forgetGroup(app, { region, regionId }, group.id, 'verb')
    }
    await removeAddressGroups(app, { region, networking }, group)
  }
}

async function removeThere(networking: RegionNetworking, id: string): Promise<void> {
  try {
    await networking.remove('security_group', id)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.status !== 409) throw error
    throw conflict(error.message, 'security_group_in_use')
  }
}

/**
 * Removes Atoll's rules from a project's default group; the group itself, and rules without Atoll's mark,
 * stay the region's.
 */
async function emptyGroup(networking: RegionNetworking, group: SecurityGroup, id: string): Promise<void> {
  const rules = await networking.list('security_group_rule', { where: { securityGroupId: id } })
  for (const rule of rules.filter(({ description }) => intentOf(description) === group.id))
    await networking.remove('security_group_rule', rule.id)
}
