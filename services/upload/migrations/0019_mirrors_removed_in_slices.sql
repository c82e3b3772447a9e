-- A mirror with a million replicas is removed: a sweep ends or forgets them some at a time.

-- Whether everything stays there that is there; only where removed_at is set.
alter table mirror add column is_forgotten boolean not null default false;
