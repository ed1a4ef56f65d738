// What a compute service remembers of its host's providers: it looks again every five minutes, and builds fail while
// one that it remembers is gone.

import { treeOf } from '../placement/rows.ts'
import type { Host } from './rows.ts'

/** `resource_provider_association_refresh` */
const refreshMs = 300_000

/** Looks again, if it is time. */
export function refreshChildren(host: Host, now: number): void {
  if (now - host.children.at >= refreshMs) look(host, now)
}

/** Looks now. */
export function look(host: Host, now: number): void {
  host.children = { uuids: new Set(treeOf(host.root).map(provider => provider.uuid)), at: now }
}

/** Whether all that it remembers is there. */
export function isWhole(host: Host, now: number): boolean {
  refreshChildren(host, now)
  const there = new Set(treeOf(host.root).map(provider => provider.uuid))
  return [...host.children.uuids].every(uuid => there.has(uuid))
}
