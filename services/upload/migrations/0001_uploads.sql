-- Upload sessions, their parts, the blobs they become and the files that name them.
--
-- Every object in the store is named by a row before its first byte is written, so whatever a crash leaves behind can be
-- found: sessions name their own object, their multipart upload and their staged chunks; blobs name theirs.

create table blob (
    id uuid primary key,
    object_key text not null unique,
    size bigint not null check (size >= 0),
    sha256 bytea not null check (length(sha256) = 32),
    -- ready: may be referenced. removing: garbage collection decided; no way back.
    state text not null default 'ready' check (state in ('ready', 'removing')),
    -- How many files name this blob. Kept on the row itself, so that taking a reference and deciding to remove the blob
    -- are updates of the same row, and PostgreSQL orders them.
    refs integer not null default 0 check (refs >= 0),
    unreferenced_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);

-- Content is stored once.
create unique index blob_content on blob (sha256, size) where state = 'ready';
create index blob_garbage on blob (unreferenced_at) where refs = 0;

create table file (
    id uuid primary key,
    -- Null until the content is verified, and for ever when it is corrupt.
    blob_id uuid references blob,
    name text not null,
    size bigint not null check (size >= 0),
    -- pending: being verified. ready: has its blob. corrupt: not what the sender said; never served.
    state text not null check (state in ('pending', 'ready', 'corrupt')),
    owner text,
    created_at timestamptz not null default now(),
    -- When a share was last known to hold this file; null while nobody has said so.
    claimed_at timestamptz,
    check ((state = 'ready') = (blob_id is not null))
);

create index file_blob on file (blob_id);
create index file_unclaimed on file (created_at) where claimed_at is null;

create table upload_session (
    id uuid primary key,
    -- open -> assembling -> verifying -> ready | corrupt; open -> aborted | expired
    state text not null default 'open'
        check (state in ('open', 'assembling', 'verifying', 'ready', 'corrupt', 'aborted', 'expired')),
    -- parts: each chunk is a part of the object. staged: chunks are objects of their own until they are joined.
    -- stream: one in-order stream.
    layout text not null check (layout in ('parts', 'staged', 'stream')),
    file_name text not null,
    -- As declared; null when a stream's sender did not say.
    size bigint check (size >= 0),
    chunk_size bigint,
    chunk_count integer,
    object_key text not null unique,
    multipart_id text,
    -- Digests the sender claims, "scheme:hex"; any one must match.
    claims text[] not null default '{}',
    -- The digest of the content, when one process saw all chunks pass and the claims hold; else the object is read back.
    passed_sha256 bytea check (length(passed_sha256) = 32),
    -- What makes a later start the same upload; null when every start is a new one.
    resume_key bytea,
    -- What the protocol that opened the session wants to remember until it ends.
    intent jsonb not null default '{}',
    owner text,
    file_id uuid references file on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    -- When the state last changed.
    changed_at timestamptz not null default now(),
    -- Who verifies, and until when that is believed.
    verifier uuid,
    verifier_until timestamptz,
    -- When nothing in the store was left that only this session named.
    cleaned_at timestamptz
);

create unique index upload_session_resume on upload_session (resume_key) where state = 'open';
create index upload_session_open on upload_session (expires_at) where state = 'open';
create index upload_session_unverified on upload_session (changed_at) where state in ('assembling', 'verifying');
create index upload_session_uncleaned on upload_session (changed_at)
    where cleaned_at is null and state in ('ready', 'corrupt', 'aborted', 'expired');
create index upload_session_cleaned on upload_session (cleaned_at) where cleaned_at is not null;

create table part (
    session_id uuid not null references upload_session on delete cascade,
    -- From 0.
    index integer not null check (index >= 0),
    -- The fence: only the writer named here may record the part, and only until lease_until.
    writer uuid not null,
    lease_until timestamptz not null,
    size bigint,
    sha256 bytea check (length(sha256) = 32),
    etag text,
    stored_at timestamptz,
    primary key (session_id, index)
);
