-- Rooms, who is in them, and direct messages. What is said in rooms is not here: it lives in Valkey, and goes by itself.

create table room (
    id                    bigint generated always as identity primary key,
    name                  text not null,
    name_key              text not null,
    is_private            boolean not null,
    password_hash         text,
    owner                 uuid not null,
    lifetime_seconds      integer not null check (lifetime_seconds > 0),
    capacity              integer not null check (capacity > 0),
    revoke_files          boolean not null,
    file_lifetime_seconds integer check (file_lifetime_seconds >= 0),
    version               bigint not null default 1,
    created_at            timestamptz not null,
    closed_at             timestamptz,
    clean_due_at          timestamptz,
    cleaned_at            timestamptz,
    constraint room_open_needs_no_cleaning check ((closed_at is null) = (clean_due_at is null)),
    constraint room_public_has_no_password check (is_private or password_hash is null)
);

comment on table room is 'Rooms, from their creation until a day after they were closed and cleaned';
comment on column room.name_key is 'What names are compared by: unique among the open rooms';
comment on column room.password_hash is 'Argon2id, in PHC string format; null: a public room, or one that only invitations open';
comment on column room.lifetime_seconds is 'How long a message lives';
comment on column room.capacity is 'How many messages live at once; the oldest goes when there are more';
comment on column room.revoke_files is 'Whether the shares posted in it end when it is closed';
comment on column room.file_lifetime_seconds is
    'How long after its message the share of a file ends; null: by its own end alone';
comment on column room.version is 'Counts every change of the room and its members; Valkey is told before the commit';
comment on column room.clean_due_at is 'When the cleaning of a closed room is tried next, so that two sweeps do not try at once';
comment on column room.cleaned_at is 'When a closed room held nothing any more: its messages are gone, its files revoked';

create unique index room_name_key_index on room (name_key) where closed_at is null;
create index room_public_index on room (id) where closed_at is null and not is_private;
create index room_clean_due_at_index on room (clean_due_at) where closed_at is not null and cleaned_at is null;
create index room_cleaned_at_index on room (cleaned_at) where cleaned_at is not null;

create table member (
    room_id     bigint not null references room (id) on delete cascade,
    account_id  uuid not null,
    role        text not null check (role in ('owner', 'moderator', 'member')),
    muted_until timestamptz,
    joined_at   timestamptz not null,
    primary key (room_id, account_id)
);

comment on table member is 'Who is in which room';
comment on column member.muted_until is 'Until when the member may read but not write; null: may write';

create index member_account_index on member (account_id, room_id);
create index member_joined_at_index on member (room_id, joined_at, account_id);
create unique index member_owner_index on member (room_id) where role = 'owner';

create table ban (
    room_id    bigint not null references room (id) on delete cascade,
    account_id uuid not null,
    created_at timestamptz not null,
    primary key (room_id, account_id)
);

comment on table ban is 'Who was removed from a room and may not join it again';

create index ban_account_index on ban (account_id);

create table invitation (
    id         uuid primary key,
    room_id    bigint not null references room (id) on delete cascade,
    digest     bytea not null unique check (length(digest) = 32),
    created_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    uses_left  integer check (uses_left >= 0)
);

comment on table invitation is 'Links that let someone into a room without its password';
comment on column invitation.digest is 'SHA-256 of the random token in the link; the token itself is not kept';
comment on column invitation.uses_left is 'How many may still join by it; null: any number';

create index invitation_room_index on invitation (room_id);
create index invitation_created_by_index on invitation (created_by);
create index invitation_expires_at_index on invitation (expires_at);

create table room_file (
    room_id    bigint not null references room (id) on delete cascade,
    share_id   uuid not null,
    message_id text,
    revoke_at  timestamptz,
    due_at     timestamptz not null,
    primary key (room_id, share_id)
);

comment on table room_file is 'Shares that were posted in a room: what is to be revoked with it';
comment on column room_file.message_id is 'The message that carries it; null while that is being posted';
comment on column room_file.revoke_at is 'When the share ends because its message is long gone; null: not for that reason';
comment on column room_file.due_at is 'When its revocation is tried next, so that two sweeps do not try at once';

create index room_file_revoke_at_index on room_file (revoke_at) where revoke_at is not null;

create table inbox_message (
    id         bigint generated always as identity primary key,
    sender     uuid not null,
    recipient  uuid not null,
    body       text not null,
    created_at timestamptz not null
);

comment on table inbox_message is 'Direct messages, kept until one of the two deletes them';

create index inbox_message_sender_index on inbox_message (sender, id);
create index inbox_message_recipient_index on inbox_message (recipient, id);
