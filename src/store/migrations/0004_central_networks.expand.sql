-- What the central model says of networks and subnets, as far as regions are told: the rest of each comes with the
-- central Networking API.

create table network (
  id text primary key,
  project_id text not null,
  description text not null,
  admin_state_up boolean not null,
  shared boolean not null
);

create table subnet (
  id text primary key,
  project_id text not null,
  network_id text not null,
  description text not null,
  enable_dhcp boolean not null,
  -- [{"destination", "nexthop"}]
  host_routes jsonb not null,
  dns_nameservers text[] not null
);

-- Things that Atoll makes in regions: written before the call that makes them, so that whatever happens to the answer
-- they are found again by their mark.
create table intent (
  -- The mark that the thing in the region bears.
  id uuid primary key,
  region text not null,
  resource_type text not null,
  -- What it is for: one thing for one purpose in a region.
  purpose text not null,
  -- The id that the region gave it; null until that is known.
  regional_id text,
  created_at timestamptz not null
);
create unique index intent_purpose on intent (region, resource_type, purpose);
