-- Lists, sums and a search over all shares, for administrators; what they note about shares; and a log of their acts.

create extension if not exists pg_trgm;

-- The lists are of the shares that hold something, in one of six orders. The first index has everything that sums over all
-- shares need, so that they read no row.
create index share_by_creation_index on share (created_at, id)
    include (state, kind, size, expires_at, uses_left, used_count) where state in ('active', 'spent');
create index share_by_expiry_index on share (coalesce(expires_at, timestamptz '9999-12-31 00:00:00+00'), id)
    where state in ('active', 'spent');
create index share_by_name_index on share ((left(lower(name), 64) collate "C"), id) where state in ('active', 'spent');
create index share_by_size_index on share (size, id) where state in ('active', 'spent');
create index share_by_downloads_index on share (used_count, id) where state in ('active', 'spent');
create index share_by_code_index on share (code) where state in ('active', 'spent');

-- Keywords are found by the groups of three characters that they consist of.
create index share_words_index on share
    using gin ((' ' || lower(code || ' ' || name || ' ' || left(coalesce(body, ''), 2000))) gin_trgm_ops)
    where state in ('active', 'spent');

create table share_note (
    share_id   uuid primary key references share (id) on delete cascade,
    note       text not null,
    tags       text[] not null,
    changed_at timestamptz not null
);

comment on table share_note is 'Notes and tags of administrators on shares; nobody else sees them';

create table list_preset (
    id         integer primary key generated always as identity,
    name       text not null,
    filters    jsonb not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);

comment on table list_preset is 'Filters and orders of the list of shares that administrators keep under a name, for all of them';

create table audit_entry (
    id            uuid primary key,
    at            timestamptz not null,
    act           text not null,
    account_id    uuid not null,
    account_name  text not null,
    credential_id uuid not null,
    address       text not null,
    request_id    text,
    target_kind   text not null,
    target_id     text,
    target_name   text,
    old           jsonb,
    new           jsonb
);

comment on table audit_entry is 'Every act of administrators and every change of rights, written with it; only ever added to';
comment on column audit_entry.act is 'Such as share.end or policy.change';
comment on column audit_entry.account_name is 'The account''s name at that time';
comment on column audit_entry.credential_id is 'The session or API key';
comment on column audit_entry.address is 'The client''s address';
comment on column audit_entry.old is 'The values before, of what was changed; never a secret';

create index audit_entry_at_index on audit_entry (at, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'entries of the audit log are never changed, and removed only by its age';
end $$;

create trigger audit_entry_is_kept before update or truncate on audit_entry
    for each statement execute function refuse_change();
create trigger audit_entry_is_old before delete on audit_entry
    for each row when (old.at > now() - interval '1 day') execute function refuse_change();
