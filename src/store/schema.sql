-- The schema of this release, as the migrations make it. Written by test/store/migrations.test.ts: change a
-- migration, then `npx vitest run test/store/migrations -u`.

create extension btree_gist;

create type inetrange as range (subtype = inet, subtype_diff = inet_distance);

create sequence turn_asked as bigint;

create sequence turn_worker as integer cycle;

create table absent (
  kind text not null,
  id text not null,
  region_id uuid not null,
  regional_id text not null,
  state jsonb not null,
  places jsonb not null,
  held jsonb not null,
  links jsonb not null,
  gone_at timestamptz not null,
  constraint absent_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint absent_pkey primary key (kind, id)
);
create index absent_gone on absent (gone_at);
create index absent_mac on absent (((state ->> 'network_id'::text)), ((state ->> 'mac_address'::text))) WHERE (kind = 'port'::text);
create index absent_regional on absent (region_id, kind, regional_id);

create table account (
  id bigint generated always as identity not null,
  kind text not null,
  region_id uuid,
  scope text,
  locked_by xid8,
  constraint account_kind CHECK ((kind = ANY (ARRAY['scope'::text, 'host'::text, 'budget'::text]))),
  constraint account_place CHECK ((((kind = 'budget'::text) = (region_id IS NULL)) AND ((kind = 'budget'::text) = (scope IS NULL)))),
  constraint account_scope CHECK ((scope = ANY (ARRAY['general'::text, 'reservable'::text]))),
  constraint account_region foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint account_pkey primary key (id)
) with (fillfactor=50);
create unique index account_one_scope on account (region_id, scope) WHERE (kind = 'scope'::text);

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

create table bucket (
  account_id bigint not null,
  class text not null,
  day timestamptz not null,
  change bigint not null,
  lowest bigint not null,
  highest bigint,
  writings bigint default 0 not null,
  constraint bucket_account_id_fkey foreign key (account_id) references account(id) ON DELETE CASCADE,
  constraint bucket_pkey primary key (account_id, class, day)
);

create table capacity_reservation (
  id uuid not null,
  project_id text not null,
  user_id text not null,
  provider_id uuid,
  from_at timestamptz not null,
  to_at timestamptz not null,
  zone text,
  amounts jsonb not null,
  elements text[] not null,
  state text not null,
  at_risk boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint capacity_reservation_pkey primary key (id)
);
create index capacity_reservation_at_risk on capacity_reservation (provider_id) WHERE ((state = 'living'::text) AND at_risk);
create index capacity_reservation_elements on capacity_reservation USING gin (elements) WHERE (elements <> '{}'::text[]);
create index capacity_reservation_order on capacity_reservation (created_at, id);
create index capacity_reservation_project on capacity_reservation (project_id, created_at, id);
create index capacity_reservation_provider on capacity_reservation (provider_id) WHERE (state = 'living'::text);
create index capacity_reservation_window on capacity_reservation USING gist (tstzrange(from_at, to_at, '[]'::text));

create table claim (
  id uuid not null,
  project_id text not null,
  kind text not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  constraint claim_pkey primary key (id)
);

create table element_hold (
  id bigint generated always as identity not null,
  element text not null,
  reservation_id uuid not null,
  during tstzrange not null,
  constraint element_hold_window CHECK ((NOT isempty(during))),
  constraint element_hold_reservation_id_fkey foreign key (reservation_id) references capacity_reservation(id) ON DELETE CASCADE,
  constraint element_hold_pkey primary key (id),
  constraint element_hold_alone EXCLUDE USING gist (element WITH =, during WITH &&)
);
create index element_hold_reservation on element_hold (reservation_id);

create table ended_reservation (
  id text not null,
  region_id uuid not null,
  ended_at timestamptz not null,
  constraint ended_reservation_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint ended_reservation_pkey primary key (id)
);
create index ended_reservation_ended on ended_reservation (ended_at);

create table event (
  number bigint not null,
  at timestamptz not null,
  type text not null,
  action text not null,
  subject_id text not null,
  project_id text,
  region text,
  data jsonb not null,
  constraint event_pkey primary key (number)
);
create index event_project on event (project_id, number) WHERE (project_id IS NOT NULL);

create table feed (
  one boolean default true not null,
  numbered bigint default 0 not null,
  removed bigint default 0 not null,
  constraint feed_one CHECK (one),
  constraint feed_pkey primary key (one)
);

