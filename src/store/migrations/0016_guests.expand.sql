-- A port of another project on a project's network is its guest: the network's project sees it and may remove it.

alter table port add column guest_of text;

create function port_guest_of() returns trigger language plpgsql as $$
begin
  select project_id into new.guest_of from network
  where id = new.network_id and project_id <> new.project_id and bridge_of is null;
  return new;
end $$;
-- Neither the project of a port nor that of a network changes.
create trigger port_guest_of before insert on port for each row execute function port_guest_of();

update port set guest_of = network.project_id from network
where network.id = port.network_id and network.project_id <> port.project_id and network.bridge_of is null;

create index port_guest on port (guest_of, id) where guest_of is not null;
