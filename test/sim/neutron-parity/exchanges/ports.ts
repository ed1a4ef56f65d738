// Exchanges about ports: addresses, MACs, security, binding, what a member may not set.

import { admin, alt, demo, type Exchange } from '../exchange.ts'

const port = (body: object = {}) => ({ port: { network_id: '{net}', name: '{p}', ...body } })
const at = (...fixed_ips: unknown[]) => ({ fixed_ips })
const address = (ip_address: string) => ({ ip_address })
const missing = '11111111-2222-3333-4444-555555555555'

const world: Exchange[] = [
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post('/ports', port(), 'bare'),
  demo.post('/ports', port(at({ subnet_id: '{net}' }))),
  demo.post('/ports', port(at(address('10.1.1.1')))),
  demo.del('/ports/{bare}'),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 4,
        cidr: '10.90.1.0/24',
        allocation_pools: [{ start: '10.90.1.10', end: '10.90.1.10' }],
      },
    },
    's4',
  ),
  demo.get('/security-groups?name=default&fields=name&fields=description&fields=stateful&fields=shared'),
]

const addresses: Exchange[] = [
  demo.post('/ports', port(), 'p1'),
  admin.get('/ports/{p1}'),
  demo.get('/ports/{p1}'),
  demo.get('/networks/{net}'),
  demo.get('/subnets/{s4}'),
  demo.post('/ports', port()),
  demo.post('/ports', port(at({ subnet_id: '{s4}' }))),
  demo.post('/ports', port(at(address('10.90.1.200'))), 'p200'),
  demo.post('/ports', port(at(address('10.90.1.200')))),
  demo.post('/ports', port(at({ subnet_id: '{s4}', ip_address: '10.90.1.200' }))),
  demo.post('/ports', port(at({ subnet_id: '{s4}', ip_address: '10.91.1.200' }))),
  demo.post('/ports', port(at(address('10.91.1.200')))),
  demo.post('/ports', port(at(address('10.90.1.0')))),
  demo.post('/ports', port(at(address('10.90.1.255')))),
  demo.post('/ports', port(at(address('10.90.1.201'), address('10.90.1.202'))), 'two'),
  demo.post('/ports', port(at(address('10.90.1.203'), address('10.90.1.203')))),
  demo.post('/ports', port(at(address('x')))),
  demo.post('/ports', port(at({ subnet_id: 'x' }))),
  demo.post('/ports', port(at({ subnet_id: missing }))),
  demo.post('/ports', port(at({}))),
  demo.post('/ports', port(at('x'))),
  demo.post('/ports', port({ fixed_ips: 'x' })),
  demo.post('/ports', port({ fixed_ips: null })),
  demo.post('/ports', port(at()), 'none'),
  demo.post('/ports', port(at(...Array.from({ length: 11 }, (_, n) => address(`10.90.1.${n + 120}`))))),
  demo.post('/ports', port(at(address('10.90.1.1'))), 'gateway'),
  demo.del('/ports/{gateway}'),
  demo.get('/ports?fixed_ips=ip_address=10.90.1.200&network_id={net}&fields=name&fields=fixed_ips'),
  demo.get('/ports?fixed_ips=subnet_id={s4}&fields=fixed_ips'),
  demo.get('/ports?fixed_ips=ip_address=10.90.1.200&fixed_ips=ip_address=10.90.1.201&fields=fixed_ips'),
  demo.get('/ports?fixed_ips=ip_address=10.90.1.200&fixed_ips=subnet_id={s4}&fields=fixed_ips'),
  demo.get('/ports?fixed_ips=ip_address_substr=1.20&network_id={net}&fields=fixed_ips'),
  demo.get('/ports?fixed_ips=bogus'),
  demo.get('/ports?fixed_ips=bogus=1&network_id={net}&fields=fixed_ips'),
  demo.put('/ports/{p200}', { port: at(address('10.90.1.210')) }),
  demo.put('/ports/{p200}', { port: at(address('10.90.1.201')) }),
  demo.put('/ports/{p200}', { port: at(address('10.90.1.210'), address('10.90.1.211')) }),
  demo.put('/ports/{p200}', { port: at({ subnet_id: '{s4}' }) }),
  demo.put('/ports/{p200}', { port: at() }),
  demo.put('/ports/{p200}', { port: at({ subnet_id: '{s4}' }) }),
  demo.put('/ports/{none}', { port: at(address('10.90.1.212')) }),
  demo.put('/ports/{none}', { port: at(address('11.90.1.212')) }),
  demo.del('/subnets/{s4}'),
  demo.del('/networks/{net}', { loose: ['message'] }),
  demo.put('/subnets/{s4}', { subnet: { allocation_pools: [{ start: '10.90.1.100', end: '10.90.1.100' }] } }),
  demo.post('/ports', port(), 'p100'),
  demo.post('/ports', port()),
]

