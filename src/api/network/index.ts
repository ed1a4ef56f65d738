// The central Networking API (Neutron's v2.0): its route table, its policy table and its envelope.

import type { PolicyTable } from '../policy.ts'
import type { Face } from '../route.ts'
import { describeError } from './errors.ts'
import { extensionRoutes } from './extensions.ts'
import { extraRouteRoutes } from './extra-routes.ts'
import { interfaceRoutes } from './interfaces.ts'
import { quotaRoutes } from './quotas.ts'
import { regionRoutes } from './regions.ts'
import { resourceRoutes } from './resource.ts'
import { floatingIps } from './resources/floating-ips.ts'
import { networks } from './resources/networks.ts'
import { ports } from './resources/ports.ts'
import { routers } from './resources/routers.ts'
import { securityGroupRules } from './resources/security-group-rules.ts'
import { securityGroups } from './resources/security-groups.ts'
import { subnets } from './resources/subnets.ts'
import { versionRoute } from './versions.ts'

/**
 * The least persona for each rule. Core checks the project that owns a resource; the resources' tables say
 * which attributes only admins may give.
 */
const policy: PolicyTable = {
  get_resources: 'any',
  get_extension: 'any',
  get_network: 'reader',
  create_network: 'member',
  update_network: 'member',
  delete_network: 'member',
  get_subnet: 'reader',
  create_subnet: 'member',
  update_subnet: 'member',
  delete_subnet: 'member',
  get_port: 'reader',
  create_port: 'member',
  update_port: 'member',
  delete_port: 'member',
  get_router: 'reader',
  create_router: 'member',
  update_router: 'member',
  delete_router: 'member',
  add_router_interface: 'member',
  remove_router_interface: 'member',
  add_extraroutes: 'member',
  remove_extraroutes: 'member',
  get_floatingip: 'reader',
  create_floatingip: 'member',
  update_floatingip: 'member',
  delete_floatingip: 'member',
  get_security_group: 'reader',
  create_security_group: 'member',
  update_security_group: 'member',
  delete_security_group: 'member',
  get_security_group_rule: 'reader',
  create_security_group_rule: 'member',
  delete_security_group_rule: 'member',
  get_availability_zone: 'reader',
  get_agent: 'admin',
  get_quota: 'reader',
}

export interface NetworkOptions {
  /** The most rows that a page has. */
  readonly pageLimit: number
}

export function network({ pageLimit }: NetworkOptions): Face {
  return {
    name: 'network',
    serviceType: 'network',
    policy,
    routes: [
      versionRoute,
      ...extensionRoutes,
      ...resourceRoutes(networks, pageLimit),
      ...resourceRoutes(subnets, pageLimit),
      ...resourceRoutes(ports, pageLimit),
      ...resourceRoutes(routers, pageLimit),
      ...interfaceRoutes,
      ...extraRouteRoutes,
      ...resourceRoutes(floatingIps, pageLimit),
      ...resourceRoutes(securityGroups, pageLimit),
      ...resourceRoutes(securityGroupRules, pageLimit),
      ...regionRoutes,
      ...quotaRoutes,
    ],
    check: () => {},
    describe: describeError,
  }
}
