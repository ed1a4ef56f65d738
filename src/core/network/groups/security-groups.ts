// The verbs of security groups and their rules. Both are central until a port brings its group into a region;
// changes after that reach regions by a job.

import type { App, Transaction } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { SecurityGroup, SecurityGroupRule } from '../model/model.ts'
import { all, some } from '../model/query.ts'
import { getOwn, getResource, unknown } from '../model/read.ts'
import type { GroupChange, GroupSpec, RemovalAsk, RuleSpec, UpdateAsk } from '../model/specs.ts'
import { born, checkRevision, type FollowUp, follow } from '../model/writing.ts'
import { inModel } from '../writes/in-model.ts'
import { endLeftBy } from '../writes/left.ts'
import { type Removing, removal, removeAgain } from '../writes/removal.ts'
import { ensureDefaultGroup, insertGroup } from './default-group.ts'
import { mostRulesInRegion, rulesRefusal } from './group-rules.ts'
import { groupSetupOf, takeFromRegions } from './groups-in-region.ts'
import { checkedRule, senseOf } from './security-rules.ts'

/** The new group. Throws `conflict` (`default_group` for the name, `over_quota`). */
export async function createGroup(app: App, caller: Caller, spec: GroupSpec): Promise<SecurityGroup> {
  checkName(spec.name)
  await ensureDefaultGroup(app, caller, spec.projectId)
  const id = app.newId()
  const { quotas } = app.networkRules
  await app.store.transact(async tx => {
    await tx.networks.quota('security_group', spec.projectId, 1, quotas.security_group)
    await tx.networks.quota('security_group_rule', spec.projectId, 2, quotas.security_group_rule)
    await insertGroup(app, caller, tx, { ...spec, id, isDefault: false })
  })
  return (await app.store.networks.get('security_group', id, null))!
}

function checkName(name: string): void {
  if (name.toLowerCase() === 'default')
    throw conflict('Default security group already exists.', 'default_group')
}

/**
 * The changed group. Throws `not_found`, `conflict` (`default_group` for its name, `security_group_in_use` for a
 * switch of `stateful` while ports have it, `revision`).
 */
export async function updateGroup(
  app: App,
  caller: Caller,
  { id, change, ifRevision }: UpdateAsk<GroupChange>,
): Promise<SecurityGroup> {
  const group = await getOwn(app, caller, { kind: 'security_group', id })
  checkRevision('security_group', group, ifRevision)
  if (change.name !== undefined) checkName(change.name)
  if (change.name !== undefined && group.isDefault)
    throw conflict('Updating default security group not allowed.', 'default_group')
  if (change.stateful !== undefined && change.stateful !== group.stateful) await requireUnused(app, id)
  await inModel(app, caller, {
    endLeft: endLeftGroup,
    kind: 'security_group',
    id,
    ifRevision,
    async write(tx, now) {
      await tx.networks.update('security_group', id, change, noteOf(app, caller, 'security_group.update'))
      await follow(app, caller, tx, setUpOf(now))
    },
  })
  return (await app.store.networks.get('security_group', id, null))!
}

/**
 * Removes a group: from its regions first, then from the model with the rules that name it. Throws
 * `not_found`, `conflict` (`security_group_in_use`, `default_group` unless an admin asks, `revision`), and
 * `upstream`.
 */
export async function removeGroup(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const group = await getOwn(app, caller, { kind: 'security_group', id })
  checkRevision('security_group', group, ifRevision)
  await requireUnused(app, id)
  if (group.isDefault && !isAtLeast(caller, 'admin'))
    throw conflict('Insufficient rights for removing default security group.', 'default_group')
  // Regions that do not have the group may know its members in others all the same.
  if (group.places.length === 0) await takeFromRegions(app, caller, group)
  await removal(app, caller, { ...removing, row: group, ifRevision, endLeft: endLeftGroup })
}

/** Removes a group, which no region has any more, with its rules and those that name it. */
async function letGo(
  app: App,
  caller: Caller,
  tx: Transaction,
  { id, rules, projectId }: SecurityGroup,
): Promise<void> {
  const note = noteOf(app, caller, 'security_group.remove')
  const naming = await all(tx, 'security_group_rule', { field: 'remoteGroupId', in: [id] })
  for (const rule of [...naming, ...rules]) await tx.networks.remove('security_group_rule', rule.id, note)
  const others = new Set(naming.map(rule => rule.securityGroupId).filter(other => other !== id))
  for (const other of others) await tx.networks.update('security_group', other, {}, note)
  await tx.networks.remove('security_group', id, note)
  if (others.size > 0) await follow(app, caller, tx, [groupSetupOf(projectId)])
}

