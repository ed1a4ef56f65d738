// Exchanges about routers: gateways, interfaces, routes, what keeps them from being deleted.

import { admin, alt, demo, type Exchange } from '../exchange.ts'

const missing = '11111111-2222-3333-4444-555555555555'
const router = (body: object = {}) => ({ router: { name: '{p}', ...body } })
const gateway = (body: object | null) => ({ router: { external_gateway_info: body } })
const routes = (...list: [string, string][]) => ({
  router: { routes: list.map(([destination, nexthop]) => ({ destination, nexthop })) },
})
const unsettled = { loose: ['revision_number', 'updated_at', 'availability_zones', 'ip_address'] }
const kept = (keep: string) => ({ ...unsettled, keep })

const world: Exchange[] = [
  admin.post(
    '/networks',
    { network: { name: '{p}-ext', 'router:external': true } },
    { keep: 'ext', loose: ['provider:segmentation_id'] },
  ),
  admin.post(
    '/subnets',
    {
      subnet: {
        network_id: '{ext}',
        ip_version: 4,
        cidr: '10.60.0.0/24',
        enable_dhcp: false,
        allocation_pools: [{ start: '10.60.0.10', end: '10.60.0.200' }],
      },
    },
    'exts',
  ),
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post('/subnets', { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.61.0.0/24' } }, 'sub'),
  demo.post(
    '/subnets',
    { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.62.0.0/24', gateway_ip: null } },
    'nogw',
  ),
  demo.post('/networks', { network: { name: '{p}' } }, 'net2'),
  demo.post('/subnets', { subnet: { network_id: '{net2}', ip_version: 4, cidr: '10.61.0.0/16' } }, 'overlap'),
  demo.post('/subnets', { subnet: { network_id: '{net2}', ip_version: 4, cidr: '10.63.0.0/24' } }, 'sub3'),
]

const basic: Exchange[] = [
  demo.post('/routers', router(), kept('r')),
  demo.get('/routers/{r}', unsettled),
  admin.get('/routers/{r}', unsettled),
  alt.get('/routers/{r}'),
  demo.post('/routers', router({ routes: [] })),
  demo.post('/routers', router({ bogus: 1 })),
  demo.post('/routers', router({ ha: false })),
  demo.post('/routers', router({ distributed: false })),
  demo.post('/routers', router({ flavor_id: missing })),
  demo.post('/routers', router({ availability_zone_hints: ['nope'] })),
  demo.post('/routers', router({ availability_zone_hints: ['nova'] }), kept('zoned')),
  demo.del('/routers/{zoned}'),
  demo.put('/routers/{r}', { router: { name: '{p}-r', description: 'd', admin_state_up: 'yes' } }, unsettled),
  demo.put('/routers/{r}', { router: { ha: true } }),
  alt.put('/routers/{r}', { router: { name: 'x' } }),
  demo.get('/routers?name={p}-r&fields=name'),
  demo.get('/routers/nope'),
  demo.del('/routers/nope'),
  demo.put(
    '/routers/{r}',
    { router: { name: 'x' } },
    { headers: { 'if-match': 'revision_number=999' }, loose: ['message'] },
  ),
]

const gateways: Exchange[] = [
  demo.put('/routers/{r}', gateway({ network_id: '{net}' })),
  demo.put('/routers/{r}', gateway({ network_id: missing })),
  demo.put('/routers/{r}', gateway({ network_id: 'x' })),
  demo.put('/routers/{r}', gateway({ bogus: 'x', network_id: '{ext}' })),
  demo.put('/routers/{r}', gateway({ enable_snat: true })),
  demo.put('/routers/{r}', gateway({ network_id: '{ext}', enable_snat: true })),
  demo.put(
    '/routers/{r}',
    gateway({ network_id: '{ext}', external_fixed_ips: [{ ip_address: '10.60.0.50' }] }),
  ),
  demo.put('/routers/{r}', gateway({ network_id: '{ext}' }), unsettled),
  admin.get('/routers/{r}', unsettled),
  admin.get('/ports?device_id={r}&network_id={ext}', {
    loose: [
      'ip_address',
      'revision_number',
      'status',
      'binding:host_id',
      'binding:vif_type',
      'binding:vif_details',
      'fqdn',
      'hostname',
    ],
  }),
  demo.get('/ports?device_id={r}&network_id={ext}'),
  admin.put(
    '/routers/{r}',
    gateway({ network_id: '{ext}', enable_snat: false, external_fixed_ips: [{ ip_address: '10.60.0.250' }] }),
    unsettled,
  ),
  admin.put(
    '/routers/{r}',
    gateway({
      network_id: '{ext}',
      external_fixed_ips: [{ ip_address: '10.60.0.251', subnet_id: '{exts}' }],
    }),
    unsettled,
  ),
  admin.put(
    '/routers/{r}',
    gateway({ network_id: '{ext}', external_fixed_ips: [{ ip_address: '10.60.0.1' }] }),
  ),
  admin.put(
    '/routers/{r}',
    gateway({ network_id: '{ext}', external_fixed_ips: [{ ip_address: '10.99.0.1' }] }),
  ),
  admin.post('/routers', {
    router: {
      name: '{p}-2',
      external_gateway_info: { network_id: '{ext}', external_fixed_ips: [{ ip_address: '10.60.0.251' }] },
    },
  }),
  admin.get('/routers?name={p}-2&fields=name'),
  admin.post(
    '/routers',
    {
      router: {
        name: '{p}-2',
        external_gateway_info: {
          network_id: '{ext}',
          enable_snat: false,
          external_fixed_ips: [{ ip_address: '10.60.0.252' }],
        },
      },
    },
    kept('r2'),
  ),
  admin.del('/networks/{ext}', { loose: ['message'] }),
  admin.del('/subnets/{exts}'),
  admin.put('/networks/{ext}', { network: { 'router:external': false } }),
  admin.del('/routers/{r2}'),
  demo.put('/routers/{r}', gateway({}), unsettled),
  demo.put('/routers/{r}', gateway({ network_id: '{ext}' }), unsettled),
  demo.put('/routers/{r}', gateway(null), unsettled),
  demo.put('/routers/{r}', gateway({ network_id: '{ext}' }), unsettled),
]

const interfaces: Exchange[] = [
  demo.put('/routers/{r}/add_router_interface', {}),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: 'x' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: missing }),
  demo.put('/routers/{r}/add_router_interface', { port_id: missing }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}', port_id: missing }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{nogw}' }),
  demo.put('/routers/nope/add_router_interface', { subnet_id: '{sub}' }),
  alt.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{overlap}' }),
  demo.get('/ports?device_id={r}', { loose: ['revision_number', 'status', 'fqdn', 'hostname'] }),
  admin.get('/ports?device_id={r}&device_owner=network:router_interface', {
    loose: [
      'revision_number',
      'status',
      'binding:host_id',
      'binding:vif_type',
      'binding:vif_details',
      'fqdn',
      'hostname',
    ],
  }),
  demo.post(
    '/ports',
    { port: { network_id: '{net2}', name: '{p}', fixed_ips: [{ ip_address: '10.63.0.7' }] } },
    { keep: 'leg', loose: ['fqdn', 'hostname'] },
  ),
  demo.put('/routers/{r}/add_router_interface', { port_id: '{leg}' }),
  demo.put('/routers/{r}/add_router_interface', { port_id: '{leg}' }),
  demo.del('/ports/{leg}'),
  demo.put('/ports/{leg}', { port: { fixed_ips: [{ ip_address: '10.63.0.8' }] } }),
  demo.post('/ports', { port: { network_id: '{net2}', name: '{p}', fixed_ips: [] } }, 'empty'),
  demo.put('/routers/{r}/add_router_interface', { port_id: '{empty}' }),
  demo.post(
    '/ports',
    {
      port: { network_id: '{net2}', name: '{p}', device_id: 'vm', fixed_ips: [{ ip_address: '10.63.0.9' }] },
    },
    { keep: 'busy', loose: ['fqdn', 'hostname'] },
  ),
  demo.put('/routers/{r}/add_router_interface', { port_id: '{busy}' }),
  demo.del('/subnets/{sub}'),
  demo.put('/subnets/{sub}', { subnet: { gateway_ip: '10.61.0.9' } }),
  demo.del('/networks/{net}', { loose: ['message'] }),
  demo.del('/routers/{r}', { loose: ['message'] }),
  demo.any('GET', '/routers/{r}/add_router_interface'),
  demo.put('/routers/{r}/bogus', {}),
]

