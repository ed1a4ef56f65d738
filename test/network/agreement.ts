// Whether the model and the regions say the same: every place of the model is there with the model's fields, and what
// bears a mark in a region is what a living intent has made. Nothing of this is asked of the product's own plans.

import { intentOf } from '../../src/core/network/copies/intent.ts'
import type { MadeKind, RegionRule } from '../../src/core/network/copies/region-rows.ts'
import type { Kinds, Network, Port, Router, SecurityGroupRule } from '../../src/core/network/model/model.ts'
import { all } from '../../src/core/network/model/query.ts'
import type { Json, World } from '../world.ts'

const kinds = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group'] as const
type PlacedKind = (typeof kinds)[number]

type Model = { readonly [K in PlacedKind]: readonly Kinds[K][] }
type Region = { readonly [K in PlacedKind]: readonly Json[] }

interface Sight {
  readonly name: string
  readonly model: Model
  readonly region: Region
}

/** What one side has and the other has not, each in words; nothing where they agree. */
export async function disagreements(w: World): Promise<string[]> {
  const model = await byKind(kind => all(w.app.store, kind))
  const lines: string[] = []
  for (const name of w.regions) {
    const region = await byKind(kind => w.region(name).list(kind))
    const sight: Sight = { name, model, region }
    lines.push(...kinds.flatMap(kind => missing(kind, sight)), ...legs(sight), ...(await surplus(w, sight)))
  }
  return lines
}

async function byKind<Row>(rows: (kind: PlacedKind) => Promise<readonly Row[]>) {
  const entries = await Promise.all(kinds.map(async kind => [kind, await rows(kind)] as const))
  return Object.fromEntries(entries) as never
}

type Placed = { readonly id: string; readonly places: readonly { region: string; id: string }[] }
const idIn = (row: Placed | undefined, region: string): string | null =>
  row?.places.find(place => place.region === region)?.id ?? null

/** The places of a kind that the region has not, or has otherwise. */
function missing(kind: PlacedKind, sight: Sight): string[] {
  const { name, model, region } = sight
  return (model[kind] as readonly Kinds[PlacedKind][]).flatMap(row => {
    const regional = idIn(row, name)
    if (regional === null) return []
    const told = `${kind} ${'name' in row ? row.name : row.description} (${row.id})`
    const there = region[kind].find(({ id }) => id === regional)
    if (!there) return [`${told} is not in ${name}`]
    const wanted = fields[kind](row as never, sight, there)
    return Object.entries(wanted).flatMap(([field, [is, was]]) =>
      sorted(is) === sorted(was)
        ? []
        : [`${told}: ${field} is ${sorted(was)} in ${name}, and ${sorted(is)} in the model`],
    )
  })
}

/** Of no list does the order count. */
const sorted = (value: unknown): string =>
  JSON.stringify(Array.isArray(value) ? value.map(one => JSON.stringify(one)).sort() : value)

/** By field: as the model has it, and as the region has it. */
type Pairs = Readonly<Record<string, readonly [model: unknown, region: unknown]>>

const text = (description: string | null): string => (description ?? '').replace(/ ?atoll:[0-9a-f-]{36}$/, '')
const same = (row: Json, there: Json, ...names: readonly string[]): Pairs =>
  Object.fromEntries(names.map(name => [name, [row[name], there[name]] as const]))
const addressOf = ({ ipAddress }: Json): string => ipAddress
const pool = ({ start, end }: Json): string => `${start} to ${end}`
const route = ({ destination, nextHop }: Json): string => `${destination} via ${nextHop}`
const isHome = ({ id }: { id: string }, there: Json): boolean => there.id === id

