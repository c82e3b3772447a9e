-- Keys that are issued to an account before it uploads. Each names one sequence of pieces at a time.

create table upload_key (
    -- What the sequence is called.
    id uuid primary key,
    -- Of the key itself (SHA-256): what shows that it was issued together with this id.
    digest bytea not null check (length(digest) = 32),
    account uuid not null,
    -- It is taken from no other credential than the one that it was issued to.
    credential uuid not null,
    -- From then on nothing is begun with it. What was begun may be finished.
    expires_at timestamptz not null,
    -- What the last pieces went to, or are going to.
    session_id uuid references upload_session on delete set null
);

create index upload_key_account on upload_key (account);
create index upload_key_session on upload_key (session_id) where session_id is not null;
create index upload_key_unused on upload_key (expires_at) where session_id is null;