const macs: Exchange[] = [
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:01', ...at() }), 'mac'),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:01', ...at() })),
  demo.post('/ports', port({ mac_address: '02-00-00-00-00-02', ...at() })),
  demo.post('/ports', port({ mac_address: '02:AA:00:00:00:03', ...at() })),
  demo.post('/ports', port({ mac_address: 'x', ...at() })),
  demo.post('/ports', port({ mac_address: '00:00:00:00:00:00', ...at() })),
  demo.post('/ports', port({ mac_address: 5, ...at() })),
  demo.get('/ports?mac_address=02:00:00:00:00:01&fields=mac_address'),
  demo.get('/ports?mac_address=02:aa:00:00:00:03&fields=mac_address'),
  demo.put('/ports/{mac}', { port: { mac_address: '02:00:00:00:00:09' } }),
  admin.put('/ports/{mac}', { port: { mac_address: '02:00:00:00:00:09' } }),
  admin.put('/ports/{mac}', { port: { mac_address: '02:aa:00:00:00:03' } }),
  admin.put('/ports/{mac}', { port: { mac_address: null } }, { loose: ['mac_address'] }),
]

const security: Exchange[] = [
  demo.post('/security-groups', { security_group: { name: '{p}-g' } }, 'group'),
  demo.post('/ports', port({ security_groups: ['{group}'], ...at(address('10.90.1.20')) }), 'guarded'),
  demo.post('/ports', port({ security_groups: [], ...at() }), 'unguarded'),
  demo.post('/ports', port({ security_groups: [missing], ...at() })),
  demo.post('/ports', port({ security_groups: ['x'], ...at() })),
  demo.post('/ports', port({ security_groups: 'x', ...at() })),
  demo.post('/ports', port({ security_groups: null, ...at() })),
  demo.get('/ports?security_groups={group}&fields=name&fields=fixed_ips'),
  demo.put('/ports/{guarded}', { port: { security_groups: [] } }),
  demo.put('/ports/{guarded}', { port: { security_groups: ['{group}'] } }),
  demo.put('/ports/{guarded}', { port: { security_groups: [missing] } }),
  demo.del('/security-groups/{group}'),
  demo.put('/ports/{guarded}', { port: { port_security_enabled: false } }),
  demo.put('/ports/{guarded}', { port: { port_security_enabled: false, security_groups: [] } }),
  demo.put('/ports/{guarded}', { port: { security_groups: ['{group}'] } }),
  demo.put('/ports/{guarded}', { port: { allowed_address_pairs: [address('1.1.1.1')] } }),
  demo.put('/ports/{guarded}', { port: { port_security_enabled: true } }),
  demo.post('/ports', port({ port_security_enabled: false, ...at(address('10.90.1.21')) }), 'open'),
  demo.post('/ports', port({ port_security_enabled: false, security_groups: ['{group}'], ...at() })),
  demo.post(
    '/ports',
    port({ port_security_enabled: false, allowed_address_pairs: [address('1.1.1.1')], ...at() }),
  ),
  demo.post(
    '/ports',
    port({
      allowed_address_pairs: [
        address('1.1.1.1'),
        { ip_address: '2.2.2.0/24', mac_address: '02:00:00:00:01:01' },
      ],
      ...at(address('10.90.1.22')),
    }),
    'pairs',
  ),
  demo.put('/ports/{pairs}', { port: { allowed_address_pairs: [] } }),
  demo.put('/ports/{pairs}', {
    port: { port_security_enabled: false, security_groups: [], allowed_address_pairs: [] },
  }),
  demo.post('/ports', port({ allowed_address_pairs: [address('x')], ...at() })),
  demo.post('/ports', port({ allowed_address_pairs: [{ mac_address: '02:00:00:00:01:01' }], ...at() })),
  demo.post('/ports', port({ allowed_address_pairs: [address('1.1.1.1'), address('1.1.1.1')], ...at() })),
  demo.post('/ports', port({ allowed_address_pairs: [{ ip_address: '1.1.1.1', bogus: 1 }], ...at() })),
  demo.post('/ports', port({ allowed_address_pairs: 'x', ...at() })),
  demo.post(
    '/ports',
    port({ allowed_address_pairs: Array.from({ length: 11 }, (_, n) => address(`1.1.1.${n}`)), ...at() }),
  ),
  demo.del('/security-groups/{group}'),
]