const fields: {
  readonly [K in PlacedKind]: (row: Kinds[K], sight: Sight, there: Json) => Pairs
} = {
  network: (row, _sight, there) => ({
    ...same(row, there, 'name', 'adminStateUp', 'shared'),
    description: [row.description, text(there.description)],
  }),
  subnet: (row, _sight, there) => ({
    ...same(row, there, 'name', 'cidr', 'enableDhcp', 'dnsNameservers'),
    description: [row.description, text(there.description)],
    // Gateways and pools are each region's own where the network spans regions.
    ...(isHome(row, there)
      ? {
          ...same(row, there, 'gatewayIp'),
          pools: [row.allocationPools.map(pool), there.allocationPools.map(pool)],
        }
      : {}),
  }),
  port: (row, { name, model }, there) => ({
    ...same(row, there, 'adminStateUp'),
    // Legs of a spanning router have an address and a MAC of their own in each region.
    ...(row.deviceOwner === ''
      ? {
          ...same(row, there, 'name', 'deviceId', 'macAddress'),
          addresses: [row.fixedIps.map(addressOf), there.fixedIps.map(addressOf)],
        }
      : {}),
    groups: [
      row.securityGroupIds.map(id =>
        idIn(
          model.security_group.find(one => one.id === id),
          name,
        ),
      ),
      there.securityGroupIds,
    ],
  }),
  router: routerFields,
  floatingip: (row, { name, model, region }, there) => {
    const port = model.port.find(({ id }) => id === row.portId)
    const regional = idIn(port, name)
    return {
      floatingIpAddress: [row.floatingIpAddress, there.floatingIpAddress],
      'the fixed address': [row.fixedIpAddress, there.fixedIpAddress],
      // Of a port of another region a mirror stands there.
      ...(regional !== null || !port
        ? { 'the port': [regional, there.portId] }
        : { 'a mirror': [true, region.port.some(({ id }) => id === there.portId)] }),
    }
  },
  security_group: (row, _sight, there) => ({
    ...(row.isDefault ? {} : same(row, there, 'name')),
    // Members elsewhere have rules of their own, which no user wrote.
    rules: [
      row.rules.map(sense),
      there.rules.filter(({ remoteAddressGroupId }: RegionRule) => !remoteAddressGroupId).map(sense),
    ],
  }),
}

const sense = (rule: RegionRule | SecurityGroupRule): string =>
  [
    rule.direction,
    rule.ethertype,
    rule.protocol,
    rule.portRangeMin,
    rule.portRangeMax,
    rule.remoteIpPrefix,
  ].join(' ')

function routerFields(row: Router, { name, model }: Sight, there: Json): Pairs {
  const outside = model.network.find(({ id }) => id === row.gateway?.networkId)
  const isExit = row.gateway !== null && idIn(outside, name) !== null
  const known: Network | undefined = model.network.find(
    one => idIn(one, name) === there.externalGateway?.networkId,
  )
  const here = there.routes.map(route)
  return {
    ...same(row, there, 'name', 'adminStateUp'),
    // Where a copy has no exit, its gateway is on the bridge or nowhere.
    'the network of its gateway': [
      isExit ? row.gateway!.networkId : null,
      known && known.bridgeOf === null ? known.id : null,
    ],
    'each route of its user': [
      row.routes.map(route),
      row.routes.map(route).filter(one => here.includes(one)),
    ],
    ...(isHome(row, there) ? { 'all routes': [row.routes.map(route), here] } : {}),
  }
}

/** Interfaces of the model that a region has no leg of, and legs on users' networks of which the model knows nothing. */
function legs({ name, model, region }: Sight): string[] {
  const lines: string[] = []
  for (const router of model.router) {
    const interfaces = model.port.filter(
      ({ deviceId, deviceOwner }) => deviceId === router.id && deviceOwner === 'network:router_interface',
    )
    const networkOf = (port: Port) => model.network.find(({ id }) => id === port.networkId)
    const wanted = interfaces.flatMap(port => idIn(networkOf(port), name) ?? [])
    const regional = idIn(router, name)
    const users = model.network
      .filter(({ bridgeOf }) => bridgeOf === null)
      .map(network => idIn(network, name))
    const there = region.port
      .filter(({ deviceId, deviceOwner }) => deviceId === regional && /router_interface/.test(deviceOwner))
      .map(({ networkId }) => networkId)
      .filter(id => users.includes(id))
    const told = `the router ${router.name} (${router.id})`
    for (const id of wanted.filter(id => !there.includes(id)))
      lines.push(`${told} has no leg on ${id} in ${name}`)
    for (const id of there.filter(id => !wanted.includes(id)))
      lines.push(`${told} has a leg on ${id} in ${name}, and none in the model`)
  }
  return lines
}

/** What bears a mark in the region, and is nothing that a living intent has. */
async function surplus({ app }: World, { name, region }: Sight): Promise<string[]> {
  const marked = kinds.flatMap(kind =>
    region[kind].flatMap(row => {
      const intent = intentOf(row.description)
      return intent === null ? [] : [{ kind: kind as MadeKind, row, intent }]
    }),
  )
  const states = await app.store.intents.states(marked.map(({ intent }) => intent))
  return marked.flatMap(({ kind, row, intent }) => {
    const known = states.get(intent)
    if (known?.state === 'living' && known.regionalId === row.id) return []
    return [`the ${kind} ${row.name ?? row.floatingIpAddress} (${row.id}) is too much in ${name}`]
  })
}
