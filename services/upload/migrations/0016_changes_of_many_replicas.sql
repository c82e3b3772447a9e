-- A mirror with a million replicas changes: a sweep has them checked, or tried again, some at a time.

alter table mirror
    -- What was verified before this moment is still to be checked.
    add column doubted_at timestamptz,
    -- What failed before this moment is still to be tried again at once.
    add column retried_at timestamptz;
