// The extensions of Neutron's API that Atoll has, and its own.

import { notFound } from '../../core/error.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { shown } from './refusals.ts'
import { ruled } from './resource.ts'

/** The name, description and date of each extension, by its alias. */
const rows: Readonly<Record<string, readonly [name: string, description: string, updated: string]>> = {
  'atoll-regions': [
    'Regions of a resource',
    'Shows as atoll:regions in which regions a resource is, and under which ids; lists can be filtered by region',
    '2026-11-21T00:00:00-00:00',
  ],
  agent: ['agent', 'The agents of all regions, to be read', '2013-02-03T10:00:00-00:00'],
  'allowed-address-pairs': [
    'Allowed Address Pairs',
    'More addresses that may send through a port',
    '2013-07-23T10:00:00-00:00',
  ],
  availability_zone: ['Availability Zone', 'Zones, and regions as zones', '2015-01-01T10:00:00-00:00'],
  availability_zone_filter: [
    'Availability Zone Filter Extension',
    'Lists of zones can be filtered',
    '2018-06-22T10:00:00-00:00',
  ],
  binding: ['Port Binding', 'Where a port is bound', '2014-02-03T10:00:00-00:00'],
  'empty-string-filtering': [
    'Empty String Filtering Extension',
    'A filter may ask for the empty text',
    '2018-05-01T10:00:00-00:00',
  ],
  'ext-gw-mode': [
    'Neutron L3 Configurable external gateway mode',
    'Whether a router translates addresses',
    '2013-03-28T10:00:00-00:00',
  ],
  'external-net': ['Neutron external network', 'Networks that lead outside', '2013-01-14T10:00:00-00:00'],
  extraroute: ['Neutron Extra Route', 'Routes of a router', '2013-02-01T10:00:00-00:00'],
  'extraroute-atomic': [
    'Atomically add/remove extra routes',
    'Routes added to a router, or taken from it, at once',
    '2019-07-10T00:00:00+00:00',
  ],
  'ip-substring-filtering': [
    'IP address substring filtering',
    'Ports can be filtered by a part of an address',
    '2017-11-28T09:00:00-00:00',
  ],
  ip_allocation: ['IP Allocation', 'When a port gets its addresses', '2016-06-10T23:00:00-00:00'],
  l2_adjacency: ['L2 Adjacency', 'Whether a network is one segment', '2016-04-12T16:00:00-00:00'],
  'net-mtu': ['Network MTU', 'The MTU of a network', '2015-03-25T10:00:00-00:00'],
  'net-mtu-writable': ['Network MTU (writable)', 'It can be chosen', '2017-07-12T00:00:00-00:00'],
  network_availability_zone: [
    'Network Availability Zone',
    'Zones and regions where a network may be',
    '2015-01-01T10:00:00-00:00',
  ],
  pagination: ['Pagination support', 'Lists come in pages', '2016-06-12T00:00:00-00:00'],
  'port-security': ['Port Security', 'Filtering by port can be switched off', '2012-07-23T10:00:00-00:00'],
  'port-security-groups-filtering': [
    'Port filtering on security groups',
    'Ports can be filtered by their groups',
    '2018-01-09T09:00:00-00:00',
  ],
  'project-id': ['project_id field enabled', 'Owners are called project_id', '2016-09-09T09:09:09-09:09'],
  provider: ['Provider Network', 'What a network lies on', '2012-09-07T10:00:00-00:00'],
  quota_details: ['Quota details management support', 'What is used of a quota', '2017-02-10T10:00:00-00:00'],
  quotas: ['Quota management support', 'Quotas, to be read', '2012-07-29T10:00:00-00:00'],
  'revision-if-match': [
    'If-Match constraints based on revision_number',
    'Changes of one revision only',
    '2016-12-11T00:00:00-00:00',
  ],
  router: ['Neutron L3 Router', 'Routers and floating IPs', '2012-07-20T10:00:00-00:00'],
  router_availability_zone: [
    'Router Availability Zone',
    'Zones and regions where a router may be',
    '2015-01-01T10:00:00-00:00',
  ],
  'security-group': ['security-group', 'Security groups and their rules', '2012-10-05T10:00:00-00:00'],
  'security-groups-normalized-cidr': [
    'Normalized CIDR field for security group rules',
    'The prefix of a rule without host bits',
    '2020-07-28T10:00:00-00:00',
  ],
  sorting: ['Sorting support', 'Lists can be sorted', '2016-06-12T00:00:00-00:00'],
  'standard-attr-description': [
    'standard-attr-description',
    'Every resource has a description',
    '2016-02-10T10:00:00-00:00',
  ],
  'standard-attr-revisions': [
    'Resource revision numbers',
    'Every resource counts its changes',
    '2016-04-11T10:00:00-00:00',
  ],
  'standard-attr-timestamp': [
    'Resource timestamps',
    'When a resource was made and changed',
    '2016-09-12T10:00:00-00:00',
  ],
  'stateful-security-group': [
    'Stateful security group',
    'Groups with and without state',
    '2019-11-26T09:00:00-00:00',
  ],
}

const viewExtension = (alias: string) => {
  const [name, description, updated] = rows[alias]!
  return { alias, name, description, updated, links: [] }
}

const parseNothing = () => undefined

const viewExtensions = () => ({ extensions: Object.keys(rows).map(viewExtension) })

/** The alias in the path. Throws `not_found` (`extension`). */
function readAlias({ params }: Request): string {
  const alias = params.id!
  if (Object.hasOwn(rows, alias)) return alias
  throw notFound(`Extension with alias ${shown(alias)} does not exist`, 'extension')
}

const viewOneExtension = (_: unknown, { params }: Request) => ({ extension: viewExtension(params.id!) })

export const extensionRoutes: readonly Route[] = [
  route({
    ...ruled('get_extension'),
    method: 'GET',
    path: '/extensions',
    parse: parseNothing,
    verb: null,
    view: viewExtensions,
  }),
  route({
    ...ruled('get_extension'),
    method: 'GET',
    path: '/extensions/:id',
    parse: readAlias,
    verb: null,
    view: viewOneExtension,
  }),
]
