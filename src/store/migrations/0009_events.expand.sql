-- The feed: what happened, by numbers that come one after the other, and the outbox where it waits for its number.

-- Written by the statement that makes the change. A row's id is drawn before its transaction commits, and others that
-- have drawn a larger one may commit first: it is no number to read by.
create table outbox (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  type text not null,
  -- What was done, as noun.verb: lease.create, job.fail.
  action text not null,
  subject_id text not null,
  -- Whose the subject is; null where it is nobody's.
  project_id text,
  region text,
  data jsonb not null
);

create table event (
  number bigint primary key,
  at timestamptz not null,
  type text not null,
  action text not null,
  subject_id text not null,
  project_id text,
  region text,
  data jsonb not null
);
create index event_project on event (project_id, number) where project_id is not null;

-- One row: the number given last, and up to which number events have been removed because of their age.
create table feed (
  one boolean primary key default true constraint feed_one check (one),
  numbered bigint not null default 0,
  removed bigint not null default 0
);

-- Gives numbers to so many of what is committed, in the order in which it was written; returns to how many.
create function number_events(most int) returns int language plpgsql as $$
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
end $$;
