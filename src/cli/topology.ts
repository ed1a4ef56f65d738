// `atoll topology`: the tree of regions, networks, routers and links, for people or as JSON.

import type { Config } from '../config/config.ts'
import { readTopology, type TopologyView } from '../upkeep.ts'
import { createQuietLog } from './log.ts'

export interface TopologyOptions {
  readonly region?: string
  readonly network?: string
  readonly project?: string
  readonly ports?: boolean
  readonly json?: boolean
}

export async function runTopology(config: Config, options: TopologyOptions): Promise<void> {
  const { region = null, network = null, project = null, ports = null, json = false } = options
  const topology = await readTopology(config, createQuietLog(), { region, network, project, ports })
  console.log(json ? JSON.stringify(topology, null, 2) : printTopology(topology))
}

type RegionView = TopologyView['regions'][number]
type Nowhere = TopologyView['nowhere']
type NetworkView = Nowhere['networks'][number]
type RouterView = Nowhere['routers'][number]
type PortsView = Pick<Nowhere, 'port_count' | 'ports'>
type PortView = NonNullable<Nowhere['ports']>[number]
type StateView = Pick<RegionView, 'state' | 'error' | 'job_id'>

/** A line of the tree, with the lines below it. */
interface Branch {
  readonly line: string
  readonly below: readonly Branch[]
}

export function printTopology({ regions, links, nowhere, jobs }: TopologyView): string {
  const more = [
    { line: 'Links', below: links.map(link) },
    { line: 'Nowhere yet', below: nowhereTrees(nowhere) },
    { line: 'Other jobs', below: jobs.map(job) },
  ]
  return [...regions.map(regionTree), ...more.filter(({ below }) => below.length > 0)]
    .flatMap(({ line, below }) => [line, ...drawn(below)])
    .join('\n')
}

const drawn = (branches: readonly Branch[], indent = ''): string[] =>
  branches.flatMap(({ line, below }, at) => {
    const isLast = at === branches.length - 1
    return [`${indent}${isLast ? '└─' : '├─'} ${line}`, ...drawn(below, `${indent}${isLast ? '  ' : '│ '} `)]
  })

/** Makes a line of the parts that are not empty. */
const branch = (parts: readonly string[], below: readonly Branch[] = []): Branch => ({
  line: parts.filter(part => part !== '').join('  '),
  below,
})

const regionTree = (region: RegionView): Branch =>
  branch(
    // A failed region's error is not repeated here: it stands with the resource that failed.
    [
      `${region.name} (${region.availability_zone})`,
      region.state === 'ok' ? '' : `[${region.state}]`,
      ...region.suspicions.map(suspicionOf),
    ],
    [
      ...region.networks.map(network => networkTree(network, network)),
      ...region.routers.map(routerTree),
      ...region.floating_ips.map(floatingIp),
    ],
  )

const suspicionOf = ({ since, reason }: RegionView['suspicions'][number]): string =>
  `[suspect since ${since}${reason === null ? '' : `: ${printable(reason)}`}]`

/** The tree of a network. Each port is below the subnet of its first address. */
function networkTree(network: NetworkView, { port_count, ports }: PortsView): Branch {
  const known = network.subnets.map(({ id }) => id)
  const subnetOf = (port: PortView) => port.fixed_ips.find(one => known.includes(one.subnet_id))?.subnet_id
  const on = (id: string | undefined) =>
    (ports ?? []).filter(port => subnetOf(port) === id).map(port => portTree(port))
  const what = network.external ? 'external network' : 'network'
  const count = ports || port_count === 0 ? '' : counted(port_count, 'port')
  return branch(
    [`${what} ${named(network)}`, count, stateOf(network)],
    [...network.subnets.map(subnet => subnetTree(subnet, on(subnet.id))), ...on(undefined)],
  )
}

const subnetTree = (subnet: NetworkView['subnets'][number], below: readonly Branch[]): Branch =>
  branch(
    [
      `subnet ${subnet.cidr}`,
      printable(subnet.name),
      subnet.gateway_ip === null ? '' : `gateway ${subnet.gateway_ip}`,
      stateOf(subnet),
    ],
    below,
  )

const portTree = (port: PortView, network = ''): Branch =>
  branch([
    `port ${named(port)}`,
    network,
    port.fixed_ips.map(({ ip_address }) => ip_address).join(', '),
    printable(port.device_owner),
    port.host_id === '' ? '' : `on ${printable(port.host_id)}`,
    port.status,
    stateOf(port),
  ])

function routerTree(router: RouterView): Branch {
  const { gateway, bridge_address, interfaces, routes } = router
  return branch(
    [`router ${named(router)}`, stateOf(router)],
    [
      ...(gateway
        ? [branch([`gateway ${gateway.ip_addresses.join(', ')} on ${printable(gateway.network_name)}`])]
        : []),
      ...(bridge_address ? [branch([`bridge ${bridge_address}`])] : []),
      ...interfaces.map(({ ip_address, cidr }) => branch([`interface ${ip_address ?? '?'} in ${cidr}`])),
      ...routes.map(({ destination, next_hop }) => branch([`route ${destination} via ${next_hop}`])),
    ],
  )
}

const floatingIp = (one: RegionView['floating_ips'][number]): Branch =>
  branch([
    `floating IP ${one.floating_ip_address}`,
    one.fixed_ip_address === null ? '' : `to ${one.fixed_ip_address}`,
    one.status,
  ])

function link(one: TopologyView['links'][number]): Branch {
  const ends = one.ends.map(
    ({ region, ip_address, cidrs }) => `${region} ${ip_address} (${cidrs.join(', ')})`,
  )
  return branch([
    `router ${printable(one.router_name) || `<${one.router_id}>`}`,
    ends.join(' <-> '),
    stateOf(one),
  ])
}

function nowhereTrees({ networks, routers, ports, port_count }: Nowhere): Branch[] {
  const onlyCounted = ports || port_count === 0 ? [] : [branch([counted(port_count, 'reserved port')])]
  return [
    ...networks.map(network => networkTree(network, { port_count: 0, ports: null })),
    ...routers.map(routerTree),
    ...(ports ?? []).map(port => portTree(port, `of network <${port.network_id}>`)),
    ...onlyCounted,
  ]
}

const job = ({ id, type, region, status, last_error }: TopologyView['jobs'][number]): Branch =>
  branch([`${type} <${id}>`, region ?? '', status, printable(last_error ?? '')])

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function stateOf({ state, error, job_id }: StateView): string {
  if (state === 'ok') return ''
  const why = error === null ? state : `${state}: ${printable(error)}`
  return job_id === null ? `[${why}]` : `[${why}; job ${job_id}]`
}

/** The name and id of a resource, with its id in the region where that differs from the central one. */
function named(thing: { id: string; regional_id: string | null; name: string }): string {
  const { id, regional_id, name } = thing
  const there = regional_id === null || regional_id === id ? [] : [`here <${regional_id}>`]
  return [...(name === '' ? [] : [printable(name)]), `<${id}>`, ...there].join(' ')
}

/** Replaces control characters: names that tenants have written must not move the operator's cursor. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
