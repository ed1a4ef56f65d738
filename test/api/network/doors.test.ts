// What a region's own Neutron would refuse a member is refused here too, although Atoll asks regions as an admin; and
// what a network's owner may do to the ports of others on it.

import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld, type Json, type Person } from '../../world.ts'

const w = await fileWorld({ joined: true })
const alt = w.person('alt', ['member'])
const reader = w.person('reader', ['reader'])
const manager = w.person('boss', ['manager', 'member'])
/** The member demo's shared network with its subnet; a network outside; a network of demo's alone. */
let shared: Json
let subnet: Json
let outside: Json
let own: Json

beforeAll(async () => {
  const project_id = w.demo.projectId
  shared = await w.admin.make('network', { name: 'shared', shared: true, project_id })
  subnet = await w.demo.make('subnet', { network_id: shared.id, ip_version: 4, cidr: '10.3.0.0/24' })
  outside = await w.admin.make('network', { 'router:external': true, availability_zone_hints: ['Pod1'] })
  await w.admin.make('subnet', { network_id: outside.id, ip_version: 4, cidr: '172.20.0.0/24' })
  own = await w.demo.make('network', { name: 'own' })
})

const statusOf = async (reply: Promise<{ status: number; json: Json }>) =>
  errorOf((await reply) as never).slice(0, 2)
const refused = [403, 'PolicyNotAuthorized']

describe('a router', () => {
  const joined = async (who: Person, body: object) => {
    const { id } = await who.make('router')
    const reply = await who.put(`/routers/${id}/add_router_interface`, body)
    return reply
  }

  it('takes no interface on another project’s subnet that is shared with it, whose gateway address stays its owner’s', async () => {
    const [status, type, said] = errorOf(await joined(alt, { subnet_id: subnet.id }))
    expect([status, type]).toEqual([400, 'BadRequest'])
    expect(said).toContain(`subnet ${subnet.id} is not owned by project making the request`)
    expect((await joined(w.demo, { subnet_id: subnet.id })).status).toBe(200)
  })

  it('takes no port of another project, and one of its own whose address the subnet gave', async () => {
    const theirs = await w.demo.make('port', { network_id: shared.id })
    expect(await statusOf(joined(alt, { port_id: theirs.id }))).toEqual([404, 'PortNotFound'])
    const given = await alt.make('port', { network_id: shared.id })
    expect((await joined(alt, { port_id: given.id })).status).toBe(200)
    const { id: network_id } = await w.admin.make('network', { shared: true, project_id: w.demo.projectId })
    const pools = [{ start: '10.4.0.10', end: '10.4.0.20' }]
    const range = { network_id, ip_version: 4, cidr: '10.4.0.0/24', allocation_pools: pools }
    await w.demo.make('subnet', range)
    const fixed_ips = [{ ip_address: '10.4.0.99' }]
    const chosen = await w.admin.make('port', { network_id, project_id: alt.projectId, fixed_ips })
    expect(await statusOf(joined(alt, { port_id: chosen.id }))).toEqual([400, 'BadRequest'])
  })
})

describe('an interface of a router', () => {
  it('does not become one of another project’s router by its device id', async () => {
    const [mine, theirs] = [await alt.make('router'), await w.demo.make('router')]
    const { id: network_id } = await alt.make('network')
    const { id: subnet_id } = await alt.make('subnet', { network_id, ip_version: 4, cidr: '10.6.0.0/24' })
    const { port_id } = (await alt.put(`/routers/${mine.id}/add_router_interface`, { subnet_id })).json
    const moved = alt.put(`/ports/${port_id}`, { port: { device_id: theirs.id } })
    expect(await statusOf(moved)).toEqual([409, 'DeviceIDNotOwnedByTenant'])
    expect((await w.demo.del(`/routers/${theirs.id}`)).status).toBe(204)
  })
})

