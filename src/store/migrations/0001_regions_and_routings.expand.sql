-- Regions (Tricircle's pods), the projects bound to them, and where central resources live in them.

create table region (
  id uuid primary key,
  name text not null,
  -- Empty for the central region, of which there is one.
  availability_zone text not null,
  -- The zone's name inside the region; empty when requests to the region carry none.
  local_availability_zone text not null,
  data_center text not null,
  created_at timestamptz not null
);
create unique index region_name on region (name);
create unique index region_one_central on region ((true)) where availability_zone = '';
-- Lists are in order of creation.
create index region_order on region (created_at, id);

create table binding (
  id uuid primary key,
  project_id text not null,
  region_id uuid not null constraint binding_region references region,
  created_at timestamptz not null,
  updated_at timestamptz
);
create unique index binding_project_region on binding (project_id, region_id);
create index binding_region on binding (region_id);
create index binding_order on binding (created_at, id);

create table routing (
  id bigint generated always as identity primary key,
  -- Free text: the id of a central resource, or the name of one that is known by name.
  central_id text not null,
  -- Null while the copy in the region is being made.
  regional_id text,
  region_id uuid not null constraint routing_region references region,
  project_id text not null,
  resource_type text not null,
  created_at timestamptz not null,
  updated_at timestamptz
);
create unique index routing_central on routing (central_id, region_id, resource_type);
create index routing_project on routing (project_id, id);
create index routing_project_type on routing (project_id, resource_type, id);
create index routing_regional on routing (regional_id, id);
create index routing_region on routing (region_id, project_id, id);
create index routing_created on routing (created_at, id);
create index routing_updated on routing (updated_at, id) where updated_at is not null;
