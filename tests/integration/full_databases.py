"""Databases as full as an old system's, in seconds: thousands of rows in every table, in every state.

Row number n of a table has the id `id_of(n)`, so what a test asks for exists. Much is waiting for each sweep, and one
account owns a thirtieth of everything.
"""

from uuid import UUID

OWNER = UUID(int=1)
"""The account that owns a thirtieth of everything."""


def id_of(number: int) -> UUID:
    return UUID(int=number)


# Every statement is a list of rows; `n` is a row's number, `u(n)` its id, `d(n)` 32 bytes made of it.
FUNCTIONS = """
create function pg_temp.u(n bigint) returns uuid language sql immutable
    as $$ select lpad(to_hex(n), 32, '0')::uuid $$;
create function pg_temp.d(n bigint) returns bytea language sql immutable
    as $$ select decode(lpad(to_hex(n), 64, '0'), 'hex') $$;
create function pg_temp.owner(n bigint) returns uuid language sql immutable
    as $$ select case n % 29 when 0 then null when 1 then pg_temp.u(1) else pg_temp.u(n) end $$;
"""

AUDIT = """
insert into audit_entry
    (id, at, act, account_id, account_name, credential_id, address, target_kind, target_id, target_name)
select pg_temp.u(n), now() - n * interval '1 hour', case n % 100 when 0 then 'share.end' else 'room.close' end,
    pg_temp.u(n % 90), 'Account ' || n % 90, pg_temp.u(1), '10.0.0.' || n % 90, 'share', 'id ' || n, 'Target ' || n
from generate_series(1, {rows}) n;
"""
AUDITED = ("auth", "chat", "share", "upload")
"""The services that have an audit log."""

UPLOAD = """
insert into mirror (name, kind, options, parallel)
select 'mirror ' || n, 'fs', '', 2 from generate_series(1, 3) n;

insert into blob (id, object_key, size, sha256, state, refs, unreferenced_at)
select pg_temp.u(n), 'blobs/' || n, 1000, pg_temp.d(n), case when n > {rows} * 9 / 10 then 'removing' else 'ready' end,
    case when n > {rows} * 2 / 3 then 0 else 1 end, now() - interval '1 day'
from generate_series(1, {rows}) n;

insert into file (id, blob_id, name, size, state, owner, created_at, expires_at, claimed_at)
select pg_temp.u(n), case when n <= {rows} * 2 / 3 then pg_temp.u(n) end, 'file ' || n, 1000,
    case when n <= {rows} * 2 / 3 then 'ready' else 'pending' end, pg_temp.owner(n), now() - n * interval '1 minute',
    case when n % 5 = 4 then now() - n * interval '1 second' end, case when n % 4 > 0 then now() end
from generate_series(1, {rows}) n;

insert into upload_session (id, state, layout, file_name, size, object_key, owner, file_id, created_at, expires_at,
    changed_at, cleaned_at, resume_key)
select pg_temp.u(n),
    (array['open', 'open', 'assembling', 'verifying', 'ready', 'ready', 'ready', 'aborted'])[1 + n % 8], 'parts',
    'file ' || n, 1000, 'objects/' || n, pg_temp.owner(n), case when n % 8 > 1 then pg_temp.u(n) end, now(),
    now() + ((n % 16) - 8) * interval '1 hour', now() - n * interval '1 minute',
    case when n % 8 > 4 and n % 5 > 0 then now() - n * interval '1 minute' end, pg_temp.d(n)
from generate_series(1, {rows}) n;

insert into part (session_id, index, writer, lease_until, size, stored_at)
select pg_temp.u(n), part, pg_temp.u(n), now() + interval '1 minute', 1000,
    case when part = 0 or n % 2 = 0 then now() end
from generate_series(1, {rows}) n, generate_series(0, 1) part where n % 8 < 4;

insert into upload_key (id, digest, account, credential, expires_at, session_id)
select pg_temp.u(n), pg_temp.d(n), coalesce(pg_temp.owner(n), pg_temp.u(n)), pg_temp.u(n),
    now() - n * interval '1 minute', case when n % 2 = 0 then pg_temp.u(n) end
from generate_series(1, {rows}) n;

insert into usage (owner, bytes, files)
select pg_temp.u(n), case when n % 9 = 0 then 0 else n end, case when n % 9 = 0 then 0 else 1 end
from generate_series(1, {rows}) n on conflict do nothing;
insert into usage_change (owner, bytes, files) select pg_temp.u(n), 1, 0 from generate_series(1, {rows}) n;
insert into account_quota (account, bytes) select pg_temp.u(n), 1000 from generate_series(1, {rows}) n;

insert into mirror_choice (account, mirror_ids) select pg_temp.u(n), '{{1,2}}' from generate_series(1, {rows}) n;
insert into file_mirror (file_id, mirror_id) select pg_temp.u(n), 1 + n % 3 from generate_series(1, {rows}) n;

insert into replica (id, blob_id, mirror_id, state, error, due_at, lease_until, changed_at)
select pg_temp.u(n), case when n % 10 < 8 then pg_temp.u(n) end, 1 + n % 3, state,
    case when state = 'failed' then 'mirror_down' end,
    case when state <> 'removed' then now() + ((n % 7) - 3) * interval '1 hour' end,
    case when n % 5000 = 0 then now() + interval '1 minute' end, now() - n * interval '1 minute'
from generate_series(1, {rows}) n,
    lateral (select (array['verified', 'verified', 'verified', 'verified', 'verified', 'verified', 'queued', 'failed',
        'removing', 'removed'])[1 + n % 10] as state) of_row;

insert into fetch_job (id, owner, url, terms, max_size, state, session_id, file_id, lease_until, ends_at, created_at,
    changed_at)
select pg_temp.u(n), coalesce(pg_temp.owner(n), pg_temp.u(n)), 'https://example.org/' || n, '{{}}', 1000, state,
    case when state <> 'done' and n % 4 > 0 then pg_temp.u(n) end, case when state = 'done' then pg_temp.u(n) end,
    case when n % 5000 = 4 then now() + interval '1 minute' end, now(), now() - n * interval '1 minute',
    now() - n * interval '1 minute'
from generate_series(1, {rows}) n,
    lateral (select (array['done', 'done', 'failed', 'canceled', 'fetching', 'queued', 'done', 'done'])[1 + n % 8]
        as state) of_row;
"""

