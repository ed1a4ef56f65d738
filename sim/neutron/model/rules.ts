// Policy rules of a stock Neutron.

import type { Region } from '../region.ts'

export interface Caller {
  projectId: string | null
  isAdmin: boolean
}

type Target = Record<string, unknown>

const rules = {
  anybody: () => true,
  admin: caller => caller.isAdmin,
  owner: (caller, target) => caller.isAdmin || isOwner(caller, target),
  networkOwner: (caller, target, region) => caller.isAdmin || isNetworkOwner(caller, target, region),
  sharedNetwork: (caller, target, region) =>
    caller.isAdmin ||
    isNetworkOwner(caller, target, region) ||
    region.networks.get(String(target.network_id))?.shared === true,
  /** For a port: only the network's owner may give it a device owner `network:*`. */
  plainDevice: (caller, target, region) =>
    !String(target.device_owner).startsWith('network:') ||
    caller.isAdmin ||
    isNetworkOwner(caller, target, region),
  /** For a network: everybody sees a shared or an external one. */
  ownerOrPublic: (caller, target) =>
    caller.isAdmin || isOwner(caller, target) || target.shared === true || target.external === true,
  /** For a resource on a network: everybody sees it where the network is shared. */
  ownerOrSharedNetwork: (caller, target, region) =>
    caller.isAdmin ||
    isOwner(caller, target) ||
    region.networks.get(String(target.network_id))?.shared === true,
  ownerOrGroupOwner: (caller, target, region) =>
    caller.isAdmin ||
    isOwner(caller, target) ||
    region.groups.get(String(target.security_group_id))?.project_id === caller.projectId,
  ownerOrNetworkOwner: (caller, target, region) =>
    caller.isAdmin || isOwner(caller, target) || isNetworkOwner(caller, target, region),
} satisfies Record<string, (caller: Caller, target: Target, region: Region) => boolean>

export type Rule = keyof typeof rules

function isOwner(caller: Caller, target: Target): boolean {
  return caller.projectId !== null && target.project_id === caller.projectId
}

function isNetworkOwner(caller: Caller, target: Target, region: Region): boolean {
  const network = region.networks.get(String(target.network_id))
  return network !== undefined && network.project_id === caller.projectId
}

export function isAllowed(rule: Rule, caller: Caller, target: Target, region: Region): boolean {
  return rules[rule](caller, target, region)
}