create table floatingip (
  id text not null,
  project_id text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  floating_network_id text not null,
  floating_ip_address text not null,
  fixed_ip_address text,
  port_id text,
  router_id text,
  status text not null,
  constraint floatingip_network foreign key (floating_network_id) references network(id),
  constraint floatingip_port foreign key (port_id) references port(id),
  constraint floatingip_router foreign key (router_id) references router(id),
  constraint floatingip_pkey primary key (id)
);
create index floatingip_address on floatingip (floating_ip_address);
create index floatingip_network on floatingip (floating_network_id);
create index floatingip_port on floatingip (port_id) WHERE (port_id IS NOT NULL);
create index floatingip_project on floatingip (project_id, id);
create index floatingip_router on floatingip (router_id) WHERE (router_id IS NOT NULL);
create unique index floatingip_target on floatingip (port_id, fixed_ip_address) WHERE (port_id IS NOT NULL);

create table general_host (
  region_id uuid not null,
  hypervisor_hostname text not null,
  amounts jsonb not null,
  constraint general_host_region foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint general_host_pkey primary key (region_id, hypervisor_hostname)
);

create table held_range (
  id bigint generated always as identity not null,
  subnet_id text not null,
  range inetrange not null,
  scope text not null,
  purpose text not null,
  holder text not null,
  constraint held_range_closed CHECK ((lower_inc(range) AND upper_inc(range))),
  constraint held_range_one_address CHECK (((purpose = 'block'::text) OR (lower(range) = upper(range)))),
  constraint held_range_subnet foreign key (subnet_id) references subnet(id),
  constraint held_range_pkey primary key (id),
  constraint held_range_scope EXCLUDE USING gist (subnet_id WITH =, range WITH &&, scope WITH <>)
);
create index held_range_anywhere on held_range (lower(range)) WHERE (purpose = 'port'::text);
create index held_range_holder on held_range (holder, subnet_id);
create index held_range_purpose on held_range (subnet_id, purpose);
create unique index held_range_address on held_range (subnet_id, lower(range)) WHERE (purpose <> 'block'::text);

create table hold (
  id bigint generated always as identity not null,
  claim_id uuid not null,
  line uuid not null,
  account_id bigint not null,
  class text not null,
  amount bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  constraint hold_amount CHECK ((amount > 0)),
  constraint hold_window CHECK ((from_at < to_at)),
  constraint hold_account_id_fkey foreign key (account_id) references account(id) ON DELETE CASCADE,
  constraint hold_claim_id_fkey foreign key (claim_id) references claim(id) ON DELETE CASCADE,
  constraint hold_pkey primary key (id)
);
create index hold_account on hold (account_id, to_at);
create index hold_claim on hold (claim_id);

create table host (
  id bigint not null,
  region_id uuid not null,
  state text not null,
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
  inventory jsonb not null,
  capabilities jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint host_state CHECK ((state = ANY (ARRAY['enrolling'::text, 'enrolled'::text, 'leaving'::text]))),
  constraint host_id_fkey foreign key (id) references account(id),
  constraint host_region foreign key (region_id) references region(id),
  constraint host_pkey primary key (id)
);
create index host_search on host (region_id, ((id + 0)));
create unique index host_hypervisor on host (region_id, hypervisor_hostname);

create table host_gap (
  host_id bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  scale integer generated always as (width_bucket((to_at - from_at), '{01:00:00,02:00:00,04:00:00,08:00:00,16:00:00,32:00:00,64:00:00,128:00:00,256:00:00,512:00:00,1024:00:00,2048:00:00,4096:00:00,8192:00:00}'::interval[])) stored not null,
  constraint host_gap_window CHECK ((from_at < to_at)),
  constraint host_gap_host_id_fkey foreign key (host_id) references account(id) ON DELETE CASCADE,
  constraint host_gap_pkey primary key (host_id, from_at)
);
create index host_gap_search on host_gap (scale, from_at, to_at, host_id);

create table host_hold (
  id bigint generated always as identity not null,
  claim_id uuid not null,
  line uuid not null,
  host_id bigint not null,
  during tstzrange not null,
  whole boolean not null,
  constraint host_hold_window CHECK ((NOT isempty(during))),
  constraint host_hold_claim_id_fkey foreign key (claim_id) references claim(id) ON DELETE CASCADE,
  constraint host_hold_host_id_fkey foreign key (host_id) references account(id) ON DELETE CASCADE,
  constraint host_hold_pkey primary key (id),
  constraint host_hold_alone EXCLUDE USING gist (host_id WITH =, during WITH &&, (
CASE
    WHEN whole THEN id
    ELSE (0)::bigint
END) WITH <>)
);
create index host_hold_claim on host_hold (claim_id, line);
create index host_hold_order on host_hold (host_id, lower(during) DESC);

