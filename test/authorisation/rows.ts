// The table of operations: every verb of the Networking API, every attribute that has a rule of its own, on things that
// are the members' own, another project's, on a shared network, of the network's owner, outside, of an admin.

import { create, get, idOf, ofWhom, port, type Request, type Row, remove, type Thing, update } from './row.ts'
import { portRows } from './rows-ports.ts'
import type { Scene, Where, Whose } from './scene.ts'

const network = (whose: Whose, what: string = whose, fields: object = {}): Thing => ({
  what,
  id: async s => (await s.make('network', fields, whose)).id,
})
const there = (where: Where): Thing => ({ what: where, id: s => s.networks[where] })
const shared = network('owners', 'shared', { shared: true })
const outside: Thing = { what: 'outside', id: s => s.networks.outside }

let segments = 0
/** A segment of its own: none of the three says anything without the others. */
const vlan = () => ({
  'provider:network_type': 'vlan',
  'provider:physical_network': 'bridge',
  'provider:segmentation_id': 2500 + (segments++ % 400),
})

const ofNetwork = {
  shared: { shared: true },
  'router:external': (s: Scene) => ({ 'router:external': true, ...s.outside }),
  is_default: { is_default: true },
  port_security_enabled: { port_security_enabled: false },
  'provider:network_type': vlan,
  'provider:physical_network': vlan,
  'provider:segmentation_id': vlan,
}

const networkRows: readonly Row[] = [
  ...get('network', [there('own'), there('shared'), there('foreign'), there('outside')]),
  ...get(
    'network',
    [there('own'), there('shared')],
    ['router:external', 'provider:network_type', 'provider:physical_network', 'provider:segmentation_id'],
  ).filter(({ attribute }) => attribute !== undefined),
  ...create('network', [{ what: 'new', fields: {} }], { '': {}, ...ofNetwork }),
  ...create('network', [{ what: 'for others', fields: s => ({ project_id: s.people.others }) }]),
  ...update('network', [network('mine'), network('others'), shared], { '': { description: 'changed' } }),
  ...update('network', [network('mine')], { ...ofNetwork, 'router:external': { 'router:external': true } }),
  ...update('network', [outside], { '': { description: 'changed' } }),
  ...remove('network', [network('mine'), network('others'), shared]),
]

let ranges = 0
const newRange = () => `10.140.${ranges++ % 256}.0/24`
const subnet = (whose: Whose, where: Where): Thing => ({
  what: `${whose} on ${where}`,
  id: async s =>
    idOf(s.make('subnet', { network_id: s.networks[where], ip_version: 4, cidr: newRange() }, whose)),
})
const onNetwork = (where: Where) => ({
  what: `on ${where}`,
  fields: (s: Scene) => ({ network_id: s.networks[where], ip_version: 4, cidr: newRange() }),
})
const ofSubnet = {
  segment_id: { segment_id: '5589faec-3a2c-44c3-8201-2a538900a477' },
  service_types: { service_types: ['compute:nova'] },
}
const someSubnets = [
  subnet('mine', 'own'),
  subnet('others', 'own'),
  subnet('others', 'foreign'),
  subnet('owners', 'shared'),
  subnet('mine', 'shared'),
]

const subnetRows: readonly Row[] = [
  ...get('subnet', [...someSubnets, { what: 'outside', id: s => s.subnets.outside }]),
  ...get('subnet', [subnet('mine', 'own')], ['segment_id']).filter(({ attribute }) => attribute),
  ...create('subnet', [onNetwork('own'), onNetwork('shared'), onNetwork('foreign'), onNetwork('outside')]),
  ...create('subnet', [onNetwork('own')], ofSubnet),
  ...update('subnet', someSubnets, { '': { description: 'changed' } }),
  ...update('subnet', [{ what: 'outside', id: s => s.subnets.outside }], { '': { description: 'changed' } }),
  ...update('subnet', [subnet('mine', 'own')], ofSubnet),
  ...remove('subnet', someSubnets),
]

const router = (whose: Whose): Thing => ofWhom('router', whose)
const gateway = (more: object = {}) => ({
  'external_gateway_info:network_id': (s: Scene) => ({
    external_gateway_info: { network_id: s.networks.outside, ...more },
  }),
})
const ofRouter = {
  distributed: { distributed: true },
  ha: { ha: true },
  external_gateway_info: { external_gateway_info: null },
  ...gateway(),
  'external_gateway_info:enable_snat': gateway({ enable_snat: false })['external_gateway_info:network_id'],
  'external_gateway_info:external_fixed_ips': (s: Scene) => ({
    external_gateway_info: {
      network_id: s.networks.outside,
      external_fixed_ips: [{ ip_address: s.address('outside') }],
    },
  }),
}
/** Whether a router is distributed or highly available changes only while it is down. */
const down: Thing = { what: 'mine', id: s => idOf(s.make('router', { admin_state_up: false })) }

type Joined = (s: Scene) => Promise<object> | object
const action = (name: string, what: string, whose: Whose, body: Joined, before?: Joined): Row => ({
  rule: name,
  what,
  async request(s): Promise<Request> {
    const { id } = await s.make('router', {}, whose)
    if (before) await s.do('PUT', `/routers/${id}/add_router_interface`, await before(s))
    return { method: 'PUT', path: `/routers/${id}/${name}`, body: await body(s) }
  },
})
/** A subnet of its own for each router, whose gateway address is free. */
const freshSubnet = (whose: Whose, isShared = false): Joined => {
  const known = new WeakMap<Scene, string>()
  return async s => {
    const { id: network_id } = await s.make('network', isShared ? { shared: true } : {}, whose)
    const id = await idOf(s.make('subnet', { network_id, ip_version: 4, cidr: newRange() }, whose))
    known.set(s, id)
    return { subnet_id: id }
  }
}
const byPort =
  (whose: Whose, where: Where): Joined =>
  async s => ({ port_id: await port(whose, where).id(s) })
