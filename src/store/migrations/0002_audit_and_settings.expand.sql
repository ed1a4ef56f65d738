-- Who changed what, and the few facts about the installation itself.

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  request_id text not null,
  user_id text not null,
  project_id text,
  -- What was done, as noun.verb: region.create, routing.remove.
  action text not null,
  target text not null,
  -- The row as it was left, or as it was when it was removed.
  state jsonb not null
);
create index audit_at on audit (at);
create index audit_target on audit (target, id);

create table setting (
  name text primary key,
  value text not null
);
