// Security groups.

import { type Resource, standardAttributes, view } from '../api/resource.ts'
import { groupNotFound, refusal } from '../errors.ts'
import { type Attributes, owner } from '../model/attributes.ts'
import { ensureDefaultGroup, makeGroup, removeRule } from '../model/groups.ts'
import { checkText, truth } from '../model/kinds.ts'
import { type Region, touch } from '../region.ts'
import type { SecurityGroup, SecurityRule } from '../rows.ts'
import { securityRules } from './security-rules.ts'

const inUse = (id: string) => refusal(409, 'SecurityGroupInUse', `Security Group ${id} in use.`)

const checkName = checkText(255)

const viewRule = (rule: SecurityRule, region: Region) => ({
  ...view(securityRules, rule, region, { projectId: rule.project_id, isAdmin: false }),
  tags: rule.tags,
  standard_attr_id: rule.serial,
})

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: {
    kind: {
      check: value => {
        if (String(value).toLowerCase() !== 'default') return checkName(value)
        const message = 'Default security group already exists.'
        throw refusal(409, 'SecurityGroupDefaultAlreadyExists', message)
      },
    },
    set: 'always',
    default: '',
    filter: true,
    sort: true,
  },
  ...owner,
  security_group_rules: {
    show: (row, region) =>
      [...region.rules.by('security_group_id', row.id)].map(rule => viewRule(rule, region)),
  },
  stateful: { kind: truth, set: 'always', default: true, filter: true },
  shared: { kind: truth, show: () => false, filter: true },
  ...standardAttributes,
}

export const securityGroups: Resource<SecurityGroup> = {
  name: 'security_group',
  path: 'security-groups',
  attributes,
  table: region => region.groups,
  missing: groupNotFound,
  seenBy: 'owner',
  createdBy: 'owner',
  changedBy: 'owner',
  removedBy: 'owner',
  isStandard: true,
  prepare: (wanted, region, caller) => {
    const project = wanted.get('project_id') ?? wanted.get('tenant_id') ?? caller.projectId
    if (project !== null) ensureDefaultGroup(project, region, caller)
  },
  create: (fields, region, caller) => {
    ensureDefaultGroup(String(fields.project_id), region, caller)
    return makeGroup(fields, false, region)
  },
  update: (group, fields, region) => {
    const isSwitch = fields.stateful !== undefined && fields.stateful !== group.stateful
    if (isSwitch && isUsed(group, region)) throw inUse(group.id)
    if (group.name === 'default' && fields.name !== undefined) {
      const message = 'Updating default security group not allowed.'
      throw refusal(409, 'SecurityGroupCannotUpdateDefault', message)
    }
    Object.assign(group, fields)
    touch(region, group)
  },
  remove: (group, region, caller) => {
    if (isUsed(group, region)) throw inUse(group.id)
    if (group.name === 'default' && !caller.isAdmin) {
      const message = 'Insufficient rights for removing default security group.'
      throw refusal(409, 'SecurityGroupCannotRemoveDefault', message)
    }
    region.groups.remove(group)
    for (const rule of [...region.rules.by('security_group_id', group.id)]) removeRule(rule, region)
    for (const rule of [...region.rules.by('remote_group_id', group.id)]) removeRule(rule, region)
  },
}

function isUsed(group: SecurityGroup, region: Region): boolean {
  return region.ports.countBy('security_groups', group.id) > 0
}
