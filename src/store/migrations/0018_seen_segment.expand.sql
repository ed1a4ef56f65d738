-- The segments of the fabric that networks of a region's own have, as the region last showed them: each closes its number
-- for what is new. Two regions may show the same number, since neither asked Atoll.
create table seen_segment (
  region_id uuid not null references region on delete cascade,
  -- The network's id in the region.
  regional_id text not null,
  name text not null,
  network_type text not null,
  physical_network text not null,
  segmentation_id bigint not null,
  seen_at timestamptz not null,
  primary key (region_id, regional_id)
);
create index seen_segment_number on seen_segment (network_type, physical_network, segmentation_id);
