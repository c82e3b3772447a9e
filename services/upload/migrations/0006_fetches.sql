-- Files that are fetched from elsewhere: jobs, each of which fills one upload session and shares what it becomes.

create table fetch_job (
    id uuid primary key,
    owner uuid not null,
    -- May hold a user and a password, which are taken out once the fetch is settled.
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
    -- What the content fills; null once there is a share, or nothing is left of it.
    session_id uuid references upload_session on delete set null,
    file_id uuid references file on delete set null,
    share_code text,
    -- A stable code, and what it means in words; null: nothing has failed.
    error text,
    detail text,
    -- The fence: only the worker named here may say what became of it, and only until lease_until.
    worker uuid,
    lease_until timestamptz,
    -- After that it has failed; it is set anew when the fetch is begun, so that waiting for it costs no time.
    ends_at timestamptz not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);

create index fetch_job_owned on fetch_job (owner, created_at, id);
create index fetch_job_open on fetch_job (changed_at) where state in ('queued', 'fetching');
create index fetch_job_settled on fetch_job (changed_at) where not (state in ('queued', 'fetching'));
-- For those who delete a session or a file, and for clearing away what came to nothing.
create index fetch_job_session on fetch_job (session_id) where session_id is not null;
create index fetch_job_file on fetch_job (file_id) where file_id is not null;
