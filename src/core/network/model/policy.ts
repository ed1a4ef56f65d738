// Who may give, change and see an attribute: one table, by the names of Neutron's policy, as its release 2025.1 has them.

import type { App } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import type { Kind, Network, Port } from './model.ts'
import { type GetAsk, getResource } from './read.ts'

/** Whom a rule lets pass; an admin passes every one. */
type Passing =
  /** Nobody else. */
  | 'admin'
  /** Whoever is a manager in the project. */
  | 'manager'
  /** The project of the network that a port is on. */
  | 'network_owner'
  /** A manager in that project. */
  | 'network_manager'
  /** That project, and everybody where the network is shared. */
  | 'network_user'

/**
 * The rules of attributes for which it is not enough that a caller may make or change the resource. Two are narrower
 * than Neutron's, and their lines say why.
 */
export const attributePolicy: Readonly<Record<string, Passing>> = {
  'create_network:shared': 'admin',
  'create_network:router:external': 'admin',
  'create_network:is_default': 'admin',
  'create_network:provider:network_type': 'admin',
  'create_network:provider:physical_network': 'admin',
  'create_network:provider:segmentation_id': 'admin',
  'get_network:provider:network_type': 'admin',
  'get_network:provider:physical_network': 'admin',
  'get_network:provider:segmentation_id': 'admin',
  'update_network:shared': 'admin',
  'update_network:router:external': 'admin',
  'update_network:is_default': 'admin',
  'update_network:provider:network_type': 'admin',
  'update_network:provider:physical_network': 'admin',
  'update_network:provider:segmentation_id': 'admin',

  'get_subnet:segment_id': 'admin',

  // An owner that begins with `network:`. Neutron lets the network's project give it too; here the model knows the
  // interfaces of a router by it, and so only admins and Atoll itself give it.
  'create_port:device_owner': 'admin',
  'create_port:mac_address': 'network_owner',
  'create_port:fixed_ips': 'network_user',
  'create_port:fixed_ips:ip_address': 'network_owner',
  'create_port:fixed_ips:subnet_id': 'network_user',
  'create_port:port_security_enabled': 'network_owner',
  'create_port:allowed_address_pairs': 'network_owner',
  'create_port:allowed_address_pairs:mac_address': 'network_owner',
  'create_port:allowed_address_pairs:ip_address': 'network_owner',
  'create_port:binding:host_id': 'admin',
  // More than the region in it, which members may name.
  'create_port:binding:profile': 'admin',
  'get_port:binding:vif_type': 'admin',
  'get_port:binding:vif_details': 'admin',
  'get_port:binding:host_id': 'admin',
  'get_port:resource_request': 'admin',
  // As at create.
  'update_port:device_owner': 'admin',
  'update_port:mac_address': 'network_manager',
  'update_port:fixed_ips': 'network_owner',
  'update_port:fixed_ips:ip_address': 'network_owner',
  'update_port:fixed_ips:subnet_id': 'network_user',
  'update_port:port_security_enabled': 'network_owner',
  'update_port:allowed_address_pairs': 'network_owner',
  'update_port:allowed_address_pairs:mac_address': 'network_owner',
  'update_port:allowed_address_pairs:ip_address': 'network_owner',
  'update_port:binding:host_id': 'admin',
  'update_port:binding:profile': 'admin',

  'create_router:distributed': 'admin',
  'create_router:ha': 'admin',
  'create_router:external_gateway_info:enable_snat': 'admin',
  'create_router:external_gateway_info:external_fixed_ips': 'admin',
  'get_router:distributed': 'admin',
  'get_router:ha': 'admin',
  'update_router:distributed': 'admin',
  'update_router:ha': 'admin',
  'update_router:external_gateway_info:enable_snat': 'admin',
  'update_router:external_gateway_info:external_fixed_ips': 'admin',

  'create_floatingip:floating_ip_address': 'manager',
}

export interface Touched {
  /** The rules that a request touches. */
  readonly rules: readonly string[]
  /** What the request changes, or the network that it makes something on. */
  readonly on?: GetAsk<Kind>
}

/**
 * The first rule of the table that a request touches and the caller does not pass; null where there is none. Throws
 * `not_found` where the caller does not see what the request is about.
 */
export async function refusedRule(
  app: Pick<App, 'store'>,
  caller: Caller,
  { rules, on }: Touched,
): Promise<string | null> {
  if (isAtLeast(caller, 'admin')) return null
  const known = rules.filter(rule => Object.hasOwn(attributePolicy, rule))
  const isAboutNetwork = known.some(rule => attributePolicy[rule]!.startsWith('network_'))
  const network = on && isAboutNetwork ? await networkUnder(app, caller, on) : null
  const refused = known.find(rule => !passes(caller, attributePolicy[rule]!, network))
  if (refused === undefined) return null
  if (on) await getResource(app, caller, on)
  return refused
}

/** The network that is named, or that the port is on: it may be one that the port's project does not see any more. */
async function networkUnder(
  app: Pick<App, 'store'>,
  caller: Caller,
  on: GetAsk<Kind>,
): Promise<Network | null> {
  const row = await getResource(app, caller, on)
  return on.kind === 'port'
    ? app.store.networks.get('network', (row as Port).networkId, 'atoll')
    : (row as Network)
}

function passes(caller: Caller, passing: Passing, network: Network | null): boolean {
  const isOwner = network !== null && network.projectId === caller.projectId
  switch (passing) {
    case 'admin':
      return false
    case 'manager':
      return isAtLeast(caller, 'manager')
    case 'network_owner':
      return isOwner
    case 'network_manager':
      return isOwner && isAtLeast(caller, 'manager')
    case 'network_user':
      return isOwner || network?.shared === true
  }
}

/** Whether an attribute is shown to admins only, by the rule `get_port:binding:host_id`. */
export const isForAdmins = (kind: string, attribute: string): boolean =>
  attributePolicy[`get_${kind}:${attribute}`] === 'admin'

/** Whether a caller may make ports on a network: its project, an admin, or anybody where it is shared. */
export const mayUse = (caller: Caller, network: Network): boolean =>
  network.projectId === caller.projectId || network.shared || isAtLeast(caller, 'admin')
