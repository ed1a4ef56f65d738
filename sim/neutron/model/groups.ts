// Security groups behind the API: the default group is made, rules come and go with their group.

import { groupNotFound, refusal } from '../errors.ts'
import { type Region, standard, touch } from '../region.ts'
import type { SecurityGroup, SecurityRule } from '../rows.ts'
import { checkQuota } from './limits.ts'
import type { Caller } from './rules.ts'

/** The id of a project's default group, made when it is needed; null when the caller may not make another's. */
export function ensureDefaultGroup(project: string, region: Region, caller: Caller): string | null {
  for (const group of region.groups.by('project_id', project)) if (group.isDefault) return group.id
  if (project === '' || (project !== caller.projectId && !caller.isAdmin)) return null
  const fields = { project_id: project, name: 'default', description: 'Default security group' }
  return makeGroup(fields, true, region).id
}

/**
 * Makes a group with the rules of every new one: all egress is allowed, and in the default group ingress from
 * its members.
 */
export function makeGroup(
  fields: Record<string, unknown>,
  isDefault: boolean,
  region: Region,
): SecurityGroup {
  const project_id = String(fields.project_id)
  checkQuota('security_group_rule', project_id, isDefault ? 4 : 2, region)
  const group = region.groups.add({
    ...standard(region, fields),
    name: String(fields.name),
    stateful: fields.stateful !== false,
    isDefault,
  })
  for (const ethertype of ['IPv4', 'IPv6']) {
    const common = { project_id, security_group_id: group.id, ethertype, description: null }
    if (isDefault) addRule({ ...common, direction: 'ingress', remote_group_id: group.id }, region)
    addRule({ ...common, direction: 'egress' }, region)
  }
  return group
}

export function addRule(fields: Record<string, unknown>, region: Region): SecurityRule {
  const rule = {
    ...standard(region, fields, 0),
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_ip_prefix: null,
    remote_group_id: null,
    remote_address_group_id: null,
  }
  const names = ['security_group_id', 'direction', 'ethertype', 'description', ...Object.keys(rule)]
  const given = Object.entries(fields).filter(([name]) => names.includes(name))
  return region.rules.add({ ...rule, ...Object.fromEntries(given) } as SecurityRule)
}

export function removeRule(rule: SecurityRule, region: Region): void {
  region.rules.remove(rule)
  const group = region.groups.get(rule.security_group_id)
  if (group !== undefined) touch(region, group)
}

/** The groups that a port asks for; refuses those that do not exist for its project. */
export function findGroups(
  ids: readonly string[],
  project: string,
  region: Region,
  caller: Caller,
): string[] {
  const isThere = (id: string) => {
    const group = region.groups.get(id)
    return group !== undefined && (caller.isAdmin || group.project_id === project)
  }
  const missing = ids.filter(id => !isThere(id))
  if (missing.length > 0) throw groupNotFound(missing.join(', '))
  if (new Set(ids.map(id => region.groups.get(id)?.stateful)).size > 1) {
    const reason =
      'Cannot apply both stateful and stateless security groups on the same port at the same time'
    throw refusal(409, 'SecurityGroupConflict', `Error ${reason} while attempting the operation.`)
  }
  return [...ids]
}
