// Exchanges about corners: what counts as a change, service ports, IPv6 routers, other people's things.

import { admin, alt, demo, type Exchange } from '../exchange.ts'

const port = (body: object = {}) => ({ port: { network_id: '{net}', name: '{p}', ...body } })
const at = (...fixed_ips: object[]) => ({ fixed_ips })
const named = { loose: ['fqdn', 'hostname'] }
/** What counts as a change when nothing changes is Neutron's own affair. */
const unchanged = { loose: ['revision_number'] }
const racy = { loose: ['revision_number', 'status', 'updated_at', 'availability_zones'] }
const external = { loose: ['provider:segmentation_id'] }

const pairs = {
  port: { allowed_address_pairs: [{ ip_address: '1.1.1.1', mac_address: '02:00:00:00:07:01' }] },
}

const changes: Exchange[] = [
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.put('/networks/{net}', { network: { name: '{p}' } }),
  demo.put('/networks/{net}', { network: { admin_state_up: true } }),
  demo.put('/networks/{net}', { network: { mtu: 1450 } }),
  demo.put('/networks/{net}', { network: { port_security_enabled: true } }),
  demo.put('/networks/{net}', { network: { dns_domain: '' } }, unchanged),
  demo.put('/networks/{net}', { network: { description: '' } }, unchanged),
  demo.post('/ports', port(at()), 'one'),
  demo.put('/ports/{one}', { port: {} }, unchanged),
  demo.put('/ports/{one}', { port: { name: '{p}' } }, unchanged),
  demo.put('/ports/{one}', { port: { description: '' } }, unchanged),
  demo.put('/ports/{one}', { port: { security_groups: [] } }, unchanged),
  demo.put('/ports/{one}', { port: { security_groups: [] } }, unchanged),
  demo.put('/ports/{one}', { port: { fixed_ips: [] } }, unchanged),
  demo.put('/ports/{one}', pairs, unchanged),
  demo.put('/ports/{one}', pairs, unchanged),
  demo.put('/ports/{one}', { port: { extra_dhcp_opts: [] } }, unchanged),
  demo.put('/ports/{one}', { port: { 'binding:vnic_type': 'normal' } }, unchanged),
  demo.put('/ports/{one}', { port: { 'binding:vnic_type': 'direct' } }, { loose: ['revision_number'] }),
  demo.put('/ports/{one}', { port: { dns_name: 'host' } }, { loose: ['revision_number'] }),
  demo.put('/ports/{one}/tags', { tags: ['a'] }),
  demo.put('/ports/{one}/tags', { tags: ['a'] }),
  demo.get('/ports/{one}', { loose: ['revision_number'] }),
  demo.get('/ports?network_id={net}&tags=a&fields=name'),
  demo.put(
    '/ports/{one}',
    { port: { name: '{p}-n' } },
    { headers: { 'if-match': '"revision_number=1"' }, loose: ['message'] },
  ),
  demo.del('/ports/{one}'),
]

const service: Exchange[] = [
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 4,
        cidr: '10.41.0.0/24',
        allocation_pools: [{ start: '10.41.0.10', end: '10.41.0.12' }],
      },
    },
    'sub',
  ),
  demo.post('/ports', port({ device_owner: 'network:dhcp', device_id: 'd1' }), { keep: 'dhcp', ...named }),
  demo.get('/ports?device_owner=network:dhcp&network_id={net}&fields=fixed_ips'),
  demo.post('/ports', port(at({ ip_address: '10.41.0.1' })), 'squatter'),
  demo.post('/routers', { router: { name: '{p}' } }, { keep: 'r', ...racy }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/subnets/{sub}', { subnet: { gateway_ip: '10.41.0.2' } }),
  demo.del('/ports/{squatter}'),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{sub}' }),
  demo.put('/subnets/{sub}', { subnet: { gateway_ip: null } }),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{sub}' }),
  demo.post(
    '/ports',
    port({ device_owner: 'network:router_gateway', device_id: '{r}', ...at({ ip_address: '10.41.0.50' }) }),
    { keep: 'fake', ...named },
  ),
  demo.del('/ports/{fake}'),
  demo.del('/subnets/{sub}'),
  demo.get('/ports/{dhcp}', named),
  demo.del('/routers/{r}'),
  demo.del('/ports/{fake}'),
  demo.del('/networks/{net}'),
  demo.get('/ports/{dhcp}'),
]

