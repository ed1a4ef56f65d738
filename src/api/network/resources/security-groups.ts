// Security groups, as the API has them.

import { createGroup, removeGroup, updateGroup } from '../../../core/network/groups/security-groups.ts'
import type { SecurityGroup } from '../../../core/network/model/model.ts'
import type { GroupChange, GroupSpec } from '../../../core/network/model/specs.ts'
import { always, name, type Resource, standard, untagged } from '../attributes.ts'
import { truth } from '../kinds.ts'
import { viewer } from '../view.ts'
import { securityGroupRules } from './security-group-rules.ts'

/** Rules of a group are viewed alike for all: they have no attribute that only admins see. */
const viewRule = viewer(securityGroupRules, { isAdmin: false, names: [] })

export const securityGroups: Resource<'security_group', GroupSpec, GroupChange> = {
  kind: 'security_group',
  path: 'security-groups',
  attributes: {
    ...standard,
    ...untagged,
    name,
    security_group_rules: {
      kind: { read: () => undefined, schema: { type: 'array' } },
      show: ({ rules }: SecurityGroup) => rules.map(viewRule),
    },
    stateful: { kind: truth, field: 'stateful', set: 'always', default: true, filter: true },
    shared: { ...always(false), kind: truth },
  },
  create: createGroup,
  update: updateGroup,
  remove: removeGroup,
}
