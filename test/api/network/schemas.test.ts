// What OpenAPI can say of the resources is made of the tables that drive everything else.

import { expect, it } from 'vitest'
import { networkSchemas } from '../../../src/api/network/schemas.ts'

it('describes every kind of resource', () => {
  const schemas = networkSchemas()
  expect(Object.keys(schemas)).toEqual([
    'network',
    'subnet',
    'port',
    'router',
    'floatingip',
    'security_group',
    'security_group_rule',
  ])
  expect(schemas.subnet).toMatchObject({
    type: 'object',
    required: ['ip_version', 'network_id', 'cidr'],
    properties: {
      id: { type: 'string', format: 'uuid', readOnly: true },
      ip_version: { enum: [4, 6] },
      enable_dhcp: { type: 'boolean' },
      allocation_pools: { type: 'array' },
      'atoll:regions': { readOnly: true },
    },
  })
})
