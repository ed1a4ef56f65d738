// How the kinds of the central model stand in their tables: one list of columns each, from which every statement is
// made.

import { type RawBuilder, sql } from 'kysely'
import type {
  Derived,
  Kind,
  Kinds,
  SecurityGroup,
  SecurityGroupRule,
  Written,
} from '../core/network/model/model.ts'

/** What a column holds; with `?` it may be null. */
type Base<T> = T extends boolean
  ? 'boolean'
  : T extends number
    ? 'number'
    : T extends string
      ? 'text'
      : T extends Date
        ? 'time'
        : T extends readonly string[]
          ? 'texts'
          : 'json'
type TypeOf<T> = null extends T ? `${Base<NonNullable<T>>}?` : Base<T>
export type ColumnType =
  | 'boolean'
  | 'number'
  | 'text'
  | 'time'
  | 'texts'
  | 'json'
  | 'number?'
  | 'text?'
  | 'json?'

type Columns<K extends Kind> = { readonly [F in keyof Written<K>]-?: TypeOf<Written<K>[F]> }

const standard = {
  id: 'text',
  projectId: 'text',
  description: 'text',
  revision: 'number',
  createdAt: 'time',
  updatedAt: 'time',
} as const
const named = { ...standard, name: 'text' } as const

/** A field is the column of the same name in snake_case; a kind, the table of its name. */
const columns: { readonly [K in Kind]: Columns<K> } = {
  network: {
    ...named,
    adminStateUp: 'boolean',
    shared: 'boolean',
    external: 'boolean',
    mtu: 'number',
    networkType: 'text',
    physicalNetwork: 'text?',
    segmentationId: 'number?',
    portSecurityEnabled: 'boolean',
    dnsDomain: 'text',
    zoneHints: 'texts',
    bridgeOf: 'text?',
    deleting: 'boolean',
  },
  subnet: {
    ...named,
    networkId: 'text',
    ipVersion: 'number',
    cidr: 'text',
    gatewayIp: 'text?',
    enableDhcp: 'boolean',
    allocationPools: 'json',
    dnsNameservers: 'texts',
    hostRoutes: 'json',
    ipv6AddressMode: 'text?',
    ipv6RaMode: 'text?',
  },
  port: {
    ...named,
    networkId: 'text',
    macAddress: 'text',
    adminStateUp: 'boolean',
    deviceId: 'text',
    deviceOwner: 'text',
    securityGroupIds: 'texts',
    allowedAddressPairs: 'json',
    portSecurityEnabled: 'boolean',
    hostId: 'text',
    vnicType: 'text',
    vifType: 'text',
    profile: 'json',
    status: 'text',
  },
  router: {
    ...named,
    adminStateUp: 'boolean',
    gateway: 'json?',
    routes: 'json',
    zoneHints: 'texts',
    distributed: 'boolean',
    ha: 'boolean',
    status: 'text',
    deleting: 'boolean',
  },
  floatingip: {
    ...standard,
    floatingNetworkId: 'text',
    floatingIpAddress: 'text',
    fixedIpAddress: 'text?',
    portId: 'text?',
    routerId: 'text?',
    status: 'text',
  },
  security_group: { ...named, stateful: 'boolean', isDefault: 'boolean' },
  security_group_rule: {
    ...standard,
    securityGroupId: 'text',
    direction: 'text',
    ethertype: 'text',
    protocol: 'text?',
    portRangeMin: 'number?',
    portRangeMax: 'number?',
    remoteIpPrefix: 'text?',
    remoteGroupId: 'text?',
  },
}

export const kindNames = Object.keys(columns) as Kind[]

const columnName = (field: string): string => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

const isOwn = (kind: Kind, field: string): boolean => Object.hasOwn(columns[kind], field)

/** Throws when the kind has no such field of its own: who asks for one has a bug. */
export function typeOf(kind: Kind, field: string): ColumnType {
  if (!isOwn(kind, field)) throw new Error(`${kind} has no field ${field}`)
  return (columns[kind] as Readonly<Record<string, ColumnType>>)[field]!
}

const qualified = (kind: Kind, field: string): string => `${kind}.${columnName(field)}`

/** The column of a field, as `TABLE.COLUMN`. */
export function column(kind: Kind, field: string): RawBuilder<unknown> {
  typeOf(kind, field)
  return sql.raw(qualified(kind, field))
}

