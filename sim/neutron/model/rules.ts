// Policy rules of a stock Neutron: of its release 21 (Zed), whose older defaults hardly look at roles, and of release 26
// (2025.1), whose newer ones do.

import type { Region } from '../region.ts'

export interface Caller {
  projectId: string | null
  isAdmin: boolean
  /** Left out: those of a member. */
  roles?: readonly string[]
}

/** The roles that newer defaults ask for; each has those before it. Null: it is enough to be shown the row at all. */
export type Role = 'reader' | 'member' | 'manager' | null

type Target = Record<string, unknown>
type Check = (caller: Caller, target: Target, region: Region, role: Role) => boolean

const ranks: readonly string[] = ['reader', 'member', 'manager', 'admin']

const isNewer = ({ settings }: Region): boolean => settings.release === '2025.1'

function has({ roles = ['member'] }: Caller, role: Role, region: Region): boolean {
  if (role === null || !isNewer(region)) return true
  return roles.some(one => ranks.indexOf(one) >= ranks.indexOf(role))
}

const isService = ({ roles = [] }: Caller, region: Region): boolean =>
  isNewer(region) && roles.includes('service')

const networkOf = (target: Target, region: Region) => region.networks.get(String(target.network_id))

const owns: Check = (caller, target, region, role) => isOwner(caller, target) && has(caller, role, region)

const ownsNetwork: Check = (caller, target, region, role) =>
  isNetworkOwner(caller, target, region) && has(caller, role, region)

const ownsGroup: Check = (caller, target, region, role) =>
  region.groups.get(String(target.security_group_id))?.project_id === caller.projectId &&
  has(caller, role, region)

const rules = {
  anybody: (caller, _target, region, role) => caller.isAdmin || has(caller, role, region),
  admin: caller => caller.isAdmin,
  adminOrService: (caller, _target, region) => caller.isAdmin || isService(caller, region),
  /** What only other services give, an admin too in the older release. */
  service: (caller, _target, region) => (isNewer(region) ? isService(caller, region) : caller.isAdmin),
  owner: (caller, ...rest) => caller.isAdmin || owns(caller, ...rest),
  /** A manager of the project; in the older release an admin only. */
  projectManager: (caller, target, region) =>
    caller.isAdmin || (isNewer(region) && owns(caller, target, region, 'manager')),
  /** A manager of any project; in the older release an admin only. */
  anyManager: (caller, _target, region) =>
    caller.isAdmin || (isNewer(region) && has(caller, 'manager', region)),
  networkOwner: (caller, ...rest) => caller.isAdmin || ownsNetwork(caller, ...rest),
  /** A manager of the network's project; in the older release an admin only. */
  networkManager: (caller, target, region) =>
    caller.isAdmin || (isNewer(region) && ownsNetwork(caller, target, region, 'manager')),
  sharedNetwork: (caller, target, region, role) =>
    caller.isAdmin || ownsNetwork(caller, target, region, role) || networkOf(target, region)?.shared === true,
  /** For a port: only the network's owner may give it a device owner `network:*`. */
  plainDevice: (caller, target, region, role) =>
    !String(target.device_owner).startsWith('network:') ||
    caller.isAdmin ||
    ownsNetwork(caller, target, region, role),
  /** For a network: everybody sees a shared or an external one. */
  ownerOrPublic: (caller, target, region, role) =>
    caller.isAdmin ||
    owns(caller, target, region, role) ||
    target.shared === true ||
    target.external === true,
  /** For a subnet: everybody sees it where the network is shared; in the newer release, where it is external, too. */
  ownerOrSharedNetwork: (caller, target, region, role) =>
    caller.isAdmin ||
    owns(caller, target, region, role) ||
    networkOf(target, region)?.shared === true ||
    (isNewer(region) &&
      (networkOf(target, region)?.external === true || ownsNetwork(caller, target, region, role))),
  /** For a new subnet: in the older release any project's own, wherever it sees a network. */
  subnetMaker: (caller, ...rest) =>
    caller.isAdmin || ownsNetwork(caller, ...rest) || (!isNewer(rest[1]) && owns(caller, ...rest)),
  ownerOrGroupOwner: (caller, target, region, role) =>
    caller.isAdmin ||
    ownsGroup(caller, target, region, role) ||
    (!isNewer(region) && isOwner(caller, target)),
  /** For a security group's rule: in the older release its own project's, in the newer one the group's. */
  groupOwner: (caller, target, region, role) =>
    caller.isAdmin || (isNewer(region) ? ownsGroup(caller, target, region, role) : isOwner(caller, target)),
  ownerOrNetworkOwner: (caller, ...rest) =>
    caller.isAdmin || owns(caller, ...rest) || ownsNetwork(caller, ...rest),
} satisfies Record<string, Check>

export type Rule = keyof typeof rules

function isOwner(caller: Caller, target: Target): boolean {
  return caller.projectId !== null && target.project_id === caller.projectId
}

function isNetworkOwner(caller: Caller, target: Target, region: Region): boolean {
  const network = networkOf(target, region)
  return network !== undefined && network.project_id === caller.projectId
}

/** Whether a rule lets a caller pass who has this role at least; by default that of whoever only looks. */
export function isAllowed(
  rule: Rule,
  caller: Caller,
  target: Target,
  region: Region,
  role: Role = 'reader',
): boolean {
  return rules[rule](caller, target, region, role)
}
