-- What may be promised: providers with their budgets, pools, reservations of capacity, and the servers made of them.

alter table account
  alter column region_id drop not null,
  alter column scope drop not null,
  drop constraint account_kind,
  add constraint account_kind check (kind in ('scope', 'host', 'budget')),
  -- A budget is in no region: it says what may be promised and not what there is.
  add constraint account_place check ((kind = 'budget') = (region_id is null) and (kind = 'budget') = (scope is null));

create table provider (
  id uuid primary key,
  name text not null,
  -- Everything but the password.
  login jsonb not null,
  sealed_password text not null,
  region_id uuid constraint provider_region references region,
  budget bigint not null constraint provider_budget references account,
  flavors jsonb not null,
  limits jsonb not null,
  refreshed_at timestamptz not null,
  last_error text,
  created_at timestamptz not null
);

create table pool (
  id uuid primary key,
  provider_id uuid not null constraint pool_provider references provider on delete cascade,
  source text not null,
  amounts jsonb not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  elements text[] not null,
  created_at timestamptz not null
);
create index pool_of_provider on pool (provider_id, created_at, id);

create table capacity_reservation (
  id uuid primary key,
  project_id text not null,
  user_id text not null,
  -- Providers may go; what was promised of them stays on record.
  provider_id uuid,
  from_at timestamptz not null,
  to_at timestamptz not null,
  zone text,
  amounts jsonb not null,
  elements text[] not null,
  state text not null,
  at_risk boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index capacity_reservation_order on capacity_reservation (created_at, id);
create index capacity_reservation_project on capacity_reservation (project_id, created_at, id);
create index capacity_reservation_provider on capacity_reservation (provider_id) where state = 'living';
create index capacity_reservation_elements on capacity_reservation using gin (elements) where elements <> '{}';

-- Which things are reserved when: two windows of one thing never meet.
create table element_hold (
  id bigint generated always as identity primary key,
  element text not null,
  reservation_id uuid not null references capacity_reservation on delete cascade,
  during tstzrange not null constraint element_hold_window check (not isempty(during)),
  constraint element_hold_alone exclude using gist (element with =, during with &&)
);
create index element_hold_reservation on element_hold (reservation_id);

create table instance (
  id uuid primary key,
  project_id text not null,
  user_id text not null,
  provider_id uuid not null,
  reservation_id uuid constraint instance_reservation references capacity_reservation,
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
  ended_at timestamptz
);
create index instance_order on instance (created_at, id);
create index instance_project on instance (project_id, created_at, id);
create index instance_watched on instance (provider_id) where status in ('building', 'active', 'deleting');
create index instance_reservation on instance (reservation_id);
create index instance_failed on instance (provider_id, ended_at) where status = 'error' and server_id is null;
create index instance_server on instance (server_id);

-- What is there whether there is room for it or not: it may leave less than nothing.
alter table usage add column imposed boolean not null default false;

-- The hosts that a region's general capacity is made of: those that are not enrolled.
create table general_host (
  region_id uuid not null constraint general_host_region references region on delete cascade,
  hypervisor_hostname text not null,
  -- What each class has, by name.
  amounts jsonb not null,
  primary key (region_id, hypervisor_hostname)
);

-- Taking from a scope or a budget without having locked it is a bug, by usage as by holds.
create function usage_needs_lock() returns trigger language plpgsql as $$
begin
  if exists (
    select from taken join account on account.id = taken.account_id
    where account.kind <> 'host' and account.locked_by is distinct from pg_current_xact_id()
  ) then
    raise exception 'usage was taken from an account that this transaction has not locked'
      using errcode = 'check_violation', constraint = 'usage_needs_lock';
  end if;
  return null;
end $$;
create trigger usage_needs_lock after insert on usage
  referencing new table as taken for each statement execute function usage_needs_lock();