const devices: Exchange[] = [
  demo.post('/ports', port({ device_id: 'vm', device_owner: 'compute:nova', ...at() }), 'vm'),
  demo.get('/ports?device_id=vm&network_id={net}&fields=device_owner'),
  demo.get('/ports?device_owner=compute:nova&network_id={net}&fields=device_id'),
  demo.put('/ports/{vm}', {
    port: { device_id: 'other', name: '{p}-vm', description: 'd', admin_state_up: false },
  }),
  demo.put('/ports/{vm}', { port: { device_id: null } }),
  demo.post('/ports', port({ device_owner: 'network:dhcp', device_id: 'x', ...at() }), 'dhcp'),
  demo.post(
    '/ports',
    port({ device_owner: 'network:router_interface', device_id: missing, ...at() }),
    'stray',
  ),
  demo.del('/ports/{stray}'),
  demo.post(
    '/ports',
    port({
      extra_dhcp_opts: [
        { opt_name: 'mtu', opt_value: '1400' },
        { opt_name: 'x', opt_value: 'y', ip_version: 6 },
      ],
      ...at(),
    }),
    'opts',
  ),
  demo.put('/ports/{opts}', { port: { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: null }] } }),
  demo.put('/ports/{opts}', {
    port: {
      extra_dhcp_opts: [
        { opt_name: 'mtu', opt_value: '1200' },
        { opt_name: 'x', opt_value: 'z', ip_version: 6 },
      ],
    },
  }),
  demo.post('/ports', port({ extra_dhcp_opts: [{ opt_name: 'mtu' }], ...at() })),
  demo.post('/ports', port({ extra_dhcp_opts: 'x', ...at() })),
  demo.post('/ports', port({ dns_name: 'Host-1', ...at(address('10.90.1.23')) }), 'named'),
  demo.post('/ports', port({ dns_name: 'a b', ...at() })),
  demo.post('/ports', port({ dns_domain: 'x.org.', ...at() })),
  demo.post('/ports', port({ tags: ['red', 'blue'], ...at() }), 'tagged'),
  demo.get('/ports/{tagged}'),
  demo.post('/ports', port({ tags: ['red', 'red'], ...at() })),
  demo.post('/ports', port({ numa_affinity_policy: 'required', ...at() })),
  demo.post('/ports', port({ numa_affinity_policy: 'x', ...at() })),
  demo.post('/ports', port({ device_profile: 'x', ...at() })),
  demo.post('/ports', port({ qos_policy_id: missing, ...at() })),
  demo.post('/ports', port({ status: 'ACTIVE', ...at() })),
  demo.post('/ports', port({ propagate_uplink_status: true, ...at() })),
]

const binding: Exchange[] = [
  demo.post('/ports', port({ 'binding:vnic_type': 'direct', ...at() })),
  demo.post('/ports', port({ 'binding:vnic_type': 'x', ...at() })),
  demo.post('/ports', port({ 'binding:host_id': 'nowhere', ...at() })),
  demo.post('/ports', port({ 'binding:host_id': '', ...at() })),
  demo.post('/ports', port({ 'binding:profile': { region: 'Pod1' }, ...at() })),
  demo.post('/ports', port({ 'binding:profile': {}, ...at() })),
  demo.post('/ports', port({ 'binding:vif_type': 'ovs', ...at() })),
  demo.put('/ports/{vm}', { port: { 'binding:host_id': 'nowhere' } }),
  demo.put('/ports/{vm}', { port: { 'binding:profile': { a: 1 } } }),
  admin.post('/ports', port({ 'binding:host_id': 'nowhere', ...at() }), 'unbound'),
  admin.get('/ports/{unbound}'),
  admin.get('/ports?binding:host_id=nowhere&network_id={net}&fields=binding:host_id&fields=binding:vif_type'),
  demo.get('/ports?binding:host_id=nowhere&network_id={net}&fields=binding:host_id&fields=name'),
  admin.post('/ports', port({ 'binding:profile': { region: 'Pod1' }, ...at() }), 'profiled'),
  admin.put('/ports/{profiled}', { port: { 'binding:profile': null } }),
  admin.put('/ports/{profiled}', { port: { 'binding:profile': 'x' } }),
  admin.put('/ports/{profiled}', { port: { 'binding:host_id': null } }),
  admin.put(
    '/ports/{profiled}',
    { port: { 'binding:host_id': '{host}' } },
    { loose: ['status', 'revision_number'] },
  ),
  admin.put(
    '/ports/{profiled}',
    { port: { 'binding:host_id': '' } },
    { loose: ['status', 'revision_number'] },
  ),
  admin.post(
    '/ports',
    port({ 'binding:host_id': '{host}', device_owner: 'compute:nova', device_id: 'vm2', ...at() }),
    { keep: 'bound', loose: ['status', 'revision_number'] },
  ),
  admin.del('/ports/{bound}'),
]

