// The tables as Kysely sees them; schema.sql has them as PostgreSQL does.

import type { Generated } from 'kysely'
import type { HostState } from '../core/hosts/host.ts'
import type { JobResource, JobStatus } from '../core/jobs/job.ts'
import type { EndedBy } from '../core/network/copies/intent.ts'

export interface Tables {
  region: RegionTable
  binding: BindingTable
  routing: RoutingTable
  audit: AuditTable
  setting: SettingTable
  turn: TurnTable
  job: JobTable
  job_log: JobLogTable
  intent: IntentTable
  host: HostTable
  watch: WatchTable
}

export interface RegionTable {
  id: string
  name: string
  availability_zone: string
  local_availability_zone: string
  data_center: string
  created_at: Date
}

export interface BindingTable {
  id: string
  project_id: string
  region_id: string
  created_at: Date
  updated_at: Date | null
}

export interface RoutingTable {
  id: Generated<number>
  central_id: string
  regional_id: string | null
  region_id: string
  project_id: string
  resource_type: string
  created_at: Date
  updated_at: Date | null
}

export interface AuditTable {
  id: Generated<number>
  at: Date
  request_id: string
  user_id: string
  project_id: string | null
  action: string
  target: string
  state: unknown
}

export interface SettingTable {
  name: string
  value: string
}

export interface TurnTable {
  kind: string
  key: string
  lane: string
  due_at: Date
  asked: number
  epoch: number
  worker: number | null
  lease_until: Date | null
  attempts: number
}

export interface JobTable {
  id: string
  project_id: string
  type: string
  key: string
  resource: JobResource
  region: string
  timestamp: Date
  status: JobStatus
  asked: number
  attempts: number
  last_error: string | null
  started_at: Date | null
  next_try_at: Date | null
}

export interface JobLogTable {
  id: string
  project_id: string
  type: string
  resource: JobResource
  region: string
  timestamp: Date
  attempts: number
  started_at: Date | null
  finished_at: Date
}

export interface IntentTable {
  id: string
  region: string
  resource_type: string
  purpose: string
  owner: string
  regional_id: string | null
  created_at: Date
  ended_at: Date | null
  ended_by: EndedBy | null
}

export interface HostTable {
  id: number
  region_id: string
  state: HostState
  reservable: boolean
  hypervisor_id: string
  hypervisor_hostname: string
  hypervisor_type: string
  hypervisor_version: number
  cpu_info: string
  service_name: string
  vcpus: number
  memory_mb: number
  local_gb: number
  availability_zone: string
  provider_id: string
  inventory: unknown
  capabilities: unknown
  created_at: Date
  updated_at: Date | null
}

export interface WatchTable {
  region_id: string
  changed_since: Date | null
  servers_since: Date | null
  swept_at: Date | null
}
