-- Accounts, what proves that a request comes from one, and what is still to be erased of those that are gone.

create table account (
    id            uuid primary key,
    name          text not null check (length(name) between 1 and 255),
    name_key      text not null unique,
    email         text,
    email_key     text unique,
    password_hash text not null,
    role          text not null check (role in ('user', 'administrator')),
    profile       jsonb not null default '{}',
    created_at    timestamptz not null,
    check ((email is null) = (email_key is null))
);

-- Lists, newest first.
create index account_created on account (created_at, id);

comment on column account.name is 'As its owner writes it';
comment on column account.name_key is 'What names are compared by: case-folded, in Unicode form NFKC';
comment on column account.password_hash is 'Argon2id, as a PHC string';
comment on column account.profile is 'What a dialect keeps of an account beside: avatar_url, description';

create table session (
    id            uuid primary key,
    account_id    uuid not null references account on delete cascade,
    -- token: a signed token names it. opaque: a random text, of which the digest is kept.
    kind          text not null check (kind in ('token', 'opaque')),
    label         text not null,
    opaque_digest bytea unique,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    check ((kind = 'opaque') = (opaque_digest is not null))
);

create index session_account on session (account_id, created_at);
create index session_expiry on session (expires_at);

comment on column session.label is 'What the owner may know it by: the client that signed in';
comment on column session.opaque_digest is 'SHA-256 of a token that is only a random text';
comment on column session.expires_at is 'Null: never';

create table api_key (
    id           uuid primary key,
    account_id   uuid not null references account on delete cascade,
    name         text not null,
    key_digest   bytea not null unique,
    token_digest bytea not null,
    hint         text not null,
    created_at   timestamptz not null
);

create index api_key_account on api_key (account_id, created_at);

comment on column api_key.key_digest is 'SHA-256; key and token are random, so no slow hash is needed';
comment on column api_key.hint is 'The first characters of the key, for its owner to tell keys apart';
comment on column api_key.created_at is 'When this pair was made: making it anew changes it';

create table known_address (
    account_id     uuid not null references account on delete cascade,
    address_digest bytea not null,
    seen_at        timestamptz not null,
    primary key (account_id, address_digest)
);

create index known_address_seen on known_address (seen_at);

comment on table known_address is
    'Addresses that have signed in to an account: wrong passwords from elsewhere do not lock them out';
comment on column known_address.address_digest is 'SHA-256 of the account''s id and the address';

create table erasure (
    account_id  uuid not null,
    service     text not null check (service in ('share', 'upload')),
    due_at      timestamptz not null,
    passes_left smallint not null check (passes_left > 0),
    primary key (account_id, service)
);

create index erasure_due on erasure (due_at);

comment on table erasure is 'Accounts that are gone, and the services that have yet to erase what was theirs';
comment on column erasure.passes_left is 'The last pass catches what was still under way in the first';

comment on table signing_key is
    'Ed25519 keys; the newest of those whose time has come, and that are not retired, signs';
comment on column signing_key.created_at is 'When it begins to sign; it is published some seconds before';