const joinedRows = (): Row[] => {
  let body: object = {}
  const before: Joined = async s => {
    body = await freshSubnet('mine')(s)
    return body
  }
  return [action('remove_router_interface', 'mine', 'mine', () => body, before)]
}
const noRoutes = () => ({ router: { routes: [] } })

const routerRows: readonly Row[] = [
  ...get('router', [router('mine'), router('others')]),
  ...get('router', [router('mine')], ['distributed', 'ha']).filter(({ attribute }) => attribute),
  ...create('router', [{ what: 'new', fields: {} }], { '': {}, ...ofRouter }),
  ...update('router', [router('mine'), router('others')], { '': { description: 'changed' } }),
  ...update('router', [down], ofRouter),
  ...remove('router', [router('mine'), router('others')]),
  action('add_router_interface', 'mine, a subnet of mine', 'mine', freshSubnet('mine')),
  action(
    'add_router_interface',
    'mine, a subnet of others that is shared',
    'mine',
    freshSubnet('others', true),
  ),
  action('add_router_interface', 'mine, a subnet of others', 'mine', freshSubnet('others')),
  action('add_router_interface', 'mine, a subnet outside', 'mine', s => ({ subnet_id: s.subnets.outside })),
  action('add_router_interface', 'others, a subnet of mine', 'others', freshSubnet('mine')),
  action('add_router_interface', 'mine, my port on own', 'mine', byPort('mine', 'own')),
  action('add_router_interface', 'mine, my port on shared', 'mine', byPort('mine', 'shared')),
  action('add_router_interface', 'mine, a port of others on shared', 'mine', byPort('others', 'shared')),
  action('add_router_interface', 'owners, a port of mine on shared', 'owners', byPort('mine', 'shared')),
  ...joinedRows(),
  action('remove_router_interface', 'others', 'others', s => ({ subnet_id: s.subnets.foreign })),
  action('add_extraroutes', 'mine', 'mine', noRoutes),
  action('add_extraroutes', 'others', 'others', noRoutes),
  action('remove_extraroutes', 'mine', 'mine', noRoutes),
  action('remove_extraroutes', 'others', 'others', noRoutes),
]

const floating = (where: Where) => (s: Scene) => ({ floating_network_id: s.networks[where] })
const floatingIp = (whose: Whose): Thing => ofWhom('floatingip', whose, floating('outside'))

const floatingIpRows: readonly Row[] = [
  ...get('floatingip', [floatingIp('mine'), floatingIp('others')]),
  ...create('floatingip', [
    { what: 'of outside', fields: floating('outside') },
    { what: 'of shared', fields: floating('shared') },
    { what: 'of foreign', fields: floating('foreign') },
  ]),
  ...create('floatingip', [{ what: 'of outside', fields: floating('outside') }], {
    floating_ip_address: s => ({ floating_ip_address: s.address('outside') }),
  }),
  ...update('floatingip', [floatingIp('mine'), floatingIp('others')], { '': { description: 'changed' } }),
  ...update('floatingip', [floatingIp('mine')], {
    '': async s => ({ port_id: await port('others', 'foreign').id(s) }),
  }).map(row => ({ ...row, what: 'mine, to a port of others' })),
  ...remove('floatingip', [floatingIp('mine'), floatingIp('others')]),
]

let names = 0
const group = (whose: Whose): Thing => ofWhom('security_group', whose, () => ({ name: `group${names++}` }))
const ruleIn = (whose: Whose) => async (s: Scene) => ({
  security_group_id: await group(whose).id(s),
  direction: 'ingress',
  protocol: 'tcp',
})
const groupRule = (whose: Whose): Thing => ofWhom('security_group_rule', whose, ruleIn(whose))

const groupRows: readonly Row[] = [
  ...get('security_group', [group('mine'), group('others')]),
  ...create('security_group', [{ what: 'new', fields: () => ({ name: `group${names++}` }) }]),
  ...update('security_group', [group('mine'), group('others')], { '': { description: 'changed' } }),
  ...remove('security_group', [group('mine'), group('others')]),
  ...get('security_group_rule', [groupRule('mine'), groupRule('others')]),
  ...create('security_group_rule', [
    { what: 'in mine', fields: ruleIn('mine') },
    { what: 'in others', fields: ruleIn('others') },
  ]),
  ...remove('security_group_rule', [groupRule('mine'), groupRule('others')]),
]

const look = (rule: string, what: string, path: (s: Scene) => string): Row => ({
  rule,
  what,
  request: async s => ({ method: 'GET', path: path(s) }),
})

export const rows: readonly Row[] = [
  ...networkRows,
  ...subnetRows,
  ...portRows,
  ...routerRows,
  ...floatingIpRows,
  ...groupRows,
  look('get_availability_zone', 'all', () => '/availability_zones'),
  look('get_agent', 'all', () => '/agents'),
  look('get_quota', 'mine', s => `/quotas/${s.people.mine}`),
  look('get_quota', 'others', s => `/quotas/${s.people.others}`),
]