const foreign: Exchange[] = [
  alt.get('/ports/{p1}'),
  alt.put('/ports/{p1}', { port: { name: 'x' } }),
  alt.del('/ports/{p1}'),
  alt.post('/ports', port()),
  alt.get('/ports?network_id={net}'),
  admin.post('/ports', port({ project_id: '{p}-other', ...at(address('10.90.1.40')) }), 'others'),
  demo.get('/ports/{others}'),
  demo.put('/ports/{others}', { port: { name: 'x' } }),
  demo.del('/ports/{others}'),
  demo.post('/ports', { port: { name: 'x' } }),
  demo.post('/ports', port({ network_id: missing })),
  admin.post('/ports', port({ network_id: missing })),
  demo.post(
    '/ports',
    { ports: [port(at(address('10.90.1.50'))).port, port(at(address('10.90.1.51'))).port] },
    'bulk',
  ),
  demo.post('/ports', {
    ports: [port(at(address('10.90.1.52'))).port, port(at(address('10.90.1.51'))).port],
  }),
  demo.get('/ports?fixed_ips=ip_address=10.90.1.52&network_id={net}'),
  demo.put('/ports/{p1}', { port: { network_id: '{net}' } }),
  demo.put('/ports/{p1}', { port: { name: '{p}' } }, { headers: { 'if-match': 'revision_number=77' } }),
  demo.del('/ports/{p1}', { headers: { 'if-match': 'revision_number=77' } }),
  demo.del('/ports/{p1}'),
  demo.del('/ports/{p1}'),
  demo.get('/ports/{p1}'),
  demo.put('/ports/{p1}', { port: { name: '{p}' } }),
  demo.get('/ports?network_id={net}&limit=2&sort_key=name&sort_dir=asc&marker=nope'),
]

const shared: Exchange[] = [
  admin.post(
    '/networks',
    { network: { name: '{p}', shared: true } },
    { keep: 'net', loose: ['provider:segmentation_id'] },
  ),
  admin.post('/subnets', { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.80.0.0/24' } }, 'ss'),
  demo.post('/ports', port(at({ subnet_id: '{ss}' })), {
    keep: 'guest',
    loose: ['ip_address', 'fqdn', 'hostname'],
  }),
  demo.post('/ports', port(at(address('10.80.0.77')))),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:31' })),
  demo.post('/ports', port({ port_security_enabled: false })),
  demo.post('/ports', port({ allowed_address_pairs: [address('1.1.1.1')] })),
  demo.post('/ports', port({ device_owner: 'network:dhcp' })),
  demo.put('/ports/{guest}', { port: { device_owner: 'network:dhcp' } }),
  admin.put('/networks/{net}', { network: { shared: false } }),
  admin.del('/networks/{net}'),
  demo.del('/ports/{guest}'),
  admin.put(
    '/networks/{net}',
    { network: { shared: false, 'router:external': true } },
    { loose: ['provider:segmentation_id'] },
  ),
  demo.post('/ports', port()),
  admin.del('/networks/{net}'),
]

const dual: Exchange[] = [
  demo.post('/networks', { network: { name: '{p}' } }, 'net'),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 6,
        cidr: '2001:db8:2::/64',
        ipv6_ra_mode: 'slaac',
        ipv6_address_mode: 'slaac',
      },
    },
    'slaac',
  ),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:21' }), 'auto'),
  demo.post('/ports', port(at(address('2001:db8:2::5')))),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:22', ...at({ subnet_id: '{slaac}' }) })),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 6,
        cidr: '2001:db8:3::/64',
        ipv6_ra_mode: 'dhcpv6-stateless',
        ipv6_address_mode: 'dhcpv6-stateless',
      },
    },
    'stateless',
  ),
  demo.get('/ports/{auto}'),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 4,
        cidr: '10.70.0.0/24',
        allocation_pools: [{ start: '10.70.0.9', end: '10.70.0.9' }],
      },
    },
    'v4',
  ),
  demo.post(
    '/subnets',
    {
      subnet: {
        network_id: '{net}',
        ip_version: 6,
        cidr: '2001:db8:4::/64',
        allocation_pools: [{ start: '2001:db8:4::9', end: '2001:db8:4::9' }],
      },
    },
    'v6',
  ),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:23' }), 'both'),
  demo.put('/ports/{both}', { port: at({ subnet_id: '{v4}' }) }),
  demo.put('/ports/{both}', { port: at({ subnet_id: '{v6}' }, { subnet_id: '{v4}' }) }),
  admin.put('/ports/{auto}', { port: { mac_address: '02:00:00:00:00:2f' } }),
  demo.post('/ports', port({ mac_address: '02:00:00:00:00:24', ...at(address('2001:DB8:4:0::77')) })),
  demo.get('/ports?fixed_ips=ip_address=2001:db8:4::77&network_id={net}&fields=fixed_ips'),
  demo.del('/subnets/{slaac}'),
  demo.get('/ports/{auto}'),
  demo.del('/subnets/{v4}'),
]

export const ports: Exchange[] = [
  ...world,
  ...addresses,
  ...macs,
  ...security,
  ...devices,
  ...binding,
  ...foreign,
  ...shared,
  ...dual,
]
