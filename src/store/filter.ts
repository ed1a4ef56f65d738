// A filter as a condition in SQL: the same answer as `matches` over `hostValue`, from the rows `host` and `region`.

import { type RawBuilder, sql } from 'kysely'
import {
  type Comparison,
  type Condition,
  type Filter,
  numberPattern,
  operandNumber,
} from '../core/filter/filter.ts'
import type { builtInProperties } from '../core/hosts/host.ts'

import { onceMark } from './database.ts'

type BuiltIn = (typeof builtInProperties)[number]

interface Property {
  /** A text or an integer. */
  readonly value: RawBuilder<unknown>
  readonly isNumber?: boolean
  /** A host that has no value for an optional property does not have the property at all. */
  readonly optional?: boolean
}

const text = (value: RawBuilder<unknown>): Property => ({ value })
const number = (value: RawBuilder<unknown>): Property => ({ value, isNumber: true })
const instant = (column: RawBuilder<unknown>): Property =>
  text(sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')`)

/** The properties that every host has, as `src/core/hosts/properties.ts` lists them. */
const builtIns: Readonly<Record<BuiltIn, Property>> = {
  id: number(sql`host.id`),
  vcpus: number(sql`host.vcpus`),
  cpu_info: text(sql`host.cpu_info`),
  hypervisor_type: text(sql`host.hypervisor_type`),
  hypervisor_version: number(sql`host.hypervisor_version`),
  hypervisor_hostname: text(sql`host.hypervisor_hostname`),
  service_name: text(sql`host.service_name`),
  memory_mb: number(sql`host.memory_mb`),
  local_gb: number(sql`host.local_gb`),
  status: text(sql`null::text`),
  availability_zone: text(sql`host.availability_zone`),
  trust_id: text(sql`null::text`),
  reservable: number(sql`host.reservable::int`),
  created_at: instant(sql`host.created_at`),
  updated_at: instant(sql`host.updated_at`),
  region: text(sql`region.name`),
}

const propertyOf = (name: string): Property =>
  Object.hasOwn(builtIns, name)
    ? builtIns[name as BuiltIn]
    : { ...text(sql`(host.capabilities ->> ${name}::text)`), optional: true }

/** Hosts (`host`, with its `region`) that may be given to a reservation with this filter, once they are free. */
export const reservable = (filter: Filter): RawBuilder<boolean> => sql<boolean>`
  host.state = 'enrolled' and host.reservable and ${filterSql(filter)}
  and not exists (select from usage where usage.account_id = host.id)`

/** A condition that is never null, so that `not` is the plain negation. */
export const filterSql = (filter: Filter): RawBuilder<boolean> =>
  filter.op === 'all' ? sql<boolean>`true` : sql<boolean>`${sql.raw(onceMark)} ${conditionsSql(filter)}`

function conditionsSql(filter: Filter): RawBuilder<boolean> {
  switch (filter.op) {
    case 'all':
      return sql<boolean>`true`
    case 'and':
      return sql<boolean>`(${sql.join([sql`true`, ...filter.of.map(conditionsSql)], sql` and `)})`
    case 'or':
      return sql<boolean>`(${sql.join([sql`false`, ...filter.of.map(conditionsSql)], sql` or `)})`
    case 'not':
      return sql<boolean>`(not ${conditionsSql(filter.of)})`
    default:
      return conditionSql(filter)
  }
}

function conditionSql({ op, property: name, value }: Condition): RawBuilder<boolean> {
  const property = propertyOf(name)
  const holds = value === null ? nullSql(op, property) : comparisonSql(op, property, value)
  return sql<boolean>`coalesce(${holds}, false)`
}

function nullSql(op: Comparison, property: Property): RawBuilder<unknown> {
  const isText = property.isNumber ? sql`false` : sql`${property.value} = 'null'`
  if (op === '!=') return sql`not (${isText}) and ${property.value} is not null`
  if (op !== '==') return sql`false`
  return property.optional ? isText : sql`(${property.value} is null or ${isText})`
}

/** Numbers compare as float8, which is what JavaScript's are. Only a text that is a number is cast to one. */
function comparisonSql(op: Comparison, property: Property, value: string | number): RawBuilder<unknown> {
  const operator = sql.raw(sqlOperators[op])
  const operand = operandNumber(value, property.isNumber === true)
  const asNumbers = sql`${property.value}::float8 ${operator} ${operand}::float8`
  const asTexts = sql`${property.value}::text collate "C" ${operator} ${`${value}`}::text`
  if (operand === null) return asTexts
  if (property.isNumber) return asNumbers
  return sql`case when ${property.value} ~ ${sql.lit(numberPattern)} then ${asNumbers} else ${asTexts} end`
}

const sqlOperators: Readonly<Record<Comparison, string>> = {
  '==': '=',
  '!=': '<>',
  '>=': '>=',
  '<=': '<=',
  '>': '>',
  '<': '<',
}
