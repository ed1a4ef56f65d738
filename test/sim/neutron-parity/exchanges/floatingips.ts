// Exchanges about floating IPs: allocation, association, what they keep in use.

import { admin, alt, demo, type Exchange } from '../exchange.ts'

const missing = '11111111-2222-3333-4444-555555555555'
const floating = (body: object = {}) => ({ floatingip: { floating_network_id: '{ext}', ...body } })
const update = (body: object) => ({ floatingip: body })
const settled = { loose: ['status', 'revision_number', 'updated_at', 'ip_address', 'floating_ip_address'] }
const exact = { loose: ['status', 'revision_number', 'updated_at'] }

export const floatingips: Exchange[] = [
  admin.post(
    '/networks',
    { network: { name: '{p}-ext', 'router:external': true } },
    { keep: 'ext', loose: ['provider:segmentation_id'] },
  ),
  demo.post('/floatingips', floating()),
  admin.post(
    '/subnets',
    {
      subnet: {
        network_id: '{ext}',
        ip_version: 4,
        cidr: '10.60.0.0/24',
        enable_dhcp: false,
        allocation_pools: [{ start: '10.60.0.10', end: '10.60.0.12' }],
      },
    },
    'exts',
  ),
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post('/subnets', { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.61.0.0/24' } }, 'sub'),
  demo.post(
    '/ports',
    {
      port: {
        network_id: '{net}',
        name: '{p}',
        fixed_ips: [{ ip_address: '10.61.0.20' }],
        device_owner: 'compute:nova',
        device_id: 'vm',
      },
    },
    { keep: 'port', loose: ['fqdn', 'hostname'] },
  ),
  demo.post(
    '/ports',
    {
      port: {
        network_id: '{net}',
        name: '{p}',
        fixed_ips: [{ ip_address: '10.61.0.21' }, { ip_address: '10.61.0.22' }],
      },
    },
    { keep: 'two', loose: ['fqdn', 'hostname'] },
  ),
  demo.post('/ports', { port: { network_id: '{net}', name: '{p}', fixed_ips: [] } }, 'none'),

  demo.post('/floatingips', floating(), { keep: 'fip', ...settled }),
  demo.get('/floatingips/{fip}', settled),
  admin.get('/floatingips/{fip}', settled),
  alt.get('/floatingips/{fip}'),
  admin.get('/ports?device_id={fip}', { loose: ['ip_address', 'fqdn', 'hostname', 'revision_number'] }),
  demo.post('/floatingips', { floatingip: {} }),
  demo.post('/floatingips', floating({ floating_network_id: '{net}' })),
  demo.post('/floatingips', floating({ floating_network_id: missing })),
  demo.post('/floatingips', floating({ floating_network_id: 'x' })),
  demo.post('/floatingips', floating({ floating_ip_address: '10.60.0.99' })),
  demo.post('/floatingips', floating({ router_id: missing })),
  demo.post('/floatingips', floating({ fixed_ip_address: '10.61.0.20' })),
  demo.post('/floatingips', floating({ subnet_id: '{sub}' })),
  demo.post('/floatingips', floating({ subnet_id: missing })),
  demo.post('/floatingips', floating({ port_id: missing })),
  demo.post('/floatingips', floating({ port_id: '{port}' })),
  demo.get('/floatingips?floating_network_id={ext}&fields=port_id'),
  admin.post('/floatingips', floating({ floating_ip_address: '10.60.0.99', description: 'chosen' }), {
    keep: 'chosen',
    ...exact,
  }),
  admin.post('/floatingips', floating({ floating_ip_address: '10.60.0.99' })),
  admin.post('/floatingips', floating({ floating_ip_address: '10.61.0.99' })),
  demo.put('/floatingips/{fip}', update({ port_id: '{port}' })),

  demo.post(
    '/routers',
    { router: { name: '{p}', external_gateway_info: { network_id: '{ext}' } } },
    { keep: 'r', loose: ['revision_number', 'updated_at', 'availability_zones', 'ip_address'] },
  ),
  demo.put('/floatingips/{fip}', update({ port_id: '{port}' })),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/floatingips/{fip}', update({ port_id: '{port}' }), settled),
  demo.get(
    '/floatingips?port_id={port}&fields=port_id&fields=router_id&fields=fixed_ip_address&fields=port_details',
    settled,
  ),
  demo.get('/floatingips?router_id={r}&fields=fixed_ip_address'),
  demo.get('/floatingips?floating_ip_address=10.60.0.99&floating_network_id={ext}&fields=id'),
  admin.get('/floatingips?floating_ip_address=10.60.0.99&floating_network_id={ext}&fields=description'),
  demo.get('/floatingips?status=bogus&floating_network_id={ext}'),
  demo.put('/floatingips/{fip}', update({ description: 'x' }), settled),
  demo.put('/floatingips/{fip}', update({ port_id: '{none}' })),
  demo.put('/floatingips/{fip}', update({ port_id: '{two}' })),
  demo.put('/floatingips/{fip}', update({ port_id: '{two}', fixed_ip_address: '10.61.0.99' })),
  demo.put('/floatingips/{fip}', update({ port_id: '{two}', fixed_ip_address: '10.61.0.22' }), settled),
  demo.put('/floatingips/{fip}', update({ fixed_ip_address: '10.61.0.21' })),
  demo.put('/floatingips/{fip}', update({ floating_network_id: '{ext}' })),
  demo.put('/floatingips/{fip}', update({ port_id: '{port}' }), settled),
  demo.post('/floatingips', floating({ port_id: '{port}' }), { loose: ['message'] }),
  admin.put('/floatingips/{chosen}', update({ port_id: '{port}' }), { loose: ['message'] }),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.put('/routers/{r}', { router: { external_gateway_info: null } }),
  demo.del('/routers/{r}', { loose: ['message'] }),
  admin.get(
    '/ports?device_owner=network:floatingip&network_id={ext}&fields=device_owner&fields=status&fields=project_id',
  ),
  alt.put('/floatingips/{fip}', update({ port_id: null })),
  alt.del('/floatingips/{fip}'),
  demo.put('/floatingips/{fip}', update({ port_id: null }), settled),
  demo.put('/floatingips/{fip}', update({ port_id: '{port}' }), settled),
  demo.del('/ports/{port}'),
  demo.get('/floatingips/{fip}', settled),
  demo.put('/floatingips/{fip}', update({}), settled),
  demo.post('/floatingips', floating(), { keep: 'last', ...settled }),
  demo.post('/floatingips', floating()),
  demo.del('/floatingips/{last}'),
  demo.del('/floatingips/{fip}'),
  demo.del('/floatingips/{fip}'),
  demo.get('/floatingips/{fip}'),
  admin.del('/networks/{ext}', { loose: ['message'] }),
  admin.del('/floatingips/{chosen}'),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.del('/routers/{r}'),
  demo.del('/ports/{two}'),
  demo.del('/ports/{none}'),
  demo.del('/networks/{net}'),
  admin.del('/networks/{ext}'),
]