const extraRoutes: Exchange[] = [
  demo.put('/routers/{r}', routes(['1.2.3.0/24', '10.61.0.5']), unsettled),
  demo.put(
    '/routers/{r}',
    routes(['1.2.3.0/24', '10.61.0.5'], ['1.2.4.0/24', '10.60.0.7'], ['0.0.0.0/0', '10.60.0.7']),
    unsettled,
  ),
  demo.put('/routers/{r}', routes(['1.2.3.0/24', '172.16.0.5'])),
  demo.put('/routers/{r}', routes(['1.2.3.0/24', '10.61.0.1'])),
  demo.put('/routers/{r}', routes(['1.2.3.4/24', '10.61.0.5'])),
  demo.put('/routers/{r}', routes(['1.2.3.0/24', 'x'])),
  demo.put('/routers/{r}', { router: { routes: 'x' } }),
  demo.put('/routers/{r}', routes(['1.2.3.0/24', '10.61.0.5'], ['1.2.3.0/24', '10.61.0.5'])),
  demo.put(
    '/routers/{r}',
    routes(...Array.from({ length: 31 }, (_, n): [string, string] => [`1.2.${n}.0/24`, '10.61.0.5'])),
  ),
  demo.put(
    '/routers/{r}',
    routes(...Array.from({ length: 30 }, (_, n): [string, string] => [`1.2.${n}.0/24`, '10.61.0.5'])),
    unsettled,
  ),
  demo.put('/routers/{r}', routes(['1.2.3.0/24', '10.61.0.5'], ['1.2.4.0/24', '10.60.0.7']), unsettled),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}', gateway(null), { loose: ['message'] }),
  demo.put(
    '/routers/{r}/add_extraroutes',
    { router: { routes: [{ destination: '1.2.5.0/24', nexthop: '10.61.0.6' }] } },
    unsettled,
  ),
  demo.put(
    '/routers/{r}/remove_extraroutes',
    { router: { routes: [{ destination: '1.2.5.0/24', nexthop: '10.61.0.6' }] } },
    unsettled,
  ),
  demo.put('/routers/{r}', { router: { routes: null } }, unsettled),
]

const removal: Exchange[] = [
  demo.put('/routers/{r}/remove_router_interface', {}),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: missing }),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{overlap}' }),
  demo.put('/routers/{r}/remove_router_interface', { port_id: missing }),
  demo.put('/routers/{r}/remove_router_interface', { port_id: '{leg}', subnet_id: '{sub}' }),
  alt.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}/remove_router_interface', { port_id: '{leg}' }),
  demo.get('/ports/{leg}'),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.del('/routers/{r}'),
  demo.get('/routers/{r}'),
  demo.del('/ports/{busy}'),
  demo.del('/ports/{empty}'),
  demo.del('/networks/{net}'),
  demo.del('/networks/{net2}'),
  admin.del('/networks/{ext}'),
]

export const routers: Exchange[] = [
  ...world,
  ...basic,
  ...gateways,
  ...interfaces,
  ...extraRoutes,
  ...removal,
]
