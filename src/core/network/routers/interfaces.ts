// The verbs of router interfaces: add and remove.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { conflict, invalid, notFound } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { Region } from '../../regions/region.ts'
import { overlap, parseCidr } from '../addresses/address.ts'
import type { RegionPort } from '../copies/region-rows.ts'
import { ensureNetwork, regionalIdIn } from '../copies/spanning.ts'
import { interfaceOwner } from '../model/device-owner.ts'
import type { Network, Port, Router, Subnet, Written } from '../model/model.ts'
import { all, interfacesOf } from '../model/query.ts'
import { getOwn, getResource } from '../model/read.ts'
import type { Interface, InterfaceAsk } from '../model/specs.ts'
import { allowedBy, homeOf, regionsOf, routerHome } from '../model/where.ts'
import { born, follow } from '../model/writing.ts'
import { holdMirrored } from '../ports/place-port.ts'
import { endLeftPort, removeCopies } from '../ports/port-change.ts'
import { newMac } from '../ports/ports.ts'
import { atHome } from '../writes/at-home.ts'
import { inModel } from '../writes/in-model.ts'
import { checkInPools, checkSubnetOwner } from './joining.ts'
import { routerFollows } from './router-follows.ts'
import { endLeftRouter } from './routers.ts'

/** An interface to be added: the router, and the subnet with its network. */
interface Joining {
  readonly router: Router
  readonly network: Network
  readonly subnet: Subnet
  /** The port that the request named; null where one is made for the interface. */
  readonly port: Port | null
}

/**
 * The new interface. Throws `not_found` (`router`, `subnet`, `port`), `invalid` (`router_overlap`, `no_gateway`,
 * `subnet_owner`, `location_mismatch`), `conflict` (`port_in_use`, `address_in_use`), and `upstream` as the router's one region refuses.
 */
export async function addInterface(app: App, caller: Caller, ask: InterfaceAsk): Promise<Interface> {
  const joining = await joiningOf(app, caller, ask)
  const regions = await regionsOf(app.store)
  checkLocation(joining, regions)
  await checkSubnets(app, joining)
  const home = routerHome(joining.router, regions)
  const portId = home ? await addAtHome(app, caller, joining, home) : await addSpanning(app, caller, joining)
  return interfaceOf(joining, portId)
}

const interfaceOf = ({ router, network, subnet }: Omit<Joining, 'port'>, portId: string): Interface => ({
  routerId: router.id,
  projectId: router.projectId,
  portId,
  networkId: network.id,
  subnetId: subnet.id,
})

