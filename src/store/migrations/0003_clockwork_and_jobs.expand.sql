-- The clockwork: whatever waits has a row in `turn`. Jobs: what the Tricircle API shows of them.

-- Numbers the processes that work; each holds an advisory lock on its number for as long as it lives.
create sequence turn_worker as integer cycle;
-- Grows with every asking, and for one turn in the order of commits: it is drawn under the turn's row lock.
create sequence turn_asked;

create table turn (
  -- What kind of work, and on what: `job`, `port_delete#POD#PORT`.
  kind text not null,
  key text not null,
  -- The region whose share of slots it takes; empty when it needs no region.
  lane text not null,
  -- Infinity when nobody has asked since it was last done.
  due_at timestamptz not null,
  asked bigint not null default nextval('turn_asked'),
  -- Counts the takings: a result is written under the epoch of its taking or not at all.
  epoch bigint not null default 0,
  worker integer,
  lease_until timestamptz,
  attempts integer not null default 0,
  primary key (kind, key)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index turn_due on turn (lane, due_at) where worker is null;
create index turn_taken on turn (worker) where worker is not null;

create table job (
  id uuid primary key,
  project_id text not null,
  type text not null,
  -- Of the turn that runs it: the type and the values of `resource`, joined with #. Jobs with the same key are about
  -- the same thing.
  key text not null,
  resource jsonb not null,
  -- The name of the region it acts in; empty when it acts in none or in several.
  region text not null,
  timestamp timestamptz not null,
  status text not null constraint job_status check (status in ('NEW', 'RUNNING', 'FAIL')),
  -- The asking that brought it: of one resource, the larger is the newer.
  asked bigint not null,
  attempts integer not null default 0,
  last_error text,
  started_at timestamptz,
  next_try_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
-- One at a time for a resource, whatever the processes do.
create unique index job_one_running on job (key) where status = 'RUNNING';
create index job_key on job (key, status, asked);
create index job_project on job (project_id, timestamp desc, id desc);
create index job_newest on job (timestamp desc, id desc);
-- What waits longest, for its expiry and for the metrics.
create index job_waiting on job (timestamp) where status = 'NEW';

create table job_log (
  id uuid primary key,
  project_id text not null,
  type text not null,
  resource jsonb not null,
  region text not null,
  timestamp timestamptz not null,
  attempts integer not null,
  started_at timestamptz,
  finished_at timestamptz not null
);
create index job_log_project on job_log (project_id, timestamp desc, id desc);
create index job_log_type on job_log (type, project_id, timestamp desc, id desc);
create index job_log_newest on job_log (timestamp desc, id desc);
create index job_log_finished on job_log (finished_at);
