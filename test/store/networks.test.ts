// The central model's store: rows as they were written, changed and removed, and what keeps them.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Kind, Written } from '../../src/core/network/model/model.ts'
import { fileWorld } from '../world.ts'
import {
  at,
  floatingip,
  group,
  holding,
  noted,
  outcomes,
  port,
  router,
  rowsOf,
  rule,
  subnet,
  times,
} from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
beforeEach(() =>
  w.query('truncate network, subnet, security_group, router, port, routing, region, intent, audit cascade'),
)

const later = new Date(at.getTime() + 60_000)
const change = { ...noted('thing.update'), at: later }
const updated = <K extends Kind>(kind: K, id: string, fields: object) =>
  s.tx(({ networks }) => networks.update(kind, id, fields, change))

/** A row of each kind with something in every field, each with what it needs. */
async function oneOfEach(): Promise<{ [K in Kind]: Written<K> }> {
  const net = await s.addNetwork({
    name: 'ñ "net"',
    description: 'all of it',
    shared: true,
    external: true,
    physicalNetwork: null,
    segmentationId: null,
    dnsDomain: 'example.org.',
    zoneHints: ['az1', 'Pod,2'],
    bridgeOf: 'p2',
    deleting: true,
  })
  const sub = await s.add(
    'subnet',
    subnet(net.id, {
      ipVersion: 6,
      cidr: '2001:db8::/64',
      gatewayIp: null,
      allocationPools: [{ start: '2001:db8::2', end: '2001:db8::ffff' }],
      dnsNameservers: ['2001:4860:4860::8888'],
      hostRoutes: [{ destination: '::/0', nextHop: '2001:db8::1' }],
      ipv6AddressMode: 'slaac',
      ipv6RaMode: 'slaac',
    }),
  )
  const secgroup = await s.add('security_group', group({ isDefault: true, stateful: false }))
  const aPort = await s.add(
    'port',
    port(net.id, {
      deviceId: 'vm',
      deviceOwner: 'compute:nova',
      securityGroupIds: [secgroup.id],
      allowedAddressPairs: [{ ipAddress: '10.0.0.0/24', macAddress: null }],
      profile: { region: 'Pod1', nested: [1, { a: null }] },
    }),
  )
  const gateway = {
    networkId: net.id,
    enableSnat: false,
    fixedIps: [{ subnetId: sub.id, ipAddress: '2001:db8::9' }],
  }
  const aRouter = await s.add(
    'router',
    router({ gateway, routes: [{ destination: '10.0.0.0/8', nextHop: '192.0.2.1' }], ha: true }),
  )
  const aRule = rule(secgroup.id, {
    protocol: 'tcp',
    portRangeMin: 1,
    portRangeMax: 65535,
    remoteIpPrefix: '0.0.0.0/0',
    remoteGroupId: secgroup.id,
  })
  return {
    network: net,
    subnet: sub,
    port: aPort,
    router: aRouter,
    floatingip: await s.add(
      'floatingip',
      floatingip(net.id, { portId: aPort.id, routerId: aRouter.id, fixedIpAddress: '2001:db8::7' }),
    ),
    security_group: secgroup,
    security_group_rule: await s.add('security_group_rule', aRule),
  }
}

