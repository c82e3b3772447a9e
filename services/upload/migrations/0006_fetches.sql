-- Files that are fetched from elsewhere: jobs, each of which fills one upload session and shares what it becomes.

create table fetch_job (
    id uuid primary key,
    owner uuid not null,
    url text not null,
    -- Null: what the answer, or else the URL, calls it.
    file_name text,
    -- What the content must be; null: whatever comes.
    sha256 bytea check (length(sha256) = 32),
    mirrors integer[],
    -- Of the share: its form, when it ends, its password.
    terms jsonb not null,
    max_size bigint not null check (max_size > 0),
    state text not null default 'queued' check (state in ('queued', 'fetching', 'done', 'failed', 'canceled')),
    -- What the other side says of it: its size, and how to ask for the rest of the very same content.
    size bigint,
    validator text,
    bytes_done bigint not null default 0,
    session_id uuid references upload_session on delete set null,
    file_id uuid references file on delete set null,
    share_code text,
    -- A stable code, and what it means in words; null: nothing has failed.
    error text,
    detail text,
    -- The fence: only the worker named here may say what became of it, and only until lease_until.
    worker uuid,
    lease_until timestamptz,
    -- After that it has failed.
    ends_at timestamptz not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);

create index fetch_job_owned on fetch_job (owner, created_at, id);
create index fetch_job_open on fetch_job (changed_at) where state in ('queued', 'fetching');
create index fetch_job_settled on fetch_job (changed_at) where state not in ('queued', 'fetching');