SHARE = """
insert into drop_off (id, code, owner, title, types, created_at, expires_at, ended_at)
select pg_temp.u(n), 'CODE ' || n, coalesce(pg_temp.owner(n), pg_temp.u(n)), 'title', '{{}}',
    now() - n * interval '1 minute', now() + ((n % 7) - 2) * interval '1 day',
    case when n % 3 = 0 then now() - n * interval '1 hour' end
from generate_series(1, {rows}) n;

insert into share (id, code, kind, form, origin, owner, file_id, name, size, state, expires_at, uses_left, created_at,
    ended_at, released_at, release_due_at, drop_id)
select pg_temp.u(n), 'code ' || n, 'file', (array['code', 'link', 'page'])[1 + n / 10 % 3], 'origin ' || n,
    pg_temp.owner(n), pg_temp.u(n), 'file ' || n, 1000, state,
    now() + ((n % 7) - 2) * interval '1 hour', case when n % 10 = 5 then 0 end, now() - n * interval '1 minute',
    case when state in ('ended', 'released') then now() end,
    case when state = 'released' then now() - interval '9 days' end,
    case when state = 'ended' then now() - n * interval '1 second' end,
    case when n % 2 = 0 then pg_temp.u(1 + n % 9) end
from generate_series(1, {rows}) n,
    lateral (select (array['active', 'active', 'active', 'active', 'active', 'spent', 'ended', 'ended', 'ended',
        'released'])[1 + n % 10] as state) of_row;

insert into share_note (share_id, note, tags, changed_at)
select pg_temp.u(n), 'note', '{{tag}}', now() from generate_series(1, {rows}) n where n % 2 = 0;

insert into list_preset (name, filters, created_at, changed_at)
select 'preset ' || n, '{{}}', now(), now() from generate_series(1, 24) n;

insert into lease (share_id, holder, expires_at)
select pg_temp.u(n), pg_temp.d(n), now() + ((n % 4) - 2) * interval '1 hour'
from generate_series(1, {rows}) n where n % 10 < 6;

insert into item (id, share_id, position, kind, name, size, sha256, state, session_id, file_id, look_at)
select pg_temp.u(n), pg_temp.u(n), n % 3, 'file', 'item ' || n, 1000, case when state = 'ready' then pg_temp.d(n) end,
    state, pg_temp.u(n), case when state in ('verifying', 'ready') then pg_temp.u(n) end,
    now() - n * interval '1 minute'
from generate_series(1, {rows}) n,
    lateral (select (array['ready', 'ready', 'ready', 'ready', 'ready', 'ready', 'waiting', 'verifying', 'failed',
        'removed'])[1 + n % 10] as state) of_row;

insert into webhook (id, owner, url, events, is_enabled, created_at, due_at)
select pg_temp.u(n), pg_temp.u(n), 'https://hooks.example/' || n, '{{share.fetched,share.complete}}', n % 5 > 0, now(),
    now() + (n % 3) * interval '1 hour'
from generate_series(1, {rows}) n;

insert into webhook_event (webhook_id, type, at, data)
select pg_temp.u(n * 300), 'share.fetched', now() - (event % 100) * interval '1 hour', '{{}}'
from generate_series(1, {rows} / 300) n, generate_series(1, 300) event;

insert into statistic (step, at, name, dialect, value)
select step, timestamptz '2020-01-01 00:00:00+00' + n * interval '1 hour', name, dialect, n
from generate_series(1, {rows} / 20) n, unnest(array['uploads', 'bytes_in']) name,
    unnest(array['native', 'uploads', 'filecodebox', 'system', 'curl']) dialect, unnest(array['hour', 'day']) step;

insert into statistic_batch (id, added_at)
select pg_temp.u(n), now() - n * interval '1 minute' from generate_series(1, {rows}) n;
"""

