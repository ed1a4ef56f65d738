// Routers' scenes in up to four regions, and all that the steps to their plans need, drawn by a few numbers.

import { type Bound, involved, type RouterScene } from '../../src/core/network/convergence/router-scene.ts'
import { asBridge } from '../../src/core/network/copies/bridge.ts'
import type {
  FloatingIp,
  HostRoute,
  Network,
  Place,
  Port,
  Router,
  Subnet,
} from '../../src/core/network/model/model.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { type PlainRegion, plainRegion } from './router-plans-region.ts'

export interface DrawnNetwork {
  /** The number of its one region; null for one that spans regions. */
  readonly home: number | null
  /** The regions that have a copy from the start, and those that get one with the second scene. */
  readonly early: readonly number[]
  readonly late: readonly number[]
  readonly has6: boolean
  /** The regions of its two ports that floating IPs may lead to. */
  readonly ports: readonly [number, number]
}

export interface DrawnScene {
  /** Of each network: no leg, one by the gateway's address or one by another address, in IPv4 and in IPv6. */
  readonly legs: readonly (readonly [0 | 1 | 2, 0 | 1 | 2])[]
  /** One of two external networks; null for no gateway. */
  readonly gateway: 0 | 1 | null
  readonly enableSnat: boolean
  readonly hasAddress: boolean
  /** Of each floating IP the network and the port that it leads to. */
  readonly floating: readonly ({ readonly network: number; readonly port: 0 | 1 } | null)[]
  /** The networks that a route of the user leads through; -1 for the external one. */
  readonly via: readonly number[]
  readonly isUp: boolean
  readonly isGone: boolean
}

export interface Drawn {
  readonly regions: number
  readonly networks: readonly DrawnNetwork[]
  readonly exits: readonly [number, number]
  readonly scenes: readonly [DrawnScene, DrawnScene]
}

/** Two networks have their addresses in these, an external one and one more floating IP each. */
const outside = ['203.0.113', '198.51.100'] as const
const project = 'the-project'
const at = new Date(0)
const standard = (id: string) => ({
  id,
  projectId: project,
  name: id,
  description: '',
  createdAt: at,
  updatedAt: at,
})

export interface ThereRegion {
  readonly region: Region
  readonly plain: PlainRegion
}

interface Subnets {
  readonly network: Network
  readonly four: Subnet
  readonly six: Subnet | null
  readonly ports: readonly Port[]
}

interface Outside {
  readonly network: Network
  readonly subnet: string
  readonly floatingIps: readonly FloatingIp[]
}

export interface RouterWorld {
  readonly regions: readonly ThereRegion[]
  /** By central id: places change while steps are done. */
  readonly places: Map<string, Place[]>
  readonly bridge: { readonly network: Network; readonly subnets: readonly Subnet[] }
  readonly floatingIps: readonly FloatingIp[]
  /** The scene by its number, with the places of now. */
  scene(number: 0 | 1): RouterScene
  /** The addresses of a scene's legs in a region, by subnet. */
  legs(scene: RouterScene, region: Region): ReadonlyMap<string, string>
  /** Makes what verbs have made in regions before the scene: ports for legs at home, late copies. */
  begin(number: 0 | 1): void
}

