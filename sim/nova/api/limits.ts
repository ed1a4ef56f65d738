// Limits and quotas: what a project may have, which is everything, and what it has.

import { badRequest } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import { type Answer, type Asked, ok, type Route } from './asked.ts'

export const limitRoutes: readonly Route[] = [
  { method: 'GET', path: '/limits', rule: 'limits', answer: limits },
  { method: 'GET', path: '/os-quota-sets/:id', rule: 'os-quota-sets:show', answer: quotas },
  { method: 'GET', path: '/os-quota-sets/:id/detail', rule: 'os-quota-sets:detail', answer: details },
]

function usageOf(region: NovaRegion, projectId: string) {
  const flavors = [...region.servers.by('project', projectId)].map(({ flavor }) => flavor)
  return {
    instances: flavors.length,
    cores: flavors.reduce((sum, { vcpus }) => sum + vcpus, 0),
    ram: flavors.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
  }
}

function limits({ region, query, caller }: Asked): Answer {
  const asked = caller.isAdmin ? query.get('tenant_id') : null
  const { instances, cores, ram } = usageOf(region, asked ?? caller.projectId)
  const absolute = {
    maxTotalInstances: -1,
    maxTotalCores: -1,
    maxTotalRAMSize: -1,
    maxServerMeta: 128,
    maxTotalKeypairs: 100,
    maxServerGroups: -1,
    maxServerGroupMembers: -1,
    totalRAMUsed: ram,
    totalCoresUsed: cores,
    totalInstancesUsed: instances,
    totalServerGroupsUsed: 0,
  }
  return ok({ limits: { rate: [], absolute } })
}

const quotaLimits: Readonly<Record<string, number>> = {
  instances: -1,
  cores: -1,
  ram: -1,
  metadata_items: 128,
  key_pairs: 100,
  server_groups: -1,
  server_group_members: -1,
}

function projectOf({ params, isProject }: Asked): string {
  const id = params.id ?? ''
  if (!isProject(id)) throw badRequest(`Project ID ${id} is not a valid project.`)
  return id
}

function quotas(asked: Asked): Answer {
  return ok({ quota_set: { id: projectOf(asked), ...quotaLimits } })
}

function details(asked: Asked): Answer {
  const id = projectOf(asked)
  const used: Readonly<Record<string, number>> = usageOf(asked.region, id)
  const sets = Object.entries(quotaLimits).map(([name, limit]) => [
    name,
    { in_use: used[name] ?? 0, limit, reserved: 0 },
  ])
  return ok({ quota_set: { id, ...Object.fromEntries(sets) } })
}
