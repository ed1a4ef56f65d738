// Changes of one thing at the same time. Each is tried several times, as a race may go well by chance.

import { describe, expect, it } from 'vitest'
import { fileWorld } from '../../world.ts'

interface Versioned {
  readonly id: string
  readonly revision_number: number
}

const rounds = 4
const atHome = { availability_zone_hints: ['Pod1'] }

const w = await fileWorld({ joined: true })

/** What two are told who change the same revision at once. */
async function both(
  kind: string,
  { id, revision_number }: Versioned,
  [one, other]: readonly [object, object],
) {
  const headers = { 'if-match': `revision_number=${revision_number}` }
  const put = (change: object) =>
    w.call('PUT', `/network/v2.0/${kind}s/${id}`, { as: 'demo', body: { [kind]: change }, headers })
  return (await Promise.all([put(one), put(other)])).map(({ status }) => status).sort()
}

async function eachTime(kind: string, make: () => Promise<Versioned>): Promise<void> {
  const told: number[][] = []
  for (let round = 0; round < rounds; round += 1)
    told.push(await both(kind, await make(), [{ description: 'a' }, { description: 'b' }]))
  expect(told).toEqual(Array(rounds).fill([200, 412]))
}

describe('of two who change the same revision at once', () => {
  it('one wins at a network', () => eachTime('network', () => w.demo.make('network', { name: 'x' })))

  it('one wins at a floating IP', async () => {
    const segment = {
      'provider:network_type': 'vlan',
      'provider:physical_network': 'extern',
      'provider:segmentation_id': 155,
    }
    const outside = { name: 'e', 'router:external': true, ...atHome, ...segment }
    const { id } = await w.admin.make('network', outside)
    const cidr = '163.3.124.0/24'
    await w.admin.make('subnet', { network_id: id, ip_version: 4, cidr, enable_dhcp: false })
    await eachTime('floatingip', () => w.demo.make('floatingip', { floating_network_id: id }))
  })

  it('one wins at a router at home in one region', () =>
    eachTime('router', () => w.demo.make('router', { name: 'r', ...atHome })))

  it('at a port at home the one who is told 412 has changed nothing in the region either', async () => {
    const { id: network_id } = await w.demo.make('network', { name: 'n', ...atHome })
    await w.demo.make('subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24' })
    const found: unknown[] = []
    for (let round = 0; round < rounds; round += 1) {
      const port = await w.demo.make('port', { network_id, name: 'old' })
      const told = await both('port', port, [{ name: 'a' }, { name: 'b' }])
      const central = (await w.demo.get(`/ports/${port.id}`)).json.port.name
      const there = w.cloud.neutrons
        .get('Pod1')!
        .ports()
        .find(({ id }) => id === port.id)!.name
      found.push([told, central === there])
    }
    expect(found).toEqual(Array(rounds).fill([[200, 412], true]))
  })
})

describe('five routes that are added to one router at once', () => {
  const added = async (more: object): Promise<unknown> => {
    const router = await w.demo.make('router', { name: 'r', ...more })
    const network = await w.demo.make('network', { name: 'n', ...more })
    const subnet = await w.demo.make('subnet', {
      network_id: network.id,
      ip_version: 4,
      cidr: '10.0.0.0/24',
    })
    const leg = await w.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    expect(leg.status).toBe(200)
    const add = (i: number) => {
      const routes = [{ destination: `192.168.${i}.0/24`, nexthop: '10.0.0.9' }]
      return w.demo.put(`/routers/${router.id}/add_extraroutes`, { router: { routes } })
    }
    const replies = await Promise.all([1, 2, 3, 4, 5].map(add))
    const { json } = await w.demo.get(`/routers/${router.id}`)
    return [replies.map(({ status }) => status), json.router.routes.length]
  }

  it('are all there, at a router that spans regions', async () => {
    expect(await added({})).toEqual([[200, 200, 200, 200, 200], 5])
  })

  it('are all there, at a router at home in one region', async () => {
    expect(await added(atHome)).toEqual([[200, 200, 200, 200, 200], 5])
  })
})

const times = Array.from({ length: 8 }, (_, index) => index)
const sorted = (replies: readonly { status: number }[]) => replies.map(({ status }) => status).sort()

describe('eight who make the same at once', () => {
  it.each([
    ['IPv4', 4, '10.9.0.0/24'],
    ['IPv6', 6, '2001:db8::/64'],
  ])('have one %s subnet of a network that spans regions between them', async (_, ip_version, cidr) => {
    const { id: network_id } = await w.demo.make('network', { name: 'n' })
    const replies = await Promise.all(
      times.map(() => w.demo.post('/subnets', { subnet: { network_id, ip_version, cidr } })),
    )
    expect(sorted(replies)).toEqual([201, ...Array(7).fill(400)])
    const port = { network_id, 'binding:profile': { region: 'Pod1' } }
    expect((await w.demo.post('/ports', { port })).status).toBe(201)
  })

  it('have one floating IP for a port between them, and leave no other behind', async () => {
    const { ext, subnetIds } = await outside(156)
    const gateway = { external_gateway_info: { network_id: ext } }
    const router = await w.demo.make('router', { name: 'r', ...atHome, ...gateway })
    for (let round = 0; round < 3; round += 1) {
      const { id: network_id } = await w.demo.make('network', { name: 'n', ...atHome })
      const cidr = `10.${round}.0.0/24`
      const { id: subnet_id } = await w.demo.make('subnet', { network_id, ip_version: 4, cidr })
      expect((await w.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id })).status).toBe(200)
      const { id: port_id } = await w.demo.make('port', { network_id })
      const replies = await Promise.all(
        times.map(() => w.demo.post('/floatingips', { floatingip: { floating_network_id: ext, port_id } })),
      )
      expect(sorted(replies)).toEqual([201, ...Array(7).fill(409)])
      const { json } = await w.demo.get(`/floatingips?port_id=${port_id}`)
      expect(json.floatingips).toHaveLength(1)
    }
    expect(subnetIds).toHaveLength(2)
  })
})

/** An external network in Pod1 with two subnets. */
async function outside(segment: number): Promise<{ ext: string; subnetIds: string[] }> {
  const { id } = await w.admin.make('network', {
    name: 'e',
    'router:external': true,
    ...atHome,
    'provider:network_type': 'vlan',
    'provider:physical_network': 'extern',
    'provider:segmentation_id': segment,
  })
  const subnetIds: string[] = []
  for (const cidr of ['203.0.113.0/24', '198.51.100.0/24']) {
    const subnet = { network_id: id, ip_version: 4, cidr, enable_dhcp: false }
    subnetIds.push((await w.admin.make('subnet', subnet)).id)
  }
  return { ext: id, subnetIds }
}

describe('a floating IP from a chosen subnet of the external network', () => {
  it('has an address of that subnet', async () => {
    const { ext, subnetIds } = await outside(157)
    for (const [at, prefix] of ['203.0.113.', '198.51.100.'].entries()) {
      const asked = { floating_network_id: ext, subnet_id: subnetIds[at] }
      const { status, json } = await w.demo.post('/floatingips', { floatingip: asked })
      expect([status, json.floatingip.floating_ip_address]).toEqual([201, expect.stringContaining(prefix)])
    }
  })
})