describe('a row', () => {
  it('of every kind is read as it was written, with what follows from others', async () => {
    const rows = await oneOfEach()
    const others = {
      network: { places: [], subnetIds: [rows.subnet.id] },
      port: { places: [], fixedIps: [] },
      security_group: { places: [], rules: [{ ...rows.security_group_rule, places: [] }] },
    }
    for (const kind of Object.keys(rows) as Kind[]) {
      const expected = { ...rows[kind], ...(others[kind as keyof typeof others] ?? { places: [] }) }
      expect(await s.get(kind, rows[kind].id), kind).toEqual(expected)
      expect(await w.app.store.networks.getMany(kind, [randomUUID(), rows[kind].id]), kind).toEqual([
        expected,
      ])
    }
  })

  it('of every kind is counted for its project', async () => {
    const rows = await oneOfEach()
    await s.addNetwork({ projectId: 'p2' })
    await s.add('subnet', subnet(rows.network.id))
    expect(await w.app.store.networks.counts('p1')).toEqual({
      network: 1,
      subnet: 2,
      port: 1,
      router: 1,
      floatingip: 1,
      security_group: 1,
      security_group_rule: 1,
    })
  })

  it('is changed in what the change names, and counts it', async () => {
    const { id, ...made } = await s.addNetwork({ name: 'before', zoneHints: ['az1'] })
    const changed = await updated('network', id, { name: 'after', segmentationId: null, zoneHints: [] })
    const expected = {
      ...made,
      id,
      name: 'after',
      segmentationId: null,
      zoneHints: [],
      revision: 2,
      updatedAt: later,
    }
    expect(changed).toEqual({ ...expected, places: [], subnetIds: [] })
    expect(await s.get('network', id)).toEqual(changed)
  })

  it('is not changed in its id, project, revision or times, nor in what it has not', async () => {
    const { id } = await s.addNetwork()
    const changed = await updated('network', id, {
      id: 'x',
      projectId: 'p2',
      revision: 9,
      createdAt: later,
      places: [{}],
      password: 'x',
      name: undefined,
      mtu: 1400,
    })
    expect(changed).toMatchObject({
      id,
      projectId: 'p1',
      revision: 2,
      createdAt: at,
      name: '',
      mtu: 1400,
      places: [],
    })
  })

  it('that is not there is not changed, locked or removed', async () => {
    expect(await updated('port', randomUUID(), { name: 'x' })).toBeNull()
    expect(await s.tx(({ networks }) => networks.lock('router', randomUUID()))).toBeNull()
    expect(await s.remove('subnet', randomUUID())).toBe(false)
  })

  it('is locked as it is: what is worked out from others is of that moment too', async () => {
    const { id } = await s.addNetwork()
    let locked: unknown
    await s.tx(async one => {
      await one.networks.lock('network', id)
      locked = s.tx(({ networks }) => networks.lock('network', id))
      await one.networks.insert('subnet', subnet(id, { id: 'sub' }), noted('subnet.create'))
    })
    expect(await locked).toMatchObject({ subnetIds: ['sub'] })
  })

  it('has a line in the audit trail for each change', async () => {
    const { id } = await s.addNetwork({ name: 'before' })
    await updated('network', id, { name: 'after' })
    await s.remove('network', id)
    const lines = (await s.trail()).map(({ action, target, state }) => [action, target, state.name])
    expect(lines).toEqual([
      ['network.create', id, 'before'],
      ['thing.update', id, 'after'],
      ['network.remove', id, 'after'],
    ])
  })

  it('takes with it its places, what it holds and its intents; of others nothing', async () => {
    const pod = await s.newRegion()
    const sub = await s.addSubnet()
    const fixedIps = [{ subnetId: sub.id, ipAddress: '10.0.0.5' }]
    const { id } = await s.addPort(sub.networkId, {}, fixedIps)
    const other = await s.addPort(sub.networkId, {}, [{ subnetId: sub.id, ipAddress: '10.0.0.6' }])
    for (const one of [id, other.id]) {
      await s.place('port', one, pod)
      const about = { region: 'Pod1', resourceType: 'port' }
      await w.app.store.intents.declare({ ...about, id: randomUUID(), purpose: one, owner: '' }, at)
      await w.app.store.intents.declare({ ...about, id: randomUUID(), purpose: `${one} too`, owner: one }, at)
    }
    await s.place('shadow_port', id, pod)
    expect(await s.remove('port', id)).toBe(true)
    expect(await s.get('port', id)).toBeNull()
    expect((await w.app.store.networks.holdings(sub.id)).map(one => one.holder)).toEqual([other.id])
    const { rows } = await w.database.pool.query('select resource_type, central_id from routing order by 1')
    expect(rows).toEqual([
      { resource_type: 'port', central_id: other.id },
      { resource_type: 'shadow_port', central_id: id },
    ])
    const living = await w.database.pool.query('select purpose from intent where ended_at is null order by 1')
    expect(living.rows.map(row => row.purpose)).toEqual([other.id, `${other.id} too`])
  })
})

