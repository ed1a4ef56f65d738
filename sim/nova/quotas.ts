// A project's limits and usage, and the refusal of more.

import { Refusal } from '../http.ts'
import type { Quotas } from './quota-names.ts'
import type { NovaRegion } from './region.ts'
import type { EmbeddedFlavor } from './rows.ts'

export const quotasOf = ({ settings, quotas }: NovaRegion, projectId: string): Quotas => ({
  ...settings.quotas,
  ...quotas.get(projectId),
})

/** A project's usage of each quota that is counted. */
export function usageOf(region: NovaRegion, projectId: string): Partial<Quotas> {
  const flavors = [...region.servers.by('project', projectId)].map(({ flavor }) => flavor)
  return {
    instances: flavors.length,
    cores: flavors.reduce((sum, { vcpus }) => sum + vcpus, 0),
    ram: flavors.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
  }
}

const tooMany = (message: string): Refusal => new Refusal(403, message)

/** Throws a 403 when so many servers more would exceed a limit. */
export function checkServers(
  region: NovaRegion,
  projectId: string,
  flavor: EmbeddedFlavor,
  count: number,
): void {
  const limits = quotasOf(region, projectId)
  const used = usageOf(region, projectId)
  const asked: Partial<Quotas> = {
    instances: count,
    cores: count * flavor.vcpus,
    ram: count * flavor.memoryMb,
  }
  const over = (['cores', 'instances', 'ram'] as const).filter(
    name => limits[name] >= 0 && used[name]! + asked[name]! > limits[name],
  )
  if (over.length === 0) return
  const list = (of: Partial<Quotas>): string => over.map(name => of[name]).join(', ')
  const names = over.join(', ')
  throw tooMany(
    `Quota exceeded for ${names}: Requested ${list(asked)}, but already used ${list(used)} of ${list(limits)} ${names}`,
  )
}

/** Throws a 403 when so many pairs are more than a server may have. */
export function checkMetadata(region: NovaRegion, projectId: string, count: number): void {
  const { metadata_items: most } = quotasOf(region, projectId)
  if (most >= 0 && count > most) throw tooMany(`Maximum number of metadata items exceeds ${most}`)
}