async function joiningOf(app: App, caller: Caller, ask: InterfaceAsk): Promise<Joining> {
  const router = await getOwn(app, caller, { kind: 'router', id: ask.routerId })
  if (ask.portId === undefined) {
    if (ask.subnetId === undefined)
      throw invalid('Either subnet_id or port_id must be specified', 'interface')
    const subnet = await getResource(app, caller, { kind: 'subnet', id: ask.subnetId })
    if (subnet.gatewayIp === null)
      throw invalid('Subnet for router interface must have a gateway IP', 'no_gateway')
    checkSubnetOwner(caller, subnet)
    const network = await getResource(app, caller, { kind: 'network', id: subnet.networkId })
    return { router, network, subnet, port: null }
  }
  const port = await getOwn(app, caller, { kind: 'port', id: ask.portId })
  if (port.deviceId !== '')
    throw conflict(
      `Unable to complete operation on port ${port.id} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
      'port_in_use',
    )
  const [fixed, ...more] = port.fixedIps
  if (!fixed || more.length > 0)
    throw invalid(
      `Port ${port.id} must have exactly one fixed address to be an interface of a router`,
      'interface',
    )
  const subnet = await getResource(app, caller, { kind: 'subnet', id: fixed.subnetId })
  const network = await getResource(app, caller, { kind: 'network', id: port.networkId })
  checkInPools(caller, port, subnet)
  return { router, network, subnet, port }
}

/**
 * A router at home takes networks that can be in its region; one with hints takes networks within these.
 * Throws `invalid` (`location_mismatch`).
 */
function checkLocation({ router, network }: Joining, regions: readonly Region[]): void {
  const mayRoute = allowedBy(router.zoneHints, regions)
  const mayBe = homeOf(network, regions) ? [homeOf(network, regions)!] : allowedBy(network.zoneHints, regions)
  const home = routerHome(router, regions)
  const fits = home
    ? mayBe.some(({ id }) => id === home.id)
    : router.zoneHints.length === 0 || mayBe.every(({ id }) => mayRoute.some(one => one.id === id))
  if (fits) return
  throw invalid(
    `Router ${router.id} is confined to ${router.zoneHints.join(', ')}, and the network ${network.id} may be in ${mayBe.map(({ name }) => name).join(', ')}`,
    'location_mismatch',
  )
}

/** No two subnets of a router may overlap. Throws `invalid` (`router_overlap`). */
async function checkSubnets(app: App, { router, subnet }: Joining): Promise<void> {
  const ports = await interfacesOf(app.store, router.id)
  const ids = new Set(ports.flatMap(port => port.fixedIps.map(({ subnetId }) => subnetId)))
  if (ids.has(subnet.id))
    throw invalid(`Bad router request: Router already has a port on subnet ${subnet.id}.`, 'router_overlap')
  const others = await app.store.networks.getMany('subnet', [
    ...ids,
    ...(router.gateway?.fixedIps.map(({ subnetId }) => subnetId) ?? []),
  ])
  const cidr = parseCidr(subnet.cidr)!
  const other = others.find(one => overlap(parseCidr(one.cidr)!, cidr))
  if (other) {
    throw invalid(
      `Bad router request: Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${other.cidr} of subnet ${other.id}.`,
      'router_overlap',
    )
  }
  const { bridge } = app.networkRules
  const range = [bridge.cidr, bridge.cidr6].find(one => overlap(parseCidr(one)!, cidr))
  if (range) {
    throw invalid(
      `Bad router request: Cidr ${subnet.cidr} overlaps with ${range}, by which routers reach each other between regions.`,
      'router_overlap',
    )
  }
}

/** Adds an interface of a router at home: the region makes the leg's port, which is the interface. */
async function addAtHome(app: App, caller: Caller, joining: Joining, region: Region): Promise<string> {
  const { router, network, subnet, port } = joining
  const networking = app.cloud.networking(region.name, caller.requestId)
  const local = await ensureNetwork(app, caller, network, region)
  const placed = port && regionalIdIn(port, region)
  if (port && !placed)
    throw invalid(
      `Port ${port.id} is not in ${region.name}, where the router lives: bind it there first`,
      'location_mismatch',
    )
  let id = ''
  await atHome(app, caller, {
    kind: 'router',
    id: router.id,
    region,
    verb: 'update',
    async ask() {
      const by = placed ? { portId: placed } : { subnetId: local.subnetIds.get(subnet.id)! }
      return (await networking.get('port', (await networking.addLeg(router.id, by)).portId))!
    },
    async write(tx, _router, made) {
      id = port?.id ?? made.id
      const device = { deviceId: router.id, deviceOwner: interfaceOwner }
      if (port) await tx.networks.update('port', id, device, noteOf(app, caller, 'router.add_interface'))
      else await insertLeg(app, caller, tx, { joining, region, made })
    },
    endLeft: endLeftRouter,
  })
  return id
}

interface MadeLeg {
  readonly joining: Joining
  readonly region: Region
  readonly made: RegionPort
}

async function insertLeg(
  app: App,
  caller: Caller,
  tx: Transaction,
  { joining, region, made }: MadeLeg,
): Promise<void> {
  // The region's watcher may have adopted the port before the region's answer came.
  if (await tx.networks.lock('port', made.id)) return
  const { router, subnet } = joining
  const row = interfacePort(app, joining, { id: made.id, macAddress: made.macAddress, status: made.status })
  await tx.networks.insert('port', row, noteOf(app, caller, 'router.add_interface'))
  // The region's gateway address is the port's from now on, and no holding of its own any more.
  await tx.networks.release('gateway', region.id, subnet.id)
  const address = made.fixedIps[0]!.ipAddress
  await holdMirrored(tx, made.id, region, [{ subnetId: subnet.id, ipAddress: address }])
  const at = { kind: 'port', centralId: made.id, projectId: router.projectId, regionalId: made.id }
  await tx.networks.place({ ...at, regionId: region.id, at: app.now() })
}

/** Adds an interface of a spanning router to the model; the regions that have the network follow by jobs. */
async function addSpanning(app: App, caller: Caller, joining: Joining): Promise<string> {
  const { router, network, port } = joining
  const note = noteOf(app, caller, 'router.add_interface')
  const id = port?.id ?? app.newId()
  await app.store.transact(async tx => {
    await tx.networks.lock('router', router.id)
    if (port) await tx.networks.update('port', id, { deviceId: router.id, deviceOwner: interfaceOwner }, note)
    else await insertInterface(app, tx, joining, id, note)
    await follow(app, caller, tx, await routerFollows(tx, router, [network]))
  })
  return id
}

async function insertInterface(
  app: App,
  tx: Transaction,
  joining: Joining,
  id: string,
  note: ReturnType<typeof noteOf>,
): Promise<void> {
  const { subnet } = joining
  const macAddress = newMac(app)
  await tx.networks.insert('port', interfacePort(app, joining, { id, macAddress, status: 'DOWN' }), note)
  const address = subnet.gatewayIp!
  await tx.networks.hold({
    subnetId: subnet.id,
    start: address,
    end: address,
    scope: 'central',
    purpose: 'port',
    holder: id,
  })
}

function interfacePort(
  app: App,
  { router, network }: Joining,
  own: Pick<Port, 'id' | 'macAddress' | 'status'>,
): Written<'port'> {
  return {
    ...own,
    ...born(app),
    projectId: router.projectId,
    networkId: network.id,
    name: '',
    description: '',
    adminStateUp: true,
    deviceId: router.id,
    deviceOwner: interfaceOwner,
    securityGroupIds: [],
    allowedAddressPairs: [],
    portSecurityEnabled: false,
    hostId: '',
    vnicType: 'normal',
    vifType: 'unbound',
    profile: {},
  }
}

/**
 * The interface that was removed. Throws `not_found` (`router`, `interface`), `conflict`
 * (`router_interface_in_use`), and `upstream` as the router's home refuses.
 */
export async function removeInterface(app: App, caller: Caller, ask: InterfaceAsk): Promise<Interface> {
  const router = await getOwn(app, caller, { kind: 'router', id: ask.routerId })
  const port = await interfaceMeant(app, router, ask)
  const subnetId = port.fixedIps[0]!.subnetId
  const [subnet] = await app.store.networks.getMany('subnet', [subnetId])
  const [network] = await app.store.networks.getMany('network', [port.networkId])
  await requireNoFloatingIps(app, router, subnet!)
  const home = routerHome(router, await regionsOf(app.store))
  const named = { kind: 'port', id: port.id } as const
  const letGo = async (tx: Transaction): Promise<void> => {
    await follow(app, caller, tx, await routerFollows(tx, router))
    await tx.networks.remove('port', port.id, noteOf(app, caller, 'router.remove_interface'))
    if (home) await giveBackGateway(tx, port, network!, home)
  }
  if (home)
    await atHome(app, caller, {
      ...named,
      region: home,
      verb: 'remove',
      ask: row => removeCopies(app, caller, row),
      write: letGo,
      endLeft: endLeftPort,
    })
  else await inModel(app, caller, { endLeft: endLeftPort, ...named, write: letGo })
  return interfaceOf({ router, network: network!, subnet: subnet! }, port.id)
}

/**
 * Holds a removed leg's address on a spanning network as the region's gateway again: it stays the region's.
 */
async function giveBackGateway(tx: Transaction, port: Port, network: Network, region: Region): Promise<void> {
  const [fixed] = port.fixedIps
  if (!fixed || homeOf(network, [region])) return
  const { subnetId, ipAddress } = fixed
  const holding = { subnetId, scope: region.id, purpose: 'gateway', holder: region.id } as const
  await tx.networks.hold({ ...holding, start: ipAddress, end: ipAddress })
}

async function interfaceMeant(app: App, router: Router, { subnetId, portId }: InterfaceAsk): Promise<Port> {
  const ports = await interfacesOf(app.store, router.id)
  const port = ports.find(
    one =>
      (portId === undefined || one.id === portId) &&
      (subnetId === undefined || one.fixedIps.some(fixed => fixed.subnetId === subnetId)),
  )
  if (port) return port
  const what = portId === undefined ? `on subnet ${subnetId}` : `with id ${portId}`
  throw notFound(
    `Router ${router.id} does not have an interface ${what}`,
    portId === undefined ? 'interface_for_subnet' : 'interface',
  )
}

async function requireNoFloatingIps(app: App, router: Router, subnet: Subnet): Promise<void> {
  const bound = await all(app.store, 'floatingip', { field: 'routerId', in: [router.id] })
  const cidr = parseCidr(subnet.cidr)!
  const inUse = bound.find(({ fixedIpAddress }) => {
    const address = fixedIpAddress && parseCidr(`${fixedIpAddress}/${subnet.ipVersion === 4 ? 32 : 128}`)
    return address && overlap(cidr, address)
  })
  if (!inUse) return
  throw conflict(
    `Router interface for subnet ${subnet.id} on router ${router.id} cannot be deleted, as it is required by one or more floating IPs.`,
    'router_interface_in_use',
  )
}