export const table = (kind: Kind): RawBuilder<unknown> => sql.raw(kind)

/** What a change never sets by itself. */
const fixed = ['id', 'projectId', 'revision', 'createdAt', 'updatedAt']

const names = (kind: Kind, without: readonly string[] = []): string =>
  Object.keys(columns[kind])
    .filter(field => !without.includes(field))
    .map(columnName)
    .join(', ')

/** The names of all columns that are written, in one order. */
export const written = (kind: Kind): RawBuilder<unknown> => sql.raw(names(kind))

/** The columns that a change may set. */
export const changeable = (kind: Kind): RawBuilder<unknown> => sql.raw(names(kind, fixed))

/** A row, or a part of one, as the JSON that PostgreSQL makes a record of. */
export function toJson<K extends Kind>(kind: K, row: Partial<Written<K>>): string {
  const own = Object.entries(row).filter(([field]) => isOwn(kind, field))
  return JSON.stringify(Object.fromEntries(own.map(([field, value]) => [columnName(field), value])))
}

/** The routings and regions of a row's places; a security group rule is where its group is. */
function placesFrom(kind: Kind): string {
  const [type, id] = kind === 'security_group_rule' ? ['security_group', 'securityGroupId'] : [kind, 'id']
  return `
    from routing join region on region.id = routing.region_id
    where routing.central_id = ${qualified(kind, id!)} and routing.resource_type = '${type}'
      and routing.regional_id is not null`
}

/** A select of a row's places for `exists`, to which further conditions on `region` can be added. */
export const isPlaced = (kind: Kind): RawBuilder<unknown> => sql.raw(`select ${placesFrom(kind)}`)

const placesOf = (kind: Kind): string => `
  coalesce((
    select jsonb_agg(jsonb_build_object('region', region.name, 'id', routing.regional_id)
                     order by region.name collate "C")
    ${placesFrom(kind)}), '[]')`

/** Fields that are computed from other tables. */
const derived: { readonly [K in Kind]: Readonly<Record<keyof Kinds[K] & Derived, string>> } = {
  network: {
    places: placesOf('network'),
    subnetIds: `array(select subnet.id from subnet where subnet.network_id = network.id
                      order by subnet.created_at, subnet.id)`,
  },
  subnet: { places: placesOf('subnet') },
  port: {
    places: placesOf('port'),
    fixedIps: `
      coalesce((
        select jsonb_agg(jsonb_build_object('subnetId', subnet_id, 'ipAddress', host(lower(range))) order by id)
        from held_range where held_range.holder = port.id and held_range.purpose = 'port'), '[]')`,
  },
  router: { places: placesOf('router') },
  floatingip: { places: placesOf('floatingip') },
  security_group: {
    places: placesOf('security_group'),
    rules: `
      coalesce((
        select jsonb_agg(jsonb_build_object(${ruleParts()}) order by created_at, id)
        from security_group_rule where security_group_rule.security_group_id = security_group.id), '[]')`,
  },
  security_group_rule: { places: placesOf('security_group_rule') },
}

function ruleParts(): string {
  const kind = 'security_group_rule'
  return Object.keys(columns[kind])
    .map(field => `'${field}', ${qualified(kind, field)}`)
    .join(', ')
}

/** What a select of a kind has to return, for `fromRow`. */
export function selection(kind: Kind): RawBuilder<unknown> {
  const own = Object.keys(columns[kind]).map(field => `${qualified(kind, field)} as "${field}"`)
  const others = Object.entries(derived[kind]).map(([field, part]) => `${part} as "${field}"`)
  return sql.raw([...own, ...others].join(', '))
}

/** A row as it was selected, as the model has it. */
export function fromRow<K extends Kind>(kind: K, row: Kinds[K]): Kinds[K] {
  if (kind !== 'security_group') return row
  const group = row as SecurityGroup
  return { ...row, rules: group.rules.map(rule => ruleOf(rule, group)) }
}

/** Rules come as JSON, which has no dates. */
const ruleOf = (rule: SecurityGroupRule, { places }: SecurityGroup): SecurityGroupRule => ({
  ...rule,
  createdAt: new Date(rule.createdAt),
  updatedAt: new Date(rule.updatedAt),
  places,
})
