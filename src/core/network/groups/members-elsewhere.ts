// Address groups in regions: one for a group that rules there name and that has members elsewhere, with their addresses.

import type { App } from '../../app.ts'
import { cidrsOf, formatCidr } from '../addresses/address.ts'
import { checkGone } from '../copies/gone.ts'
import { type Intent, intentOf } from '../copies/intent.ts'
import { makerOf, realise } from '../copies/realise.ts'
import type { RegionAddressGroup, RegionNetworking } from '../copies/region-rows.ts'
import type { SecurityGroup } from '../model/model.ts'
import {
  type AddressGroup,
  addressDifference,
  addressesElsewhere,
  namedBy,
  type ProjectInRegion,
} from './group-rules.ts'

const resourceType = 'address_group'

/**
 * Brings the address groups that these groups' rules need; returns them by the central ids of the groups
 * whose members they have. An address group that is not needed any more is left, since rules may still name
 * it.
 */
export async function bringAddressGroups(
  app: App,
  at: ProjectInRegion,
  groups: readonly SecurityGroup[],
): Promise<ReadonlyMap<string, AddressGroup>> {
  const wanted = [...namedBy(groups)].flatMap(id => {
    const ranges = addressesElsewhere(id, at.region, at.members)
    return ranges.length === 0 ? [] : [{ id, ranges }]
  })
  if (wanted.length === 0) return new Map()
  const present = await listIn(at.networking, at.projectId)
  const known = await knownIn(app, at.region, idsOf(at))
  const brought = new Map<string, AddressGroup>()
  for (const { id, ranges } of wanted) {
    const intent = known.find(({ owner }) => owner === id)
    // The address group that the intent had was removed in the region by hand: it is made anew.
    if (intent?.regionalId && !present.has(intent.regionalId)) {
      const { region, regionId, networking } = at
      await checkGone({ app, region: { id: regionId, name: region }, networking }, resourceType)
      await app.store.intents.end(intent.id, 'absence', app.now())
    }
    const { id: regionalId } = await realise(
      app,
      { region: at.region, resourceType, purpose: id, owner: id },
      makerOf(at.networking, 'address_group', specOf(at, id, ranges), { projectId: at.projectId }),
    )
    const there = present.get(regionalId)
    if (there) await bringAddresses(at, there, ranges)
    brought.set(id, { id: regionalId, ranges })
  }
  return brought
}

/** The spec of an address group: it bears the name of the group whose members it has. */
const specOf = ({ projectId, groups }: ProjectInRegion, id: string, ranges: AddressGroup['ranges']) => ({
  projectId,
  name: groups.find(group => group.id === id)?.name ?? '',
  addresses: ranges.flatMap(cidrsOf).map(formatCidr),
})

async function bringAddresses(
  { networking }: ProjectInRegion,
  { id, addresses }: RegionAddressGroup,
  ranges: AddressGroup['ranges'],
): Promise<void> {
  const { add, remove } = addressDifference(ranges, addresses)
  if (add.length > 0) await networking.addAddresses(id, add)
  if (remove.length > 0) await networking.removeAddresses(id, remove)
}

/** Removes address groups that are not needed: no rule of Atoll's names them any more. */
export async function dropAddressGroups(
  app: Pick<App, 'now' | 'store'>,
  at: ProjectInRegion,
  needed: ReadonlyMap<string, AddressGroup>,
): Promise<void> {
  const surplus = (await knownIn(app, at.region, idsOf(at))).filter(({ owner }) => !needed.has(owner))
  if (surplus.length === 0) return
  const present = [...(await listIn(at.networking, at.projectId)).values()]
  for (const intent of surplus) {
    const things = present.filter(row => isOf(intent, row))
    for (const { id } of things) await at.networking.remove('address_group', id)
    // One that was known and is not seen has not been removed: should it be seen again, it is looked at again.
    const isUnseen = things.length === 0 && intent.regionalId !== null
    await app.store.intents.end(intent.id, isUnseen ? 'absence' : 'verb', app.now())
  }
}

/**
 * Removes the address groups of a group's members from a region, and before them the rules that name them.
 */
export async function removeAddressGroups(
  app: Pick<App, 'now' | 'store'>,
  { region, networking }: Pick<ProjectInRegion, 'region' | 'networking'>,
  { id: owner, projectId }: SecurityGroup,
): Promise<void> {
  for (const intent of await knownIn(app, region, [owner])) {
    const rows = [...(await listIn(networking, projectId)).values()]
    for (const { id } of rows.filter(row => isOf(intent, row))) {
      const where = { projectId, remoteAddressGroupId: id }
      const rules = await networking.list('security_group_rule', { where })
      for (const rule of rules) await networking.remove('security_group_rule', rule.id)
      await networking.remove('address_group', id)
    }
    await app.store.intents.end(intent.id, 'verb', app.now())
  }
}

const idsOf = ({ groups }: ProjectInRegion): string[] => groups.map(({ id }) => id)

const isOf = (intent: Intent, { id, description }: RegionAddressGroup): boolean =>
  id === intent.regionalId || intentOf(description) === intent.id

/** The living intents of address groups for the members of these groups. */
async function knownIn(
  app: Pick<App, 'store'>,
  region: string,
  owners: readonly string[],
): Promise<Intent[]> {
  const intents = await app.store.intents.living(region, owners)
  return intents.filter(intent => intent.resourceType === resourceType)
}

async function listIn(
  networking: RegionNetworking,
  projectId: string,
): Promise<Map<string, RegionAddressGroup>> {
  const rows = await networking.list('address_group', { where: { projectId } })
  return new Map(rows.map(row => [row.id, row]))
}
