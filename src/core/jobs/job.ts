// Asynchronous jobs: their fourteen types, their shape, and the pure rules of when a failed one is tried again.

/** `pod_id` with this value: the job only makes one job for each region that has the resource. */
export const everyPod = 'not_specified_pod'

export interface JobType {
  readonly type: string
  /** The keys of a job's resource, in the documented order. */
  readonly keys: readonly string[]
  /** The resource whose project the job must have, by its key; null for jobs of a whole project. */
  readonly owner: { readonly key: string; readonly resourceType: string } | null
}

const of = (type: string, keys: readonly string[], owner: JobType['owner']): JobType => ({
  type,
  keys,
  owner,
})
const owned = (key: string, resourceType = key.replace(/_id$/, '')) => ({ key, resourceType })

/** The types, in the order in which the original serves their schemas. */
export const jobTypes: readonly JobType[] = [
  of('configure_route', ['router_id'], owned('router_id')),
  of('router_setup', ['pod_id', 'router_id', 'network_id'], owned('router_id')),
  of('port_delete', ['pod_id', 'port_id'], owned('port_id')),
  of('seg_rule_setup', ['project_id'], null),
  of('update_network', ['pod_id', 'network_id'], owned('network_id')),
  of('trunk_sync', ['pod_id', 'trunk_id'], owned('trunk_id')),
  of('subnet_update', ['pod_id', 'subnet_id'], owned('subnet_id')),
  of('shadow_port_setup', ['pod_id', 'network_id'], owned('network_id')),
  of('sfc_sync', ['pod_id', 'portchain_id', 'network_id'], owned('portchain_id', 'port_chain')),
  of('resource_recycle', ['project_id'], null),
  of('qos_create', ['pod_id', 'policy_id', 'res_type', 'res_id'], owned('policy_id', 'qos_policy')),
  of('qos_update', ['pod_id', 'policy_id'], owned('policy_id', 'qos_policy')),
  of('qos_delete', ['pod_id', 'policy_id'], owned('policy_id', 'qos_policy')),
  of('sync_qos_rule', ['rule_id', 'policy_id'], owned('policy_id', 'qos_policy')),
]

export type JobStatus = 'NEW' | 'RUNNING' | 'FAIL' | 'SUCCESS'

export type JobResource = Readonly<Record<string, string>>

export interface JobSpec {
  readonly projectId: string
  readonly type: string
  readonly resource: JobResource
  /** The name of the region that the job acts in; empty when it acts in none or in several. */
  readonly region: string
}

export interface Job extends JobSpec {
  readonly id: string
  /** When it was asked for, in whole seconds: jobs are shown and ordered by it. */
  readonly timestamp: Date
  readonly status: JobStatus
  readonly attempts: number
  readonly lastError: string | null
  readonly startedAt: Date | null
  readonly nextTryAt: Date | null
  /** When the job succeeded; null unless it is in the log. */
  readonly finishedAt: Date | null
}

/** The id that jobs share which must not run at the same time. */
export const resourceId = ({ type, resource }: Pick<JobSpec, 'type' | 'resource'>): string =>
  jobTypes
    .find(known => known.type === type)!
    .keys.map(key => resource[key])
    .join('#')

/** The kind of a job's turn in the clockwork. */
export const jobKind = 'job'

/** The key of the job's turn. */
export const turnKey = (spec: Pick<JobSpec, 'type' | 'resource'>): string =>
  `${spec.type}#${resourceId(spec)}`

const firstRetryMs = 1_000
const lastRetryMs = 600_000

/**
 * How long a job waits before try number `attempts + 1`: twice as long each time, ten minutes at most, give
 * or take half (`chance` in [0, 1)), so that jobs that failed together do not come back together.
 */
export function retryDelayMs(attempts: number, chance: number): number {
  const delay = Math.min(firstRetryMs * 2 ** Math.max(0, attempts - 1), lastRetryMs)
  return Math.round(delay * (0.5 + chance))
}
