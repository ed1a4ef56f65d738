-- Whether a provider's user has the role admin; known with the next look at it.

alter table provider add column is_admin boolean not null default false;
