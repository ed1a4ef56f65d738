-- The journal by its time, so that what is kept no longer is found.

create index journal_at on journal (at);
