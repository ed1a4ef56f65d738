-- The ledger of capacity over time. Supply, holds and usage are what is true; steps, buckets and gaps are derived from
-- them in the same transaction, so that a question costs what it asks for and not what is stored.

create extension if not exists btree_gist;

-- What has capacity: a region's general and its reservable scope, and every host that is or was enrolled.
create table account (
  id bigint generated always as identity primary key,
  kind text not null constraint account_kind check (kind in ('scope', 'host')),
  region_id uuid not null constraint account_region references region on delete cascade,
  scope text not null constraint account_scope check (scope in ('general', 'reservable')),
  -- The transaction that may take from this account.
  locked_by xid8
) with (fillfactor = 50);
create unique index account_one_scope on account (region_id, scope) where kind = 'scope';

create table supply (
  id bigint generated always as identity primary key,
  account_id bigint not null references account on delete cascade,
  class text not null,
  amount bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  origin text not null,
  constraint supply_window check (from_at < to_at)
);
create index supply_account on supply (account_id, class);

create table claim (
  id uuid primary key,
  project_id text not null,
  kind text not null,
  from_at timestamptz not null,
  to_at timestamptz not null
);

-- What claims take from scopes.
create table hold (
  id bigint generated always as identity primary key,
  claim_id uuid not null references claim on delete cascade,
  line uuid not null,
  account_id bigint not null references account on delete cascade,
  class text not null,
  amount bigint not null constraint hold_amount check (amount > 0),
  from_at timestamptz not null,
  to_at timestamptz not null,
  constraint hold_window check (from_at < to_at)
);
create index hold_claim on hold (claim_id);
create index hold_account on hold (account_id, to_at);

-- What claims take of hosts. Two windows of one host may meet only where both share it.
create table host_hold (
  id bigint generated always as identity primary key,
  claim_id uuid not null references claim on delete cascade,
  line uuid not null,
  host_id bigint not null references account on delete cascade,
  during tstzrange not null constraint host_hold_window check (not isempty(during)),
  whole boolean not null,
  constraint host_hold_alone
    exclude using gist (host_id with =, during with &&, (case when whole then id else 0 end) with <>)
);
create index host_hold_claim on host_hold (claim_id, line);
create index host_hold_order on host_hold (host_id, lower(during) desc);

-- What exists in a region and is covered by no hold: a server on an enrolled host that nobody reserved.
create table usage (
  id bigint generated always as identity primary key,
  account_id bigint not null references account on delete cascade,
  class text not null,
  amount bigint not null constraint usage_amount check (amount > 0),
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- The region's id of what uses it.
  consumer text not null
);
create unique index usage_consumer on usage (account_id, class, consumer);

-- What happened, in the order of writing: who, when, and by how much the available amount changed from when to when.
create table journal (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  request_id text not null,
  user_id text not null,
  project_id text,
  action text not null,
  target text not null,
  -- [[account, class, amount, from, to], …]
  postings jsonb not null,
  written_by xid8 not null default pg_current_xact_id()
);
create index journal_target on journal (target, id);

-- By how much the available amount of an account changes at an instant.
create table step (
  account_id bigint not null references account on delete cascade,
  class text not null,
  at timestamptz not null,
  change bigint not null,
  primary key (account_id, class, at)
);

-- The steps of a day (UTC) together: their sum, and how low the level gets, both against the day's beginning.
create table bucket (
  account_id bigint not null references account on delete cascade,
  class text not null,
  day timestamptz not null,
  change bigint not null,
  lowest bigint not null,
  primary key (account_id, class, day)
);

-- When a host is free.
create table host_gap (
  host_id bigint not null references account on delete cascade,
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- How long: 0 below one hour, 1 below two, 2 below four, …
  scale integer not null generated always as (width_bucket(to_at - from_at,
    '{1:00,2:00,4:00,8:00,16:00,32:00,64:00,128:00,256:00,512:00,1024:00,2048:00,4096:00,8192:00}'::interval[])) stored,
  primary key (host_id, from_at),
  constraint host_gap_window check (from_at < to_at)
);
create index host_gap_search on host_gap (scale, from_at, to_at, host_id);

-- Taking from a scope without having locked it is a bug, and is refused.
create function hold_needs_lock() returns trigger language plpgsql as $$
begin
  if exists (
    select from taken join account on account.id = taken.account_id
    where account.locked_by is distinct from pg_current_xact_id()
  ) then
    raise exception 'a hold was taken from an account that this transaction has not locked'
      using errcode = 'check_violation', constraint = 'hold_needs_lock';
  end if;
  return null;
end $$;
create trigger hold_needs_lock after insert on hold
  referencing new table as taken for each statement execute function hold_needs_lock();
