-- The central model of networks, what is held of their subnets' addresses, and the intents' ends.

-- What processes of older releases write of networks and subnets has none of the new columns: hence the defaults.
alter table network
  add name text collate "C" not null default '',
  add revision integer not null default 1,
  add created_at timestamptz not null default now(),
  add updated_at timestamptz not null default now(),
  add external boolean not null default false,
  add mtu integer not null default 1500,
  add network_type text not null default '',
  add physical_network text,
  add segmentation_id bigint,
  add port_security_enabled boolean not null default true,
  add dns_domain text not null default '',
  add zone_hints text[] not null default '{}',
  -- The project whose routers' copies meet on it.
  add bridge_of text,
  add deleting boolean not null default false;
create index network_project on network (project_id, id);
create index network_name on network (name, id);
create unique index network_bridge on network (bridge_of) where bridge_of is not null;

alter table subnet
  add name text collate "C" not null default '',
  add revision integer not null default 1,
  add created_at timestamptz not null default now(),
  add updated_at timestamptz not null default now(),
  add ip_version integer not null default 4,
  add cidr text not null default '',
  add gateway_ip text,
  -- [{"start", "end"}]
  add allocation_pools jsonb not null default '[]',
  add ipv6_address_mode text,
  add ipv6_ra_mode text,
  add constraint subnet_network foreign key (network_id) references network;
create index subnet_project on subnet (project_id, id);
create index subnet_name on subnet (name, id);
create index subnet_network on subnet (network_id, created_at, id);

create table security_group (
  id text primary key,
  project_id text not null,
  name text collate "C" not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  stateful boolean not null,
  is_default boolean not null
);
create unique index security_group_one_default on security_group (project_id) where is_default;
create index security_group_project on security_group (project_id, id);
create index security_group_name on security_group (name, id);

create table security_group_rule (
  id text primary key,
  project_id text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  security_group_id text not null constraint rule_group references security_group on delete cascade,
  direction text not null,
  ethertype text not null,
  protocol text,
  port_range_min integer,
  port_range_max integer,
  remote_ip_prefix text,
  remote_group_id text constraint rule_remote_group references security_group on delete cascade
);
create index security_group_rule_project on security_group_rule (project_id, id);
create index security_group_rule_group on security_group_rule (security_group_id, created_at, id);
create index security_group_rule_remote on security_group_rule (remote_group_id) where remote_group_id is not null;

create table port (
  id text primary key,
  project_id text not null,
  name text collate "C" not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  network_id text not null constraint port_network references network,
  mac_address text not null,
  admin_state_up boolean not null,
  device_id text not null,
  device_owner text not null,
  security_group_ids text[] not null,
  -- [{"ipAddress", "macAddress"}]
  allowed_address_pairs jsonb not null,
  port_security_enabled boolean not null,
  host_id text not null,
  vnic_type text not null,
  vif_type text not null,
  profile jsonb not null,
  status text not null
);
create unique index port_mac on port (network_id, mac_address);
create index port_network on port (network_id, id);
create index port_project on port (project_id, id);
create index port_project_name on port (project_id, name, id);
create index port_project_created on port (project_id, created_at, id);
create index port_name on port (name, id);
create index port_device on port (device_id);
create index port_host on port (host_id, id) where host_id <> '';
create index port_mac_anywhere on port (mac_address);
create index port_groups on port using gin (security_group_ids);

-- What references from a list to its members would do: a group that a port is in stays, and a port is in none that is
-- gone.
create function port_groups_exist() returns trigger language plpgsql as $$
declare
  known integer;
begin
  if tg_op = 'UPDATE' and new.security_group_ids = old.security_group_ids then
    return null;
  end if;
  perform from security_group where id = any (new.security_group_ids) for key share;
  get diagnostics known = row_count;
  if known < cardinality(new.security_group_ids) then
    raise exception 'a port names a security group twice, or one that is not there'
      using errcode = 'foreign_key_violation', constraint = 'port_groups';
  end if;
  return null;
end $$;
create trigger port_groups_exist after insert or update of security_group_ids on port
  for each row execute function port_groups_exist();

create function security_group_unused() returns trigger language plpgsql as $$
begin
  if exists (select from port where security_group_ids && array[old.id]) then
    raise exception 'ports are in the security group'
      using errcode = 'foreign_key_violation', constraint = 'port_groups';
  end if;
  return null;