describe('a member', () => {
  it('makes no port on an external network that is not shared', async () => {
    expect((await alt.post('/ports', { port: { network_id: outside.id } })).status).toBe(403)
    expect((await w.admin.post('/ports', { port: { network_id: outside.id } })).status).toBe(201)
  })

  it('changes no MAC, not even on a network of its own; an admin does, and a manager of that network’s project', async () => {
    const mac_address = 'fa:16:3e:77:00:01'
    const port = await w.demo.make('port', { network_id: own.id })
    const [status, type, said] = errorOf(await w.demo.put(`/ports/${port.id}`, { port: { mac_address } }))
    expect([status, type]).toEqual(refused)
    expect(said).toContain('rule:update_port:mac_address')
    expect((await w.admin.put(`/ports/${port.id}`, { port: { mac_address } })).json.port).toMatchObject({
      mac_address,
    })
    const { id: network_id } = await manager.make('network')
    const managed = await manager.make('port', { network_id })
    expect((await manager.put(`/ports/${managed.id}`, { port: { mac_address } })).status).toBe(200)
    const guest = await manager.make('port', { network_id: shared.id })
    expect(await statusOf(manager.put(`/ports/${guest.id}`, { port: { mac_address } }))).toEqual(refused)
  })

  it.each([
    ['another address of the subnet', () => ({ fixed_ips: [{ subnet_id: subnet.id }] })],
    ['an address', () => ({ fixed_ips: [{ ip_address: '10.3.0.77' }] })],
    ['no address', () => ({ fixed_ips: [] })],
    ['no address pairs', () => ({ allowed_address_pairs: [] })],
    ['no port security', () => ({ port_security_enabled: false })],
  ])(
    'does not give its port on another project’s shared network %s; the network’s owner does to its own',
    async (_what, change) => {
      const mine = await alt.make('port', { network_id: shared.id })
      expect(await statusOf(alt.put(`/ports/${mine.id}`, { port: change() }))).toEqual(refused)
      const theirs = await w.demo.make('port', { network_id: shared.id, security_groups: [] })
      expect((await w.demo.put(`/ports/${theirs.id}`, { port: change() })).status).toBe(200)
    },
  )

  it('may name the subnet of a port that it makes on a shared network, and not the address', async () => {
    const asked = (fixed_ips: object[]) => alt.post('/ports', { port: { network_id: shared.id, fixed_ips } })
    expect((await asked([{ subnet_id: subnet.id }])).status).toBe(201)
    expect(await statusOf(asked([{ ip_address: '10.3.0.88' }]))).toEqual(refused)
  })

  it('chooses no floating IP’s address; a manager does', async () => {
    const asked = { floating_network_id: outside.id, floating_ip_address: '172.20.0.77' }
    expect(await statusOf(w.demo.post('/floatingips', { floatingip: asked }))).toEqual(refused)
    expect((await manager.post('/floatingips', { floatingip: asked })).status).toBe(201)
  })
})

describe('the owner of a shared network', () => {
  it('lists, shows and removes the ports of others on it, and changes none of them', async () => {
    const guest = await alt.make('port', { network_id: shared.id, name: 'guest' })
    const listed = await w.demo.get(`/ports?network_id=${shared.id}&name=guest`)
    expect(listed.json.ports.map(({ id }: Json) => id)).toEqual([guest.id])
    expect((await w.demo.get(`/ports/${guest.id}`)).json.port.project_id).toBe(alt.projectId)
    expect((await reader.get(`/ports/${guest.id}`)).status).toBe(404)
    expect((await w.demo.put(`/ports/${guest.id}`, { port: { name: 'mine' } })).status).toBe(403)
    expect((await w.demo.del(`/ports/${guest.id}`)).status).toBe(204)
    expect((await alt.get(`/ports/${guest.id}`)).status).toBe(404)
  })

  it('is shown what keeps the network from going', async () => {
    const project_id = w.demo.projectId
    const network = await w.admin.make('network', { shared: true, project_id })
    const guest = await alt.make('port', { network_id: network.id })
    expect((await w.demo.del(`/networks/${network.id}`)).status).toBe(409)
    const { ports } = (await w.demo.get(`/ports?network_id=${network.id}`)).json
    for (const { id } of ports) expect((await w.demo.del(`/ports/${id}`)).status).toBe(204)
    expect(ports.map(({ id }: Json) => id)).toContain(guest.id)
    expect((await w.demo.del(`/networks/${network.id}`)).status).toBe(204)
  })
})
