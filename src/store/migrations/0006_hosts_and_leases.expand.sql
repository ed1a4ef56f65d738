-- Hosts that are enrolled for reservations, and the leases that reserve them.

create table host (
  id bigint primary key references account,
  region_id uuid not null constraint host_region references region,
  state text not null constraint host_state check (state in ('enrolling', 'enrolled', 'leaving')),
  reservable boolean not null,
  hypervisor_id text not null,
  hypervisor_hostname text not null,
  hypervisor_type text not null,
  hypervisor_version bigint not null,
  cpu_info text not null,
  service_name text not null,
  vcpus integer not null,
  memory_mb bigint not null,
  local_gb bigint not null,
  availability_zone text not null,
  provider_id text not null,
  -- What Placement has of it, by class: total, reserved, allocationRatio.
  inventory jsonb not null,
  -- Extra capabilities, text by name.
  capabilities jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz
);
create unique index host_hypervisor on host (region_id, hypervisor_hostname);
-- For a region's hosts in the order of their ids. As `id + 0`, since the planner believes that the primary key does it for
-- less, and so would read all regions' hosts.
create index host_search on host (region_id, (id + 0));

-- The names of extra capabilities that any host has or had.
create table host_property (
  id uuid primary key default gen_random_uuid(),
  name text not null constraint host_property_name unique,
  private boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz
);

create table lease (
  id uuid primary key,
  name text not null,
  project_id text not null,
  user_id text not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  status text not null,
  status_reason text,
  action text,
  degraded boolean not null,
  -- Counts the writings: a result is written over what it was made from, or not at all.
  version bigint not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz
);
create index lease_project on lease (project_id, created_at, id);
create index lease_created on lease (created_at, id);

create table reservation (
  id uuid primary key,
  lease_id uuid not null references lease on delete cascade,
  position integer not null,
  kind text not null,
  status text not null,
  min integer not null,
  max integer not null,
  hypervisor_properties text not null,
  resource_properties text not null,
  before_end text not null,
  region_id uuid not null constraint reservation_region references region,
  missing_resources boolean not null,
  resources_changed boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz
);
create index reservation_lease on reservation (lease_id, position);

create table lease_event (
  id uuid primary key,
  lease_id uuid not null references lease on delete cascade,
  position integer not null,
  type text not null,
  at timestamptz not null,
  status text not null,
  created_at timestamptz not null,
  updated_at timestamptz
);
create index lease_event_lease on lease_event (lease_id, position);