end $$;
create trigger security_group_unused after delete on security_group
  for each row execute function security_group_unused();

create table router (
  id text primary key,
  project_id text not null,
  name text collate "C" not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  admin_state_up boolean not null,
  -- {"networkId", "enableSnat", "fixedIps": [{"subnetId", "ipAddress"}]}
  gateway jsonb,
  gateway_network_id text generated always as (gateway ->> 'networkId') stored
    constraint router_gateway_network references network,
  -- [{"destination", "nextHop"}]
  routes jsonb not null,
  zone_hints text[] not null,
  distributed boolean not null,
  ha boolean not null,
  status text not null,
  deleting boolean not null
);
create index router_project on router (project_id, id);
create index router_name on router (name, id);
create index router_gateway_network on router (gateway_network_id) where gateway_network_id is not null;

create table floatingip (
  id text primary key,
  project_id text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  floating_network_id text not null constraint floatingip_network references network,
  floating_ip_address text not null,
  fixed_ip_address text,
  port_id text constraint floatingip_port references port,
  router_id text constraint floatingip_router references router,
  status text not null
);
create index floatingip_project on floatingip (project_id, id);
create index floatingip_network on floatingip (floating_network_id);
create index floatingip_address on floatingip (floating_ip_address);
create index floatingip_port on floatingip (port_id) where port_id is not null;
create index floatingip_router on floatingip (router_id) where router_id is not null;

-- How far two addresses are from each other. Without it the index of ranges does not know which are neighbours, and a
-- search in a full /16 reads 150 pages and not 4. A difference of IPv6 addresses may be more than bigint takes.
create function inet_distance(a inet, b inet) returns float8
  language plpgsql immutable strict parallel safe as $$
begin
  if family(a) = family(b) then
    if family(a) = 4 then
      return a - b;
    elsif network(set_masklen(a, 65)) = network(set_masklen(b, 65)) then
      return a - b;
    end if;
  end if;
  return case when a < b then -1e38 else 1e38 end;
end $$;
create type inetrange as range (subtype = inet, subtype_diff = inet_distance);

-- Addresses of subnets that are not to be given to anybody else.
create table held_range (
  id bigint generated always as identity primary key,
  subnet_id text not null constraint held_range_subnet references subnet,
  range inetrange not null constraint held_range_closed check (lower_inc(range) and upper_inc(range)),
  -- A region's id, or `central`.
  scope text not null,
  purpose text not null,
  holder text collate "C" not null,
  constraint held_range_one_address check (purpose = 'block' or lower(range) = upper(range)),
  -- What a region gives to whom it likes, nobody else gives.
  constraint held_range_scope exclude using gist (subnet_id with =, range with &&, scope with <>)
);
create unique index held_range_address on held_range (subnet_id, lower(range)) where purpose <> 'block';
create index held_range_purpose on held_range (subnet_id, purpose);
create index held_range_holder on held_range (holder, subnet_id);
create index held_range_anywhere on held_range (lower(range)) where purpose = 'port';

-- Which network lies on which segment, of those that Atoll gives.
create table segment (
  network_type text not null,
  physical_network text not null,
  segmentation_id bigint not null,
  -- Checked at the end: the segment is taken for a network that is about to be written.
  network_id text not null constraint segment_network references network on delete cascade
    deferrable initially deferred,
  primary key (network_type, physical_network, segmentation_id)
);
create index segment_network on segment (network_id);

alter table intent
  -- The central resource for whose sake the thing is there; empty while nothing central knows of it.
  add owner text not null default '',
  -- An ended intent has given its purpose free.
  add ended_at timestamptz;
create index intent_owner on intent (owner, region) where ended_at is null and owner <> '';
create index intent_living on intent (purpose) where ended_at is null;
create index intent_forsaken on intent (region, created_at)
  where regional_id is null and owner = '' and ended_at is null;
create index intent_ended on intent (ended_at) where ended_at is not null;

-- How far each region has been watched.
create table watch (
  region_id uuid primary key references region on delete cascade,
  -- By the region's own clock: what was changed before was seen.
  changed_since timestamptz,
  -- The same of servers, by the region's Nova.
  servers_since timestamptz,
  -- By ours: when the last look was begun that finds what is gone.
  swept_at timestamptz
);
create index routing_place on routing (region_id, resource_type, regional_id);