create table host_property (
  id uuid default gen_random_uuid() not null,
  name text not null,
  private boolean default false not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint host_property_pkey primary key (id),
  constraint host_property_name UNIQUE (name)
);

create table instance (
  id uuid not null,
  project_id text not null,
  user_id text not null,
  provider_id uuid not null,
  reservation_id uuid,
  name text not null,
  flavor_id text not null,
  image text not null,
  networks text[] not null,
  amounts jsonb not null,
  server_id text,
  status text not null,
  reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  constraint instance_ended_by CHECK ((ended_by = ANY (ARRAY['verb'::text, 'absence'::text]))),
  constraint instance_reservation foreign key (reservation_id) references capacity_reservation(id),
  constraint instance_pkey primary key (id)
);
create index instance_ended on instance (provider_id, ended_at) WHERE (ended_by IS NOT NULL);
create index instance_failed on instance (provider_id, ended_at) WHERE ((status = 'error'::text) AND (server_id IS NULL));
create index instance_order on instance (created_at, id);
create index instance_project on instance (project_id, created_at, id);
create index instance_reservation on instance (reservation_id);
create index instance_server on instance (server_id);
create index instance_watched on instance (provider_id) WHERE (status = ANY (ARRAY['building'::text, 'active'::text, 'deleting'::text]));

create table intent (
  id uuid not null,
  region text not null,
  resource_type text not null,
  purpose text not null,
  regional_id text,
  created_at timestamptz not null,
  owner text default ''::text not null,
  ended_at timestamptz,
  ended_by text,
  constraint intent_ended_by CHECK ((ended_by = ANY (ARRAY['verb'::text, 'absence'::text]))),
  constraint intent_pkey primary key (id)
);
create index intent_ended on intent (ended_at) WHERE (ended_at IS NOT NULL);
create index intent_forsaken on intent (region, created_at) WHERE ((regional_id IS NULL) AND (owner = ''::text) AND (ended_at IS NULL));
create index intent_living on intent (purpose) WHERE (ended_at IS NULL);
create index intent_owner on intent (owner, region) WHERE ((ended_at IS NULL) AND (owner <> ''::text));
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

create table journal (
  id bigint generated always as identity not null,
  at timestamptz not null,
  request_id text not null,
  user_id text not null,
  project_id text,
  action text not null,
  target text not null,
  postings jsonb not null,
  written_by xid8 default pg_current_xact_id() not null,
  constraint journal_pkey primary key (id)
);
create index journal_at on journal (at);
create index journal_target on journal (target, id);

create table lease (
  id uuid not null,
  name text not null,
  project_id text not null,
  user_id text not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  status text not null,
  status_reason text,
  action text,
  degraded boolean not null,
  version bigint default 0 not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint lease_pkey primary key (id)
);
create index lease_created on lease (created_at, id);
create index lease_project on lease (project_id, created_at, id);

create table lease_event (
  id uuid not null,
  lease_id uuid not null,
  "position" integer not null,
  type text not null,
  at timestamptz not null,
  status text not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint lease_event_lease_id_fkey foreign key (lease_id) references lease(id) ON DELETE CASCADE,
  constraint lease_event_pkey primary key (id)
);
create index lease_event_lease on lease_event (lease_id, "position");

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
  name text default ''::text not null,
  revision integer default 1 not null,
  created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  external boolean default false not null,
  mtu integer default 1500 not null,
  network_type text default ''::text not null,
  physical_network text,
  segmentation_id bigint,
  port_security_enabled boolean default true not null,
  dns_domain text default ''::text not null,
  zone_hints text[] default '{}'::text[] not null,
  bridge_of text,
  deleting boolean default false not null,
  constraint network_pkey primary key (id)
);
create index network_name on network (name, id);
create index network_project on network (project_id, id);
create unique index network_bridge on network (bridge_of) WHERE (bridge_of IS NOT NULL);