const six: Exchange[] = [
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 6,
        cidr: '2001:db8:a::/64',
        ipv6_ra_mode: 'slaac',
        ipv6_address_mode: 'slaac',
      },
    },
    'a',
  ),
  demo.post('/subnets', { subnet: { network_id: '{net}', ip_version: 6, cidr: '2001:db8:b::/64' } }, 'b'),
  demo.post(
    '/subnets',
    { subnet: { network_id: '{net}', ip_version: 6, cidr: '2001:db8:c::/64', ipv6_address_mode: 'slaac' } },
    'foreign',
  ),
  demo.post('/subnets', { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.41.0.0/24' } }, 'four'),
  demo.post('/routers', { router: { name: '{p}' } }, { keep: 'r', ...racy }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{foreign}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{a}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{b}' }),
  demo.put('/routers/{r}/add_router_interface', { subnet_id: '{four}' }),
  demo.get('/ports?device_id={r}&fields=fixed_ips'),
  demo.del('/subnets/{a}'),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{a}' }),
  demo.get('/ports?device_id={r}&fields=fixed_ips'),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{b}' }),
  demo.put('/routers/{r}/remove_router_interface', { subnet_id: '{four}' }),
  demo.get('/ports?device_id={r}&fields=fixed_ips'),
  demo.del('/routers/{r}'),
  demo.del('/networks/{net}'),
]

const outside: Exchange[] = [
  admin.post(
    '/networks',
    { network: { name: '{p}-ext', 'router:external': true } },
    { keep: 'ext', ...external },
  ),
  demo.post(
    '/routers',
    { router: { name: '{p}', external_gateway_info: { network_id: '{ext}' } } },
    { keep: 'r', ...racy },
  ),
  demo.get('/routers/{r}', racy),
  admin.get('/ports?device_id={r}&fields=fixed_ips&fields=device_owner&fields=project_id'),
  admin.post(
    '/subnets',
    {
      subnet: {
        network_id: '{ext}',
        ip_version: 4,
        cidr: '10.60.0.0/24',
        enable_dhcp: false,
        allocation_pools: [{ start: '10.60.0.10', end: '10.60.0.10' }],
      },
    },
    'e4',
  ),
  demo.get('/routers/{r}', racy),
  admin.post(
    '/subnets',
    {
      subnet: {
        network_id: '{ext}',
        ip_version: 6,
        cidr: '2001:db8:e::/64',
        enable_dhcp: false,
        allocation_pools: [{ start: '2001:db8:e::10', end: '2001:db8:e::10' }],
      },
    },
    'e6',
  ),
  demo.get('/routers/{r}', racy),
  admin.post(
    '/subnets',
    { subnet: { network_id: '{ext}', ip_version: 4, cidr: '10.60.1.0/24', enable_dhcp: false } },
    'e4b',
  ),
  demo.get('/routers/{r}', racy),
  demo.get('/subnets?network_id={ext}'),
  demo.get('/networks/{ext}'),
  admin.get('/ports?device_id={r}&device_owner=network:router_gateway', {
    keep: 'gw',
    loose: ['revision_number', 'status', 'binding:host_id', 'binding:vif_type', 'binding:vif_details'],
  }),
  admin.del('/ports/{gw0}'),
  demo.get('/ports/{gw0}'),
  admin.put(
    '/ports/{gw0}',
    { port: { name: '{p}-gw' } },
    { loose: ['revision_number', 'status', 'binding:host_id', 'binding:vif_type', 'binding:vif_details'] },
  ),
  admin.put(
    '/routers/{r}',
    {
      router: { external_gateway_info: { network_id: '{ext}', external_fixed_ips: [{ subnet_id: '{e4}' }] } },
    },
    racy,
  ),
  admin.put(
    '/routers/{r}',
    {
      router: {
        external_gateway_info: { network_id: '{ext}', external_fixed_ips: [{ ip_address: '10.60.1.77' }] },
      },
    },
    racy,
  ),
  admin.post(
    '/floatingips',
    {
      floatingip: {
        floating_network_id: '{ext}',
        subnet_id: '{e4b}',
        project_id: '{project}',
        floating_ip_address: '10.60.1.99',
      },
    },
    { keep: 'fip', ...racy },
  ),
  demo.get('/floatingips/{fip}', racy),
  admin.get('/ports?device_id={fip}', { keep: 'holder', loose: ['revision_number'] }),
  admin.del('/ports/{holder0}'),
  demo.post('/floatingips', { floatingip: { floating_network_id: '{ext}', port_id: '{gw0}' } }),
  demo.put('/floatingips/{fip}/tags', { tags: ['t'] }),
  demo.get('/floatingips?tags=t&fields=floating_ip_address'),
  demo.put('/routers/{r}/tags', { tags: ['t'] }),
  demo.get('/routers?tags=t&fields=name'),
  demo.del('/routers/{r}'),
  admin.get('/ports/{gw0}'),
  demo.del('/floatingips/{fip}'),
  admin.get('/ports/{holder0}'),
  admin.del('/networks/{ext}'),
]

const people: Exchange[] = [
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post('/subnets', { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.41.0.0/24' } }, 'sub'),
  admin.post('/ports', port({ project_id: '{altProject}', ...at({ ip_address: '10.41.0.44' }) }), {
    keep: 'alts',
    ...named,
  }),
  alt.get('/ports/{alts}', named),
  alt.get('/networks/{net}'),
  alt.get('/subnets/{sub}'),
  alt.put('/ports/{alts}', { port: { name: '{p}-alt' } }, named),
  alt.put('/ports/{alts}', { port: { fixed_ips: [{ ip_address: '10.41.0.45' }] } }),
  alt.put('/ports/{alts}', { port: { allowed_address_pairs: [] } }),
  alt.put('/ports/{alts}', { port: { port_security_enabled: false } }),
  demo.get('/ports?network_id={net}&fields=project_id'),
  demo.put('/ports/{alts}', { port: { name: 'x' } }),
  demo.post('/routers', { router: { name: '{p}' } }, { keep: 'r', ...racy }),
  alt.post('/routers', { router: { name: '{p}' } }, { keep: 'r2', ...racy }),
  alt.put('/routers/{r2}/add_router_interface', { subnet_id: '{sub}' }),
  alt.put('/routers/{r2}/add_router_interface', { port_id: '{alts}' }),
  alt.post('/ports', port({ device_owner: 'network:router_interface', device_id: '{r}' })),
  demo.put('/ports/{alts}', { port: { device_owner: 'network:router_interface', device_id: '{r2}' } }),
  demo.post('/ports', port(at({ ip_address: '10.41.0.46' })), { keep: 'mine', ...named }),
  demo.get('/security-groups?name=default&fields=id', { keep: 'default' }),
  demo.del('/security-groups/{default0}'),
  demo.put('/security-groups/{default0}', { security_group: { name: '{p}-renamed' } }),
  demo.put(
    '/security-groups/{default0}',
    { security_group: { description: 'Default security group' } },
    { loose: ['revision_number', 'security_group_rules', 'updated_at'] },
  ),
  alt.post('/ports', port({ security_groups: ['{default0}'] })),
  alt.post('/security-group-rules', {
    security_group_rule: { security_group_id: '{default0}', direction: 'ingress', protocol: 'tcp' },
  }),
  alt.put('/routers/{r2}/remove_router_interface', { port_id: '{alts}' }),
  alt.del('/routers/{r2}'),
  demo.del('/routers/{r}'),
  demo.del('/ports/{alts}'),
  demo.del('/ports/{mine}'),
  demo.del('/networks/{net}'),
]

export const corners: Exchange[] = [...changes, ...service, ...six, ...outside, ...people]
