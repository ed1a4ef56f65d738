-- What a region does not show is not gone: how an intent has ended, which regions are not believed, and what left the
-- model because it was seen to be gone.

-- Null of one that ended before this was told apart: as if it had been seen to be gone.
alter table intent add column ended_by text constraint intent_ended_by check (ended_by in ('verb', 'absence'));

create table suspicion (
  region_id uuid not null references region on delete cascade,
  -- By which services the region was looked at: network, or compute.
  through text not null,
  since timestamptz not null,
  reason text not null,
  -- By kind: {"missing", "known"}.
  counts jsonb not null,
  -- By kind, how many an administrator has said are gone indeed.
  confirmed jsonb,
  primary key (region_id, through)
);

create table absent (
  kind text not null,
  -- The central id.
  id text not null,
  region_id uuid not null references region on delete cascade,
  regional_id text not null,
  -- The row as it was, as its table has it.
  state jsonb not null,
  -- The routings that it had.
  places jsonb not null,
  -- The ranges that it held; they stay held while it is absent.
  held jsonb not null,
  -- Of a port: [{"floatingIpId", "fixedIpAddress", "routerId"}], the floating IPs that led to it.
  links jsonb not null,
  gone_at timestamptz not null,
  primary key (kind, id)
);
create index absent_regional on absent (region_id, kind, regional_id);
create index absent_gone on absent (gone_at);
create index absent_mac on absent ((state ->> 'network_id'), (state ->> 'mac_address')) where kind = 'port';

-- Reservations that a verb or their time has ended: what of them shows in a region later was left by a late call.
create table ended_reservation (
  id text primary key,
  region_id uuid not null references region on delete cascade,
  ended_at timestamptz not null
);
create index ended_reservation_ended on ended_reservation (ended_at);

-- What took its server for gone (or for never made): a verb or an answer to one, or that it was not seen. Null of one that
-- lives, and of one that ended before this was told apart.
alter table instance add column ended_by text constraint instance_ended_by check (ended_by in ('verb', 'absence'));
create index instance_ended on instance (provider_id, ended_at) where ended_by is not null;

-- Since when a provider is not believed: while it is not, nothing follows from what it does not show.
alter table provider add column suspect_since timestamptz;
alter table provider add column suspect_reason text;
