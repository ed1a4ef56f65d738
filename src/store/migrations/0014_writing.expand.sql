-- One writer at a time: whoever asks a region to change something has a row here until the model has the answer.

create table writing (
  -- A kind of the model, or what else is done by one at a time.
  kind text not null,
  id text not null,
  region_id uuid not null references region on delete cascade,
  -- Another one each time, so that who comes late takes nobody else's row away.
  token uuid not null,
  -- After that its writer is taken for dead.
  until timestamptz not null,
  primary key (kind, id)
);
create index writing_until on writing (until);

-- An address of a port has one floating IP at most: of several the first keeps it.
update floatingip set port_id = null, fixed_ip_address = null, router_id = null
where exists (
  select from floatingip as earlier
  where earlier.port_id = floatingip.port_id and earlier.fixed_ip_address = floatingip.fixed_ip_address
    and (earlier.created_at, earlier.id) < (floatingip.created_at, floatingip.id));
create unique index floatingip_target on floatingip (port_id, fixed_ip_address) where port_id is not null;