export function routerWorld({ regions: count, networks: drawn, exits, scenes }: Drawn): RouterWorld {
  const regions = Array.from({ length: count }, (_, n) => thereRegion(n))
  const places = new Map<string, Place[]>([['router', []]])
  const nth = (n: number): ThereRegion => regions[n % count]!
  const put = (id: string, region: Region, regionalId: string) =>
    places.set(id, [...(places.get(id) ?? []), { region: region.name, id: regionalId }])
  const now = <T extends { readonly id: string }>(row: T): T => ({ ...row, places: places.get(row.id) ?? [] })
  const networks = drawn.map((one, k) => makeNetwork(one, k, nth, put))
  const externals = exits.map((n, k) => makeOutside(nth(n), k, put))
  const bridge = bridgeRows()
  const interfaces = new Map<string, Port>()
  const keyOf = (k: number, version: 4 | 6, kind: number) => `leg-${k}-${version}-${kind}`

  function attachedOf(scene: DrawnScene) {
    return networks.flatMap(({ network, four, six }, k) => {
      const [in4, in6] = scene.legs[k] ?? [0, 0]
      return (
        [
          [four, in4],
          [six, in6],
        ] as const
      ).flatMap(([subnet, kind]) => {
        const port = interfaces.get(keyOf(k, subnet?.ipVersion ?? 4, kind))
        return subnet && kind !== 0 && port
          ? [{ port: now(port), subnet: now(subnet), network: now(network) }]
          : []
      })
    })
  }

  function boundOf(scene: DrawnScene): Bound[] {
    if (scene.gateway === null) return []
    const taken = new Set<Port>()
    return externals[scene.gateway]!.floatingIps.flatMap((floatingIp, n) => {
      const target = scene.floating[n]
      const port = target && networks[target.network]?.ports[target.port]
      if (!port || taken.has(port) || !scene.legs[target.network]?.[0]) return []
      taken.add(port)
      return [{ floatingIp: now(floatingIp), port: now(port), fixedIp: port.fixedIps[0]!.ipAddress }]
    })
  }

  function scene(number: 0 | 1): RouterScene {
    const one = scenes[number]
    const attached = attachedOf(one)
    const external = one.gateway === null ? null : externals[one.gateway]!
    const exit = one.gateway === null ? null : nth(exits[one.gateway]).region
    const there = involved(
      regions.map(({ region }) => region),
      attached,
      exit,
    )
    const needs6 = attached.some(({ subnet }) => subnet.ipVersion === 6)
    const hasBridge = there.length > 1
    const ids = bridge.subnets.filter(({ ipVersion }) => ipVersion === 4 || needs6).map(({ id }) => id)
    return {
      router: routerOf({ ...one, legs: one.legs.slice(0, networks.length) }, external, now),
      home: null,
      attached: [...attached].sort((a, b) => (a.subnet.id < b.subnet.id ? -1 : 1)),
      gatewayNetwork: external && now(external.network),
      exit,
      bridge: hasBridge
        ? asBridge(
            { ...now(bridge.network), subnetIds: ids },
            bridge.subnets.map(now).filter(({ id }) => ids.includes(id)),
          )
        : null,
      bound: boundOf(one),
      regions: there.map(region => ({
        region,
        bridgeAddress: hasBridge ? `100.64.0.${10 + numberOf(region)}` : null,
        bridgeAddress6: hasBridge && needs6 ? `fd64::${10 + numberOf(region)}` : null,
      })),
    }
  }

  function begin(number: 0 | 1): void {
    drawn.forEach((one, k) => {
      const { network, four, six } = networks[k]!
      const copies = one.home === null ? (number === 0 ? one.early : one.late) : []
      for (const n of copies) makeCopy(nth(n), networks[k]!, put, places)
      for (const [subnet, kind] of [
        [four, scenes[number].legs[k]?.[0]],
        [six, scenes[number].legs[k]?.[1]],
      ] as const) {
        const key = keyOf(k, subnet?.ipVersion ?? 4, kind ?? 0)
        if (
          !subnet ||
          !kind ||
          (number === 1 && scenes[0].legs[k]?.[subnet.ipVersion === 4 ? 0 : 1] === kind)
        )
          continue
        const ipAddress = kind === 1 ? subnet.gatewayIp! : addressIn(subnet, 50)
        const fields = { networkId: network.id, fixedIps: [{ subnetId: subnet.id, ipAddress }] }
        const there = one.home === null ? null : nth(one.home)
        const id = there
          ? there.plain.make('port', { projectId: project, ...fields, securityGroupIds: [] })
          : key
        if (there) put(id, there.region, id)
        interfaces.set(key, { ...standard(id), ...fields } as unknown as Port)
      }
    })
  }

  return {
    regions,
    places,
    bridge: { network: bridge.network, subnets: bridge.subnets },
    floatingIps: externals.flatMap(one => one.floatingIps),
    scene,
    legs: ({ attached }, region) =>
      new Map(
        attached
          .filter(({ subnet }) => subnet.places.some(place => place.region === region.name))
          .map(({ port, subnet, network }) => {
            const own = port.fixedIps[0]!.ipAddress
            const first = own === subnet.gatewayIp ? 1 : 50
            return [
              subnet.id,
              network.zoneHints.length > 0 ? own : addressIn(subnet, first + numberOf(region)),
            ]
          }),
      ),
    begin,
  }
}

const numberOf = ({ name }: Region): number => Number(name.slice(3)) - 1

function thereRegion(n: number): ThereRegion {
  const name = `Pod${n + 1}`
  const region: Region = {
    id: name,
    name,
    availabilityZone: `az${n + 1}`,
    localAvailabilityZone: '',
    dataCenter: '',
    createdAt: at,
  }
  return { region, plain: plainRegion(name) }
}

const addressIn = ({ cidr }: Pick<Subnet, 'cidr'>, host: number): string =>
  cidr.endsWith('/64') ? cidr.replace('/64', String(host)) : cidr.replace('.0/24', `.${host}`)

type Put = (id: string, region: Region, regionalId: string) => void

function subnetRow(id: string, networkId: string, ipVersion: 4 | 6, cidr: string): Subnet {
  return {
    ...standard(id),
    networkId,
    ipVersion,
    cidr,
    gatewayIp: addressIn({ cidr }, 1),
    allocationPools: [{ start: addressIn({ cidr }, 100), end: addressIn({ cidr }, 140) }],
  } as unknown as Subnet
}

