-- How high the level of an account gets in a day: so that the first instant with so much is found by days.

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
