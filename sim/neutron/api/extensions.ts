// The extensions that this Neutron has, as it lists them.

import { unknownPath, wrongMethod } from '../errors.ts'
import { type Answer, type Asked, nothingHere } from './answer.ts'

/** Each extension's alias, name, date and description. */
const rows: readonly (readonly [string, string, string, string])[] = [
  ['address-group', 'Address group', '2020-07-15T10:00:00-00:00', 'Support address group'],
  ['agent', 'agent', '2013-02-03T10:00:00-00:00', 'The agent management extension.'],
  [
    'allowed-address-pairs',
    'Allowed Address Pairs',
    '2013-07-23T10:00:00-00:00',
    'Provides allowed address pairs',
  ],
  ['availability_zone', 'Availability Zone', '2015-01-01T10:00:00-00:00', 'The availability zone extension.'],
  [
    'availability_zone_filter',
    'Availability Zone Filter Extension',
    '2018-06-22T10:00:00-00:00',
    'Add filter parameters to AvailabilityZone resource',
  ],
  [
    'binding',
    'Port Binding',
    '2014-02-03T10:00:00-00:00',
    'Expose port bindings of a virtual port to external application',
  ],
  [
    'dns-domain-ports',
    'dns_domain for ports',
    '2017-04-24T10:00:00-00:00',
    'Allows the DNS domain to be specified for a network port.',
  ],
  ['dns-integration', 'DNS Integration', '2015-08-15T18:00:00-00:00', 'Provides integration with DNS.'],
  [
    'dvr',
    'Distributed Virtual Router',
    '2014-06-1T10:00:00-00:00',
    'Enables configuration of Distributed Virtual Routers.',
  ],
  [
    'empty-string-filtering',
    'Empty String Filtering Extension',
    '2018-05-01T10:00:00-00:00',
    'Allow filtering by attributes with empty string value',
  ],
  [
    'ext-gw-mode',
    'Neutron L3 Configurable external gateway mode',
    '2013-03-28T10:00:00-00:00',
    'Extension of the router abstraction for specifying whether SNAT should occur on the external gateway',
  ],
  [
    'external-net',
    'Neutron external network',
    '2013-01-14T10:00:00-00:00',
    'Adds external network attribute to network resource.',
  ],
  [
    'extra_dhcp_opt',
    'Neutron Extra DHCP options',
    '2013-03-17T12:00:00-00:00',
    'Extra options configuration for DHCP. For example PXE boot options to DHCP clients can be specified (e.g. tftp-server, server-ip-address, bootfile-name)',
  ],
  [
    'extraroute',
    'Neutron Extra Route',
    '2013-02-01T10:00:00-00:00',
    'Extra routes configuration for L3 router',
  ],
  [
    'extraroute-atomic',
    'Atomically add/remove extra routes',
    '2019-07-10T00:00:00+00:00',
    'Edit extra routes of a router on server side by atomically adding/removing extra routes',
  ],
  [
    'fip-port-details',
    'Floating IP Port Details Extension',
    '2018-04-09T10:00:00-00:00',
    'Add port_details attribute to Floating IP resource',
  ],
  [
    'ip-substring-filtering',
    'IP address substring filtering',
    '2017-11-28T09:00:00-00:00',
    'Provides IP address substring filtering when listing ports',
  ],
  ['ip_allocation', 'IP Allocation', '2016-06-10T23:00:00-00:00', 'IP allocation extension.'],
  ['l2_adjacency', 'L2 Adjacency', '2016-04-12T16:00:00-00:00', 'Display L2 Adjacency for Neutron Networks.'],
  ['l3-ha', 'HA Router extension', '2014-04-26T00:00:00-00:00', 'Adds HA capability to routers.'],
  [
    'l3-port-ip-change-not-allowed',
    'Prevent L3 router ports IP address change extension',
    '2018-10-09T10:00:00-00:00',
    'Prevent change of IP address for some L3 router ports',
  ],
  [
    'multi-provider',
    'Multi Provider Network',
    '2013-06-27T10:00:00-00:00',
    'Expose mapping of virtual networks to multiple physical networks',
  ],
  ['net-mtu', 'Network MTU', '2015-03-25T10:00:00-00:00', 'Provides MTU attribute for a network resource.'],
  [
    'net-mtu-writable',
    'Network MTU (writable)',
    '2017-07-12T00:00:00-00:00',
    'Provides a writable MTU attribute for a network resource.',
  ],
  [
    'network_availability_zone',
    'Network Availability Zone',
    '2015-01-01T10:00:00-00:00',
    'Availability zone support for network.',
  ],
  [
    'pagination',
    'Pagination support',
    '2016-06-12T00:00:00-00:00',
    'Extension that indicates that pagination is enabled.',
  ],
  [
    'port-mac-address-regenerate',
    'Neutron Port MAC address regenerate',
    '2018-05-03T10:00:00-00:00',
    'Network port MAC address regenerate',
  ],
  ['port-security', 'Port Security', '2012-07-23T10:00:00-00:00', 'Provides port security'],
  [
    'port-security-groups-filtering',
    'Port filtering on security groups',
    '2018-01-09T09:00:00-00:00',
    'Provides security groups filtering when listing ports',
  ],
  [
    'project-id',
    'project_id field enabled',
    '2016-09-09T09:09:09-09:09',
    'Extension that indicates that project_id field is enabled.',
  ],
  [
    'provider',
    'Provider Network',
    '2012-09-07T10:00:00-00:00',
    'Expose mapping of virtual networks to physical networks',
  ],
  [
    'quota-check-limit',
    'Quota engine limit check',
    '2021-09-08T16:00:00-00:00',
    'Support for checking the resource usage before applying a new quota limit',
  ],
  [
    'quota_details',
    'Quota details management support',
    '2017-02-10T10:00:00-00:00',
    'Expose functions for quotas usage statistics per project',
  ],
  [
    'quotas',
    'Quota management support',
    '2012-07-29T10:00:00-00:00',
    'Expose functions for quotas management per project',
  ],
  [
    'revision-if-match',
    'If-Match constraints based on revision_number',
    '2016-12-11T00:00:00-00:00',
    'Extension indicating that If-Match based on revision_number is supported.',
  ],
  [
    'router',
    'Neutron L3 Router',
    '2012-07-20T10:00:00-00:00',
    'Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks via a NAT gateway.',
  ],
  [
    'router_availability_zone',
    'Router Availability Zone',
    '2015-01-01T10:00:00-00:00',
    'Availability zone support for router.',
  ],
  ['security-group', 'security-group', '2012-10-05T10:00:00-00:00', 'The security groups extension.'],
  [
    'security-groups-normalized-cidr',
    'Normalized CIDR field for security group rules',
    '2020-07-28T10:00:00-00:00',
    'Add new field with normalized remote_ip_prefix cidr in SG rule',
  ],
  [
    'security-groups-remote-address-group',
    'Remote address group id field for security group rules',
    '2020-08-25T10:00:00-00:00',
    'Add new field of remote address group id in SG rules',
  ],
  [
    'security-groups-shared-filtering',
    'Security group filtering on the shared field',
    '2021-10-05T09:00:00-00:00',
    'Support filtering security groups on the shared field',
  ],
  [
    'sorting',
    'Sorting support',
    '2016-06-12T00:00:00-00:00',
    'Extension that indicates that sorting is enabled.',
  ],
  [
    'standard-attr-description',
    'standard-attr-description',
    '2016-02-10T10:00:00-00:00',
    'Extension to add descriptions to standard attributes',
  ],
  [
    'standard-attr-revisions',
    'Resource revision numbers',
    '2016-04-11T10:00:00-00:00',
    'This extension will display the revision number of neutron resources.',
  ],
  [
    'standard-attr-tag',
    'Tag support for resources with standard attribute: port, subnet, subnetpool, network, security_group, router, floatingip, policy, trunk, network_segment_range',
    '2017-01-01T00:00:00-00:00',
    'Enables to set tag on resources with standard attribute.',
  ],
  [
    'standard-attr-timestamp',
    'Resource timestamps',
    '2016-09-12T10:00:00-00:00',
    'Adds created_at and updated_at fields to all Neutron resources that have Neutron standard attributes.',
  ],
  [
    'stateful-security-group',
    'Stateful security group',
    '2019-11-26T09:00:00-00:00',
    'Indicates if the security group is stateful or not',
  ],
  [
    'subnet-service-types',
    'Subnet service types',
    '2016-03-15T18:00:00-00:00',
    'Provides ability to set the subnet service_types field',
  ],
]

const extensions = rows.map(([alias, name, updated, description]) => ({
  alias,
  name,
  updated,
  description,
  links: [],
}))

export function answerExtensions({ method, path }: Asked): Answer {
  if (method !== 'GET') throw wrongMethod()
  const [alias, ...rest] = path
  if (rest.length > 0) throw unknownPath()
  if (alias === undefined) return { status: 200, body: { extensions } }
  const extension = extensions.find(extension => extension.alias === alias)
  if (extension !== undefined) return { status: 200, body: { extension } }
  return { status: 404, body: nothingHere(`Extension with alias ${alias} does not exist`) }
}