/** A network with its subnets and two ports; one at home has its ids from its region. */
function makeNetwork(one: DrawnNetwork, k: number, nth: (n: number) => ThereRegion, put: Put): Subnets {
  const home = one.home === null ? null : nth(one.home)
  const make = (kind: string, name: string, spec: object): string => {
    const id = home ? home.plain.make(kind, { projectId: project, ...spec }) : name
    if (home) put(id, home.region, id)
    return id
  }
  const networkId = make('network', `network-${k}`, { name: `network-${k}` })
  const cidrs = [`10.0.${k}.0/24`, `fd00:${k + 1}::/64`] as const
  const [four, six] = cidrs.map((cidr, n) => {
    const ipVersion = n === 0 ? 4 : 6
    if (n === 1 && !one.has6) return null
    const id = make('subnet', `subnet-${k}-${ipVersion}`, { networkId, ipVersion, cidr })
    return subnetRow(id, networkId, ipVersion, cidr)
  })
  const network = {
    ...standard(networkId),
    zoneHints: home ? [home.region.name] : [],
    external: false,
    subnetIds: [four!.id, ...(six ? [six.id] : [])],
  } as unknown as Network
  const ports = [0, 1].map(n => {
    const macAddress = `fa:16:3e:77:0${k}:0${n}`
    const fixedIps = [{ subnetId: four!.id, ipAddress: addressIn(four!, 150 + n) }]
    const id = make('port', `port-${k}-${n}`, { networkId, fixedIps, macAddress, securityGroupIds: [] })
    return {
      ...standard(id),
      networkId,
      macAddress,
      fixedIps,
      region: nth(one.ports[n]!).region.name,
    } as unknown as Port
  })
  return { network, four: four!, six: six ?? null, ports }
}

/** The copy of a spanning network in a region, with those of its ports that are there. */
function makeCopy(
  { region, plain }: ThereRegion,
  { network, four, six, ports }: Subnets,
  put: Put,
  places: ReadonlyMap<string, readonly Place[]>,
): void {
  if (places.get(network.id)?.some(place => place.region === region.name)) return
  const networkId = plain.make('network', { projectId: project, name: network.name })
  put(network.id, region, networkId)
  const made = [four, ...(six ? [six] : [])].map(subnet => {
    const { ipVersion, cidr } = subnet
    const gatewayIp = addressIn(subnet, 1 + numberOf(region))
    const id = plain.make('subnet', { projectId: project, networkId, ipVersion, cidr, gatewayIp })
    put(subnet.id, region, id)
    return id
  })
  for (const port of ports) {
    if ((port as unknown as { region: string }).region !== region.name) continue
    const fixedIps = [{ subnetId: made[0], ipAddress: port.fixedIps[0]!.ipAddress }]
    const { macAddress } = port
    put(
      port.id,
      region,
      plain.make('port', { projectId: project, networkId, fixedIps, macAddress, securityGroupIds: [] }),
    )
  }
}

/** An external network with its subnet and two floating IPs. */
function makeOutside({ region, plain }: ThereRegion, k: number, put: Put): Outside {
  const id = plain.make('network', { projectId: project, name: `outside-${k}`, external: true })
  put(id, region, id)
  const subnet = plain.make('subnet', {
    projectId: project,
    networkId: id,
    ipVersion: 4,
    cidr: `${outside[k]}.0/24`,
  })
  const floatingIps = [0, 1].map(n => {
    const floatingIpId = plain.make('floatingip', { projectId: project, floatingNetworkId: id })
    put(floatingIpId, region, floatingIpId)
    return { ...standard(floatingIpId), name: `floating-${k}-${n}` } as unknown as FloatingIp
  })
  const network = {
    ...standard(id),
    external: true,
    zoneHints: [],
    subnetIds: [subnet],
  } as unknown as Network
  return { network, subnet, floatingIps }
}

function bridgeRows() {
  const subnets = [
    { ...subnetRow('bridge-4', 'bridge', 4, '100.64.0.0/24'), gatewayIp: null },
    { ...subnetRow('bridge-6', 'bridge', 6, 'fd64::/64'), gatewayIp: null },
  ]
  const network = {
    ...standard('bridge'),
    external: true,
    bridgeOf: project,
    zoneHints: [],
  } as unknown as Network
  return { network, subnets }
}

function routerOf(scene: DrawnScene, external: Outside | null, now: (row: Router) => Router): Router {
  const prefix = outside[scene.gateway ?? 0]
  const through = scene.via.flatMap((k): HostRoute[] => {
    if (k === -1) return external ? [{ destination: '192.168.99.0/24', nextHop: `${prefix}.200` }] : []
    return scene.legs[k]?.[0] ? [{ destination: `192.168.${k}.0/24`, nextHop: `10.0.${k}.200` }] : []
  })
  const address = scene.hasAddress ? { ipAddress: `${prefix}.250` } : {}
  return now({
    ...standard('router'),
    adminStateUp: scene.isUp,
    gateway: external && {
      networkId: external.network.id,
      enableSnat: scene.enableSnat,
      fixedIps: [{ subnetId: external.subnet, ...address }],
    },
    routes: through,
    zoneHints: [],
    deleting: scene.isGone,
  } as unknown as Router)
}
