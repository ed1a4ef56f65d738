// `atoll topology`: the tree of regions, networks, routers and links, for people or as JSON.

import type { Config } from '../config.ts'
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
type NetworkView = TopologyView['nowhere']['networks'][number]
type RouterView = RegionView['routers'][number]
type PortView = NonNullable<TopologyView['nowhere']['ports']>[number]
type StateView = Pick<RegionView, 'state' | 'error' | 'job_id'>

/** A line, and what hangs on it. */
interface Branch {
  readonly line: string
  readonly below?: readonly Branch[]
}

export function printTopology({ regions, links, nowhere, jobs }: TopologyView): string {
  const trees: Branch[] = [
    ...regions.map(regionTree),
    { line: 'Links', below: links.map(link) },
    { line: 'Nowhere yet', below: nowhereTrees(nowhere) },
    { line: 'Other jobs', below: jobs.map(job) },
  ]
  return trees
    .filter(({ below }, at) => at < regions.length || below!.length > 0)
    .map(({ line, below = [] }) => [line, ...drawn(below)].join('\n'))
    .join('\n')
}

const drawn = (branches: readonly Branch[], indent = ''): string[] =>
  branches.flatMap(({ line, below = [] }, at) => {
    const isLast = at === branches.length - 1
    return [`${indent}${isLast ? '└─' : '├─'} ${line}`, ...drawn(below, `${indent}${isLast ? '  ' : '│ '} `)]
  })

const leaf = (line: string): Branch => ({ line })

/** The error of a region is one of those that are shown below it. */
const regionTree = (region: RegionView): Branch => ({
  line: words(`${region.name} (${region.availability_zone})`, region.state === 'ok' ? '' : region.state),
  below: [
    ...region.networks.map(network => networkTree(network, network)),
    ...region.routers.map(routerTree),
    ...region.floating_ips.map(floatingIp),
  ],
})

interface Ports {
  readonly port_count: number
  readonly ports: readonly PortView[] | null
}

/** Each port hangs on the subnet of its first address. */
function networkTree(network: NetworkView, { port_count, ports }: Ports): Branch {
  const known = new Set(network.subnets.map(({ id }) => id))
  const subnetOf = (one: PortView) => one.fixed_ips.find(({ subnet_id }) => known.has(subnet_id))?.subnet_id
  const onSubnet = (id: string | undefined) =>
    (ports ?? []).filter(one => subnetOf(one) === id).map(one => portLeaf(one))
  return {
    line: words(
      network.external ? 'external network' : 'network',
      named(network),
      ports || port_count === 0 ? '' : `${port_count} ${port_count === 1 ? 'port' : 'ports'}`,
      state(network),
    ),
    below: [
      ...network.subnets.map(subnet => ({
        line: words(
          'subnet',
          subnet.cidr,
          printable(subnet.name),
          subnet.gateway_ip ? `gateway ${subnet.gateway_ip}` : 'no gateway',
          state(subnet),
        ),
        below: onSubnet(subnet.id),
      })),
      ...onSubnet(undefined),
    ],
  }
}

const portLeaf = (port: PortView, network = ''): Branch =>
  leaf(
    words(
      'port',
      named(port),
      network,
      port.fixed_ips.map(({ ip_address }) => ip_address).join(', '),
      printable(port.device_owner),
      port.host_id === '' ? '' : `on ${printable(port.host_id)}`,
      port.status,
      state(port),
    ),
  )

const routerTree = (router: RouterView): Branch => ({
  line: words('router', named(router), state(router)),
  below: [
    ...(router.gateway
      ? [
          leaf(
            words('gateway', printable(router.gateway.network_name), router.gateway.ip_addresses.join(', ')),
          ),
        ]
      : []),
    ...(router.bridge_address ? [leaf(`bridge ${router.bridge_address}`)] : []),
    ...router.interfaces.map(({ ip_address, cidr }) =>
      leaf(`interface ${ip_address ?? 'no address'} in ${cidr}`),
    ),
    ...router.routes.map(({ destination, next_hop }) => leaf(`route ${destination} via ${next_hop}`)),
  ],
})

const floatingIp = (one: RegionView['floating_ips'][number]): Branch =>
  leaf(
    words(
      'floating IP',
      one.floating_ip_address,
      one.fixed_ip_address ? `to ${one.fixed_ip_address}` : '',
      one.status,
    ),
  )

function link(one: TopologyView['links'][number]): Branch {
  const ends = one.ends.map(
    ({ region, ip_address, cidrs }) => `${region} ${ip_address} (${cidrs.join(', ')})`,
  )
  return leaf(words(named({ id: one.router_id, name: one.router_name }), ends.join(' <-> '), state(one)))
}

function nowhereTrees({ networks, routers, ports, port_count }: TopologyView['nowhere']): Branch[] {
  const reserved = ports
    ? ports.map(one => portLeaf(one, `of network ${one.network_id}`))
    : port_count === 0
      ? []
      : [leaf(`${port_count} reserved ${port_count === 1 ? 'port' : 'ports'}`)]
  const none = { port_count: 0, ports: null }
  return [...networks.map(network => networkTree(network, none)), ...routers.map(routerTree), ...reserved]
}

const job = (one: TopologyView['jobs'][number]): Branch =>
  leaf(
    words(
      one.type,
      one.region ? `in ${one.region}` : '',
      one.status,
      one.last_error ? `: ${printable(one.last_error)}` : '',
      `(job ${one.id})`,
    ),
  )

const state = ({ state, error, job_id }: StateView): string => {
  if (state === 'ok') return ''
  const why = error === null ? state : `${state}: ${printable(error)}`
  return job_id === null ? `[${why}]` : `[${why}; job ${job_id}]`
}

const named = ({ id, name }: { id: string; name: string }): string => words(printable(name), `<${id}>`)

const words = (...parts: readonly string[]): string => parts.filter(part => part !== '').join(' ')

/** What tenants have written must not move the operator's cursor. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
