// Quotas: a project's limits, its usage, and the refusal of more.

import { refusal } from '../errors.ts'
import type { Region } from '../region.ts'

/** How many resources of a kind a project has; 0 for kinds that are not simulated. */
export function usage(kind: string, project: string, region: Region): number {
  const tables: Record<string, { countBy(key: string, value: string): number }> = {
    network: region.networks,
    subnet: region.subnets,
    port: region.ports,
    router: region.routers,
    floatingip: region.floatingips,
    security_group: region.groups,
    security_group_rule: region.rules,
  }
  return tables[kind]?.countBy('project_id', project) ?? 0
}

export function limits(project: string, region: Region): Record<string, number> {
  return { ...region.settings.quotas, ...region.quotas.get(project) }
}

export function checkQuota(kind: string, project: string, more: number, region: Region): void {
  const limit = limits(project, region)[kind] ?? -1
  if (limit < 0 || usage(kind, project, region) + more <= limit) return
  throw refusal(409, 'OverQuota', `Quota exceeded for resources: ['${kind}'].`)
}
