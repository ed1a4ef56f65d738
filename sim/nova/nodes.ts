// What a compute service remembers of its host's providers: it looks again every five minutes, and builds fail while
// one that it remembers is gone.

import { type Provider, treeOf } from '../placement/rows.ts'
import type { Host } from './rows.ts'

/** `resource_provider_association_refresh` */
const refreshMs = 300_000

const uuidsOf = (root: Provider): Set<string> => new Set(treeOf(root).map(provider => provider.uuid))

/** Looks again, if it is time. */
export function refreshChildren(host: Host, root: Provider, now: number): void {
  if (now - host.children.at >= refreshMs) look(host, root, now)
}

/** Looks now. */
export function look(host: Host, root: Provider, now: number): void {
  host.children = { uuids: uuidsOf(root), at: now }
}

/** Whether all that it remembers is there. */
export function isWhole(host: Host, root: Provider, now: number): boolean {
  refreshChildren(host, root, now)
  const there = uuidsOf(root)
  return [...host.children.uuids].every(uuid => there.has(uuid))
}
