-- How much the files of each owner take, and how much they may take.
--
-- Every file counts for its owner with its size, also if others have the same content, unless it turned out corrupt. An
-- open upload counts with the bytes that are reserved for it. Guests together are the owner 00000000-…, and everything
-- counts once more for the place, ffffffff-….
--
-- A change is a new row, written in the transaction that changes what is counted, so nobody waits for anybody to count.
-- A sweep adds these rows up. The truth is always `usage` and `usage_change` together.

alter table upload_session
    -- The bytes that it may become without asking again. They count while it is open; then its file does. Null: it is so
    -- short that it counts only as a file.
    add column reserved bigint check (reserved >= 0);

create table usage (
    owner uuid primary key,
    bytes bigint not null default 0,
    files bigint not null default 0
);

create index usage_largest on usage (bytes, owner);

create table usage_change (
    owner uuid not null,
    bytes bigint not null,
    files bigint not null
);

create index usage_change_owner on usage_change (owner);
alter table usage_change set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- The limits of accounts that have their own in place of the policy's; null: no limit.
create table account_quota (
    account uuid primary key,
    bytes bigint check (bytes >= 0),
    files bigint check (files >= 0)
);

create function place() returns uuid language sql immutable
    as $$ select 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid $$;

create function counted_owner(owner uuid) returns uuid language sql immutable
    as $$ select coalesce(owner, '00000000-0000-0000-0000-000000000000'::uuid) $$;

-- Everything that is counted, row by row.
create view counted as
    select counted_owner(owner) as owner, size as bytes, 1 as files from file where state <> 'corrupt'
    union all
    select counted_owner(owner), reserved, 1 from upload_session where state = 'open' and reserved is not null;

-- Raise an error with the code WS507 if `more` would be too much for an owner (or the place), whose row is held from now
-- on until the end of the transaction, so that the next one waits and sees what this one takes.
create function keep_within(
    who uuid, more_bytes bigint, more_files bigint, max_bytes bigint, max_files bigint, whose text
) returns void language plpgsql as $$
declare
    used_bytes numeric;
    used_files numeric;
begin
    if max_bytes is null and max_files is null then
        return;
    end if;
    loop
        perform from usage where owner = who for update;
        exit when found;
        insert into usage (owner) values (who) on conflict do nothing;
    end loop;
    -- A statement of its own, so that it sees what was committed before the row could be held.
    if who = place() then
        select usage.bytes + changed.bytes, usage.files + changed.files into used_bytes, used_files
        from usage, (
            select coalesce(sum(bytes), 0) as bytes, coalesce(sum(files), 0) as files from usage_change) changed
        where owner = who;
    else
        select usage.bytes + changed.bytes, usage.files + changed.files into used_bytes, used_files
        from usage, (
            select coalesce(sum(bytes), 0) as bytes, coalesce(sum(files), 0) as files from usage_change
            where owner = who) changed
        where owner = who;
    end if;
    if (more_bytes > 0 and used_bytes + more_bytes > max_bytes)
        or (more_files > 0 and used_files + more_files > max_files) then
        raise exception 'quota exceeded' using errcode = 'WS507', detail = whose;
    end if;
end $$;

-- The same for an account (null: a guest) and the place. An account's own limits go before those that are given.
create function check_usage(
    account_id uuid, more_bytes bigint, more_files bigint,
    owner_bytes bigint, owner_files bigint, place_bytes bigint, place_files bigint
) returns void language plpgsql as $$
declare
    own account_quota;
begin
    if account_id is not null then
        select * into own from account_quota where account = account_id;
        if found then
            owner_bytes := own.bytes;
            owner_files := own.files;
        end if;
    end if;
    -- Always in this order, in which the sweep holds the rows as well.
    perform keep_within(
        counted_owner(account_id), more_bytes, more_files, owner_bytes, owner_files,
        case when account_id is null then 'guests' else 'account' end);
    perform keep_within(place(), more_bytes, more_files, place_bytes, place_files, 'place');
end $$;

-- Take so much, or raise the error.
create function take_usage(
    account_id uuid, more_bytes bigint, more_files bigint,
    owner_bytes bigint, owner_files bigint, place_bytes bigint, place_files bigint
) returns void language plpgsql as $$
begin
    perform check_usage(
        account_id, more_bytes, more_files, owner_bytes, owner_files, place_bytes, place_files);
    insert into usage_change (owner, bytes, files) values (counted_owner(account_id), more_bytes, more_files);
end $$;

-- The end of a session gives back what was reserved, or turns it into a file of the size that it really has. One that is
-- opened again reserves as before, and loses its file.
create function count_session() returns trigger language plpgsql as $$
begin
    if old.state = 'open' and new.file_id is not null then
        insert into usage_change (owner, bytes, files)
        values (counted_owner(new.owner), new.size - coalesce(old.reserved, 0), (old.reserved is null)::int);
    elsif new.reserved is null then
        return null;
    elsif old.state = 'open' then
        insert into usage_change (owner, bytes, files) values (counted_owner(new.owner), -old.reserved, -1);
    else
        insert into usage_change (owner, bytes, files) values (counted_owner(new.owner), new.reserved, 1);
    end if;
    return null;
end $$;

create trigger upload_session_counted after update of state on upload_session for each row
    when ((old.state = 'open') <> (new.state = 'open')
        and not (old.state = 'open' and new.file_id is not null and new.size is not distinct from old.reserved))
    execute function count_session();

create function count_changed_file() returns trigger language plpgsql as $$
begin
    if old.state <> 'corrupt' then
        insert into usage_change (owner, bytes, files) values (counted_owner(old.owner), -old.size, -1);
    end if;
    if new.state <> 'corrupt' then
        insert into usage_change (owner, bytes, files) values (counted_owner(new.owner), new.size, 1);
    end if;
    return null;
end $$;

create trigger file_changed_counted after update of owner, state on file for each row
    when (old.owner is distinct from new.owner or (old.state = 'corrupt') <> (new.state = 'corrupt'))
    execute function count_changed_file();

create function count_deleted_files() returns trigger language plpgsql as $$
begin
    insert into usage_change (owner, bytes, files)
    select counted_owner(owner), -sum(size), -count(*) from deleted where state <> 'corrupt' group by owner;
    return null;
end $$;

create trigger file_deleted_counted after delete on file referencing old table as deleted for each statement
    execute function count_deleted_files();

-- What there is already. Uploads that are under way keep their room.
update upload_session set reserved = coalesce(size, 0) where state = 'open';
insert into usage (owner, bytes, files)
select owner, sum(bytes), sum(files) from counted group by owner
union all select place(), coalesce(sum(bytes), 0), coalesce(sum(files), 0) from counted;
