// The JSON schemas of the Networking API's resources, by their tables: what OpenAPI says of them.

import type { Kind } from '../../core/network/model/model.ts'
import type { Attributes } from './attributes.ts'
import type { Schema } from './kinds.ts'
import { floatingIps } from './resources/floating-ips.ts'
import { networks } from './resources/networks.ts'
import { ports } from './resources/ports.ts'
import { routers } from './resources/routers.ts'
import { securityGroupRules } from './resources/security-group-rules.ts'
import { securityGroups } from './resources/security-groups.ts'
import { subnets } from './resources/subnets.ts'

const tables: readonly { readonly kind: Kind; readonly attributes: Attributes<never, never> }[] = [
  networks,
  subnets,
  ports,
  routers,
  floatingIps,
  securityGroups,
  securityGroupRules,
]

function schemaOf(attributes: Attributes<never, never>): Schema {
  const all = Object.entries(attributes)
  const properties = all.map(([name, { kind, set, seenBy }]) => {
    const readOnly = set === undefined ? { readOnly: true } : {}
    return [name, { ...kind.schema, ...readOnly, ...(seenBy === 'nobody' ? { writeOnly: true } : {}) }]
  })
  const required = all
    .filter(([, { set, ...attribute }]) => set === 'create' && !('default' in attribute))
    .map(([name]) => name)
  return { type: 'object', properties: Object.fromEntries(properties), required }
}

/** The schemas by kind of resource. */
export const networkSchemas = (): Readonly<Record<string, Schema>> =>
  Object.fromEntries(tables.map(({ kind, attributes }) => [kind, schemaOf(attributes)]))