describe('what others need', () => {
  it('is not removed', async () => {
    const rows = await oneOfEach()
    const held = subnet(rows.network.id)
    await s.add('subnet', held)
    await s.tx(({ networks }) => networks.hold(holding(held.id, '10.0.0.9')))
    const needed = ['network', 'port', 'router', 'security_group'] as const
    const attempts = [...needed.map(kind => s.remove(kind, rows[kind].id)), s.remove('subnet', held.id)]
    expect(await outcomes(attempts)).toEqual({ 'conflict in_use': 5 })
    for (const kind of needed) expect(await s.get(kind, rows[kind].id)).not.toBeNull()
  })

  it('can be removed after them, a group with its rules and those of others that name it', async () => {
    const rows = await oneOfEach()
    const other = await s.add('security_group', group())
    const naming = await s.add(
      'security_group_rule',
      rule(other.id, { remoteGroupId: rows.security_group.id }),
    )
    for (const kind of ['floatingip', 'port', 'router', 'security_group', 'subnet', 'network'] as const)
      expect(await s.remove(kind, rows[kind].id), kind).toBe(true)
    expect(await s.get('security_group_rule', rows.security_group_rule.id)).toBeNull()
    expect(await s.get('security_group_rule', naming.id)).toBeNull()
    expect(await s.get('security_group', other.id)).toMatchObject({ rules: [] })
  })

  it('cannot be named when it is not there', async () => {
    const { id } = await s.addNetwork()
    const attempts = [
      s.add('subnet', subnet('nowhere')),
      s.add('port', port('nowhere')),
      s.add('port', port(id, { securityGroupIds: ['none'] })),
      s.add('router', router({ gateway: { networkId: 'nowhere', enableSnat: true, fixedIps: [] } })),
      s.add('floatingip', floatingip(id, { portId: 'none' })),
      s.add('security_group_rule', rule('none')),
      s.tx(({ networks }) => networks.hold(holding('none', '10.0.0.1'))),
    ]
    expect(await outcomes(attempts)).toEqual({
      'not_found network': 3,
      'not_found security_group': 2,
      'not_found port': 1,
      'not_found subnet': 1,
    })
  })

  it('is removed or named, when both are tried at once, and never both', async () => {
    const { id: networkId } = await s.addNetwork()
    for (let round = 0; round < 20; round += 1) {
      const { id } = await s.add('security_group', group())
      const made = port(networkId, { securityGroupIds: [id] })
      await Promise.allSettled([s.add('port', made), s.remove('security_group', id)])
      const isNamed = (await s.get('port', made.id)) !== null
      const isThere = (await s.get('security_group', id)) !== null
      expect(isNamed).toBe(isThere)
    }
  })
})

describe('there is only one', () => {
  it('MAC address on a network, whoever comes', async () => {
    const [one, other] = [await s.addNetwork(), await s.addNetwork()]
    const macAddress = 'fa:16:3e:00:00:01'
    const attempts = times(10, () => s.add('port', port(one.id, { macAddress })))
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict mac_in_use': 9 })
    const elsewhere = await s.add('port', port(other.id, { macAddress }))
    const { id } = await s.add('port', port(one.id))
    expect(await outcomes([updated('port', id, { macAddress })])).toEqual({ 'conflict mac_in_use': 1 })
    expect(elsewhere.macAddress).toBe(macAddress)
  })

  it('default group and bridge network of a project, and row of an id', async () => {
    const attempts = [
      ...times(5, () => s.add('security_group', group({ isDefault: true }))),
      ...times(5, () => s.addNetwork({ bridgeOf: 'p1' })),
      ...times(5, () => s.add('router', router({ id: 'same' }))),
    ]
    expect(await outcomes(attempts)).toEqual({ done: 3, 'conflict exists': 12 })
    await s.add('security_group', group({ isDefault: true, projectId: 'p2' }))
  })
})

describe('a place', () => {
  it('is shown in order of the regions’ names, once it has an id', async () => {
    const { id } = await s.addNetwork()
    const [b, a, c] = [
      await s.newRegion({ name: 'b' }),
      await s.newRegion({ name: 'A' }),
      await s.newRegion({ name: 'c' }),
    ]
    await s.place('network', id, b)
    await s.place('network', id, a, 'other')
    await s.place('shadow_network', id, c)
    const pending = {
      centralId: id,
      regionalId: null,
      regionId: c.id,
      projectId: 'p1',
      resourceType: 'network',
    }
    await w.app.store.routings.append([pending], noted('routing.create'))
    expect((await s.get('network', id))?.places).toEqual([
      { region: 'A', id: 'other' },
      { region: 'b', id },
    ])
  })

  it('is replaced by a later one in the same region, and can be taken away', async () => {
    const { id } = await s.addNetwork()
    const pod = await s.newRegion({ name: 'Pod1' })
    await s.place('network', id, pod, 'first')
    await s.place('network', id, pod, 'second')
    expect((await s.get('network', id))?.places).toEqual([{ region: 'Pod1', id: 'second' }])
    await s.tx(({ networks }) => networks.unplace('network', id, pod.id))
    expect((await s.get('network', id))?.places).toEqual([])
  })

  it('of a rule is that of its group', async () => {
    const { id } = await s.add('security_group', group())
    const made = await s.add('security_group_rule', rule(id))
    await s.place('security_group', id, await s.newRegion({ name: 'Pod1' }), 'there')
    const places = [{ region: 'Pod1', id: 'there' }]
    expect((await s.get('security_group_rule', made.id))?.places).toEqual(places)
    expect((await s.get('security_group', id))?.rules[0]?.places).toEqual(places)
  })

  it('in a region that is gone is refused', async () => {
    const { id } = await s.addNetwork()
    const nowhere = { ...(await s.newRegion()), id: randomUUID() }
    expect(await outcomes([s.place('network', id, nowhere)])).toEqual({ 'not_found region': 1 })
  })
})