AUTH = """
insert into account (id, name, name_key, email, email_key, password_hash, role, created_at, suspended_at, last_seen_at)
select pg_temp.u(n), 'account ' || n, 'account ' || n, n || '@example.org', n || '@example.org', 'hash',
    case when n <= 2 then 'administrator' else 'user' end, now() - n * interval '1 minute',
    case when n % 100 = 7 then now() end, case when n % 3 > 0 then now() - n * interval '1 hour' end
from generate_series(1, {rows}) n;

insert into session (id, account_id, kind, label, opaque_digest, created_at, expires_at)
select pg_temp.u(n), pg_temp.u(n), case n % 2 when 0 then 'opaque' else 'token' end, 'client',
    case n % 2 when 0 then pg_temp.d(n) end, now(), now() + ((n % 4) - 1) * interval '1 hour'
from generate_series(1, {rows}) n;

insert into api_key (id, account_id, name, key_digest, token_digest, hint, created_at)
select pg_temp.u(n), pg_temp.u(n), 'key', pg_temp.d(n), pg_temp.d(n), 'hint', now() from generate_series(1, {rows}) n;

insert into known_address (account_id, address_digest, seen_at)
select pg_temp.u(n), pg_temp.d(n), now() - n * interval '1 hour' from generate_series(1, {rows}) n;

insert into invitation (id, digest, role, note, created_by, created_at, expires_at, used_by, used_at)
select pg_temp.u(n), pg_temp.d(n), 'user', 'note', pg_temp.u(1), now() - n * interval '1 minute',
    now() + ((n % 40) - 30) * interval '1 day', case when n % 2 = 0 then pg_temp.u(n) end,
    case when n % 2 = 0 then now() end
from generate_series(1, {rows}) n;

insert into password_reset (id, account_id, digest, password_digest, created_by, expires_at)
select pg_temp.u(n), pg_temp.u(n), pg_temp.d(n), pg_temp.d(n), pg_temp.u(1), now() + ((n % 4) - 1) * interval '1 hour'
from generate_series(1, {rows}) n;

insert into erasure (account_id, service, due_at, passes_left)
select pg_temp.u(n), service, now() - n * interval '1 minute', 2
from generate_series(1, {rows}) n, unnest(array['share', 'upload', 'chat']) service;
"""

CHAT = """
insert into room (name, name_key, is_private, owner, lifetime_seconds, capacity, revoke_files, created_at, closed_at,
    clean_due_at, cleaned_at)
select 'room ' || n, 'room ' || n, n % 2 = 0, coalesce(pg_temp.owner(n), pg_temp.u(n)), 60, 100, true, now(),
    closed_at, closed_at, case when n % 5 = 4 then now() - interval '2 days' end
from generate_series(1, {rows}) n,
    lateral (select case when n % 5 > 2 then now() - interval '2 days' end) c (closed_at);

insert into member (room_id, account_id, role, joined_at, address_digest)
select n, coalesce(pg_temp.owner(n), pg_temp.u(n)), 'owner', now() - (n % 40) * interval '1 day',
    case when n % 5 = 0 then pg_temp.d(n) end from generate_series(1, {rows}) n;
insert into address_hold (room_id, address_digest, account_id, expires_at)
select n, pg_temp.d(n), pg_temp.u(n), now() + ((n % 4) - 1) * interval '1 day' from generate_series(1, {rows}) n;
insert into ban (room_id, account_id, created_at) select n, pg_temp.u(n), now() from generate_series(1, {rows}) n;
insert into invitation (id, room_id, digest, created_by, created_at, expires_at)
select pg_temp.u(n), n, pg_temp.d(n), coalesce(pg_temp.owner(n), pg_temp.u(n)), now(),
    now() + ((n % 4) - 1) * interval '1 day'
from generate_series(1, {rows}) n;
insert into room_file (room_id, share_id, message_id, revoke_at, due_at)
select n, pg_temp.u(n), n || '-0', case when n % 3 = 0 and n % 5 < 4 then now() - n * interval '1 minute' end, now()
from generate_series(1, {rows}) n;
insert into inbox_send (request, digest, message_id, sent_at)
select 'request:' || n, pg_temp.d(n), n, now() - (n % 20) * interval '1 minute' from generate_series(1, {rows}) n;
insert into inbox_message (sender, recipient, body, created_at)
select coalesce(pg_temp.owner(n), pg_temp.u(n)), pg_temp.u(n), 'hello', now()
from generate_series(1, {rows}) n;
"""

ROWS = {"auth": AUTH, "chat": CHAT, "share": SHARE, "upload": UPLOAD}
"""The statements that fill the database of each service."""


def filling(service: str, rows: int) -> str:
    """The statements that put about so many rows into every table of a service's empty database."""
    audit = AUDIT if service in AUDITED else ""
    return FUNCTIONS + (ROWS[service] + audit).format(rows=rows)
