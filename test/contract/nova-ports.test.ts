import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeServer, type Server } from '../../src/openstack/nova.ts'
import {
  addHost,
  createAggregate,
  removeAggregate,
  removeHost,
  setAggregateMetadata,
} from '../../src/openstack/nova-aggregates.ts'
import { answered, type Booter, booterOf, flavorOf, gone } from '../world/servers.ts'
import { fileWorld } from '../world.ts'
import { placesOf, refused } from './network.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const { pod1 } = await placesOf(w)
const region = w.services()
const isThere = await w.has(['network', 'compute'])

let flavorId: string
let booter: Booter

beforeAll(async () => {
  if (!isThere) return
  flavorId = (await flavorOf(w, { prefix: w.prefix })).id
  booter = await booterOf(w)
})
// Before the networks that they are on.
afterAll(() => booter?.clear())

async function network() {
  const { projectId } = booter
  const made = await pod1.make('network', { projectId })
  const ip = { ipVersion: 4, cidr: '10.0.3.0/24' } as const
  await pod1.make('subnet', { projectId, networkId: made.id, ...ip })
  return made
}

const boot = (spec: object): Promise<Server> => booter.boot({ name: w.prefix, flavorId, ...spec })
const portsOf = ({ id }: Server) => pod1.list('port', { where: { deviceId: id } })
const onePortOf = async (server: Server) =>
  (
    await answered(
      () => portsOf(server),
      ports => ports[0]?.status === 'ACTIVE',
    )
  )[0]!

async function remove({ id }: Server): Promise<void> {
  await removeServer(region, id)
  await gone(region, id)
}

describe.skipIf(!isThere)('a server', () => {
  test('on a network gets a port of its own, which goes with it', async () => {
    const { id: networkId } = await network()
    const server = await boot({ networks: [{ uuid: networkId }] })
    expect(server.status).toBe('ACTIVE')
    const { projectId } = booter
    const [group] = await pod1.list('security_group', { where: { projectId, name: 'default' } })
    const port = await onePortOf(server)
    expect(port).toMatchObject({
      projectId,
      networkId,
      name: '',
      description: '',
      deviceId: server.id,
      deviceOwner: 'compute:nova',
      hostId: server.host,
      vifType: 'ovs',
      status: 'ACTIVE',
      securityGroupIds: [group!.id],
      fixedIps: [{ ipAddress: expect.stringMatching(/^10\.0\.3\./) }],
    })
    await remove(server)
    expect(await pod1.get('port', port.id)).toBeNull()
  })

  test('takes a port that is there, and gives it back', async () => {
    const { projectId } = booter
    const { id: networkId } = await network()
    const group = await pod1.make('security_group', { projectId, name: 'g' })
    const port = await pod1.make('port', {
      projectId,
      networkId,
      description: 'mine',
      securityGroupIds: [group.id],
    })
    const server = await boot({ networks: [{ port: port.id }], groups: ['default'] })
    expect(await onePortOf(server)).toMatchObject({
      id: port.id,
      description: 'mine',
      deviceOwner: 'compute:nova',
      hostId: server.host,
      securityGroupIds: [group.id],
    })
    await remove(server)
    expect(await pod1.get('port', port.id)).toMatchObject({
      deviceId: '',
      deviceOwner: '',
      hostId: '',
      vifType: 'unbound',
      status: 'DOWN',
      description: 'mine',
      fixedIps: port.fixedIps,
    })
  })

  test('is in the groups that it names, by name or id, and in no others', async () => {
    const { projectId } = booter
    const { id } = await network()
    const networks = [{ uuid: id }]
    const named = await pod1.make('security_group', { projectId, name: `${w.prefix}-g` })
    const other = await pod1.make('security_group', { projectId, name: 'other' })
    const server = await boot({ networks, groups: [named.name, other.id] })
    const { securityGroupIds } = await onePortOf(server)
    expect([...securityGroupIds].sort()).toEqual([named.id, other.id].sort())
    await remove(server)
    expect(await refused(boot({ networks, groups: ['nobody’s'] }))).toBe('400 badRequest')
    await pod1.make('security_group', { projectId, name: named.name })
    expect(await refused(boot({ networks, groups: [named.name] }))).toBe('409 conflictingRequest')
  })

  test('tells its zone in its ports', async () => {
    const { id } = await network()
    const plain = await boot({ networks: [{ uuid: id }] })
    await remove(plain)
    const zone = `${w.prefix}-zone`
    const aggregate = await createAggregate(region, zone)
    await setAggregateMetadata(region, aggregate.id, { availability_zone: zone })
    await addHost(region, aggregate.id, plain.host!)
    const server = await boot({ networks: [{ uuid: id }], availabilityZone: zone })
    expect(await onePortOf(server)).toMatchObject({ deviceOwner: `compute:${zone}`, hostId: plain.host })
    await remove(server)
    await removeHost(region, aggregate.id, plain.host!)
    await removeAggregate(region, aggregate.id)
  })
})
