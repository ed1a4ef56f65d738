-- What a writer has begun, so that whoever finds its row can end it: a removal is asked for once more; what was set in
-- the model and is refused is set back.
alter table writing add column verb text not null default 'update';
alter table writing add column undo jsonb;
