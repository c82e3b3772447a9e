-- Lists of open rooms in three orders and a search over their names, and a log of what administrators do to rooms.

create extension if not exists pg_trgm;

create index room_open_index on room (id) where closed_at is null;
drop index room_owner_index;
create index room_owner_index on room (owner, id) where closed_at is null;
create index room_name_order_index on room ((left(lower(name), 64) collate "C"), id) where closed_at is null;
-- Parts of names are found by the groups of three characters that they consist of.
create index room_words_index on room using gin ((' ' || lower(name)) gin_trgm_ops) where closed_at is null;

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
