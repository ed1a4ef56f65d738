// A project's security groups as one region is to have them: the groups that it needs, and what is in each.

import type { App } from '../../app.ts'
import { AppError, conflict } from '../../error.ts'
import { checkGone, type Eyes } from '../copies/gone.ts'
import { type EndedBy, marked } from '../copies/intent.ts'
import { makerOf, realise } from '../copies/realise.ts'
import type { RegionGroup, ThingSpec } from '../copies/region-rows.ts'
import { idIn, type SecurityGroup } from '../model/model.ts'
import {
  type AddressGroup,
  namedBy,
  type ProjectInRegion,
  ruleDifference,
  rulesRefusal,
  wantedRules,
} from './group-rules.ts'
import { bringAddressGroups } from './members-elsewhere.ts'

/** The region's groups, by central ids. */
export type There = ReadonlyMap<string, RegionGroup>

/**
 * These groups and all that their rules name, as the region has them; makes those that it does not have.
 * Throws `conflict` (`changed_meanwhile`) when a group was removed there by hand: its place is removed from
 * the model, and another try makes it anew; `unavailable` (`suspect`) where the region is not believed.
 */
export async function bringGroups(app: App, at: ProjectInRegion, ids: readonly string[]): Promise<There> {
  const groups = withNamed(at.groups, ids)
  const made = new Map<string, string>()
  for (const group of groups.filter(({ isDefault }) => !isDefault))
    made.set(group.id, idIn(group, at.region) ?? (await make(app, at, group)))
  // Listing a project's groups has Neutron make the project's default group where there is none yet.
  const rows = await at.networking.list('security_group', { where: { projectId: at.projectId } })
  const there = new Map<string, RegionGroup>()
  for (const group of groups) {
    const row = rows.find(({ id, name }) =>
      group.isDefault ? name === 'default' : id === made.get(group.id),
    )
    if (!row) {
      await checkGone(eyesOf(app, at), 'security_group')
      await forgetGroup(app, at, group.id, 'absence')
    } else there.set(group.id, row)
  }
  if (there.size === groups.length) return there
  throw conflict(`Security groups were removed in ${at.region} by hand`, 'changed_meanwhile')
}

/**
 * These groups, the groups that their rules name, and so on: the region must have a group before a rule can
 * name it.
 */
function withNamed(groups: readonly SecurityGroup[], ids: readonly string[]): SecurityGroup[] {
  const found = new Set(ids)
  // A set that grows while it is walked is walked to its end.
  for (const id of found)
    for (const named of namedBy(groups.filter(group => group.id === id))) found.add(named)
  return groups.filter(group => found.has(group.id))
}

async function make(app: App, at: ProjectInRegion, group: SecurityGroup): Promise<string> {
  const { region, projectId, networking } = at
  const { id: purpose, name, description, stateful } = group
  const maker = makerOf(
    networking,
    'security_group',
    { projectId, name, description, stateful },
    { projectId },
  )
  const intent = { region, resourceType: 'security_group', purpose, owner: purpose }
  return (await realise(app, intent, maker)).id
}

export const eyesOf = (app: App, { region, regionId, networking }: ProjectInRegion): Eyes => ({
  app,
  region: { id: regionId, name: region },
  networking,
})

/**
 * Removes a group's place in a region and ends its intent: by a verb, after which any group there that bears
 * its mark is surplus, or by absence.
 */
export async function forgetGroup(
  app: Pick<App, 'now' | 'store'>,
  { region, regionId }: Pick<ProjectInRegion, 'region' | 'regionId'>,
  id: string,
  by: EndedBy,
): Promise<void> {
  const intents = await app.store.intents.living(region, [id])
  await app.store.transact(async tx => {
    await tx.networks.unplace('security_group', id, regionId)
    for (const intent of intents.filter(one => one.resourceType === 'security_group'))
      await tx.intents.end(intent.id, by, app.now())
  })
}

/**
 * Brings name, description and state of groups that the region has; the default group's are the region's own.
 */
export async function bringAspects(
  app: Pick<App, 'store'>,
  { region, networking }: ProjectInRegion,
  groups: readonly SecurityGroup[],
  there: There,
): Promise<void> {
  const owners = groups.map(({ id }) => id)
  for (const { owner, regionalId, id: intentId } of await app.store.intents.living(region, owners)) {
    const group = groups.find(({ id }) => id === owner)!
    const row = there.get(owner)!
    if (row.id !== regionalId) continue
    const { name, stateful } = group
    const description = marked(group.description, intentId)
    const isSame = row.name === name && row.stateful === stateful && row.description === description
    if (!isSame) await networking.update('security_group', row.id, { name, stateful, description })
  }
}

/**
 * Brings the rules of groups that the region has, and the address groups that the rules need, which it
 * returns. Throws `conflict` (`too_many_rules`), and as the region refuses.
 */
export async function bringRules(
  app: App,
  at: ProjectInRegion,
  groups: readonly SecurityGroup[],
  there: There,
): Promise<ReadonlyMap<string, AddressGroup>> {
  const elsewhere = await bringAddressGroups(app, at, groups)
  const named = { groups: new Map([...there].map(([id, row]) => [id, row.id])), elsewhere }
  for (const group of groups) {
    const row = there.get(group.id)!
    const wanted = wantedRules(group, named)
    const most = app.networkRules.limitsOf(at.region).rules
    if (wanted.length > most) throw rulesRefusal(group, { region: at.region, most, count: wanted.length })
    const { add, remove } = ruleDifference(group, wanted, row)
    for (const { id } of remove) await at.networking.remove('security_group_rule', id)
    const { projectId } = at
    for (const rule of add) await makeRule(at, { ...rule, projectId, securityGroupId: row.id })
  }
  return elsewhere
}

/**
 * Makes a rule. Where the region refuses it as a duplicate, another worker has made it just now: two rules
 * that say the same are one.
 */
async function makeRule(
  { networking }: ProjectInRegion,
  rule: ThingSpec<'security_group_rule'>,
): Promise<void> {
  try {
    await networking.create('security_group_rule', rule)
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.reason !== 'SecurityGroupRuleExists') throw error
  }
}
