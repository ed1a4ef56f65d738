// The rows about ports: where a port is decides as much as whose it is.

import { create, get, port, type Row, remove, type Thing, update } from './row.ts'
import type { Scene, Where } from './scene.ts'

/** What is asked of a port on this network, by the rule's attribute. */
const asked = (where: Where) => ({
  device_owner: { device_owner: 'network:something' },
  mac_address: (s: Scene) => ({ mac_address: s.mac() }),
  'fixed_ips:ip_address': (s: Scene) => ({ fixed_ips: [{ ip_address: s.address(where) }] }),
  'fixed_ips:subnet_id': (s: Scene) => ({ fixed_ips: [{ subnet_id: s.subnets[where] }] }),
  fixed_ips: { fixed_ips: [] },
  port_security_enabled: { port_security_enabled: false },
  allowed_address_pairs: { allowed_address_pairs: [] },
  'allowed_address_pairs:ip_address': { allowed_address_pairs: [{ ip_address: '10.200.0.1' }] },
  'allowed_address_pairs:mac_address': {
    allowed_address_pairs: [{ ip_address: '10.200.0.1', mac_address: 'fa:16:3e:98:00:01' }],
  },
  'binding:host_id': { 'binding:host_id': '' },
  'binding:profile': { 'binding:profile': { anything: 'x' } },
  'binding:vnic_type': { 'binding:vnic_type': 'direct' },
})

const places = ['own', 'shared', 'foreign', 'outside'] as const
const on = (where: Where) => ({
  what: `on ${where}`,
  fields: (s: Scene) => ({ network_id: s.networks[where], security_groups: [] }),
})
const all = [
  port('mine', 'own'),
  port('mine', 'shared'),
  port('mine', 'foreign'),
  port('mine', 'outside'),
  port('others', 'own'),
  port('others', 'shared'),
  port('others', 'foreign'),
  port('owners', 'shared'),
]

/** By scene: a router of others, which is made before the interface is, and so goes after it. */
const theirs = new WeakMap<Scene, string>()

/** The port by which a router of the members is on their network. */
const leg: Thing = {
  what: 'an interface of mine, to a router of others',
  async id(s) {
    theirs.set(s, (await s.make('router', {}, 'others')).id)
    const { id } = await s.make('router')
    const { id: network_id } = await s.make('network')
    const subnet = await s.make('subnet', { network_id, ip_version: 4, cidr: '10.139.0.0/24' })
    const { port_id } = await s.do('PUT', `/routers/${id}/add_router_interface`, { subnet_id: subnet.id })
    // The router goes only without the interface, which goes only by that router.
    s.undo(async () => {
      await s.do('PUT', `/ports/${port_id}`, { port: { device_id: id } })
      await s.do('PUT', `/routers/${id}/remove_router_interface`, { port_id })
    })
    return port_id
  },
}
const groupOfOthers = async (s: Scene) => {
  const { id } = await s.make('security_group', { name: 'theirs' }, 'others')
  // The group goes only when no port is in it.
  s.undo(async () => {
    const { ports } = await s.do('GET', `/ports?network_id=${s.networks.own}`)
    for (const one of ports)
      if (one.security_groups.includes(id))
        await s.do('PUT', `/ports/${one.id}`, { port: { security_groups: [] } })
  })
  return { security_groups: [id] }
}

/** What members make at a network's end is the default at create, and so no rule of its own. */
const { allowed_address_pairs: _none, ...made } = asked('own')
const { allowed_address_pairs: _nor, ...madeOnShared } = asked('shared')

export const portRows: readonly Row[] = [
  ...get('port', all),
  ...get(
    'port',
    [port('mine', 'own'), port('others', 'shared')],
    ['binding:vif_type', 'binding:vif_details', 'binding:host_id', 'binding:profile', 'resource_request'],
  ).filter(({ attribute }) => attribute !== undefined),
  ...create('port', places.map(on)),
  ...create('port', [on('own')], made),
  ...create('port', [on('shared')], madeOnShared),
  ...create('port', [on('own')], { allowed_address_pairs: asked('own')['allowed_address_pairs:ip_address'] }),
  ...update('port', all, { '': { description: 'changed' } }),
  ...update('port', [port('mine', 'own')], asked('own')),
  ...update('port', [port('mine', 'shared'), port('others', 'shared')], asked('shared')),
  ...update('port', [port('mine', 'own')], { '': groupOfOthers }).map(row => ({
    ...row,
    what: 'mine on own, into a group of others',
  })),
  ...update('port', [leg], { '': s => ({ device_id: theirs.get(s) }) }),
  ...remove('port', all),
]
