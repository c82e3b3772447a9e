-- A share is a grant on a file or on a text: who knows its code may have it until it ends.

create table share (
    id          uuid primary key,
    code        text not null,
    kind        text not null check (kind in ('file', 'text')),
    origin      text unique,
    file_id     uuid,
    name        text not null,
    size        bigint not null check (size >= 0),
    body        text,
    state       text not null default 'active' check (state in ('active', 'spent', 'ended', 'released')),
    expires_at  timestamptz,
    uses_left   integer check (uses_left >= 0),
    used_count  bigint not null default 0 check (used_count >= 0),
    created_at  timestamptz not null,
    ended_at    timestamptz,
    released_at timestamptz,
    release_due_at timestamptz,
    constraint share_code_key unique (code),
    constraint share_holds_what_its_kind_says check ((kind = 'file') = (file_id is not null)),
    constraint share_active_has_uses check (state <> 'active' or uses_left is null or uses_left > 0),
    constraint share_released_holds_nothing check (state <> 'released' or (body is null and released_at is not null))
);

comment on table share is 'Shares, from their creation until a day after they gave back what they held';
comment on column share.code is 'What people type; unique among the rows that are still here, so that it is not given out again too soon';
comment on column share.kind is 'file: a file of the upload service; text: the text in body';
comment on column share.origin is 'The upload session or other cause of a file share: asking twice makes one share';
comment on column share.file_id is 'The file at the upload service; null for a text';
comment on column share.size is 'Bytes: of the file, or of the text in UTF-8';
comment on column share.body is 'The text; erased as soon as the share has ended';
comment on column share.state is
    'active: can be redeemed. spent: the last use is taken, running downloads may resume until their lease is over. '
    'ended: nothing is served any more, the file is to be released. released: the file is given back';
comment on column share.expires_at is 'Nothing is served from this moment on, whatever the state still says; null: no such moment';
comment on column share.uses_left is 'How often it can still be redeemed; null: any number of times';
comment on column share.used_count is 'How often it was redeemed';
comment on column share.ended_at is 'When it stopped being redeemable';
comment on column share.release_due_at is 'When the release of an ended share is tried next, so that two sweeps do not try at once';

create index share_expires_at_index on share (expires_at) where state in ('active', 'spent');
create index share_spent_index on share (id) where state = 'spent';
create index share_release_due_at_index on share (release_due_at) where state = 'ended';
create index share_released_at_index on share (released_at) where state = 'released';
create index share_file_id_index on share (file_id) where file_id is not null and state <> 'released';

create table lease (
    share_id   uuid not null references share (id) on delete cascade,
    holder     bytea not null check (length(holder) = 32),
    expires_at timestamptz not null,
    primary key (share_id, holder)
);

comment on table lease is 'A download that was paid for with a use: until it is over, its holder may resume without another';
comment on column lease.holder is 'SHA-256 of the download key, or of the client''s address where no key is used';

create index lease_expires_at_index on lease (expires_at);

create table policy (
    name       text primary key,
    value      jsonb not null,
    changed_at timestamptz not null default now()
);

comment on table policy is 'What an administrator changed while the system was running; it stands over the defaults of the environment';
comment on column policy.name is 'A field of the public policy, such as upload_size';
