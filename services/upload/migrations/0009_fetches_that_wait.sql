-- Fetches that wait for another attempt keep no worker: their row says when that is due, and how many have failed.

alter table fetch_job
    -- Until then no worker takes it; null: at once.
    add column retry_at timestamptz,
    -- Attempts in a row that brought nothing to keep. Only more than was ever kept restarts the count.
    add column failures integer not null default 0,
    add column most_stored bigint not null default 0;
