-- Lists of accounts in several orders and a search over them, suspension, and links that are used once.

create extension if not exists pg_trgm;

alter table account
    add column suspended_at timestamptz,
    add column suspended_for text,
    add column last_seen_at timestamptz;

comment on column account.suspended_at is 'Since when none of its credentials is accepted; null: they are';
comment on column account.suspended_for is 'The reason that an administrator gave';
comment on column account.last_seen_at is 'To the hour, so that it is seldom written; null: not since this is recorded';

create index account_by_name on account ((left(lower(name), 64) collate "C"), id);
create index account_by_visit on account (coalesce(last_seen_at, timestamptz '1970-01-01 00:00:00+00'), id);
create index account_suspended on account (created_at, id) where suspended_at is not null;
-- Parts of names and addresses are found by the groups of three characters that they consist of.
create index account_words on account using gin ((' ' || lower(name || ' ' || coalesce(email, ''))) gin_trgm_ops);

create table invitation (
    id         uuid primary key,
    digest     bytea not null unique check (length(digest) = 32),
    role       text not null check (role in ('user', 'administrator')),
    note       text not null,
    created_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_by    uuid,
    used_at    timestamptz,
    check ((used_by is null) = (used_at is null))
);

create index invitation_created on invitation (created_at, id);
create index invitation_expiry on invitation (expires_at);

comment on table invitation is 'Links by which one account each may be registered, also while registration is closed';
comment on column invitation.digest is 'SHA-256 of the random token in the link; the token itself is not kept';
comment on column invitation.created_by is 'It is void unless this account is an administrator and not suspended';

create table password_reset (
    id              uuid primary key,
    account_id      uuid not null unique references account on delete cascade,
    digest          bytea not null unique check (length(digest) = 32),
    password_digest bytea not null,
    created_by      uuid not null,
    expires_at      timestamptz not null
);

create index password_reset_expiry on password_reset (expires_at);

comment on table password_reset is 'Links by which a new password may be set for an account, at most one for each';
comment on column password_reset.password_digest is 'SHA-256 of the hash of the password that is to be replaced: another one makes the link void';
comment on column password_reset.created_by is 'It is void unless this account is an administrator and not suspended';
