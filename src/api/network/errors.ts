// The Networking API's errors: Neutron's envelope, and its name and status for each of core's reasons.

import type { AppError } from '../../core/error.ts'
import { type ErrorAnswer, type Problem, sentenceOf } from '../route.ts'
import { retryHeaders, statusOf } from '../status.ts'

/** Neutron's name for the error that a resource of this kind does not exist. */
const missing: Readonly<Record<string, string>> = {
  network: 'NetworkNotFound',
  subnet: 'SubnetNotFound',
  port: 'PortNotFound',
  router: 'RouterNotFound',
  floatingip: 'FloatingIPNotFound',
  security_group: 'SecurityGroupNotFound',
  security_group_rule: 'SecurityGroupRuleNotFound',
}

/** Neutron's name and status for each of core's reasons. */
const known: Readonly<Record<string, readonly [type: string, status: number]>> = {
  ...Object.fromEntries(Object.entries(missing).map(([kind, type]) => [kind, [type, 404]])),
  agent: ['AgentNotFound', 404],
  extension: ['ExtensionNotFound', 404],
  zone: ['AvailabilityZoneNotFound', 404],
  interface_for_subnet: ['RouterInterfaceNotFoundForSubnet', 404],
  floating_ip_no_router: ['ExternalGatewayForFloatingIPNotFound', 404],
  revision: ['RevisionNumberConstraintFailed', 412],

  network_in_use: ['NetworkInUse', 409],
  subnet_in_use: ['SubnetInUse', 409],
  port_in_use: ['ServicePortInUse', 409],
  router_in_use: ['RouterInUse', 409],
  router_gateway_in_use: ['RouterExternalGatewayInUseByFloatingIp', 409],
  router_interface_in_use: ['RouterInterfaceInUseByFloatingIP', 409],
  security_group_in_use: ['SecurityGroupInUse', 409],
  over_quota: ['OverQuota', 409],
  segment_in_use: ['VlanIdInUse', 409],
  no_segments: ['NoNetworkAvailable', 409],
  mac_in_use: ['MacAddressInUse', 409],
  address_in_use: ['IpAddressAlreadyAllocated', 409],
  no_addresses: ['IpAddressGenerationFailure', 409],
  port_already_associated: ['FloatingIPPortAlreadyAssociated', 409],
  gateway_conflict: ['GatewayConflictWithAllocationPools', 409],
  pools_overlap: ['OverlappingAllocationPools', 409],
  rule_exists: ['SecurityGroupRuleExists', 409],
  too_many_rules: ['OverQuota', 409],

  mac: ['InvalidInput', 400],
  cidr: ['InvalidInput', 400],
  gateway: ['InvalidInput', 400],
  overlapping_subnets: ['InvalidInput', 400],
  remote_group: ['InvalidInput', 400],
  pools: ['InvalidAllocationPool', 400],
  too_many_servers: ['DNSNameServersExhausted', 400],
  too_many_routes: ['HostRoutesExhausted', 400],
  address_outside: ['InvalidIpForSubnet', 400],
  address_no_subnet: ['InvalidIpForNetwork', 400],
  location_mismatch: ['RouterNetworkLocationMismatch', 400],
  routes: ['InvalidRoutes', 400],
  routes_exceeded: ['RoutesExhausted', 400],
  no_gateway: ['BadRequest', 400],
  fixed_ip: ['BadRequest', 400],
  router_overlap: ['BadRequest', 400],
  leg_exists: ['BadRequest', 400],
  subnet_owner: ['BadRequest', 400],
  not_external: ['BadRequest', 400],
  not_supported: ['BadRequest', 400],
  region_unknown: ['BadRequest', 400],
  host_unknown: ['BadRequest', 400],

  invalid_cidr: ['InvalidCIDR', 400],
  security_group_ethertype_conflict_with_protocol: ['SecurityGroupEthertypeConflictWithProtocol', 400],
  security_group_invalid_icmp_value: ['SecurityGroupInvalidIcmpValue', 400],
  security_group_invalid_port_range: ['SecurityGroupInvalidPortRange', 400],
  security_group_invalid_port_value: ['SecurityGroupInvalidPortValue', 400],
  security_group_invalid_protocol_for_port: ['SecurityGroupInvalidProtocolForPort', 400],
  security_group_missing_icmp_type: ['SecurityGroupMissingIcmpType', 400],
  security_group_multiple_remote_entites: ['SecurityGroupMultipleRemoteEntites', 400],
  security_group_protocol_required_with_ports: ['SecurityGroupProtocolRequiredWithPorts', 400],
  security_group_rule_invalid_ether_type: ['SecurityGroupRuleInvalidEtherType', 400],
  security_group_rule_invalid_protocol: ['SecurityGroupRuleInvalidProtocol', 400],
  security_group_rule_parameter_conflict: ['SecurityGroupRuleParameterConflict', 400],
}

