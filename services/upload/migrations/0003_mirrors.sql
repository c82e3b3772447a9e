-- Mirrors are destinations outside the object store; a replica is one blob on one mirror.
--
-- A file's owner says on which mirrors it is wanted (file_mirror); replicas follow from that, by blob. Every object at a
-- mirror is named by its replica's row before its first byte is written, so whatever a crash leaves there is overwritten
-- or removed.

create table mirror (
    -- What MirrorAce's clients know it by.
    id integer generated always as identity primary key,
    name text not null,
    kind text not null,
    -- JSON, sealed: it holds credentials.
    options bytea not null,
    -- What a replica's public link is made of; empty: it has none, unless the mirror itself gives one.
    link_pattern text not null default '',
    -- Who may use it; null: every account.
    accounts uuid[],
    -- Whether an account's files go there unless the account chose otherwise.
    is_default boolean not null default false,
    is_enabled boolean not null default true,
    -- How many replicas may be worked on at once.
    parallel integer not null check (parallel between 1 and 64),
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    -- Since when it is being removed, with all its replicas.
    removed_at timestamptz,
    probed_at timestamptz,
    -- Why the last probe failed; null: it did not.
    probe_error text,
    -- The breaker: after some failures one after the other nothing is tried before open_until.
    failures integer not null default 0,
    open_until timestamptz
);

create unique index mirror_name on mirror (lower(name)) where removed_at is null;

-- The mirrors that an account's files go to when nothing else is said; without a row, the default ones.
create table mirror_choice (
    account uuid primary key,
    mirror_ids integer[] not null
);

create table file_mirror (
    file_id uuid not null references file on delete cascade,
    mirror_id integer not null references mirror on delete cascade,
    primary key (file_id, mirror_id)
);

create index file_mirror_mirror on file_mirror (mirror_id);

-- Null: the mirrors of the owner's choice; empty: none.
alter table upload_session add column mirrors integer[];

create table replica (
    id uuid primary key,
    -- Null: it is only there to be removed. When the blob is wanted on the mirror again, that is another replica.
    blob_id uuid references blob on delete set null,
    mirror_id integer not null references mirror,
    -- queued -> copying -> verified | failed (tried again later); any -> removing -> removed, remembered for a while
    state text not null default 'queued'
        check (state in ('queued', 'copying', 'verified', 'failed', 'removing', 'removed')),
    -- Where the mirror itself says that it is.
    url text,
    -- Of the copy that is under way.
    bytes_done bigint not null default 0,
    -- Failures since the last success.
    attempts integer not null default 0,
    -- A stable code; null: the last attempt did not fail.
    error text,
    -- When there is something to be done next: a copy, a check, a removal; null: nothing any more.
    due_at timestamptz default now(),
    -- The fence: only the worker named here may say what became of it, and only until lease_until.
    worker uuid,
    lease_until timestamptz,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    -- When it was last read back and found equal.
    verified_at timestamptz,
    unique (blob_id, mirror_id)
);

-- A mirror's replicas in the order in which they are worked on: what is to be copied or removed before what is to be
-- checked.
create index replica_due on replica (mirror_id, due_at) where state <> 'verified';
create index replica_removed on replica (changed_at) where state = 'removed';
create index replica_check on replica (mirror_id, due_at) where state = 'verified';
create index replica_claimed on replica (mirror_id, lease_until) where lease_until is not null;