create table outbox (
  id bigint generated always as identity not null,
  at timestamptz not null,
  type text not null,
  action text not null,
  subject_id text not null,
  project_id text,
  region text,
  data jsonb not null,
  constraint outbox_pkey primary key (id)
);

create table pool (
  id uuid not null,
  provider_id uuid not null,
  source text not null,
  amounts jsonb not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  elements text[] not null,
  created_at timestamptz not null,
  constraint pool_provider foreign key (provider_id) references provider(id) ON DELETE CASCADE,
  constraint pool_pkey primary key (id)
);
create index pool_of_provider on pool (provider_id, created_at, id);

create table port (
  id text not null,
  project_id text not null,
  name text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  network_id text not null,
  mac_address text not null,
  admin_state_up boolean not null,
  device_id text not null,
  device_owner text not null,
  security_group_ids text[] not null,
  allowed_address_pairs jsonb not null,
  port_security_enabled boolean not null,
  host_id text not null,
  vnic_type text not null,
  vif_type text not null,
  profile jsonb not null,
  status text not null,
  guest_of text,
  constraint port_network foreign key (network_id) references network(id),
  constraint port_pkey primary key (id)
);
create index port_device on port (device_id);
create index port_groups on port USING gin (security_group_ids);
create index port_guest on port (guest_of, id) WHERE (guest_of IS NOT NULL);
create index port_host on port (host_id, id) WHERE (host_id <> ''::text);
create index port_mac_anywhere on port (mac_address);
create index port_name on port (name, id);
create index port_network on port (network_id, id);
create index port_project on port (project_id, id);
create index port_project_created on port (project_id, created_at, id);
create index port_project_name on port (project_id, name, id);
create unique index port_mac on port (network_id, mac_address);

