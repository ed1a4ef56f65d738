-- How high the level of an account gets in a day, so that the first instant with so much is found by days; and usage that
-- ends.

alter table bucket
  -- Against the day's beginning; null where it is not known, and then the day's steps tell.
  add column highest bigint,
  -- Counts the writings that know of `highest`.
  add column writings bigint not null default 0;

-- A process of the release before writes a bucket anew without its highest, which is then not known any more.
create function bucket_forgets_highest() returns trigger language plpgsql as $$
begin
  new.highest := null;
  return new;
end $$;
create trigger bucket_forgets_highest before update on bucket
  for each row when (new.writings = old.writings) execute function bucket_forgets_highest();

-- What has ended stays, so that it is not looked for by looking at all.
create index usage_of_consumer on usage (consumer);

-- Also what ends changes what others have measured.
create or replace function usage_needs_lock() returns trigger language plpgsql as $$
begin
  if exists (
    select from taken join account on account.id = taken.account_id
    where account.kind <> 'host' and account.locked_by is distinct from pg_current_xact_id()
  ) then
    raise exception 'usage of an account was changed by a transaction that has not locked it'
      using errcode = 'check_violation', constraint = 'usage_needs_lock';
  end if;
  return null;
end $$;
create trigger usage_shortened_needs_lock after update on usage
  referencing old table as taken for each statement execute function usage_needs_lock();
create trigger usage_ended_needs_lock after delete on usage
  referencing old table as taken for each statement execute function usage_needs_lock();
