// Queries of the central model as conditions in SQL over the kind's own table.

import { isIP } from 'node:net'
import { type RawBuilder, sql } from 'kysely'
import type { Kind } from '../core/network/model/model.ts'
import type { FieldCondition, Sight } from '../core/network/model/network-store.ts'
import { column, isPlaced, table, typeOf } from './network-kinds.ts'

type Sql = RawBuilder<unknown>

/** The condition under which a caller with this sight sees a row. */
export function seen(kind: Kind, sight: Sight): Sql {
  if (sight === 'atoll') return sql`true`
  const own = sight === null ? sql`true` : sql`${column(kind, 'projectId')} = ${sight.projectId}`
  if (kind === 'port' && sight !== null) return sql`(${sql.join(portParts(sight.projectId), sql` or `)})`
  if (kind !== 'network' && kind !== 'subnet') return own
  const owned = sight === null ? sql`true` : sql`network.project_id = ${sight.projectId}`
  const visible = sql`network.bridge_of is null and (${own} or ${owned} or network.shared or network.external)`
  if (kind === 'network') return visible
  return sql`exists (select from network where network.id = subnet.network_id and ${visible})`
}

/** The ports that a project sees: its own, and those of others on its networks, as a trigger of the table notes them. */
const portParts = (projectId: string): Sql[] => [
  sql`port.project_id = ${projectId}`,
  sql`port.guest_of = ${projectId}`,
]

/** What a caller with this sight sees, in parts that have no row in common: each is found by an index of its own. */
export const seenInParts = (kind: Kind, sight: Sight): Sql[] =>
  kind === 'port' && sight !== null && sight !== 'atoll' ? portParts(sight.projectId) : [seen(kind, sight)]

/**
 * A condition in SQL. Throws for a field that the kind does not have, or values that the field cannot have.
 */
export function conditionSql(kind: Kind, condition: FieldCondition): Sql {
  if ('has' in condition) return hasSql(kind, condition.field, condition.has)
  if ('fixedIp' in condition) return fixedIpSql(kind, condition)
  if ('region' in condition)
    return sql`exists (${isPlaced(kind)} and region.name = any (${condition.region}::text[]))`
  if ('changedSince' in condition) return sql`${column(kind, 'updatedAt')} >= ${condition.changedSince}`
  return inSql(kind, condition.field, condition.in)
}

/**
 * The SQL type that values of a column's type are compared as; a number may be larger than the column takes.
 */
const types: Readonly<Record<string, Sql>> = {
  text: sql`text`,
  number: sql`numeric`,
  boolean: sql`boolean`,
}

function inSql(kind: Kind, field: string, values: readonly unknown[]): Sql {
  const type = types[typeOf(kind, field).replace('?', '')]
  if (!type) throw new Error(`${field} of ${kind} has no single value`)
  const [value, ...more] = values
  // With a single value, the rows are one range of an index, in the order of its next column.
  if (value !== null && value !== undefined && more.length === 0)
    return sql`${column(kind, field)} = ${value}::${type}`
  const among = sql`${column(kind, field)} = any (${values.filter(value => value !== null)}::${type}[])`
  return values.includes(null) ? sql`(${among} or ${column(kind, field)} is null)` : among
}

function hasSql(kind: Kind, field: string, values: readonly string[]): Sql {
  if (kind === 'network' && field === 'subnetIds')
    return sql`exists (select from subnet where subnet.network_id = network.id
                                            and subnet.id = any (${values}::text[]))`
  if (typeOf(kind, field) !== 'texts') throw new Error(`${field} of ${kind} is no list of texts`)
  return sql`${column(kind, field)} && ${values}::text[]`
}

type FixedIp = Extract<FieldCondition, { fixedIp: string }>

function fixedIpSql(kind: Kind, condition: FixedIp): Sql {
  if (kind !== 'port') throw new Error(`${kind} has no fixed addresses`)
  return sql`port.id in (
    select holder from held_range where purpose = 'port' and ${heldSql[condition.fixedIp](condition.in)})`
}

const heldSql: Readonly<Record<FixedIp['fixedIp'], (values: readonly string[]) => Sql>> = {
  subnetId: ids => sql`subnet_id = any (${ids}::text[])`,
  // A text that is no IP address matches no port.
  ipAddress: texts => sql`lower(range) = any (${texts.filter(isAddress)}::inet[])`,
  ipAddressSubstr: texts =>
    sql`exists (select from unnest(${texts}::text[]) as part where strpos(host(lower(range)), part) > 0)`,
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%')

export const sightedFrom = (kind: Kind, sight: Sight): Sql =>
  sql`from ${table(kind)} where ${seen(kind, sight)}`
