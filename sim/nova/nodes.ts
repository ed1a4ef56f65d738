// A compute service's cache of its host's providers: it is refreshed every five minutes, and builds fail
// while a cached provider is gone.

import { type Provider, treeOf } from '../placement/rows.ts'
import type { Host } from './rows.ts'

/** Nova's option `resource_provider_association_refresh`. */
const refreshMs = 300_000

const uuidsOf = (root: Provider): Set<string> => new Set(treeOf(root).map(provider => provider.uuid))

/** Refreshes the cache, if it is time. */
export function refreshChildren(host: Host, root: Provider, now: number): void {
  if (now - host.children.at >= refreshMs) look(host, root, now)
}

/** Refreshes the cache now. */
export function look(host: Host, root: Provider, now: number): void {
  host.children = { uuids: uuidsOf(root), at: now }
}

/** Whether all cached providers still exist. */
export function isWhole(host: Host, root: Provider, now: number): boolean {
  refreshChildren(host, root, now)
  const there = uuidsOf(root)
  return [...host.children.uuids].every(uuid => there.has(uuid))
}
