-- A mirror with a million replicas changes: a sweep has them checked, or tried again, some at a time.

alter table mirror
    -- What was verified before this moment is still to be checked.
    add column doubted_at timestamptz,
    -- What failed before this moment is still to be tried again at once.
    add column retried_at timestamptz;

-- For finding those that are not yet due to be tried again.
drop index replica_error;
create index replica_error on replica (mirror_id, due_at) where error is not null;
