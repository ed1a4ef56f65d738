// Exchanges about quotas, with an invented project.

import { admin, demo, type Exchange } from '../exchange.ts'

const project = '{p}-project'

export const quotas: Exchange[] = [
  admin.get(`/quotas/${project}`, { loose: 'values' }),
  admin.get(`/quotas/${project}/default`, { loose: 'values' }),
  admin.get(`/quotas/${project}/details.json`, { loose: 'values' }),
  admin.get(`/quotas/${project}/details`, { loose: 'values' }),
  demo.get('/quotas/{project}', { loose: 'values' }),
  demo.get(`/quotas/${project}`),
  demo.get('/quotas/tenant'),
  demo.get('/quotas/project'),
  demo.get('/quotas'),
  admin.put(
    `/quotas/${project}`,
    { quota: { network: 1, subnet: 1, port: 1 } },
    { loose: ['router', 'floatingip', 'security_group', 'security_group_rule'] },
  ),
  admin.get(`/quotas/${project}`, {
    loose: ['router', 'floatingip', 'security_group', 'security_group_rule'],
  }),
  demo.put('/quotas/{project}', { quota: { network: 1 } }),
  demo.del('/quotas/{project}'),
  admin.put(`/quotas/${project}`, { quota: { bogus: 1 } }),
  admin.put(`/quotas/${project}`, { quota: { network: 'x' } }),
  admin.put(`/quotas/${project}`, { quota: { network: -2 } }),
  admin.put(`/quotas/${project}`, {}, { loose: 'values' }),
  admin.post(`/quotas/${project}`, { quota: { network: 1 } }, { loose: 'values' }),
  admin.post(
    '/networks',
    { network: { name: '{p}', project_id: project } },
    { keep: 'net', loose: ['provider:segmentation_id'] },
  ),
  admin.post('/networks', { network: { name: '{p}', project_id: project } }),
  admin.post('/networks', {
    networks: [
      { name: '{p}', project_id: project },
      { name: '{p}', project_id: project },
    ],
  }),
  admin.post(
    '/subnets',
    { subnet: { network_id: '{net}', ip_version: 4, cidr: '10.50.0.0/24', project_id: project } },
    'sub',
  ),
  admin.post('/subnets', {
    subnet: { network_id: '{net}', ip_version: 4, cidr: '10.51.0.0/24', project_id: project },
  }),
  admin.post('/ports', { port: { network_id: '{net}', project_id: project, fixed_ips: [] } }, 'port'),
  admin.post('/ports', { port: { network_id: '{net}', project_id: project } }),
  admin.put(`/quotas/${project}`, { quota: { network: 0, check_limit: true } }),
  admin.put(
    `/quotas/${project}`,
    { quota: { router: 0, floatingip: 0, security_group: 1, security_group_rule: 4 } },
    { loose: ['subnetpool', 'rbac_policy', 'trunk'] },
  ),
  admin.post('/routers', { router: { name: '{p}', project_id: project } }),
  admin.post('/floatingips', { floatingip: { floating_network_id: '{net}', project_id: project } }),
  admin.post('/security-groups', { security_group: { name: '{p}', project_id: project } }),
  admin.get(`/security-groups?project_id=${project}&fields=name`),
  admin.put(`/quotas/${project}`, { quota: { security_group: 2 } }, { loose: 'values' }),
  admin.post('/security-groups', { security_group: { name: '{p}', project_id: project } }),
  admin.put(`/quotas/${project}`, { quota: { security_group_rule: 7 } }, { loose: 'values' }),
  admin.post('/security-groups', { security_group: { name: '{p}', project_id: project } }, 'group'),
  admin.post(
    '/security-group-rules',
    { security_group_rule: { security_group_id: '{group}', direction: 'ingress', project_id: project } },
    'rule',
  ),
  admin.post('/security-group-rules', {
    security_group_rule: {
      security_group_id: '{group}',
      direction: 'ingress',
      protocol: 'tcp',
      project_id: project,
    },
  }),
  admin.put(`/quotas/${project}`, { quota: { network: -1 } }, { loose: 'values' }),
  admin.post(
    '/networks',
    { network: { name: '{p}', project_id: project } },
    { keep: 'net2', loose: ['provider:segmentation_id'] },
  ),
  admin.del('/networks/{net2}'),
  admin.get('/quotas', { loose: 'values' }),
  admin.del(`/quotas/${project}`),
  admin.get(`/quotas/${project}`, { loose: 'values' }),
  admin.del(`/quotas/${project}`),
  admin.del('/security-groups/{group}'),
  admin.del('/ports/{port}'),
  admin.del('/networks/{net}'),
]