create table provider (
  id uuid not null,
  name text not null,
  login jsonb not null,
  sealed_password text not null,
  region_id uuid,
  budget bigint not null,
  flavors jsonb not null,
  limits jsonb not null,
  refreshed_at timestamptz not null,
  last_error text,
  created_at timestamptz not null,
  suspect_since timestamptz,
  suspect_reason text,
  is_admin boolean default false not null,
  constraint provider_budget foreign key (budget) references account(id),
  constraint provider_region foreign key (region_id) references region(id),
  constraint provider_pkey primary key (id)
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

create table reservation (
  id uuid not null,
  lease_id uuid not null,
  "position" integer not null,
  kind text not null,
  status text not null,
  min integer not null,
  max integer not null,
  hypervisor_properties text not null,
  resource_properties text not null,
  before_end text not null,
  region_id uuid not null,
  missing_resources boolean not null,
  resources_changed boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz,
  constraint reservation_lease_id_fkey foreign key (lease_id) references lease(id) ON DELETE CASCADE,
  constraint reservation_region foreign key (region_id) references region(id),
  constraint reservation_pkey primary key (id)
);
create index reservation_lease on reservation (lease_id, "position");

create table router (
  id text not null,
  project_id text not null,
  name text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  admin_state_up boolean not null,
  gateway jsonb,
  gateway_network_id text generated always as ((gateway ->> 'networkId'::text)) stored,
  routes jsonb not null,
  zone_hints text[] not null,
  distributed boolean not null,
  ha boolean not null,
  status text not null,
  deleting boolean not null,
  constraint router_gateway_network foreign key (gateway_network_id) references network(id),
  constraint router_pkey primary key (id)
);
create index router_gateway_network on router (gateway_network_id) WHERE (gateway_network_id IS NOT NULL);
create index router_name on router (name, id);
create index router_project on router (project_id, id);

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
create index routing_place on routing (region_id, resource_type, regional_id);
create index routing_project on routing (project_id, id);
create index routing_project_type on routing (project_id, resource_type, id);
create index routing_region on routing (region_id, project_id, id);
create index routing_regional on routing (regional_id, id);
create index routing_updated on routing (updated_at, id) WHERE (updated_at IS NOT NULL);
create unique index routing_central on routing (central_id, region_id, resource_type);

create table security_group (
  id text not null,
  project_id text not null,
  name text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  stateful boolean not null,
  is_default boolean not null,
  constraint security_group_pkey primary key (id)
);
create index security_group_name on security_group (name, id);
create index security_group_project on security_group (project_id, id);
create unique index security_group_one_default on security_group (project_id) WHERE is_default;

create table security_group_rule (
  id text not null,
  project_id text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  security_group_id text not null,
  direction text not null,
  ethertype text not null,
  protocol text,
  port_range_min integer,
  port_range_max integer,
  remote_ip_prefix text,
  remote_group_id text,
  constraint rule_group foreign key (security_group_id) references security_group(id) ON DELETE CASCADE,
  constraint rule_remote_group foreign key (remote_group_id) references security_group(id) ON DELETE CASCADE,
  constraint security_group_rule_pkey primary key (id)
);
create index security_group_rule_group on security_group_rule (security_group_id, created_at, id);
create index security_group_rule_project on security_group_rule (project_id, id);
create index security_group_rule_remote on security_group_rule (remote_group_id) WHERE (remote_group_id IS NOT NULL);

create table seen_segment (
  region_id uuid not null,
  regional_id text not null,
  name text not null,
  network_type text not null,
  physical_network text not null,
  segmentation_id bigint not null,
  seen_at timestamptz not null,
  constraint seen_segment_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint seen_segment_pkey primary key (region_id, regional_id)
);
create index seen_segment_number on seen_segment (network_type, physical_network, segmentation_id);

create table segment (
  network_type text not null,
  physical_network text not null,
  segmentation_id bigint not null,
  network_id text not null,
  constraint segment_network foreign key (network_id) references network(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  constraint segment_pkey primary key (network_type, physical_network, segmentation_id)
);
create index segment_network on segment (network_id);

create table setting (
  name text not null,
  value text not null,
  constraint setting_pkey primary key (name)
);

create table step (
  account_id bigint not null,
  class text not null,
  at timestamptz not null,
  change bigint not null,
  constraint step_account_id_fkey foreign key (account_id) references account(id) ON DELETE CASCADE,
  constraint step_pkey primary key (account_id, class, at)
);

create table subnet (
  id text not null,
  project_id text not null,
  network_id text not null,
  description text not null,
  enable_dhcp boolean not null,
  host_routes jsonb not null,
  dns_nameservers text[] not null,
  name text default ''::text not null,
  revision integer default 1 not null,
  created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  ip_version integer default 4 not null,
  cidr text default ''::text not null,
  gateway_ip text,
  allocation_pools jsonb default '[]'::jsonb not null,
  ipv6_address_mode text,
  ipv6_ra_mode text,
  constraint subnet_network foreign key (network_id) references network(id),
  constraint subnet_pkey primary key (id)
);
create index subnet_name on subnet (name, id);
create index subnet_network on subnet (network_id, created_at, id);
create index subnet_project on subnet (project_id, id);

create table supply (
  id bigint generated always as identity not null,
  account_id bigint not null,
  class text not null,
  amount bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  origin text not null,
  constraint supply_window CHECK ((from_at < to_at)),
  constraint supply_account_id_fkey foreign key (account_id) references account(id) ON DELETE CASCADE,
  constraint supply_pkey primary key (id)
);
create index supply_account on supply (account_id, class);

create table suspicion (
  region_id uuid not null,
  through text not null,
  since timestamptz not null,
  reason text not null,
  counts jsonb not null,
  confirmed jsonb,
  constraint suspicion_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint suspicion_pkey primary key (region_id, through)
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

create table usage (
  id bigint generated always as identity not null,
  account_id bigint not null,
  class text not null,
  amount bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  consumer text not null,
  imposed boolean default false not null,
  constraint usage_amount CHECK ((amount > 0)),
  constraint usage_account_id_fkey foreign key (account_id) references account(id) ON DELETE CASCADE,
  constraint usage_pkey primary key (id)
);
create index usage_of_consumer on usage (consumer);
create unique index usage_consumer on usage (account_id, class, consumer);

create table watch (
  region_id uuid not null,
  changed_since timestamptz,
  servers_since timestamptz,
  swept_at timestamptz,
  constraint watch_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint watch_pkey primary key (region_id)
);

create table writing (
  kind text not null,
  id text not null,
  region_id uuid not null,
  token uuid not null,
  until timestamptz not null,
  verb text default 'update'::text not null,
  undo jsonb,
  constraint writing_region_id_fkey foreign key (region_id) references region(id) ON DELETE CASCADE,
  constraint writing_pkey primary key (kind, id)
);
create index writing_until on writing (until);

CREATE OR REPLACE FUNCTION public.bucket_forgets_highest()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.highest := null;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.hold_needs_lock()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (
    select from taken join account on account.id = taken.account_id
    where account.locked_by is distinct from pg_current_xact_id()
  ) then
    raise exception 'a hold was taken from an account that this transaction has not locked'
      using errcode = 'check_violation', constraint = 'hold_needs_lock';
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.inet_distance(a inet, b inet)
 RETURNS double precision
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
begin
  if family(a) = family(b) then
    if family(a) = 4 then
      return a - b;
    elsif network(set_masklen(a, 65)) = network(set_masklen(b, 65)) then
      return a - b;
    end if;
  end if;
  return case when a < b then -1e38 else 1e38 end;
end $function$
;

CREATE OR REPLACE FUNCTION public.inetmultirange()
 RETURNS inetmultirange
 LANGUAGE internal
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$multirange_constructor0$function$
;

CREATE OR REPLACE FUNCTION public.inetmultirange(inetrange)
 RETURNS inetmultirange
 LANGUAGE internal
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$multirange_constructor1$function$
;

CREATE OR REPLACE FUNCTION public.inetmultirange(VARIADIC inetrange[])
 RETURNS inetmultirange
 LANGUAGE internal
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$multirange_constructor2$function$
;

CREATE OR REPLACE FUNCTION public.inetrange(inet, inet)
 RETURNS inetrange
 LANGUAGE internal
 IMMUTABLE PARALLEL SAFE
AS $function$range_constructor2$function$
;

CREATE OR REPLACE FUNCTION public.inetrange(inet, inet, text)
 RETURNS inetrange
 LANGUAGE internal
 IMMUTABLE PARALLEL SAFE
AS $function$range_constructor3$function$
;

CREATE OR REPLACE FUNCTION public.number_events(most integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  moved int;
begin
  perform from outbox order by id limit 1;
  if not found then
    return 0;
  end if;
  -- One at a time, to its commit. Whoever waits here looks at the outbox after the one before has committed: so what
  -- is seen of the feed has no number missing below the largest.
  insert into feed default values on conflict (one) do update set numbered = feed.numbered;
  with taken as (
    delete from outbox where id in (select id from outbox order by id limit most) returning *
  ), told as (
    insert into event (number, at, type, action, subject_id, project_id, region, data)
    select feed.numbered + row_number() over (order by taken.id), at, type, action, subject_id, project_id, region, data
    from taken cross join feed
  ), counted as (
    update feed set numbered = numbered + (select count(*) from taken)
  )
  select count(*) into moved from taken;
  return moved;
end $function$
;

CREATE OR REPLACE FUNCTION public.port_groups_exist()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.port_guest_of()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  select project_id into new.guest_of from network
  where id = new.network_id and project_id <> new.project_id and bridge_of is null;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.security_group_unused()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from port where security_group_ids && array[old.id]) then
    raise exception 'ports are in the security group'
      using errcode = 'foreign_key_violation', constraint = 'port_groups';
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.usage_needs_lock()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (
    select from taken join account on account.id = taken.account_id
    where account.kind <> 'host' and account.locked_by is distinct from pg_current_xact_id()
  ) then
    raise exception 'usage of an account was changed by a transaction that has not locked it'
      using errcode = 'check_violation', constraint = 'usage_needs_lock';
  end if;
  return null;
end $function$
;

CREATE TRIGGER bucket_forgets_highest BEFORE UPDATE ON public.bucket FOR EACH ROW WHEN ((new.writings = old.writings)) EXECUTE FUNCTION bucket_forgets_highest();

CREATE TRIGGER hold_needs_lock AFTER INSERT ON public.hold REFERENCING NEW TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION hold_needs_lock();

CREATE TRIGGER port_groups_exist AFTER INSERT OR UPDATE OF security_group_ids ON public.port FOR EACH ROW EXECUTE FUNCTION port_groups_exist();

CREATE TRIGGER port_guest_of BEFORE INSERT ON public.port FOR EACH ROW EXECUTE FUNCTION port_guest_of();

CREATE TRIGGER security_group_unused AFTER DELETE ON public.security_group FOR EACH ROW EXECUTE FUNCTION security_group_unused();

CREATE TRIGGER usage_ended_needs_lock AFTER DELETE ON public.usage REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION usage_needs_lock();

CREATE TRIGGER usage_needs_lock AFTER INSERT ON public.usage REFERENCING NEW TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION usage_needs_lock();

CREATE TRIGGER usage_shortened_needs_lock AFTER UPDATE ON public.usage REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION usage_needs_lock();
