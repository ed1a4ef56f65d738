-- The schema of this release, as the migrations make it. Written by test/store/migrations.test.ts: change a
-- migration, then `npx vitest run test/store/migrations -u`.

create sequence turn_asked as bigint;

create sequence turn_worker as integer cycle;

create table audit (
  id bigint generated always as identity not null,
  at timestamptz not null,
  request_id text not null,
  user_id text not null,
  project_id text,
  action text not null,
  target text not null,
  state jsonb not null,
  constraint audit_pkey primary key (id)
);
create index audit_at on audit (at);
create index audit_target on audit (target, id);

create table binding (
  id uuid not null,
  project_id text not null,
  region_id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint binding_region foreign key (region_id) references region(id),
  constraint binding_pkey primary key (id)
);
create index binding_order on binding (created_at, id);
create index binding_region on binding (region_id);
create unique index binding_project_region on binding (project_id, region_id);

create table intent (
  id uuid not null,
  region text not null,
  resource_type text not null,
  purpose text not null,
  regional_id text,
  created_at timestamptz not null,
  constraint intent_pkey primary key (id)
);
create unique index intent_purpose on intent (region, resource_type, purpose);

create table job (
  id uuid not null,
  project_id text not null,
  type text not null,
  key text not null,
  resource jsonb not null,
  region text not null,
  "timestamp" timestamptz not null,
  status text not null,
  asked bigint not null,
  attempts integer default 0 not null,
  last_error text,
  started_at timestamptz,
  next_try_at timestamptz,
  constraint job_status CHECK ((status = ANY (ARRAY['NEW'::text, 'RUNNING'::text, 'FAIL'::text]))),
  constraint job_pkey primary key (id)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);
create index job_key on job (key, status, asked);
create index job_newest on job ("timestamp" DESC, id DESC);
create index job_project on job (project_id, "timestamp" DESC, id DESC);
create index job_waiting on job ("timestamp") WHERE (status = 'NEW'::text);
create unique index job_one_running on job (key) WHERE (status = 'RUNNING'::text);

create table job_log (
  id uuid not null,
  project_id text not null,
  type text not null,
  resource jsonb not null,
  region text not null,
  "timestamp" timestamptz not null,
  attempts integer not null,
  started_at timestamptz,
  finished_at timestamptz not null,
  constraint job_log_pkey primary key (id)
);
create index job_log_finished on job_log (finished_at);
create index job_log_newest on job_log ("timestamp" DESC, id DESC);
create index job_log_project on job_log (project_id, "timestamp" DESC, id DESC);
create index job_log_type on job_log (type, project_id, "timestamp" DESC, id DESC);

create table migration (
  number integer not null,
  name text not null,
  checksum text not null,
  phase text not null,
  applied_at timestamptz not null,
  constraint migration_pkey primary key (number)
);

create table network (
  id text not null,
  project_id text not null,
  description text not null,
  admin_state_up boolean not null,
  shared boolean not null,
  constraint network_pkey primary key (id)
);

create table region (
  id uuid not null,
  name text not null,
  availability_zone text not null,
  local_availability_zone text not null,
  data_center text not null,
  created_at timestamptz not null,
  constraint region_pkey primary key (id)
);
create index region_order on region (created_at, id);
create unique index region_name on region (name);
create unique index region_one_central on region ((true)) WHERE (availability_zone = ''::text);

create table routing (
  id bigint generated always as identity not null,
  central_id text not null,
  regional_id text,
  region_id uuid not null,
  project_id text not null,
  resource_type text not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint routing_region foreign key (region_id) references region(id),
  constraint routing_pkey primary key (id)
);
create index routing_created on routing (created_at, id);
create index routing_project on routing (project_id, id);
create index routing_project_type on routing (project_id, resource_type, id);
create index routing_region on routing (region_id, project_id, id);
create index routing_regional on routing (regional_id, id);
create index routing_updated on routing (updated_at, id) WHERE (updated_at IS NOT NULL);
create unique index routing_central on routing (central_id, region_id, resource_type);

create table setting (
  name text not null,
  value text not null,
  constraint setting_pkey primary key (name)
);

create table subnet (
  id text not null,
  project_id text not null,
  network_id text not null,
  description text not null,
  enable_dhcp boolean not null,
  host_routes jsonb not null,
  dns_nameservers text[] not null,
  constraint subnet_pkey primary key (id)
);

create table turn (
  kind text not null,
  key text not null,
  lane text not null,
  due_at timestamptz not null,
  asked bigint default nextval('turn_asked'::regclass) not null,
  epoch bigint default 0 not null,
  worker integer,
  lease_until timestamptz,
  attempts integer default 0 not null,
  constraint turn_pkey primary key (kind, key)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);
create index turn_due on turn (lane, due_at) WHERE (worker IS NULL);
create index turn_taken on turn (worker) WHERE (worker IS NOT NULL);