/**
 * Neutron's name for the error that a resource is in use, where only a foreign key of the database found out.
 */
const inUse: Readonly<Record<string, string>> = {
  network: 'NetworkInUse',
  subnet: 'SubnetInUse',
  port: 'PortInUse',
  router: 'RouterInUse',
  security_group: 'SecurityGroupInUse',
}

/** Neutron's names for refused requests about a default security group, by method. */
const defaultGroup: Readonly<Record<string, string>> = {
  POST: 'SecurityGroupDefaultAlreadyExists',
  PUT: 'SecurityGroupCannotUpdateDefault',
  DELETE: 'SecurityGroupCannotRemoveDefault',
}

/** Neutron's name for an error that has only a status. */
const plain: Readonly<Record<number, string>> = {
  400: 'HTTPBadRequest',
  403: 'PolicyNotAuthorized',
  404: 'HTTPNotFound',
  405: 'HTTPMethodNotAllowed',
  406: 'HTTPNotAcceptable',
  408: 'HTTPRequestTimeout',
  409: 'HTTPConflict',
  413: 'HTTPRequestEntityTooLarge',
  429: 'HTTPTooManyRequests',
  431: 'HTTPRequestHeaderFieldsTooLarge',
  500: 'HTTPInternalServerError',
  502: 'RegionUnavailable',
  503: 'HTTPServiceUnavailable',
}

/** Sentences for refusals by the HTTP server before any route. */
const silent: Readonly<Record<number, string>> = {
  404: 'The resource could not be found.',
  405: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
}

/**
 * Whether a reason is Neutron's name of an error, which begins with a capital: one of this face, or one of a
 * region's refusal.
 */
const isName = (reason: string): boolean => /^[A-Z]\w+$/.test(reason)

function nameOf(problem: Problem): readonly [type: string, status: number] {
  const { error } = problem
  const { reason = '' } = error.detail
  const status = error.code === 'upstream' ? statusOfRegion(error) : statusOf(error)
  const unnamed = [plain[status] ?? plain[400]!, status] as const
  if (error.code === 'upstream') return nameOfRegion(reason, status) ?? unnamed
  if (isName(reason)) return [reason, status]
  return here(reason, problem) ?? (Object.hasOwn(known, reason) ? known[reason]! : unnamed)
}

/** Neutron's name for a region's refusal; undefined where the region gave no answer of its own. */
function nameOfRegion(reason: string, status: number): readonly [string, number] | undefined {
  if (status === 502) return undefined
  if (isName(reason)) return [reason, status]
  return reason === 'leg_exists' ? known.leg_exists : undefined
}

/** The name and status of errors whose reason alone does not tell: by the route's kind and the method. */
function here(reason: string, { error, route, method }: Problem): readonly [string, number] | undefined {
  const kind = route?.errors ?? ''
  if (reason === 'marker') return known[kind]
  if (reason === 'in_use') return [inUse[kind] ?? plain[409]!, 409]
  if (reason === 'default_group') return [defaultGroup[method] ?? plain[409]!, 409]
  if (reason !== 'interface') return undefined
  return error.code === 'not_found' ? ['RouterInterfaceNotFound', 404] : ['BadRequest', 400]
}

/**
 * The status of a region's refusal is passed on; a region that gives no answer, fails, or does not accept our
 * token is a 502.
 */
function statusOfRegion({ detail: { status = 502, reason } }: AppError): number {
  return status >= 400 && status < 500 && status !== 401 && reason !== 'maybe_done' ? status : 502
}

/** `{"NeutronError": {"type", "message", "detail"}}` */
export function describeError(problem: Problem): ErrorAnswer {
  const [type, status] = nameOf(problem)
  const message = sentenceOf(problem) || silent[status] || type
  return {
    status,
    contentType: 'application/json',
    headers: retryHeaders(status),
    body: JSON.stringify({ NeutronError: { type, message, detail: '' } }),
  }
}