const removing: Removing<'security_group'> = { kind: 'security_group', removeThere: takeFromRegions, letGo }

/** Ends what a writer of a group has begun and left: changes reach regions by jobs, and only removals are left. */
export const endLeftGroup = endLeftBy<'security_group'>({
  kind: 'security_group',
  remove: removeAgain(removing),
})

/**
 * The new rule; it belongs to its group's project. Throws `not_found` (`security_group`), `invalid` as
 * `checkedRule`, `conflict` (`rule_exists`, `over_quota`, `too_many_rules`).
 */
export async function createRule(app: App, caller: Caller, spec: RuleSpec): Promise<SecurityGroupRule> {
  const { id: groupId, projectId } = await getOwn(app, caller, {
    kind: 'security_group',
    id: spec.securityGroupId,
  })
  const rule = { ...checkedRule(spec), projectId }
  if (rule.remoteGroupId !== null) await checkRemote(app, caller, rule.remoteGroupId, projectId)
  const id = app.newId()
  const note = noteOf(app, caller, 'security_group_rule.create')
  await app.store.transact(async tx => {
    const group = await lockGroup(tx, groupId)
    const twin = group.rules.find(one => senseOf(one) === senseOf(rule))
    if (twin) throw conflict(`Security group rule already exists. Rule id is ${twin.id}.`, 'rule_exists')
    requireRoom(app, group, rule)
    const most = app.networkRules.quotas.security_group_rule
    await tx.networks.quota('security_group_rule', projectId, 1, most)
    await tx.networks.insert('security_group_rule', { ...rule, ...born(app), id }, note)
    await tx.networks.update('security_group', groupId, {}, note)
    await follow(app, caller, tx, setUpOf(group))
  })
  return (await app.store.networks.get('security_group_rule', id, null))!
}

/** A rule may name only groups of its own project: a region knows no copy of any other. */
async function checkRemote(app: App, caller: Caller, id: string, projectId: string): Promise<void> {
  const remote = await getResource(app, caller, { kind: 'security_group', id })
  if (remote.projectId !== projectId) throw unknown('security_group', id)
}

/**
 * Refuses a rule that some region could not hold, before it is written: after that only a job would find out.
 */
function requireRoom(app: App, group: SecurityGroup, rule: RuleSpec): void {
  const count = mostRulesInRegion([...group.rules, rule])
  for (const { region } of group.places) {
    const most = app.networkRules.limitsOf(region).rules
    if (count > most) throw rulesRefusal(group, { region, most, count })
  }
}

/** Throws `not_found`, `conflict` (`revision`). */
export async function removeRule(app: App, caller: Caller, { id, ifRevision }: RemovalAsk): Promise<void> {
  const rule = await getOwn(app, caller, { kind: 'security_group_rule', id })
  checkRevision('security_group_rule', rule, ifRevision)
  const note = noteOf(app, caller, 'security_group_rule.remove')
  await app.store.transact(async tx => {
    const group = await lockGroup(tx, rule.securityGroupId)
    if (!(await tx.networks.remove('security_group_rule', id, note))) throw unknown('security_group_rule', id)
    await tx.networks.update('security_group', group.id, {}, note)
    await follow(app, caller, tx, setUpOf(group))
  })
}

async function lockGroup(tx: Transaction, id: string): Promise<SecurityGroup> {
  const group = await tx.networks.lock('security_group', id)
  if (!group) throw unknown('security_group', id)
  return group
}

/**
 * The job that brings a group's rules to regions; none for a group that no region has, since it comes there
 * with its rules.
 */
const setUpOf = ({ projectId, places }: SecurityGroup): FollowUp[] =>
  places.length === 0 ? [] : [groupSetupOf(projectId)]

async function requireUnused(app: App, id: string): Promise<void> {
  const ports = await some(app.store, 'port', 1, { field: 'securityGroupIds', has: [id] })
  if (ports.length > 0) throw conflict(`Security Group ${id} in use.`, 'security_group_in_use')
}
